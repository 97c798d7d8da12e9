/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_WIRE_H
#define LAM_TOPOLOGY_WIRE_H

/* wire.h: the rings of a plan, made and removed by whoever runs it. */

#include "lamina/ring/ring.h"
#include "lamina/topology/plan.h"

/* Options of one ring of @edge, which is one of @plan's, that is called @name. */
void wire_ring_options(const struct lam_plan *plan, const struct lam_topology_edge *edge,
    const char *name, struct lam_ring_options *options);

/*
 * Make every ring of @plan. *@rings is an array of wire_ring_count() that the caller frees after
 * wire_destroy(). On error nothing is left behind. 0 or what lam_ring_create() returns, -ENOMEM.
 */
int wire_create(const struct lam_plan *plan, struct lam_ring **rings, struct lam_error *error);
uint32_t wire_ring_count(const struct lam_plan *plan);

/* Remove every ring and its names. */
void wire_destroy(struct lam_ring *rings, uint32_t count);

/* Remove the names of the rings that a dead run of @plan has left behind. */
void wire_remove_stale(const struct lam_plan *plan);

#endif
