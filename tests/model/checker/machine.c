/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that the shipped code asks: clock, futex, locks, identity, segments. It stands in the
 * place of the files of lamina::base that make system calls.
 *
 * Nobody who sleeps wakes without a bell, so that a bell that is not rung shows. A lock that is
 * taken, or seen to be free, brings what its last holder had done. Nothing else here orders memory.
 */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lamina/base/identity.h"
#include "lamina/base/lock.h"
#include "lamina/base/ops.h"
#include "lamina/base/segment.h"

#define LOCK_COUNT 192
#define BELL_COUNT 4

struct bell {
    const struct model_location *location;
    struct model_view told; /* what those who rang it had seen */
};

struct kernel_lock {
    uint32_t holder;  /* actor + 1; 0 nobody */
    uint32_t owner;   /* actor + 1 whose death drops it */
    uint64_t told_in; /* the schedule that @told is of */
    struct model_view told;
};

static struct kernel_lock locks[LOCK_COUNT];
static struct kernel_lock saved_locks[LOCK_COUNT];
static struct bell bells[BELL_COUNT];
static uint32_t bell_count;

void model_machine_save(void)
{
    memcpy(saved_locks, locks, sizeof(locks));
}

void model_machine_forget(void)
{
    memset(locks, 0, sizeof(locks));
}

void model_machine_begin(void)
{
    for (uint32_t i = 0; i < LOCK_COUNT; i++) {
        locks[i].holder = saved_locks[i].holder;
        locks[i].owner = saved_locks[i].owner;
    }
    bell_count = 0;
}

/* --- locks --- */

static void tell(struct kernel_lock *lock, const struct model_view *view)
{
    if (lock->told_in != model_engine.schedule) {
        lock->told_in = model_engine.schedule;
        memset(&lock->told, 0, sizeof(lock->told));
    }
    model_join(&lock->told, view);
}

static void hear(const struct kernel_lock *lock)
{
    if (model_engine.running && lock->told_in == model_engine.schedule)
        model_learn(model_me(), &lock->told);
}

static void kernel_step(const char *what)
{
    if (!model_engine.running || model_engine.self == MODEL_FINALLY)
        return;
    model_step(MODEL_KERNEL, NULL);
    (void)model_trace(MODEL_SITE("kernel", MODEL_RELAXED), what, NULL, 0, 0);
}

int lam_lock_take(struct lam_lock *lock, int object_fd, uint64_t byte)
{
    struct kernel_lock *kernel = &locks[byte % LOCK_COUNT];

    if (byte >= LOCK_COUNT)
        return -ENOTSUP; /* none that a ring's ends have */
    kernel_step("takes a lock");
    if (kernel->holder != 0)
        return -EBUSY;
    kernel->holder = kernel->owner = model_engine.self + 1;
    hear(kernel);
    lock->fd = object_fd;
    lock->byte = byte;
    return 0;
}

static void drop(struct kernel_lock *kernel, const struct model_view *view)
{
    kernel->holder = kernel->owner = 0;
    model_engine.stores++; /* who looks again may find it free */
    if (model_engine.running)
        tell(kernel, view);
}

void lam_lock_drop(struct lam_lock *lock)
{
    if (!lam_lock_is_held(lock))
        return;
    kernel_step("drops a lock");
    drop(&locks[lock->byte % LOCK_COUNT], &model_me()->now);
    lock->fd = -1;
}

void model_own_lock(const struct lam_lock *lock, uint32_t thread)
{
    locks[lock->byte % LOCK_COUNT].owner = thread + 1;
}

/* All that the dead one stored is in memory before its locks are free. */
void model_drop_locks_of_dead(uint32_t index)
{
    for (uint32_t i = 0; i < LOCK_COUNT; i++) {
        if (locks[i].owner == index + 1)
            drop(&locks[i], &model_engine.actors[index].now);
    }
}

static int lock_probe(int fd, uint64_t byte)
{
    const struct kernel_lock *kernel = &locks[byte % LOCK_COUNT];

    (void)fd; /* one ring, one object with locks */
    kernel_step("probes a lock");
    if (kernel->holder != 0)
        return 1;
    hear(kernel);
    return 0;
}

/* --- futex and clock --- */

static struct bell *bell_of(const struct model_location *location)
{
    for (uint32_t i = 0; i < bell_count; i++) {
        if (bells[i].location == location)
            return &bells[i];
    }
    if (bell_count == BELL_COUNT)
        model_fail("bound: more than %d futex words", BELL_COUNT);
    memset(&bells[bell_count], 0, sizeof(bells[0]));
    bells[bell_count].location = location;
    return &bells[bell_count++];
}

static void futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    struct model_location *location;
    uint32_t found;

    if (!model_engine.running)
        return;
    location = model_location_of(word, sizeof(*word));
    kernel_step("looks at its bell");
    /* Under the kernel's lock of the bell: what was rung before is seen. */
    model_learn(model_me(), &bell_of(location)->told);
    model_engine.in_kernel = 1;
    found = lam_load_relaxed(word);
    model_engine.in_kernel = 0;
    if (found != expected)
        return;
    model_me()->bell = location;
    model_me()->deadline_ns = deadline_ns;
    model_block(MODEL_ASLEEP);
    model_learn(model_me(), &bell_of(location)->told);
}

static int futex_wake_all(lam_atomic_u32 *word)
{
    struct model_location *location;
    int woken = 0;

    if (!model_engine.running)
        return 0;
    location = model_location_of(word, sizeof(*word));
    kernel_step("rings a bell");
    model_join(&bell_of(location)->told, &model_me()->now);
    for (uint32_t i = 0; i < MODEL_THREAD_COUNT_MAX; i++) {
        struct model_actor *actor = &model_engine.actors[i];

        if (actor->wait == MODEL_ASLEEP && actor->bell == location) {
            actor->wait = MODEL_READY;
            woken++;
        }
    }
    return woken;
}

/* What several bells are for: never rung in a scenario so far. */
static void futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    if (count != 1)
        model_fail("bound: who sleeps on %u bells is not modelled", count);
    futex_wait(words[0], expected[0], deadline_ns);
}

/* Each thread has a clock of its own, so that reading it is no step that others could see. */
static uint64_t now_ns(void)
{
    return model_engine.running ? ++model_me()->now_ns : 1;
}

static const struct lam_base_ops model_ops = {
    .now_ns = now_ns,
    .futex_wait = futex_wait,
    .futex_wake_all = futex_wake_all,
    .futex_wait_any = futex_wait_any,
    .yield = model_pause,
    .lock_probe = lock_probe,
};

const struct lam_base_ops *lam_base = &model_ops;
const struct lam_base_ops lam_base_linux;

/* Nobody has another one's: there is one process, and it kills nobody. */
struct lam_identity lam_identity_of(uint32_t pid)
{
    return (struct lam_identity){.pid = pid};
}

struct lam_identity lam_identity_self(void)
{
    return (struct lam_identity){.pid = model_engine.self + 1};
}
