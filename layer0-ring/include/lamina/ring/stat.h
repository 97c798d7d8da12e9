/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_STAT_H
#define LAM_RING_STAT_H

/*
 * lamina/ring/stat.h: a look into a ring, without anyone's help.
 *
 * Ring, layer 0. Reads the counters of all ends and the shape of the ring. Any process that has it
 * mapped, read-only too, at any time; it slows nobody down. Figures that move meanwhile are each
 * right at some moment, not all at the same.
 *
 * Each counter has one writer and is a plain store where something rare happens; what happens often
 * (events, bytes, lag) is worked out from what the ends store anyhow. Consumers' counters start
 * at 0 when they join; the producer's go on from epoch to epoch. Control is written by all ends:
 * figures are for people, not for proofs.
 */

#include <stdint.h>

#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_ring_state {
    LAM_RING_NEW = 0, /* no producer yet */
    LAM_RING_OPEN = 1,
    LAM_RING_CLOSED = 2,   /* in order */
    LAM_RING_DEAD = 3,     /* the producer is gone without a close */
    LAM_RING_POISONED = 4, /* somebody found the other's bytes impossible */
    LAM_RING_FAILED = 5,   /* by the producer or its policy: lamina/ring/required.h */
};

struct lam_ring_consumer_stat {
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    char group[LAM_RING_CONSUMER_NAME_MAX + 1]; /* whose member it is; "" of none */
    uint32_t index;
    uint32_t pid;
    uint32_t alive;       /* its lock is held */
    uint32_t asleep;      /* 1: it sleeps, or is about to */
    uint64_t cursor;      /* sequence: all below it is released */
    uint64_t events;      /* released since it joined, less what it lost; of a member 0 */
    uint64_t lag_cells;   /* from its cursor to the head */
    uint64_t lag_events;  /* likewise */
    uint64_t lag_max;     /* cells: the most that was seen, by the producer about once a lap */
    uint64_t empty;       /* looks that found nothing, counted by 64; not those of waits */
    uint64_t spin_waits;  /* waits for an event that ended while it spun */
    uint64_t yield_waits; /* likewise, after it had yielded, and before it slept */
    uint64_t parks;       /* times it slept */
    uint64_t wakes;       /* system calls made to wake the producer */
    uint64_t lost;        /* events that it was too late for, exactly */
    uint64_t overruns;    /* times that it lost some: lapped, or evicted and joined again */
    uint32_t lossy;       /* 1: holds nobody back */
    uint32_t required;    /* 1: its producer needs it; it may be dead, and its place kept */
    uint32_t evicted;     /* 1: held the producer for too long, and has not joined again */
    uint32_t expelled;    /* 1: its cursor was impossible, and it has not joined again */
};

struct lam_ring_stat {
    enum lam_ring_state state;
    uint64_t epoch;
    uint64_t head;         /* sequence behind the last published event */
    uint64_t oldest;       /* the horizon */
    uint64_t events;       /* published, all epochs */
    uint64_t bytes;        /* payload bytes, as of the last waypoint, wait or close; of many
                             producers without the newest of those that died */
    uint64_t depth;        /* cells */
    uint64_t full;         /* times a claim found the ring full */
    uint64_t blocked_ns;   /* from such a claim to one that found room; seen every 8 ms */
    uint64_t spin_waits;   /* waits for room that ended while the producer spun */
    uint64_t yield_waits;  /* likewise, after it had yielded, and before it slept */
    uint64_t parks;        /* times the producer slept */
    uint64_t wakes;        /* system calls made to wake consumers */
    uint64_t reaped;       /* consumers found dead */
    uint64_t evicted;      /* consumers that held the producer for too long */
    uint64_t expelled;     /* consumers whose cursors were impossible */
    uint64_t repairs;      /* of what dead producers left: at an epoch's start, or holes */
    uint64_t page_bytes;   /* of data: what was really got */
    int32_t numa_node;     /* that data's pages lay on when this process mapped it; -1 several */
    uint32_t file;         /* 1: outlives its processes */
    uint32_t hardened;     /* 1: its maker alone can produce */
    uint64_t alarms;       /* of required consumers: raised */
    uint64_t recoveries;   /* and over again */
    uint32_t producer_pid; /* 0: none has been, or the first is attaching now */
    uint32_t blocked_on;   /* index + 1 of the consumer that a sleeping producer waits for; 0 none;
                            UINT32_MAX: for consumers to come */
    char failure[LAM_RING_FAILURE_MAX + 1]; /* why, where the state is LAM_RING_FAILED */
    uint32_t producer_count;                /* alive; several only on a ring for many */
    uint32_t consumer_count;
    struct lam_ring_consumer_stat consumers[LAM_RING_CONSUMER_COUNT_MAX];
};

/* The ring's state: a dead producer is found by its lock. Two loads and a system call at most. */
enum lam_ring_state lam_ring_state_read(const struct lam_ring *ring);

/*
 * The ring's epoch: 0 before its first producer, and more with each that takes it over, whether the
 * one before closed or died. Who sees it sees all that was published in earlier ones. Wait-free.
 */
uint64_t lam_ring_epoch(const struct lam_ring *ring);

/*
 * Fill *@stat. Lock-free; walks about a sixteenth of the ring, and as much again for each consumer
 * that lags, and probes the ends' locks.
 *
 * Returns 0, or
 *   -EPROTO the data object makes no sense
 */
int lam_ring_stat_read(const struct lam_ring *ring, struct lam_ring_stat *stat);

/*
 * The latencies of the consumer with entry @index since it joined, from commit to unwrap
 * (lamina/ring/timestamp.h), borrowed until detach: lam_histogram_quantile() reads it.
 *
 * Returns NULL where it has none: the ring was made without, or for fewer consumers.
 */
const struct lam_histogram *lam_ring_latency(const struct lam_ring *ring, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
