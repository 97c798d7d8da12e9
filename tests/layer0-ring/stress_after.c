/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: in a stream, a consumer that goes after others sees what they stored before they released:
 * a pipeline of four and a diamond, in threads (for ThreadSanitizer to watch) and in processes,
 * spinning and sleeping; a leader that is killed is known, and its successor goes on.
 *
 * Method: each stage writes a stamp beside the ring, as a plain store, and then releases; each
 * stage checks the stamps of those that go before it. A stage without leaders checks every byte.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <pthread.h>
#include <sys/mman.h>

#define PATIENCE  (20 * LAM_NS_PER_S)
#define STAGES    4
#define SLOTS     1024 /* more than the events that a ring of DEPTH holds */
#define DEPTH     64
#define BYTES_MAX 180

/* What the stages leave beside the ring: plain memory, ordered by releases alone. */
struct board {
    uint64_t stamps[STAGES][SLOTS];
};

struct stage {
    struct lam_ring_consumer consumer;
    unsigned number;
    unsigned leaders; /* a bit a stage that goes before */
    enum lam_wait_mode wait;
};

struct shape {
    const char *what;
    unsigned leaders[STAGES];
};

static const struct shape pipeline = {"a pipeline of four", {0, 1 << 0, 1 << 1, 1 << 2}};
static const struct shape diamond = {"a diamond", {0, 1 << 0, 1 << 0, 1 << 1 | 1 << 2}};
static const char *const names[STAGES] = {"journal", "replica", "book", "answer"};

static struct lam_ring ring;
static struct lam_error error;
static struct board *board;
static uint64_t event_count;

static uint64_t soon(void)
{
    return lam_deadline_after_ns(PATIENCE);
}

static uint64_t stamp_of(unsigned stage, uint64_t number)
{
    return number * STAGES + stage + 1;
}

static void attach(struct stage *stage)
{
    const char *after[STAGES];
    struct lam_ring_consumer_options options = {.name = names[stage->number],
        .wait = stage->wait,
        .after = after,
        .after_deadline_ns = soon()};

    for (unsigned i = 0; i < STAGES; i++)
        if ((stage->leaders >> i & 1) != 0)
            after[options.after_count++] = names[i];
    TEST_OK(lam_ring_consumer_attach(&stage->consumer, &ring, &options, &error), error);
}

static void check_leaders(const struct stage *stage, uint64_t number)
{
    for (unsigned i = 0; i < STAGES; i++)
        if ((stage->leaders >> i & 1) != 0)
            TEST_CHECK(board->stamps[i][number % SLOTS] == stamp_of(i, number));
}

static void *run_stage(void *argument)
{
    struct stage *stage = argument;
    struct lam_event event = {.payload = NULL};
    uint64_t number = 0;
    int rc;

    while ((rc = lam_ring_consumer_peek_until(&stage->consumer, soon(), &event)) == 0) {
        check_leaders(stage, number);
        TEST_CHECK(event.payload_bytes == test_event_bytes(number, BYTES_MAX));
        if (stage->leaders == 0)
            TEST_CHECK(test_event_is(event.payload, event.payload_bytes, number, event.sequence));
        board->stamps[stage->number][number % SLOTS] = stamp_of(stage->number, number);
        /* Now and then several at once. */
        if (number % 7 != 3)
            TEST_CHECK(lam_ring_consumer_release(&stage->consumer) == 0);
        number++;
    }
    TEST_CHECK(rc == -EPIPE && number == event_count);
    lam_ring_consumer_detach(&stage->consumer);
    return NULL;
}

static void produce(struct lam_ring_producer *producer)
{
    for (uint64_t number = 0; number < event_count; number++) {
        uint32_t bytes = test_event_bytes(number, BYTES_MAX);
        void *payload = NULL;

        TEST_CHECK(lam_ring_producer_claim_until(producer, bytes, soon(), &payload) == 0);
        test_event_fill(payload, bytes, number, producer->next);
        lam_ring_producer_commit(producer, bytes, 1, 0);
    }
    lam_ring_producer_close(producer);
}

static void create(const char *name, enum lam_ring_waiting waiting, uint64_t first_sequence)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_ANONYMOUS,
        .name = name,
        .depth = DEPTH,
        .waiting = waiting,
        .first_sequence = first_sequence};

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    memset(board, 0, sizeof(*board));
}

