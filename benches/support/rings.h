/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_RINGS_H
#define LAM_BENCH_RINGS_H

/*
 * rings.h: the two rings of a lane, one for each direction, that all layers stand on.
 *
 * They have no names, so that nothing stays behind; the children take the descriptors over with
 * the fork and open the rings anew by them, as a process that was sent them would.
 */

#include "lamina/ring/ring.h"
#include "subject.h"

struct bench_rings {
    struct lam_ring there, back;
};

/* Before the fork. @options say what is not the shape's: waiting, type. Returns 0 or -errno. */
int bench_rings_create(struct bench_rings *rings, const struct bench_shape *shape,
    const struct lam_ring_options *options);

/*
 * In the process of @side: the ring it sends on (NULL for readers behind the first) and the one it
 * receives from. Returns 0 or -errno.
 */
int bench_rings_take(
    struct bench_rings *rings, uint32_t side, struct lam_ring **out, struct lam_ring **in);

/* Unmap both, in this process. */
void bench_rings_leave(struct bench_rings *rings);

#endif
