/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the members of a group see each event exactly once among them, in threads (for
 * ThreadSanitizer to watch) and in processes, 1 to 4 of them, one and several at a time, while they
 * come and go. When members are killed, each event is seen, and only what a dead one had may be
 * seen twice.
 *
 * Method: events that carry their number, and a count beside the ring for each number. A member
 * says on the board what it has not released before it counts, so that the parent, which kills it,
 * knows which numbers may be counted twice. In threads an event is one cell: a member's look at
 * the next event may meet the payload of a later one, which is then not taken.
 */
#include "lamina/ring/group.h"
#include "lamina/ring/producer.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#define PATIENCE    (20 * LAM_NS_PER_S)
#define MEMBERS_MAX 4
#define EVENTS_MAX  400000
#define DEPTH       64
#define BYTES_MAX   500

struct board {
    lam_atomic_u32 seen[EVENTS_MAX];
    /* What each member has counted and not released: from, and how many. */
    lam_atomic_u64 from[MEMBERS_MAX];
    lam_atomic_u64 count[MEMBERS_MAX];
    lam_atomic_u64 taken[MEMBERS_MAX];
};

static struct lam_ring ring;
static struct lam_error error;
static struct board *board;
static uint64_t event_count;
static uint32_t bytes_max;
static uint32_t events_at_once;

static uint64_t soon(void)
{
    return lam_deadline_after_ns(PATIENCE);
}

static uint32_t bytes_of(uint64_t number)
{
    return bytes_max == 0 ? 8 : 8 + test_event_bytes(number, bytes_max);
}

static uint64_t check_event(const struct lam_event *event)
{
    uint64_t number = 0;

    TEST_CHECK(event->payload_bytes >= 8);
    memcpy(&number, event->payload, 8);
    TEST_CHECK(number < event_count && event->payload_bytes == bytes_of(number));
    TEST_CHECK(test_event_is(
        (const char *)event->payload + 8, event->payload_bytes - 8, number, event->sequence));
    return number;
}

static void produce(struct lam_ring_producer *producer)
{
    for (uint64_t number = 0; number < event_count; number++) {
        void *payload = NULL;

        TEST_CHECK(
            lam_ring_producer_claim_until(producer, bytes_of(number), soon(), &payload) == 0);
        memcpy(payload, &number, 8);
        test_event_fill((char *)payload + 8, bytes_of(number) - 8, number, producer->next);
        lam_ring_producer_commit(producer, bytes_of(number), 1, 0);
    }
    lam_ring_producer_close(producer);
}

struct worker {
    struct lam_ring_member member;
    unsigned number;
    enum lam_wait_mode wait;
    int is_restless; /* leaves now and then, and comes again */
    int is_slow;     /* holds some events for long */
};

static void join(struct worker *worker)
{
    struct lam_ring_member_options options = {
        .group = "workers", .events_max = events_at_once, .wait = worker->wait};

    TEST_OK(lam_ring_member_attach(&worker->member, &ring, &options, &error), error);
}

/* Take what comes, count it, release after one or a few. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    unsigned me = worker->number;
    struct lam_event event = {.payload = NULL};
    uint64_t taken = 0, count = 0;
    int rc;

    while ((rc = lam_ring_member_peek_until(&worker->member, soon(), &event)) == 0) {
        uint64_t number = check_event(&event);

        if (count == 0)
            lam_store_release(&board->from[me], number);
        TEST_CHECK(number == lam_load_relaxed(&board->from[me]) + count);
        lam_store_release(&board->count[me], ++count);
        (void)lam_add_acq_rel(&board->seen[number], 1);
        taken++;
        if (worker->is_slow && number % 100 == 7)
            (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        if (taken % 5 != 0 || event.end == worker->member.end) {
            lam_ring_member_release(&worker->member);
            lam_store_release(&board->count[me], count = 0);
        }
        if (worker->is_restless && taken % 500 == 0 && count == 0) {
            lam_ring_member_detach(&worker->member);
            join(worker);
        }
    }
    TEST_CHECK(rc == -EPIPE);
    lam_ring_member_detach(&worker->member);
    (void)lam_add_acq_rel(&board->taken[me], taken);
    return NULL;
}

static void create(enum lam_ring_waiting waiting, uint64_t first_sequence)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_ANONYMOUS,
        .name = "stress-group",
        .depth = DEPTH,
        .waiting = waiting,
        .first_sequence = first_sequence};

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    TEST_CHECK(event_count <= EVENTS_MAX);
    memset(board, 0, sizeof(*board));
}

struct plan {
    enum lam_ring_waiting waiting;
    enum lam_wait_mode wait;
    unsigned members;
    int processes;
    uint32_t events_at_once;
    uint64_t events;
};

static void run(const struct plan *plan)
{
    struct lam_ring_producer_options options = {.wait = plan->wait};
    struct lam_ring_producer producer;
    struct worker workers[MEMBERS_MAX];
    pthread_t threads[MEMBERS_MAX];
    pid_t children[MEMBERS_MAX];

    event_count = plan->events;
    events_at_once = plan->events_at_once;
    bytes_max = plan->processes ? BYTES_MAX : 0;
    create(plan->waiting, test_next_start());
    TEST_OK(lam_ring_producer_attach(&producer, &ring, &options, &error), error);
    for (unsigned i = 0; i < plan->members; i++) {
        workers[i] = (struct worker){
            .number = i, .wait = plan->wait, .is_restless = plan->members > 2 && i == 0};
        if (plan->processes) {
            if ((children[i] = test_fork()) == 0) {
                join(&workers[i]);
                (void)work(&workers[i]);
                _exit(0);
            }
        } else {
            join(&workers[i]);
            TEST_CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
        }
    }
    TEST_OK(lam_ring_producer_wait_consumers_until(&producer, plan->members, soon()), error);
    produce(&producer);
    for (unsigned i = 0; i < plan->members; i++)
        if (plan->processes)
            TEST_CHECK(test_wait(children[i]) == 0);
        else
            TEST_CHECK(pthread_join(threads[i], NULL) == 0);
    for (uint64_t number = 0; number < event_count; number++)
        TEST_CHECK(lam_load_relaxed(&board->seen[number]) == 1);
    lam_ring_producer_detach(&producer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

/* Each thread at once, one and several events at a time, and all ways of waiting. */
static void run_all(int processes, uint64_t events)
{
    struct plan plan = {.processes = processes, .events = events};

    for (plan.members = 1; plan.members <= MEMBERS_MAX; plan.members++) {
        plan.waiting = plan.members % 2 != 0 ? LAM_RING_MAY_SLEEP : LAM_RING_SPIN_ONLY;
        plan.wait = plan.members == 1   ? LAM_WAIT_HYBRID
                    : plan.members == 3 ? LAM_WAIT_FUTEX
                                        : LAM_WAIT_YIELD;
        plan.events_at_once = plan.members == 2 ? 1 : plan.members * 2;
        run(&plan);
    }
}

