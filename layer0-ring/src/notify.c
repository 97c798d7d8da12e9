/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notifier's thread sleeps for consumers that have armed (watch.c). It reads all bells, looks
 * at each armed watch as a consumer that is about to sleep does, and sleeps on the bells as it read
 * them: whoever publishes after a look sees the bit and rings, and a bell that has been rung since
 * is not slept on.
 */
#include "lamina/ring/notify.h"
#include "consumer_wait.h"
#include "many_internal.h"
#include "notify_kick.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The notifier's own bell is one of the words that it sleeps on. */
LAM_STATIC_ASSERT(LAM_RING_WATCH_COUNT_MAX < LAM_FUTEX_WORDS_MAX, "one sleep takes them all");

/* Why a consumer is told. */
enum due {
    NOT_DUE,
    DUE,
    SUSPECT, /* somebody may be dead: it has to look at once, and not when that is due */
};

/* Whether the ring's words say that its stream has come to an end. */
static int has_ended(const struct lam_ring *ring, uint64_t next)
{
    /* A5 */
    enum lam_ring_state state = lam_ring_state_of(lam_load_acquire(&ring->data_head->state));

    return state == LAM_RING_FAILED ||
           (state == LAM_RING_CLOSED && !lam_ring_many_has_hole(ring, next));
}

/* Whether somebody died perhaps of whom the consumer waits for something. System calls. */
static int is_forsaken(const struct lam_ring *ring, uint64_t next)
{
    /* A5 */
    int open = lam_ring_state_of(lam_load_acquire(&ring->data_head->state)) == LAM_RING_OPEN;

    if (ring->producers == LAM_RING_ONE_PRODUCER)
        return open && !lam_ring_lock_is_held(ring, LAM_RING_LOCK_PRODUCER);
    return lam_ring_many_has_hole(ring, next) ||
           (open && !lam_ring_many_is_alive(ring, UINT32_MAX));
}

/*
 * Whether there is anything that the consumer has to know: for the notifier's thread, which may not
 * touch the consumer. With @probe it asks for locks, too.
 */
static enum due is_due(const struct lam_ring_watch *watch, int probe)
{
    const struct lam_ring_consumer *consumer = watch->consumer;
    const struct lam_ring *ring = consumer->ring;
    uint64_t next = lam_load_relaxed(&watch->next);
    uint64_t look_at_ns = lam_load_relaxed(&watch->look_at_ns);

    /* Whose turn it is after others, only the consumer can tell: each ring of the bell is its. */
    if (look_at_ns != 0 &&
        /* A27 */
        lam_load_acquire(&ring->control_head->consumer_bell) != lam_load_relaxed(&watch->bell))
        return DUE;
    if (look_at_ns != 0)
        return probe && lam_clock_now_ns() >= look_at_ns ? SUSPECT : NOT_DUE;
    /* A1: see lam_ring_consumer_try_peek(). */
    if (lam_load_acquire(&lam_ring_consumer_cell(consumer, next)->stamp) == next ||
        (consumer->policy == LAM_RING_LOSSY &&
            (int64_t)(next - lam_load_relaxed(&ring->data_head->horizon)) < 0))
        return DUE;
    if (lam_load_relaxed(&ring->control_head->poisoned) != 0 ||
        lam_load_relaxed(&ring->control_head->entries[consumer->index].state) !=
            lam_load_relaxed(&watch->entry_state) ||
        has_ended(ring, next))
        return DUE;
    return probe && is_forsaken(ring, next) ? SUSPECT : NOT_DUE;
}

/* Look at one watch. Returns 1 while it is armed. */
static int attend(struct lam_ring_watch *watch, int probe)
{
    /* Acquire: next and entry_state are those of this arming, or of a later one. */
    uint32_t armed = lam_load_acquire(&watch->armed); /* A33 */
    enum due due;

    if ((armed & 1) == 0)
        return 0;
    /* The bit may have been taken for another one's sake. */
    if (lam_load_relaxed(&watch->look_at_ns) == 0)
        lam_ring_consumer_announce(watch->consumer);
    due = is_due(watch, probe);
    if (due == NOT_DUE)
        return 1;
    if (due == SUSPECT)
        lam_store_relaxed(&watch->suspect, 1); /* seen before the eventfd is: it is a system call */
    if (lam_cas_acq_rel(&watch->armed, &armed, armed + 1)) { /* R33 */
        lam_ring_consumer_retract(watch->consumer);
        (void)eventfd_write(watch->fd, 1); /* cannot be full: it is emptied by each arming */
    }
    return 0;
}

struct bells {
    lam_atomic_u32 *words[LAM_RING_WATCH_COUNT_MAX + 1];
    uint32_t rung[LAM_RING_WATCH_COUNT_MAX + 1];
    uint32_t count;
};

static void read_bell(struct bells *bells, lam_atomic_u32 *word)
{
    bells->words[bells->count] = word;
    bells->rung[bells->count++] = lam_load_acquire(word); /* A27 */
}

/* Look at all watches; the bells are read before. Returns how many are armed. */
static uint32_t attend_all(struct lam_ring_notifier *notifier, struct bells *bells, int probe)
{
    uint32_t armed = 0;

    bells->count = 0;
    read_bell(bells, &notifier->kick);
    for (uint32_t i = 0; i < notifier->count; i++)
        read_bell(bells, &notifier->watches[i]->consumer->ring->control_head->consumer_bell);
    for (uint32_t i = 0; i < notifier->count; i++)
        armed += (uint32_t)attend(notifier->watches[i], probe);
    return armed;
}

