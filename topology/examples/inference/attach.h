/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_ATTACH_H
#define LAM_INFERENCE_ATTACH_H

/*
 * attach.h: the fabric's rings, opened by the names that the topology gives them. Layer 3.
 */

#include "lamina/topology/topology.h"
#include "lamina/zerocopy/zerocopy.h"

#define EDGE_STEPS   "steps"
#define EDGE_REPLIES "replies"
#define ROLE_WORKERS "workers"

/* An end of a ring that this process alone uses. */
struct sending_end {
    struct lam_ring ring;
    struct lam_zerocopy_sender sender;
};

struct receiving_end {
    struct lam_ring ring;
    struct lam_zerocopy_receiver receiver;
};

/* Which ring, and what its messages are. */
struct ring_of_edge {
    const char *edge;
    uint32_t index;
    const struct lam_codec *codec;
};

/*
 * Become the sender on the ring @wanted, or a receiver at its head, with the waiting that the
 * topology chose. @end is kept in place until the process ends.
 *
 * Returns 0, or -EINVAL where the topology has no such ring, or what the ring says; @error has the
 * name of the edge.
 */
int attach_sender(struct sending_end *end, struct lam_topology *topology,
    const struct ring_of_edge *wanted, struct lam_error *error);
int attach_receiver(struct receiving_end *end, struct lam_topology *topology,
    const struct ring_of_edge *wanted, struct lam_error *error);

#endif
