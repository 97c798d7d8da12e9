/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_EVENT_H
#define LAM_BENCH_EVENT_H

/*
 * event.h: what the queues of others hold: a payload by value, as a user of theirs declares it.
 */

#include <errno.h>

#include "clock.h"
#include "payload.h"
#include "peers.h"

struct bench_word {
    uint64_t words[BENCH_WORD_BYTES / 8];
};

struct bench_event {
    uint64_t words[BENCH_EVENT_BYTES / 8];
};

/* The largest batch that an adapter has on its stack. */
#define BENCH_PEER_BATCH_MAX 64

/* Whether an adapter has a queue for this shape. */
static inline int bench_peer_takes(const struct bench_shape *shape)
{
    return (shape->payload_bytes == BENCH_WORD_BYTES ||
               shape->payload_bytes == BENCH_EVENT_BYTES) &&
           shape->batch <= BENCH_PEER_BATCH_MAX;
}

#endif
