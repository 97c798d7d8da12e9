/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "hostile_atomic.h"

#include "lamina/base/clock.h"
#include "lamina/base/crash_point.h"
#include "ring_stream.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/*
 * No call takes more looks at shared words. The longest search of a place is 100,000 tries, or 100
 * ms by a clock that goes on by some us at each look.
 */
#define STEPS_MAX 20000000

/* Nor so long, in seconds, where it looks at nothing. */
#define STUCK_S 60

/* Accesses between two turns of the hostile one. */
#define TURN_EVERY 40

#define TALLIES_MAX 256

/* No access, on either side of a ring's memory. */
#define GUARD_BYTES (UINT64_C(64) << 20)

void (*world_hostile)(void);
void (*world_at)(const char *label);
_Atomic uint64_t *world_progress;
_Thread_local int64_t hostile_left = INT64_MAX;

static struct {
    uint64_t seed, part, state;
    uint64_t now_ns;
    uint64_t steps, given; /* of the call in hand; until the next turn */
    const char *call;
    int is_real, is_mine;
    struct world_counts counts;
    struct world_tally tallies[TALLIES_MAX];
} world;

/* In a signal handler, too: nothing but a line. */
static void say(const char *what)
{
    char line[400];
    int bytes = snprintf(line, sizeof(line), "seed %llu, part %llu: %s: %s\n",
        (unsigned long long)world.seed, (unsigned long long)world.part, what,
        world.call == NULL ? "between calls" : world.call);

    (void)!write(STDERR_FILENO, line, (size_t)bytes);
}

static void fail(const char *what)
{
    say(what);
    abort();
}

static void on_signal(int number)
{
    say(strsignal(number));
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void on_report(void)
{
    say("a sanitizer's report");
}

/* There where a sanitizer is. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static uint64_t virtual_now_ns(void)
{
    hostile_step();
    world.now_ns += 1000 + (world_once_in(64) ? world_pick(40) * LAM_NS_PER_MS : world_pick(20000));
    return world.now_ns;
}

static void sleep_to(uint64_t deadline_ns)
{
    uint64_t until_ns = world.now_ns + world_pick(20) * LAM_NS_PER_MS;

    hostile_step();
    world.now_ns = deadline_ns > world.now_ns && deadline_ns < until_ns ? deadline_ns : until_ns;
}

static void virtual_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    if (lam_load_relaxed(word) == expected)
        sleep_to(deadline_ns);
}

static int virtual_futex_wake_all(lam_atomic_u32 *word)
{
    (void)word;
    return 0;
}

static void virtual_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    for (uint32_t i = 0; i < count; i++)
        if (lam_load_relaxed(words[i]) != expected[i])
            return;
    sleep_to(deadline_ns);
}

static void virtual_yield(void)
{
    sleep_to(world.now_ns + 50000);
}

static int real_lock_probe(int fd, uint64_t byte)
{
    hostile_step();
    return lam_base_linux.lock_probe(fd, byte);
}

static const struct lam_base_ops virtual_ops = {
    .now_ns = virtual_now_ns,
    .futex_wait = virtual_futex_wait,
    .futex_wake_all = virtual_futex_wake_all,
    .futex_wait_any = virtual_futex_wait_any,
    .yield = virtual_yield,
    .lock_probe = real_lock_probe,
};

/* Linked in place of the C library's: a nap takes no time, and rings lie between guards. */
int __real_nanosleep(const struct timespec *duration, struct timespec *left);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t bytes);
int __wrap_nanosleep(const struct timespec *duration, struct timespec *left);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t bytes);

int __wrap_nanosleep(const struct timespec *duration, struct timespec *left)
{
    if (world.is_real)
        return __real_nanosleep(duration, left);
    world.now_ns += (uint64_t)duration->tv_sec * LAM_NS_PER_S + (uint64_t)duration->tv_nsec;
    return 0;
}

static struct {
    uint8_t *at;
    size_t bytes;
} guarded[64];

