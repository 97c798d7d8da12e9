/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no wake-up is lost where several wait for several: many producers for their consumers and
 * for one another, consumers that go after others, members of a group. Method: as stress_wait.c;
 * who waits for more than one is rung for by each, and the last ring counts. Mutants:
 * wait_crowd.mutants.
 */
#include "lamina/ring/group.h"
#include "lamina/ring/many.h"
#include "lamina/ring/producer.h"
#include "starts.h"
#include "wait_stress.h"

#define PRODUCERS 3
#define CONSUMERS 3
#define DEPTH     8
#define NUMBER    ((UINT64_C(1) << 56) - 1) /* of an event; above it who made it */

static struct lam_ring ring;
static struct lam_ring_consumer consumers[CONSUMERS];
static lam_atomic_u64 shared_out; /* events that members of the group have had */

static void open_ring(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {.name = "stress-wait",
        .depth = DEPTH,
        .first_sequence = test_next_start(),
        .producers = producers};

    TEST_CHECK(lam_ring_create(&ring, &options, NULL) == 0);
}

static void join(uint32_t at, const char *name, const char *const *after)
{
    struct lam_ring_consumer_options options = {.name = name,
        .wait = wait_mode,
        .start = LAM_RING_OLDEST,
        .after = after,
        .after_count = after != NULL};

    TEST_CHECK(lam_ring_consumer_attach(&consumers[at], &ring, &options, NULL) == 0);
}

static void *produce_among_many(void *argument)
{
    struct lam_ring_many_options options = {.wait = wait_mode};
    struct lam_ring_many_producer producer;
    uint64_t who = (uint64_t)(uintptr_t)argument;
    uint64_t seed = who + 1;
    void *payload = NULL;

    TEST_CHECK(lam_ring_many_attach(&producer, &ring, &options, NULL) == 0);
    for (uint64_t number = 0; number < event_count; number++) {
        uint64_t value = who << 56 | number;

        nap(&seed);
        TEST_CHECK(
            lam_ring_many_claim_until(&producer, sizeof(value), LAM_DEADLINE_NEVER, &payload) == 0);
        memcpy(payload, &value, sizeof(value));
        if (number % 7 == 0)
            nap(&seed); /* the others wait for this one */
        lam_ring_many_commit(&producer, sizeof(value), 1, 0);
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    lam_ring_many_close(&producer);
    lam_ring_many_detach(&producer);
    return NULL;
}

static void *produce_alone(void *argument)
{
    struct lam_ring_producer_options options = {.wait = wait_mode};
    struct lam_ring_producer producer;
    uint64_t seed = 7;
    void *payload = NULL;

    (void)argument;
    TEST_CHECK(lam_ring_producer_attach(&producer, &ring, &options, NULL) == 0);
    for (uint64_t number = 0; number < event_count; number++) {
        nap(&seed);
        TEST_CHECK(lam_ring_producer_claim_until(
                       &producer, sizeof(number), LAM_DEADLINE_NEVER, &payload) == 0);
        memcpy(payload, &number, sizeof(number));
        lam_ring_producer_commit(&producer, sizeof(number), 1, 0);
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    return NULL;
}

/* All events of each producer, in its order. */
static void *consume(void *argument)
{
    struct lam_ring_consumer *consumer = argument;
    uint64_t next[PRODUCERS] = {0};
    uint64_t seed = consumer->index + 100;
    struct lam_event event = {.payload = NULL};
    int rc;

    while ((rc = lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event)) == 0) {
        uint64_t value = number_of(&event);

        TEST_CHECK((value & NUMBER) == next[value >> 56]++);
        nap(&seed);
        (void)lam_ring_consumer_release(consumer);
    }
    TEST_CHECK(rc == -EPIPE && next[0] == event_count);
    for (int i = 1; i < PRODUCERS; i++)
        TEST_CHECK(next[i] == (ring.producers == LAM_RING_MANY_PRODUCERS ? event_count : 0));
    return NULL;
}

static void *share(void *argument)
{
    struct lam_ring_member *member = argument;
    struct lam_event event = {.payload = NULL};
    uint64_t seed = member->consumer.index + 200;
    uint64_t next = 0;
    int rc;

    while ((rc = lam_ring_member_peek_until(member, LAM_DEADLINE_NEVER, &event)) == 0) {
        TEST_CHECK(number_of(&event) >= next);
        next = number_of(&event) + 1;
        (void)lam_add_acq_rel(&shared_out, 1);
        nap(&seed);
        if (member->at == member->end)
            lam_ring_member_release(member);
    }
    TEST_CHECK(rc == -EPIPE);
    lam_ring_member_detach(member);
    return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    TEST_CHECK(pthread_create(thread, NULL, run, argument) == 0);
}

static void await(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

static void many_producers(void)
{
    pthread_t threads[CONSUMERS + PRODUCERS];

    open_ring(LAM_RING_MANY_PRODUCERS);
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        join(i, NULL, NULL);
        start(&threads[i], consume, &consumers[i]);
    }
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        start(&threads[CONSUMERS + i], produce_among_many, (void *)i);
    await(threads, CONSUMERS + PRODUCERS);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        lam_ring_consumer_detach(&consumers[i]);
    (void)lam_ring_destroy(&ring);
}

static void one_after_the_other(void)
{
    static const char *const names[CONSUMERS] = {"a", "b", "c"};
    pthread_t threads[CONSUMERS + 1];

    open_ring(LAM_RING_ONE_PRODUCER);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        join(i, names[i], i == 0 ? NULL : &names[i - 1]);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        start(&threads[i], consume, &consumers[i]);
    start(&threads[CONSUMERS], produce_alone, NULL);
    await(threads, CONSUMERS + 1);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        lam_ring_consumer_detach(&consumers[i]);
    (void)lam_ring_destroy(&ring);
}

static void a_group(void)
{
    static struct lam_ring_member members[CONSUMERS];
    pthread_t threads[CONSUMERS + 1];

    open_ring(LAM_RING_ONE_PRODUCER);
    lam_store_relaxed(&shared_out, 0);
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        struct lam_ring_member_options options = {
            .group = "group", .start = LAM_RING_OLDEST, .events_max = i + 1, .wait = wait_mode};

        TEST_CHECK(lam_ring_member_attach(&members[i], &ring, &options, NULL) == 0);
    }
    for (uint32_t i = 0; i < CONSUMERS; i++)
        start(&threads[i], share, &members[i]);
    start(&threads[CONSUMERS], produce_alone, NULL);
    await(threads, CONSUMERS + 1);
    TEST_CHECK(lam_load_relaxed(&shared_out) == event_count);
    (void)lam_ring_destroy(&ring);
}

int main(void)
{
    static const enum lam_wait_mode modes[] = {LAM_WAIT_FUTEX, LAM_WAIT_HYBRID};

    sleep_without_an_end();
    for (int i = 0; i < 2; i++) {
        wait_mode = modes[i];
        many_producers();
        one_after_the_other();
        a_group();
    }
    (void)printf("%llu events of 3 producers, down a chain, to a group: no wake-up lost\n",
        (unsigned long long)event_count);
    return 0;
}
