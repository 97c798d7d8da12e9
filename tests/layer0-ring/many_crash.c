/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer among many dies at any of the places where two of its stores belong together,
 * and nobody else loses anything by it: the others go on, consumers see all that it had published
 * and nothing of what it had not, in the same order as ever, and no lock or entry is left behind.
 *
 * Method: the ring's sources are built into this program with their crash points on. For each
 * label, and for several visits to it, a victim is killed there, after another one has left a hole
 * and a consumer was killed that the ring waits for, so that the victim comes by the repairs, too.
 * Two survivors and one who comes afterwards publish on; payloads look like stamps; every byte is
 * checked. Every second round the consumer may not write, and only producers repair.
 *
 * Mutants: many.mutants.
 */
#include "leftovers.h"
#include "many_stream.h"
#include "starts.h"

#include "lamina/ring/stat.h"
#include "layout.h"

#include <sys/mman.h>
#include <time.h>

#define BYTES_MAX       200
#define VICTIM_EVENTS   150
#define SURVIVOR_EVENTS 150
#define FRESH_EVENTS    20
#define PATIENCE        (30 * LAM_NS_PER_S)

enum { VICTIM, SURVIVOR, SURVIVOR2, FRESH, HOLE };

static const char *const labels[] = {"attach.locked", "attach.intent_cleared", "attach.entry_open",
    "attach.repaired", "attach.open", "claim.intent_stored", "claim.tail_moved", "claim.payload",
    "commit.begun", "commit.shape_stored", "commit.stamp_stored", "padding.shape_stored",
    "padding.stamp_stored", "waypoint.ordinal_stored", "waypoint.sequence_stored",
    "room.horizon_raised", "repair.locked", "repair.done", "table.locked", "table.remembered",
    "close.marked", "close.repaired", "close.closed", "detach.freed"};
#define LABEL_COUNT (sizeof(labels) / sizeof(labels[0]))

/* What the processes tell one another; not part of what is tested. */
struct board {
    lam_atomic_u32 committed; /* by the victim */
    lam_atomic_u32 victim_is_there;
    lam_atomic_u32 go;
};

static struct board *board;
static struct lam_ring ring;
static struct lam_error error;
static char name[64];

/* In the victim alone. */
static const char *armed;
static unsigned armed_visit;

void lam_crash_point(const char *label)
{
    if (armed == NULL || strcmp(label, armed) != 0 || --armed_visit != 0)
        return;
    armed = NULL;
    (void)kill(getpid(), SIGKILL);
}

static void pause_us(uint64_t microseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)(microseconds * 1000)}, NULL);
}

static void create(uint64_t random)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .name = name,
        .depth = 64,
        .waiting = random % 4 == 0 ? LAM_RING_SPIN_ONLY : LAM_RING_MAY_SLEEP,
        .producers = LAM_RING_MANY_PRODUCERS,
        .first_sequence = test_start(random)};

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
}

static void attach(struct lam_ring_many_producer *producer)
{
    TEST_OK(lam_ring_many_attach(producer, &ring, NULL, &error), error);
}

static void publish(uint32_t id, uint32_t event_count)
{
    struct lam_ring_many_producer producer;

    attach(&producer);
    if (id == VICTIM)
        lam_store_release(&board->victim_is_there, 1);
    for (uint32_t number = 0; number < event_count; number++) {
        many_publish(&producer, id, number, BYTES_MAX);
        if (id == VICTIM)
            lam_store_release(&board->committed, number + 1);
    }
    lam_ring_many_close(&producer);
    lam_ring_many_detach(&producer);
}

static pid_t start(uint32_t id, uint32_t event_count)
{
    pid_t child = test_fork();

    if (child == 0) {
        publish(id, event_count);
        _exit(0);
    }
    return child;
}

static pid_t start_armed(uint32_t id, const char *label, unsigned visit)
{
    pid_t child = test_fork();

    if (child == 0) {
        armed = label;
        armed_visit = visit;
        publish(id, VICTIM_EVENTS);
        _exit(0); /* it did not come by */
    }
    return child;
}

/* A consumer that the ring waits for, killed. */
static void leave_dead_consumer(void)
{
    pid_t child = test_fork();

    if (child == 0) {
        struct lam_ring_consumer consumer;

        TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
        (void)kill(getpid(), SIGKILL);
    }
    TEST_CHECK(test_wait(child) == 128 + SIGKILL);
}

/* Whether @child has ended, and then how. */
static int has_ended(pid_t child, int *how)
{
    int status;

    if (child == 0 || waitpid(child, &status, WNOHANG) != child)
        return 0;
    *how = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 1;
}

