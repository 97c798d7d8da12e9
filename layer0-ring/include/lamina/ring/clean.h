/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CLEAN_H
#define LAM_RING_CLEAN_H

/*
 * lamina/ring/clean.h: what dead processes left in a store, and its removal.
 *
 * Ring, layer 0. Dead is what is proven to be: no end and no maker holds a lock of the ring, under
 * the replace lock of its control object, which whoever joins, replaces or destroys looks at too.
 * What cannot be proven is reported and left alone, and what is not ours is not even opened for
 * long. A cleaner that is killed leaves nothing that the next one does not finish; two at once do
 * no harm.
 */

#include <stdint.h>

#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_ring_find {
    LAM_RING_FIND_ALIVE = 0,  /* somebody holds it: who, is in the text */
    LAM_RING_FIND_DEAD = 1,   /* a ring whose every lock is free */
    LAM_RING_FIND_HALF = 2,   /* a staged object whose maker is gone: it was never seen */
    LAM_RING_FIND_FILE = 3,   /* a file ring without an end: it waits for its next producer */
    LAM_RING_FIND_UNSURE = 4, /* left alone: why, is in the text */
};

struct lam_ring_found {
    enum lam_ring_find find;
    const char *name; /* of the ring, or of the object where it is no ring */
    uint64_t bytes;   /* of memory that it takes, all its objects */
    int removed;      /* 1: gone now. 0: it is left, or this is a dry run */
    int code;         /* what went wrong when it was to be removed, or 0 */
    const char *text; /* for people; never NULL */
};

struct lam_ring_clean_options {
    const char *directory; /* NULL for /dev/shm */
    const char *name;      /* of one ring; NULL for all */
    int remove;            /* 1: remove what is dead and half. 0: only say so */
    int files;             /* 1: file rings without an end count as dead */
};

/*
 * Look at every ring and every staged object of the directory, in no order, and tell @found of
 * each; what it is lent is valid until it returns. Any thread, system calls.
 *
 * Returns 0, or -errno: the directory cannot be read. What went wrong with one ring is told to
 * @found.
 */
int lam_ring_clean(const struct lam_ring_clean_options *options,
    void (*found)(void *context, const struct lam_ring_found *finding), void *context,
    struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
