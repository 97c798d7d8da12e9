/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_FACTS_H
#define LAM_INFERENCE_FACTS_H

/*
 * facts.h: how a ring turned out: what the kernel says of its memory, not what was asked for.
 */

#include <stdint.h>

#include "lamina/ring/ring.h"
#include "lamina/topology/topology.h"

struct ring_facts {
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    char backing[128];   /* "named, /dev/shm" */
    char placement[64];  /* "node 0", "nodes 0 1" */
    const char *waiting; /* "futex", ... */
    uint64_t page_bytes;
    uint64_t cells;
    uint32_t cell_bytes;
};

/* Gather the facts of the mapped @ring of @edge: "unknown" or 0 where the kernel tells nothing. */
void ring_facts_gather(
    struct ring_facts *facts, const struct lam_ring *ring, const struct lam_topology_edge *edge);

#endif
