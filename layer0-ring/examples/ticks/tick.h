/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TICKS_TICK_H
#define LAM_TICKS_TICK_H

/*
 * tick.h: what the demonstration moves, and what its readers find out.
 */

#include <stdint.h>

#include "lamina/base/histogram.h"

#define TICKS_READERS     8
#define TICKS_SLOW_READER 5 /* the index of the one that takes a nap */
#define TICKS_PER_SECOND  5000
#define TICKS_DEPTH       1024      /* cells: a fifth of a second */
#define TICKS_NAP_NS      400000000 /* twice what the ring can take */
#define TICKS_READER_NAME "reader"
#define TICKS_SLOW_NAME   "slow-reader"

/* 48 bytes: with its header an event fills one cell, one line of the cache. */
struct tick {
    uint64_t number; /* from 0, without a gap */
    uint64_t sent_ns;
    uint64_t check; /* over all the rest */
    uint32_t instrument;
    int32_t bid; /* in cents */
    int32_t ask;
    uint32_t bid_size;
    uint32_t ask_size;
    uint32_t reserved;
};

/* What one reader found out; in memory that it shares with the publisher. */
struct tick_result {
    uint64_t received;
    uint64_t wrong;
    uint64_t latest_ns; /* the largest latency */
    struct lam_histogram latency;
};

/* A number that each field of @tick but the check itself changes. */
static inline uint64_t tick_check(const struct tick *tick)
{
    uint64_t sum = tick->number * UINT64_C(0x9e3779b97f4a7c15) ^ tick->sent_ns;

    sum = (sum ^ tick->instrument) * UINT64_C(0xff51afd7ed558ccd);
    sum = (sum ^ ((uint64_t)(uint32_t)tick->bid << 32 | (uint32_t)tick->ask)) *
          UINT64_C(0xff51afd7ed558ccd);
    return (sum ^ ((uint64_t)tick->bid_size << 32 | tick->ask_size)) ^ sum >> 31;
}

struct lam_ring;

/*
 * Publish for @seconds on @ring, and tell who held the publisher back. Returns 0, or 1: it failed,
 * or the nap of the slow reader was not felt.
 */
int publish_ticks(struct lam_ring *ring, double seconds);

/* Join the ring @name as reader @index and read to its end. Returns 0 or 1, for exit(). */
int read_ticks(
    const char *name, uint32_t index, uint64_t nap_at_number, struct tick_result *result);

#endif
