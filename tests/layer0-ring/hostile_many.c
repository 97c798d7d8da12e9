/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever one process writes into a ring with many producers, the others' ends never crash,
 * never read or write outside their mapping, never loop without end: they answer with an error.
 *
 * Method: as in hostile.c; here producers, too, read what others may have written, and repair it.
 */
#include "hostile_ring.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/many.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/stat.h"

static void produce_some(struct lam_ring_many_producer *producer, uint64_t rounds)
{
    struct lam_ring_many_blocker blocker;
    void *payload = NULL;

    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t bytes = pick(lam_ring_payload_bytes_max(producer->ring) + 2);

        if (lam_ring_many_try_claim(producer, bytes, &payload) == 1) {
            memset(payload, (int)i, bytes);
            spoil_one(pick(8) == 0, pick(8) == 0);
            if (pick(5) == 0)
                lam_ring_many_abort(producer);
            else
                lam_ring_many_commit(producer, pick(bytes + 1), 1, 0);
        }
        spoil_one(pick(2) == 0, pick(2) == 0);
    }
    if (lam_ring_many_claim_until(producer, 100, lam_deadline_after_ns(1000), &payload) == 0)
        lam_ring_many_abort(producer);
    (void)lam_ring_many_blocker(producer, &blocker);
    (void)lam_ring_many_wait_consumers_until(producer, 1, lam_deadline_after_ns(1000));
}

static uint64_t consume_some(struct lam_ring_consumer *consumer, uint64_t rounds)
{
    struct lam_event event = {.payload = NULL};
    uint64_t total = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        if (lam_ring_consumer_try_peek(consumer, &event) == 1)
            total += sum(&event);
        if (pick(3) == 0)
            (void)lam_ring_consumer_release(consumer);
        spoil_one(pick(2) == 0, pick(2) == 0);
    }
    (void)lam_ring_consumer_peek_until(consumer, lam_deadline_after_ns(1000), &event);
    return total;
}

static uint64_t read_some(struct lam_ring_consumer *consumer, uint64_t rounds)
{
    struct lam_event event = {.payload = NULL};
    uint8_t buffer[2048];
    uint64_t lost = 0, total = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        total +=
            lam_ring_consumer_try_read(consumer, buffer, pick(sizeof(buffer)), &event, &lost) == 1;
        spoil_one(pick(2) == 0, pick(2) == 0);
    }
    return total;
}

static uint64_t observe_some(struct lam_ring *mine)
{
    struct lam_ring_observer observer;
    struct lam_event event;
    uint8_t buffer[2048];
    uint64_t lost, total = 0;

    if (lam_ring_observer_begin(&observer, mine, LAM_RING_OLDEST) != 0)
        return 0;
    for (uint64_t rounds = pick(20); rounds > 0; rounds--) {
        total +=
            lam_ring_observer_try_read(&observer, buffer, pick(sizeof(buffer)), &event, &lost) == 1;
        spoil_one(pick(2) == 0, 0);
    }
    return total;
}

static uint64_t round_of_consumer(enum lam_access access)
{
    struct lam_ring_consumer_options options = {.name = "a",
        .start = (enum lam_ring_start)pick(3),
        .policy = (enum lam_ring_policy)pick(3)};
    struct lam_ring_consumer consumer;
    struct lam_ring mine;
    struct lam_ring_stat stat;
    struct lam_error error;
    uint64_t total = 0;

    options.patience_ns = options.policy == LAM_RING_GATE_THEN_EVICT;
    for (uint64_t spoils = pick(4); spoils > 0; spoils--)
        spoil_one(1, 1);
    if (join(&mine, access) != 0)
        return 0;
    total = observe_some(&mine);
    if (lam_ring_consumer_attach(&consumer, &mine, &options, &error) == 0) {
        total += options.policy == LAM_RING_LOSSY ? read_some(&consumer, pick(40))
                                                  : consume_some(&consumer, pick(40));
        lam_ring_consumer_detach(&consumer);
    }
    (void)lam_ring_stat_read(&mine, &stat);
    lam_ring_detach(&mine);
    return total;
}

static void round_of_producers(void)
{
    struct lam_ring_many_producer producers[2];
    struct lam_ring mine;
    struct lam_error error;
    unsigned joined = 0;

    for (uint64_t spoils = pick(3); spoils > 0; spoils--)
        spoil_one(1, 1);
    if (join(&mine, LAM_ACCESS_WRITE) != 0)
        return;
    while (joined < 2 && lam_ring_many_attach(&producers[joined], &mine, NULL, &error) == 0)
        joined++;
    for (unsigned i = 0; i < 2 * joined; i++)
        produce_some(&producers[i % joined], pick(30));
    while (joined-- > 0) {
        if (pick(2) == 0)
            lam_ring_many_close(&producers[joined]);
        lam_ring_many_detach(&producers[joined]);
    }
    lam_ring_detach(&mine);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t rounds = 60 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t total = 0;

    (void)alarm(100); /* a loop without end is a failure, with a signal for a name */
    for (uint64_t round = 0; round < rounds; round++) {
        make(LAM_RING_MANY_PRODUCERS);
        for (int i = 0; i < 4; i++) {
            round_of_producers();
            total += round_of_consumer(pick(2) == 0 ? LAM_ACCESS_READ : LAM_ACCESS_WRITE);
        }
        (void)lam_ring_destroy(&ring);
    }
    (void)printf("%llu rings of many producers spoilt; %llu read from them\n",
        (unsigned long long)rounds, (unsigned long long)total);
    return 0;
}