static pid_t start_worker(unsigned number)
{
    pid_t child = test_fork();

    if (child == 0) {
        struct worker worker = {.number = number,
            .wait = number % 2 == 0 ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID,
            .is_slow = 1};

        join(&worker);
        (void)work(&worker);
        _exit(0);
    }
    return child;
}

static uint8_t may_come_twice[EVENTS_MAX];

/* Kill member after member in mid-stream. */
static void members_are_killed(int kills, uint64_t events, uint32_t at_once)
{
    struct lam_ring_producer producer;
    pid_t children[MEMBERS_MAX];
    uint64_t random = 11 + at_once, twice = 0;
    pid_t publisher;

    event_count = events;
    events_at_once = at_once;
    bytes_max = BYTES_MAX;
    memset(may_come_twice, 0, sizeof(may_come_twice));
    create(LAM_RING_MAY_SLEEP, test_next_start());
    for (unsigned i = 0; i < MEMBERS_MAX; i++)
        children[i] = start_worker(i);
    publisher = test_fork();
    if (publisher == 0) {
        TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
        TEST_OK(lam_ring_producer_wait_consumers_until(&producer, MEMBERS_MAX / 2, soon()), error);
        produce(&producer);
        _exit(0);
    }
    for (int kill = 0; kill < kills; kill++) {
        unsigned victim = (unsigned)(test_random(&random) % MEMBERS_MAX);
        long pause_us = (long)(test_random(&random) % 3000);

        (void)nanosleep(&(struct timespec){.tv_nsec = pause_us * 1000}, NULL);
        test_kill(children[victim]);
        for (uint64_t i = 0; i < lam_load_acquire(&board->count[victim]); i++)
            may_come_twice[lam_load_acquire(&board->from[victim]) + i] = 1;
        lam_store_release(&board->count[victim], 0);
        children[victim] = start_worker(victim);
    }
    TEST_CHECK(test_wait(publisher) == 0);
    for (unsigned i = 0; i < MEMBERS_MAX; i++)
        TEST_CHECK(test_wait(children[i]) == 0);
    for (uint64_t number = 0; number < event_count; number++) {
        uint32_t seen = lam_load_relaxed(&board->seen[number]);

        TEST_CHECK(seen == 1 || (seen > 1 && may_come_twice[number]));
        twice += seen > 1;
    }
    TEST_OK(lam_ring_destroy(&ring), error);
    (void)printf("%d members killed, %llu events seen again\n", kills, (unsigned long long)twice);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t times = effort == NULL ? 1 : strtoull(effort, NULL, 10);

    if (times > 4)
        times = 4;
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(board != MAP_FAILED);
    run_all(0, 20000 * times);
#ifndef __SANITIZE_THREAD__
    run_all(1, 20000 * times);
    members_are_killed(30 * (int)times, 100000 * times, 1);
    members_are_killed(30 * (int)times, 100000 * times, 6);
#endif
    (void)printf("each event once to 1 to %d members\n", MEMBERS_MAX);
    return 0;
}