/* One turn: look at all, sleep. Returns 0 when the thread has to end. The mutex is held. */
static int turn(struct lam_ring_notifier *notifier, uint64_t *probe_at_ns)
{
    struct bells bells;
    uint64_t now_ns = lam_clock_now_ns();
    int probe = now_ns >= *probe_at_ns;

    /* The sleep before is over, and what follows knows nobody who was removed. */
    notifier->turns++;
    (void)pthread_cond_broadcast(&notifier->turned);
    if (probe)
        *probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    if (attend_all(notifier, &bells, probe) == 0) {
        /* Nobody needs a look at a producer's lock. Whoever arms now kicks, or is seen here. */
        lam_store_relaxed(&notifier->idle, 1);
        lam_fence_seq_cst(); /* F12 */
        if (attend_all(notifier, &bells, probe) == 0)
            *probe_at_ns = 0;
        else
            lam_store_relaxed(&notifier->idle, 0);
    }
    (void)pthread_mutex_unlock(&notifier->mutex);
    lam_base->futex_wait_any(bells.words, bells.rung, bells.count,
        *probe_at_ns == 0 ? LAM_DEADLINE_NEVER : *probe_at_ns);
    (void)pthread_mutex_lock(&notifier->mutex);
    lam_store_relaxed(&notifier->idle, 0);
    return !notifier->stopping;
}

static void *run_thread(void *argument)
{
    struct lam_ring_notifier *notifier = argument;
    uint64_t probe_at_ns = 0;

    (void)pthread_mutex_lock(&notifier->mutex);
    /* It may be told to stop before its first turn, which would sleep on a kick of the past. */
    while (!notifier->stopping && turn(notifier, &probe_at_ns) != 0)
        ;
    (void)pthread_mutex_unlock(&notifier->mutex);
    return NULL;
}

int lam_ring_notifier_open(struct lam_ring_notifier *notifier, struct lam_error *error)
{
    sigset_t all, before;
    int rc;

    memset(notifier, 0, sizeof(*notifier));
    (void)pthread_mutex_init(&notifier->mutex, NULL); /* with no attributes they cannot fail */
    (void)pthread_cond_init(&notifier->turned, NULL);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
    rc = pthread_create(&notifier->thread, NULL, run_thread, notifier);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return lam_error_set(error, -rc, "notifier: no thread: %s", strerror(rc));
    return 0;
}

void lam_ring_notifier_close(struct lam_ring_notifier *notifier)
{
    (void)pthread_mutex_lock(&notifier->mutex);
    LAM_ASSERT(notifier->count == 0);
    notifier->stopping = 1;
    lam_ring_notifier_kick(notifier);
    (void)pthread_mutex_unlock(&notifier->mutex);
    (void)pthread_join(notifier->thread, NULL);
    (void)pthread_cond_destroy(&notifier->turned);
    (void)pthread_mutex_destroy(&notifier->mutex);
}

int lam_ring_notifier_add(struct lam_ring_notifier *notifier, struct lam_ring_watch *watch,
    struct lam_ring_consumer *consumer, struct lam_error *error)
{
    int rc = 0;

    memset(watch, 0, sizeof(*watch));
    watch->fd = -1;
    watch->notifier = notifier;
    watch->consumer = consumer;
    if (consumer->ring->waiting == LAM_RING_SPIN_ONLY)
        return lam_error_set(error, -ENOTSUP,
            "ring %s: its ends only spin: its producer rings no bell for a poll loop",
            consumer->ring->name);
    watch->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (watch->fd < 0)
        return lam_error_set(
            error, -errno, "ring %s: eventfd: %s", consumer->ring->name, strerror(errno));
    (void)pthread_mutex_lock(&notifier->mutex);
    if (notifier->count == LAM_RING_WATCH_COUNT_MAX) {
        rc = lam_error_set(error, -EUSERS, "ring %s: the notifier watches for %d consumers already",
            consumer->ring->name, LAM_RING_WATCH_COUNT_MAX);
    } else {
        notifier->watches[notifier->count++] = watch;
        lam_ring_notifier_kick(notifier); /* it has one more bell to sleep on */
    }
    (void)pthread_mutex_unlock(&notifier->mutex);
    if (rc != 0) {
        (void)close(watch->fd);
        watch->fd = -1;
    }
    return rc;
}

void lam_ring_notifier_remove(struct lam_ring_watch *watch)
{
    struct lam_ring_notifier *notifier = watch->notifier;
    uint64_t turns;

    lam_ring_watch_disarm(watch);
    (void)pthread_mutex_lock(&notifier->mutex);
    for (uint32_t i = 0; i < notifier->count; i++)
        if (notifier->watches[i] == watch)
            notifier->watches[i--] = notifier->watches[--notifier->count];
    /* It may be asleep on the ring's bell, which is unmapped perhaps when we return. */
    turns = notifier->turns;
    lam_ring_notifier_kick(notifier);
    while (notifier->turns == turns)
        (void)pthread_cond_wait(&notifier->turned, &notifier->mutex);
    (void)pthread_mutex_unlock(&notifier->mutex);
    (void)close(watch->fd);
    watch->fd = -1;
}
