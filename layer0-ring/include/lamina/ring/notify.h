/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_NOTIFY_H
#define LAM_RING_NOTIFY_H

/*
 * lamina/ring/notify.h: rings in a poll loop.
 *
 * Ring, layer 0. A consumer that is armed makes an eventfd readable when there is something to be
 * read, or the stream has ended, so that one epoll serves rings and sockets. A ring rings a bell
 * in shared memory, which no poll loop hears: a thread of the consumer's process sleeps on the
 * bells of all rings that it watches for (struct lam_ring_notifier) and writes the eventfds.
 *
 *     read until nothing is there; arm: 1 read again, 0 poll; when the fd is readable read again
 *
 * Nobody pays for a consumer that is not armed. An armed one costs its producer what a sleeping one
 * does, and the poll loop one more change of threads. No thread survives a fork: open anew.
 */

#include <pthread.h>

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_WATCH_COUNT_MAX 64

struct lam_ring_watch;

/* The thread, and whom it watches for. Kept in place from open to close. */
struct lam_ring_notifier {
    /* Fields are private. */
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t turned;
    struct lam_ring_watch *watches[LAM_RING_WATCH_COUNT_MAX];
    uint32_t count;
    uint32_t stopping;
    uint64_t turns; /* of the thread: what it slept on in an earlier one it no longer touches */
    lam_atomic_u32 kick; /* a bell of its own */
    lam_atomic_u32 idle; /* it sleeps without an end, since nobody is armed */
};

/* One consumer, watched for. Kept in place from add to remove. */
struct lam_ring_watch {
    /* Fields are private, except that the eventfd may be polled. */
    int fd;
    struct lam_ring_notifier *notifier;
    struct lam_ring_consumer *consumer;
    uint32_t armed_last;        /* the consumer's thread: the last arming, 0 none since a look */
    lam_atomic_u32 armed;       /* odd: armed; whoever makes it even ends that arming */
    lam_atomic_u64 next;        /* of the consumer, when it was armed */
    lam_atomic_u64 entry_state; /* likewise */
    lam_atomic_u32 bell;        /* of the ring, before it was armed */
    lam_atomic_u32 suspect;     /* it was told since somebody may be dead */
    lam_atomic_u64 look_at_ns;  /* for one that goes after others: when it looks itself; else 0 */
};

/*
 * Start the thread. All signals are blocked in it.
 *
 * Returns 0, or -errno of pthread_create; @error says so.
 */
int lam_ring_notifier_open(struct lam_ring_notifier *notifier, struct lam_error *error);

/* End the thread. All watches were removed before. */
void lam_ring_notifier_close(struct lam_ring_notifier *notifier);

/*
 * Watch for @consumer, which keeps its own thread: the notifier's looks at the ring alone. Not
 * armed yet. watch->fd is an eventfd, non-blocking, closed on exec, the watch's until removed.
 *
 * Any thread. Returns 0, or
 *   -ENOTSUP a SPIN_ONLY ring: its producer rings no bell
 *   -EUSERS  LAM_RING_WATCH_COUNT_MAX are watched for
 *   -errno   of eventfd
 */
int lam_ring_notifier_add(struct lam_ring_notifier *notifier, struct lam_ring_watch *watch,
    struct lam_ring_consumer *consumer, struct lam_error *error);

/* Watch no longer; waits for the notifier's thread to let go. Before the consumer is detached. */
void lam_ring_notifier_remove(struct lam_ring_watch *watch);

/*
 * Make the eventfd readable as soon as there is something to be read, or the stream has ended; it
 * is made unreadable before. The arming ends by that. To be called when a look found nothing; until
 * then the consumer does not wait by other calls.
 *
 * The consumer's thread. Returns 0: armed, poll; or 1: there is something now, and it is not armed.
 * What made it readable may be gone, or never have been: read without waiting, and arm again.
 */
int lam_ring_watch_arm(struct lam_ring_watch *watch);

/* End an arming, if there is one. The eventfd may stay readable. The consumer's thread. */
void lam_ring_watch_disarm(struct lam_ring_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