/* Take what is there, for a millisecond. Returns the consumer's answer when there was no more. */
static int consume_some(struct lam_ring_consumer *consumer, struct many_seen *seen)
{
    struct lam_event event = {.payload = NULL};
    int rc;

    while ((rc = lam_ring_consumer_peek_until(
                consumer, lam_deadline_after_ns(LAM_NS_PER_MS), &event)) == 0) {
        (void)many_check(seen, &event, BYTES_MAX);
        TEST_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
    TEST_CHECK(rc == -ETIMEDOUT || rc == -EOWNERDEAD || rc == -EPIPE);
    return rc;
}

/* Consume until @child has ended. Returns how. */
static int consume_until_end(
    struct lam_ring_consumer *consumer, struct many_seen *seen, pid_t child)
{
    uint64_t end_ns = lam_deadline_after_ns(PATIENCE);
    int how;

    while (!has_ended(child, &how)) {
        TEST_CHECK(lam_clock_now_ns() < end_ns);
        (void)consume_some(consumer, seen);
    }
    return how;
}

static void check_victim(const struct many_seen *seen, const char *label)
{
    uint32_t committed = lam_load_acquire(&board->committed);
    uint32_t there = seen->next[VICTIM];

    TEST_CHECK(there == committed || there == committed + 1);
    if (strcmp(label, "commit.stamp_stored") == 0)
        TEST_CHECK(there == committed + 1);
    else if (strncmp(label, "claim.", 6) == 0 || strcmp(label, "commit.begun") == 0 ||
             strcmp(label, "commit.shape_stored") == 0)
        TEST_CHECK(there == committed);
}

static void check_nothing_is_left(const struct many_seen *seen, const char *label)
{
    struct lam_ring_stat stat;

    TEST_CHECK(lam_ring_stat_read(&ring, &stat) == 0);
    TEST_CHECK(stat.state == LAM_RING_CLOSED && stat.events == seen->count);
    TEST_CHECK(stat.producer_count == 0 && stat.reaped == 1);
    /* Who dies right behind its repair has not counted it. */
    TEST_CHECK(stat.repairs >= 1 || strcmp(label, "padding.stamp_stored") == 0);
    for (uint64_t byte = LAM_RING_LOCK_REPAIR; byte < LAM_RING_LOCK_END; byte++)
        TEST_CHECK(lam_base->lock_probe(ring.control.fd, byte) == 0);
}

/* Where the victim comes by only if no survivor does so first. */
static int is_alone(const char *label)
{
    return strncmp(label, "table.", 6) == 0 || strcmp(label, "close.repaired") == 0 ||
           strcmp(label, "close.closed") == 0;
}

/* Where it comes by many times. */
static int is_often(const char *label)
{
    return strncmp(label, "claim.", 6) == 0 || strncmp(label, "commit.", 7) == 0 ||
           strncmp(label, "padding.", 8) == 0 || strncmp(label, "waypoint.", 9) == 0;
}

/* Returns 1 if the victim came by @label. */
static int kill_at(const char *label, unsigned visit, uint64_t random)
{
    struct lam_ring_attach_options read_only = {.name = name, .access = LAM_ACCESS_READ};
    struct lam_ring_consumer consumer;
    struct many_seen seen = {.count = 0};
    struct lam_ring reader;
    pid_t victim, survivors[2] = {0, 0};
    uint64_t end_ns = lam_deadline_after_ns(PATIENCE);
    int how, ended;

    memset(board, 0, sizeof(*board));
    create(random);
    TEST_OK(lam_ring_attach(&reader, &read_only, &error), error);
    TEST_OK(lam_ring_consumer_attach(&consumer, random % 2 == 0 ? &ring : &reader, NULL, &error),
        error);
    TEST_CHECK(test_wait(start_armed(HOLE, "claim.tail_moved", 1)) == 128 + SIGKILL);
    leave_dead_consumer();
    victim = start_armed(VICTIM, label, visit);
    /* Until it is there nobody else repairs. */
    while (!(ended = has_ended(victim, &how)) && lam_load_acquire(&board->victim_is_there) == 0) {
        TEST_CHECK(lam_clock_now_ns() < end_ns);
        pause_us(100);
    }
    if (!is_alone(label))
        for (uint32_t i = 0; i < 2; i++)
            survivors[i] = start(SURVIVOR + i, SURVIVOR_EVENTS);
    if (!ended)
        how = consume_until_end(&consumer, &seen, victim);
    TEST_CHECK(how == 128 + SIGKILL || how == 0);
    for (uint32_t i = 0; i < 2; i++)
        if (survivors[i] != 0)
            TEST_CHECK(consume_until_end(&consumer, &seen, survivors[i]) == 0);
    TEST_CHECK(consume_until_end(&consumer, &seen, start(FRESH, FRESH_EVENTS)) == 0);
    while (consume_some(&consumer, &seen) != -EPIPE)
        TEST_CHECK(lam_clock_now_ns() < end_ns);

    check_victim(&seen, label);
    TEST_CHECK(seen.next[FRESH] == FRESH_EVENTS && seen.next[HOLE] == 0);
    for (uint32_t i = 0; i < 2; i++)
        TEST_CHECK(survivors[i] == 0 || seen.next[SURVIVOR + i] == SURVIVOR_EVENTS);
    check_nothing_is_left(&seen, label);
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&reader);
    TEST_OK(lam_ring_destroy(&ring), error);
    return how != 0;
}

static void die_everywhere(unsigned seeds, uint64_t *kills)
{
    uint64_t random = 11;

    for (size_t i = 0; i < LABEL_COUNT; i++) {
        unsigned reached = 0;

        for (unsigned seed = 0; seed < seeds; seed++) {
            uint64_t value = test_random(&random);
            unsigned visit = seed == 0 || !is_often(labels[i]) ? 1 : 1 + (unsigned)(value >> 8) % 9;

            reached += (unsigned)kill_at(labels[i], visit, value);
        }
        if (reached == 0)
            (void)fprintf(stderr, "nobody came by %s\n", labels[i]);
        TEST_CHECK(reached != 0);
        *kills += reached;
    }
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    unsigned seeds = 2 * (effort == NULL ? 1 : (unsigned)atoi(effort));
    uint64_t kills = 0;

    (void)snprintf(name, sizeof(name), "many-crash-%d", (int)getpid());
    test_leave_nothing(name);
    board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(board != MAP_FAILED);
    die_everywhere(seeds, &kills);
    (void)printf("killed %llu times at %zu places; the others went on\n", (unsigned long long)kills,
        LABEL_COUNT);
    return 0;
}