/* A ring's addresses are reserved before they are mapped: with a guard before and behind. */
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if (at != NULL || protection != PROT_NONE)
        return __real_mmap(at, bytes, protection, flags, fd, offset);
    at = __real_mmap(NULL, bytes + 2 * GUARD_BYTES, protection, flags, fd, offset);
    for (size_t i = 0; at != MAP_FAILED && i < sizeof(guarded) / sizeof(guarded[0]); i++)
        if (guarded[i].at == NULL) {
            guarded[i].at = (uint8_t *)at + GUARD_BYTES;
            guarded[i].bytes = bytes;
            return guarded[i].at;
        }
    return MAP_FAILED;
}

int __wrap_munmap(void *at, size_t bytes)
{
    for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
        if (guarded[i].at == at && guarded[i].bytes == bytes) {
            guarded[i].at = NULL;
            return __real_munmap((uint8_t *)at - GUARD_BYTES, bytes + 2 * GUARD_BYTES);
        }
    return __real_munmap(at, bytes);
}

void world_open(uint64_t seed, int is_real)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGALRM, SIGILL, SIGFPE};

    world.seed = seed;
    world.is_real = is_real;
    world.now_ns = LAM_NS_PER_S;
    if (!is_real)
        lam_base = &virtual_ops;
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(on_report);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (__sanitizer_set_death_callback == NULL || signals[i] == SIGALRM)
            (void)signal(signals[i], on_signal);
}

void world_part(uint64_t part)
{
    world.part = part;
    world.state = world.seed * UINT64_C(0x100000001b3) + part;
    world.now_ns = LAM_NS_PER_S;
    world.call = NULL;
}

uint64_t world_random(void)
{
    return test_random(&world.state);
}

uint64_t world_pick(uint64_t count)
{
    return world_random() % count;
}

int world_once_in(uint64_t count)
{
    return world_pick(count) == 0;
}

uint64_t world_soon(void)
{
    return lam_deadline_after_ns(
        world.is_real ? world_pick(100000) : world_pick(LAM_NS_PER_MS * 30));
}

void hostile_turn(void)
{
    world.steps += world.given - (uint64_t)hostile_left;
    /* In a long wait fewer and fewer, or most of them would be spent there. */
    world.given = 1 + world_pick(2 * TURN_EVERY + world.steps / 4);
    hostile_left = INT64_MAX; /* none within a turn */
    if (world.steps > STEPS_MAX)
        fail("does not end");
    if (world_hostile != NULL && world.is_mine == 0) {
        world.is_mine = 1;
        world_hostile();
        world.is_mine = 0;
    }
    hostile_left = (int64_t)world.given;
}

/* Between two stores that belong together nobody dies here, but somebody else may store. */
void lam_crash_point(const char *label)
{
    /* Within a call, and not on a thread that the call has started. */
    if (world.call == NULL || world.is_mine || hostile_left > INT64_MAX / 2)
        return;
    if (world_once_in(4))
        hostile_turn();
    if (world_at != NULL)
        world_at(label);
}

void world_begin(const char *call)
{
    world.call = call;
    world.steps = 0;
    world.given = 1 + world_pick(2 * TURN_EVERY);
    hostile_left = (int64_t)world.given;
    if ((world.counts.calls++ & 15) == 0)
        (void)alarm(STUCK_S);
    if (world_progress != NULL)
        (*world_progress)++;
}

static void count(const char *call, int64_t rc)
{
    struct world_tally *tally = &world.tallies[0];

    world.counts.fruitful += rc > 0;
    while (tally->call != NULL && strcmp(tally->call, call) != 0 &&
           tally < &world.tallies[TALLIES_MAX - 1])
        tally++;
    tally->call = call;
    tally->errors += rc < 0;
    tally->nothing += rc == 0;
    tally->fruitful += rc > 0;
}

const struct world_tally *world_tallies(void)
{
    return world.tallies;
}

int64_t world_answer(const char *call, int64_t rc, const int *codes)
{
    static char what[120];

    hostile_left = INT64_MAX;
    if (world.steps > world.counts.steps_max) {
        world.counts.steps_max = world.steps;
        world.counts.longest = call;
    }
    count(call, rc);
    while (rc < 0 && *codes != 0 && -*codes != rc)
        codes++;
    if (rc < 0 && *codes == 0) {
        (void)snprintf(what, sizeof(what), "answers %s", strerror((int)-rc));
        fail(what);
    }
    world.call = NULL;
    return rc;
}

struct world_counts world_counts(void)
{
    return world.counts;
}
