/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: 1, 2, 4 and 8 producers in processes of their own, three consumers in others: every byte of
 * every event, each producer's in its order, one total order for all; also while producers are
 * killed at any instruction and others come in their place, and while they join and leave.
 *
 * Method: a named ring over many wraps; consumers map it read-only. Killed ones die at a moment
 * that differs from round to round; what a consumer has seen of them is a prefix that all agree on.
 */
#include "leftovers.h"
#include "many_stream.h"
#include "starts.h"

#include "lamina/ring/stat.h"

#include <sys/mman.h>
#include <time.h>

#define BYTES_MAX 500
#define CONSUMERS 3
#define PATIENCE  (60 * LAM_NS_PER_S)

struct board {
    struct many_seen seen[CONSUMERS];
    lam_atomic_u32 joined;
};

static struct board *board;
static struct lam_ring ring;
static struct lam_error error;
static char name[64];

static void create(enum lam_ring_waiting waiting)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .name = name,
        .depth = 128,
        .waiting = waiting,
        .producers = LAM_RING_MANY_PRODUCERS,
        .first_sequence = test_next_start()};

    memset(board, 0, sizeof(*board));
    TEST_OK(lam_ring_create(&ring, &options, &error), error);
}

static void consume(uint32_t index)
{
    struct lam_ring_attach_options attach = {.name = name, .access = LAM_ACCESS_READ};
    struct many_seen *seen = &board->seen[index];
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    struct lam_ring reader;
    int rc;

    TEST_OK(lam_ring_attach(&reader, &attach, &error), error);
    TEST_OK(lam_ring_consumer_attach(&consumer, &reader, NULL, &error), error);
    (void)lam_add_acq_rel(&board->joined, 1);
    while ((rc = lam_ring_consumer_peek_until(
                &consumer, lam_deadline_after_ns(PATIENCE), &event)) != -EPIPE) {
        if (rc == -EOWNERDEAD)
            continue; /* all that were there; others will come */
        TEST_CHECK(rc == 0);
        (void)many_check(seen, &event, BYTES_MAX);
        (void)lam_ring_consumer_release(&consumer);
    }
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&reader);
    _exit(0);
}

static void start_consumers(pid_t consumers[CONSUMERS])
{
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        consumers[i] = test_fork();
        if (consumers[i] == 0)
            consume(i);
    }
    while (lam_load_acquire(&board->joined) != CONSUMERS)
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static pid_t start_producer(uint32_t id, uint32_t event_count)
{
    struct lam_ring_many_producer producer;
    pid_t child = test_fork();

    if (child != 0)
        return child;
    TEST_OK(lam_ring_many_attach(&producer, &ring, NULL, &error), error);
    for (uint32_t number = 0; number < event_count; number++)
        many_publish(&producer, id, number, BYTES_MAX);
    lam_ring_many_detach(&producer);
    _exit(0);
}

/* The last one to close: consumers take what is there, and end. */
static void finish(pid_t consumers[CONSUMERS])
{
    struct lam_ring_many_producer producer;
    struct lam_ring_stat stat;

    TEST_OK(lam_ring_many_attach(&producer, &ring, NULL, &error), error);
    lam_ring_many_close(&producer);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        TEST_CHECK(test_wait(consumers[i]) == 0);
    TEST_CHECK(lam_ring_stat_read(&ring, &stat) == 0);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        TEST_CHECK(
            board->seen[i].count == stat.events && board->seen[i].digest == board->seen[0].digest);
    lam_ring_many_detach(&producer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

static void all_arrive(uint32_t producer_count, uint32_t event_count, enum lam_ring_waiting waiting)
{
    pid_t producers[8], consumers[CONSUMERS];

    create(waiting);
    start_consumers(consumers);
    for (uint32_t id = 0; id < producer_count; id++)
        producers[id] = start_producer(id, event_count / producer_count);
    for (uint32_t id = 0; id < producer_count; id++)
        TEST_CHECK(test_wait(producers[id]) == 0);
    finish(consumers);
    for (uint32_t id = 0; id < producer_count; id++)
        TEST_CHECK(board->seen[0].next[id] == event_count / producer_count);
}

/* Two that stay, beside others that are killed after a moment, over and over. */
static void some_are_killed(uint32_t kills, enum lam_ring_waiting waiting)
{
    pid_t consumers[CONSUMERS], stayers[2];
    uint64_t random = 5;

    create(waiting);
    start_consumers(consumers);
    for (uint32_t id = 0; id < 2; id++)
        stayers[id] = start_producer(id, 40 * kills);
    for (uint32_t i = 0; i < kills; i++) {
        pid_t victim = start_producer(2 + i % (MANY_MAX - 2), UINT32_MAX);

        (void)nanosleep(
            &(struct timespec){.tv_nsec = (long)(test_random(&random) % (2 * LAM_NS_PER_MS))},
            NULL);
        test_kill(victim);
        if (i % (MANY_MAX - 2) == MANY_MAX - 3)
            break; /* one of each number */
    }
    for (uint32_t id = 0; id < 2; id++)
        TEST_CHECK(test_wait(stayers[id]) == 0);
    finish(consumers);
    for (uint32_t id = 0; id < 2; id++)
        TEST_CHECK(board->seen[0].next[id] == 40 * kills);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint32_t rounds = effort == NULL ? 1 : (uint32_t)atoi(effort);
    uint32_t events = 12000;

    (void)snprintf(name, sizeof(name), "many-%d", (int)getpid());
    test_leave_nothing(name);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(board != MAP_FAILED);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t producers = 1; producers <= 8; producers *= 2)
            all_arrive(producers, events, producers == 4 ? LAM_RING_SPIN_ONLY : LAM_RING_MAY_SLEEP);
        some_are_killed(40, LAM_RING_MAY_SLEEP);
        some_are_killed(20, LAM_RING_SPIN_ONLY);
    }
    (void)printf("%u events by 1, 2, 4 and 8 producers, 60 producers killed beside two others; "
                 "%u rounds\n",
        events, rounds);
    return 0;
}
