/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever another process writes into a ring, this side never crashes, never reads outside
 * its mapping, never loops without end: attach refuses or the ends answer with an error.
 *
 * Method: random bytes and random single words are stored into both objects, before attach and
 * between calls of ends that are attached; the sanitizers and an alarm watch. Sequences of calls
 * go on whatever they answer.
 */
#include "hostile_ring.h"
#include "lamina/ring/group.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"

static uint64_t consume_some(struct lam_ring_consumer *consumer, uint64_t rounds)
{
    struct lam_event event = {.payload = NULL};
    uint64_t total = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        int rc = lam_ring_consumer_try_peek(consumer, &event);

        if (rc == 1)
            total += sum(&event);
        if (pick(3) == 0)
            lam_ring_consumer_release(consumer);
        spoil_one(pick(2) == 0, pick(2) == 0);
    }
    (void)lam_ring_consumer_peek_until(consumer, lam_deadline_after_ns(1000), &event);
    return total;
}

static uint64_t observe_some(struct lam_ring *mine)
{
    struct lam_ring_observer observer;
    struct lam_event event;
    uint8_t buffer[2048];
    uint64_t lost, total = 0;

    if (lam_ring_observer_begin(&observer, mine, pick(2) == 0 ? LAM_RING_HEAD : LAM_RING_OLDEST) !=
        0)
        return 0;
    for (uint64_t rounds = pick(20); rounds > 0; rounds--) {
        total +=
            lam_ring_observer_try_read(&observer, buffer, pick(sizeof(buffer)), &event, &lost) == 1;
        spoil_one(pick(2) == 0, 0);
    }
    return total;
}

/* One that goes after another, with what both say spoilt between any two calls. */
static uint64_t follow_some(struct lam_ring *mine)
{
    const char *leader = "leader";
    struct lam_ring_consumer_options first = {.name = leader, .start = LAM_RING_OLDEST};
    struct lam_ring_consumer_options then = {
        .name = "then", .start = LAM_RING_OLDEST, .after = &leader, .after_count = 1};
    struct lam_ring_consumer a, b;
    struct lam_event event = {.payload = NULL};
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    uint64_t total = 0;

    if (lam_ring_consumer_attach(&a, mine, &first, NULL) != 0)
        return 0;
    if (lam_ring_consumer_attach(&b, mine, &then, NULL) == 0) {
        for (uint64_t rounds = pick(20); rounds > 0; rounds--) {
            if (lam_ring_consumer_try_peek(&a, &event) == 1)
                total += sum(&event);
            lam_ring_consumer_release(&a);
            spoil_one(pick(4) == 0, 1);
            total += (uint64_t)lam_ring_consumer_leader(&b, name);
            total += consume_some(&b, 2);
        }
        lam_ring_consumer_detach(&b);
    }
    lam_ring_consumer_detach(&a);
    return total;
}

static uint64_t share_some(struct lam_ring *mine)
{
    struct lam_ring_member_options options = {.group = "group",
        .start = pick(2) == 0 ? LAM_RING_HEAD : LAM_RING_OLDEST,
        .events_max = (uint32_t)pick(4)};
    struct lam_ring_member members[2];
    struct lam_event event = {.payload = NULL};
    uint64_t total = 0;
    unsigned joined = 0;

    while (joined < 2 && lam_ring_member_attach(&members[joined], mine, &options, NULL) == 0)
        joined++;
    for (uint64_t rounds = joined == 0 ? 0 : pick(40); rounds > 0; rounds--) {
        struct lam_ring_member *member = &members[pick(joined)];

        if (lam_ring_member_try_peek(member, &event) == 1)
            total += sum(&event);
        if (member->at == member->end || pick(2) == 0)
            lam_ring_member_release(member);
        spoil_one(pick(4) == 0, 1);
    }
    while (joined-- > 0) {
        (void)lam_ring_member_peek_until(&members[joined], lam_deadline_after_ns(1000), &event);
        lam_ring_member_detach(&members[joined]);
    }
    return total;
}

static void produce_some(struct lam_ring_producer *producer, uint64_t rounds)
{
    void *payload = NULL;

    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t bytes = pick(lam_ring_payload_bytes_max(producer->ring) + 2);

        if (lam_ring_producer_try_claim(producer, bytes, &payload) == 1) {
            memset(payload, (int)i, bytes);
            lam_ring_producer_commit(producer, bytes, 1, 0);
        }
        /* Only control: data is the producer's own, it maps nobody else's writes. */
        spoil_one(0, 1);
    }
    (void)lam_ring_producer_claim_until(producer, 100, lam_deadline_after_ns(1000), &payload);
    if (producer->claimed_end != producer->next)
        lam_ring_producer_abort(producer);
}

static uint64_t round_of_consumer(void)
{
    struct lam_ring mine;
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {.name = "a", .start = (enum lam_ring_start)pick(3)};
    struct lam_ring_stat stat;
    struct lam_error error;
    uint64_t total = 0;

    for (uint64_t spoils = pick(4); spoils > 0; spoils--)
        spoil_one(1, 1);
    if (join(&mine, LAM_ACCESS_READ) != 0)
        return 0;
    (void)lam_ring_stat_read(&mine, &stat);
    total = observe_some(&mine);
    if (lam_ring_consumer_attach(&consumer, &mine, &options, &error) == 0) {
        total += consume_some(&consumer, pick(40));
        lam_ring_consumer_detach(&consumer);
    }
    total += pick(2) == 0 ? follow_some(&mine) : share_some(&mine);
    (void)lam_ring_stat_read(&mine, &stat);
    lam_ring_detach(&mine);
    return total;
}

static void round_of_producer(void)
{
    struct lam_ring mine;
    struct lam_ring_producer producer;
    struct lam_ring_blocker blocker;
    struct lam_error error;

    for (uint64_t spoils = pick(3); spoils > 0; spoils--)
        spoil_one(1, 1);
    if (join(&mine, LAM_ACCESS_WRITE) != 0)
        return;
    if (lam_ring_producer_attach(&producer, &mine, NULL, &error) == 0) {
        produce_some(&producer, pick(60));
        (void)lam_ring_producer_blocker(&producer, &blocker);
        (void)lam_ring_producer_wait_consumers_until(&producer, 1, lam_deadline_after_ns(1000));
        lam_ring_producer_close(&producer);
        lam_ring_producer_detach(&producer);
    }
    lam_ring_detach(&mine);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t rounds = 400 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t total = 0;

    (void)alarm(100); /* a loop without end is a failure, with a signal for a name */
    for (uint64_t round = 0; round < rounds; round++) {
        make(LAM_RING_ONE_PRODUCER);
        for (int i = 0; i < 4; i++) {
            round_of_producer();
            total += round_of_consumer();
        }
        (void)lam_ring_destroy(&ring);
    }
    (void)printf("%llu rings spoilt; %llu read from them\n", (unsigned long long)rounds,
        (unsigned long long)total);
    return 0;
}
