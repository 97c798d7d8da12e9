/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_LANES_H
#define LAM_FRAMED_LANES_H

/*
 * lamina/framed/lanes.h: three channels of one direction, by urgency.
 *
 * Framed, layer 1. Each lane is a ring of its own, with its own order, room and end: a full, broken
 * or hostile one leaves the others alone. Nothing new lies in shared memory. Here they are made and
 * attached; lamina/framed/lanes_sender.h and lamina/framed/lanes_receiver.h are the ends,
 * lamina/framed/pressure.h says how full they are.
 *
 * Control plane: calls here make system calls, and are made by one thread at a time.
 */

#include <stdint.h>

#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From the most urgent on; the number is also the place in all arrays of lanes. */
enum lam_lane {
    LAM_LANE_CRITICAL = 0,
    LAM_LANE_HIGH = 1,
    LAM_LANE_LOW = 2,
    LAM_LANE_COUNT = 3, /* where a call speaks of all of them */
};

/* Of NAME: its rings are NAME.critical, NAME.high and NAME.low. */
#define LAM_LANES_NAME_MAX (LAM_RING_NAME_MAX - 9)

struct lam_lanes_options {
    /* Of each ring. name is NAME, in any backing; depth is all lanes' cells together, any number;
       0 for 4096. */
    struct lam_ring_options ring;
    /*
     * How the depth is shared, in per cent, 1 or more each and 100 together; all 0: 20, 50, 30. A
     * lane's own depth is the next power of two, so that it has its share or up to twice of it.
     */
    uint8_t share_percent[LAM_LANE_COUNT];
};

/*
 * One process's hold on three rings. Kept in place by the caller until detach. Who gets rings by
 * other ways (lamina/ring/pass.h) may attach them into @rings one by one.
 */
struct lam_lanes {
    struct lam_ring rings[LAM_LANE_COUNT];
};

/* "critical", "high" or "low"; "all" for LAM_LANE_COUNT. */
const char *lam_lane_name(enum lam_lane lane);

/*
 * The depth of each lane's ring, in cells.
 *
 * Returns 0, or
 *   -EINVAL the shares are not 100 together, one alone is 0, or the depth is above 2^36; @error
 *           says which
 */
int lam_lanes_depths(const struct lam_lanes_options *options, uint64_t depths[LAM_LANE_COUNT],
    struct lam_error *error);

/* Bytes of shared memory that they take, all objects together. Returns 0 or -EINVAL. */
int lam_lanes_bytes(
    const struct lam_lanes_options *options, uint64_t *total_bytes, struct lam_error *error);

/*
 * Make the three rings and map them for writing: critical first, low last. On error nothing is left
 * behind, but for rings that were there before (keep).
 *
 * Returns as lam_ring_create() for one of them, or
 *   -EINVAL as lam_lanes_depths(); the name is missing or longer than LAM_LANES_NAME_MAX
 */
int lam_lanes_create(
    struct lam_lanes *lanes, const struct lam_lanes_options *options, struct lam_error *error);

/*
 * Join named lanes that another process made; options->name is NAME. Waits for all three until
 * options->deadline_ns.
 *
 * Returns as lam_ring_attach(), or
 *   -EINVAL the name is missing or longer than LAM_LANES_NAME_MAX
 */
int lam_lanes_attach(struct lam_lanes *lanes, const struct lam_ring_attach_options *options,
    struct lam_error *error);

/*
 * Join lanes by the descriptors of their objects, which stay the caller's: lam_ring_fds() of each
 * ring on the other side lends them. Returns as lam_ring_attach_fds().
 */
int lam_lanes_attach_fds(struct lam_lanes *lanes, const int data_fds[LAM_LANE_COUNT],
    const int control_fds[LAM_LANE_COUNT], const struct lam_ring_attach_options *options,
    struct lam_error *error);

/* Unmap all three; their ends must be detached before. Safe on lanes that failed to open. */
void lam_lanes_detach(struct lam_lanes *lanes);

/* Remove the names and unmap. Returns 0, or the first error of lam_ring_destroy(). */
int lam_lanes_destroy(struct lam_lanes *lanes);

#ifdef __cplusplus
}
#endif

#endif