static void run(const struct shape *shape, enum lam_ring_waiting waiting, enum lam_wait_mode wait,
    int processes, uint64_t events)
{
    struct lam_ring_producer_options options = {.wait = wait};
    struct lam_ring_producer producer;
    struct stage stages[STAGES];
    pthread_t threads[STAGES];
    pid_t children[STAGES];

    event_count = events;
    create("stress-after", waiting, test_next_start());
    TEST_OK(lam_ring_producer_attach(&producer, &ring, &options, &error), error);
    for (unsigned i = 0; i < STAGES; i++) {
        stages[i] = (struct stage){.number = i, .leaders = shape->leaders[i], .wait = wait};
        if (processes) {
            if ((children[i] = test_fork()) == 0) {
                attach(&stages[i]);
                (void)run_stage(&stages[i]);
                _exit(0);
            }
        } else {
            attach(&stages[i]);
            TEST_CHECK(pthread_create(&threads[i], NULL, run_stage, &stages[i]) == 0);
        }
    }
    TEST_OK(lam_ring_producer_wait_consumers_until(&producer, STAGES, soon()), error);
    produce(&producer);
    for (unsigned i = 0; i < STAGES; i++)
        if (processes)
            TEST_CHECK(test_wait(children[i]) == 0);
        else
            TEST_CHECK(pthread_join(threads[i], NULL) == 0);
    lam_ring_producer_detach(&producer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

static uint64_t number_of(const struct lam_event *event)
{
    uint64_t number = 0;

    TEST_CHECK(event->payload_bytes == sizeof(number));
    memcpy(&number, event->payload, sizeof(number));
    return number;
}

/* The leader that is killed: each one goes on where its predecessor stopped. */
static void lead_until_killed(void)
{
    struct lam_ring_consumer_options options = {
        .name = names[0], .start = LAM_RING_RESUME, .wait = LAM_WAIT_FUTEX};
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    int rc;

    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, &options, &error), error);
    while ((rc = lam_ring_consumer_peek_until(&consumer, soon(), &event)) == 0) {
        uint64_t number = number_of(&event);

        board->stamps[0][number % SLOTS] = stamp_of(0, number);
        TEST_CHECK(lam_ring_consumer_release(&consumer) == 0);
    }
    _exit(rc == -EPIPE ? 0 : 1);
}

static void publish_numbers(void)
{
    struct lam_ring_producer producer;

    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
    for (uint64_t number = 0; number < event_count; number++) {
        void *payload = NULL;

        TEST_OK(lam_ring_producer_claim_until(&producer, sizeof(number), soon(), &payload), error);
        memcpy(payload, &number, sizeof(number));
        lam_ring_producer_commit(&producer, sizeof(number), 1, 0);
    }
    lam_ring_producer_close(&producer);
    _exit(0);
}

/* Kill the leader over and over: its follower sees each event once, in order, with its stamp. */
static void leaders_are_killed(int kills, uint64_t events)
{
    struct stage follower = {.number = 1, .leaders = 1, .wait = LAM_WAIT_FUTEX};
    struct lam_event event = {.payload = NULL};
    uint64_t number = 0, random = 3;
    uint64_t kill_at = 50;
    uint64_t dead = 0;
    pid_t leader, publisher;
    int rc;

    event_count = events;
    create("stress-after-kill", LAM_RING_MAY_SLEEP, test_next_start());
    leader = test_fork();
    if (leader == 0)
        lead_until_killed();
    attach(&follower);
    publisher = test_fork();
    if (publisher == 0)
        publish_numbers();
    for (;;) {
        rc = lam_ring_consumer_peek_until(&follower.consumer, soon(), &event);
        if (rc == -EOWNERDEAD) {
            dead++;
            leader = test_fork();
            if (leader == 0)
                lead_until_killed();
            /* It is there when it has joined: until then the dead one holds us. */
            for (int naps = 0; naps < 50000; naps++) {
                rc = lam_ring_consumer_try_peek(&follower.consumer, &event);
                if (rc != -EOWNERDEAD)
                    break;
                (void)usleep(100);
            }
            if (rc == 0)
                continue;
        }
        if (rc < 0)
            break;
        TEST_CHECK(number_of(&event) == number);
        check_leaders(&follower, number);
        TEST_CHECK(lam_ring_consumer_release(&follower.consumer) == 0);
        if (++number == kill_at && dead < (uint64_t)kills) {
            test_kill(leader);
            kill_at += DEPTH + test_random(&random) % 300;
        }
    }
    TEST_CHECK(rc == -EPIPE && number == event_count && dead == (uint64_t)kills);
    TEST_CHECK(test_wait(leader) == 0 && test_wait(publisher) == 0);
    lam_ring_consumer_detach(&follower.consumer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t times = effort == NULL ? 1 : strtoull(effort, NULL, 10);

    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(board != MAP_FAILED);
    run(&pipeline, LAM_RING_MAY_SLEEP, LAM_WAIT_HYBRID, 0, 20000 * times);
    run(&pipeline, LAM_RING_MAY_SLEEP, LAM_WAIT_FUTEX, 0, 5000 * times);
    run(&diamond, LAM_RING_SPIN_ONLY, LAM_WAIT_YIELD, 0, 20000 * times);
#ifndef __SANITIZE_THREAD__
    run(&pipeline, LAM_RING_MAY_SLEEP, LAM_WAIT_HYBRID, 1, 100000 * times);
    run(&diamond, LAM_RING_MAY_SLEEP, LAM_WAIT_FUTEX, 1, 5000 * times);
    run(&diamond, LAM_RING_SPIN_ONLY, LAM_WAIT_YIELD, 1, 20000 * times);
    leaders_are_killed(10 * (int)times, 10000 * times);
#endif
    (void)printf(
        "%s and %s, in threads and in processes; leaders killed\n", pipeline.what, diamond.what);
    return 0;
}
