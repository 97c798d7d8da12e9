/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_ADVISE_H
#define LAM_FRAMED_ADVISE_H

/*
 * lamina/framed/advise.h: which cell, depth and bound fit what was seen of a channel.
 *
 * Framed, layer 1. Pure: counts in, advice out; `lamina advise` looks at a channel and shows both.
 * Cells: the largest that waste at most a tenth more than the thriftiest. Depth: twice the most
 * that was in use, and half of it holds 99 of 100 messages in place. Bound: what is larger than
 * that goes in frames, and receivers need a buffer of that size.
 *
 * Sizes are bytes behind an event's header, extensions included.
 */

#include <stdint.h>

#include "lamina/base/histogram.h"
#include "lamina/ring/event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_ADVISE_CELL_COUNT  11 /* sizes of cells: 64 << 0 to 64 << 10 */
#define LAM_ADVISE_CLASS_COUNT 42 /* of messages by size: 0, 1, 2 to 3, 4 to 7, and so on */

/* So many bytes of an event are enough to see what it is. */
#define LAM_ADVISE_LOOK_BYTES 96

/* Messages of about one size. */
struct lam_advise_class {
    uint64_t messages;
    uint64_t bytes;
    uint64_t cells[LAM_ADVISE_CELL_COUNT]; /* that they would take in place, by size of cell */
};

/* What was seen. Begins as zeros but for the channel's own two. Private to one thread. */
struct lam_advise_seen {
    uint32_t cell_bytes; /* as the channel is */
    uint64_t depth;
    uint64_t events;    /* of frames, each */
    uint64_t cells_now; /* that they took */
    uint64_t frames;
    uint64_t messages; /* those of frames once, by their first one */
    uint64_t framed_messages;
    uint64_t bytes_max;      /* of one message */
    uint64_t used_cells_max; /* the most that was in use at once */
    uint64_t full;           /* times that a claim found no room */
    uint64_t blocked_ns;     /* time for which there was none */
    uint64_t watched_ns;
    struct lam_advise_class classes[LAM_ADVISE_CLASS_COUNT];
    struct lam_histogram sizes; /* of messages */
};

/* Why the advice is what it is: bits. */
enum lam_advise_reason {
    LAM_ADVISE_CELL_LARGER = 1 << 0,   /* messages take several cells where one would do */
    LAM_ADVISE_CELL_SMALLER = 1 << 1,  /* cells are mostly empty */
    LAM_ADVISE_FOR_BURSTS = 1 << 2,    /* the depth is what its fullness asks for */
    LAM_ADVISE_FOR_SIZE = 1 << 3,      /* the depth is what its messages ask for */
    LAM_ADVISE_WAS_FULL = 1 << 4,      /* how much would have been in use is not known: twice it */
    LAM_ADVISE_RECEIVER_SLOW = 1 << 5, /* full most of the time: no depth helps for long */
    LAM_ADVISE_FRAMES_STAY = 1 << 6,   /* a few are so large that frames are cheaper than depth */
    LAM_ADVISE_FULLNESS_UNKNOWN = 1 << 7, /* nothing was ever in use: nobody gates */
};

struct lam_advice {
    uint32_t cell_bytes;
    uint64_t depth;
    uint64_t message_bytes_max; /* for both ends; 0: no message needs frames */
    uint64_t ring_bytes;        /* of shared memory, both objects */
    uint64_t ring_bytes_now;
    uint64_t bytes_p50; /* of messages; within 3.2 per cent */
    uint64_t bytes_p99;
    uint32_t waste_per_mille; /* of cells' bytes that hold neither message nor header */
    uint32_t waste_per_mille_now;
    uint32_t reasons; /* enum lam_advise_reason */
};

/* One event, with its first @at_hand bytes at @bytes: LAM_ADVISE_LOOK_BYTES are enough. */
void lam_advise_see(struct lam_advise_seen *seen, const struct lam_event *event, const void *bytes,
    uint64_t at_hand);

/*
 * What would fit. Pure.
 *
 * Returns 0, or
 *   -ENODATA no message was seen
 *   -EINVAL  the channel's cells or depth cannot be
 */
int lam_advise(const struct lam_advise_seen *seen, struct lam_advice *advice);

/*
 * The same for cells of @cell_bytes, whatever fits best: what other cells would cost.
 *
 * Returns as lam_advise(); -EINVAL: no power of two from 64 to 65536, too
 */
int lam_advise_cells(
    const struct lam_advise_seen *seen, uint32_t cell_bytes, struct lam_advice *advice);

#ifdef __cplusplus
}
#endif

#endif
