/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the parts of a plan, and what they are called and take in shared memory. */
#include "lamina/base/assert.h"
#include "lamina/config/config.h"
#include "lamina/ring/ring.h"
#include "lamina/topology/plan.h"

#include "wire.h"

#include <errno.h>
#include <string.h>

const struct lam_plan_role *lam_plan_role(const struct lam_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->role_count; i++)
        if (strcmp(plan->roles[i].name, name) == 0)
            return &plan->roles[i];
    return NULL;
}

const struct lam_topology_edge *lam_plan_edge(const struct lam_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (strcmp(plan->edges[i].name, name) == 0)
            return &plan->edges[i];
    return NULL;
}

const struct lam_plan_role *lam_plan_instance(
    const struct lam_plan *plan, uint32_t instance, uint32_t *index)
{
    LAM_ASSERT(instance < plan->instance_count);
    for (uint32_t i = plan->role_count; i-- > 0;) {
        if (instance >= plan->roles[i].first_instance) {
            *index = instance - plan->roles[i].first_instance;
            return &plan->roles[i];
        }
    }
    return NULL;
}

void lam_plan_end_name(
    const struct lam_plan_role *role, uint32_t index, char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    if (role->count == 1)
        (void)snprintf(name, LAM_TOPOLOGY_RING_NAME_BYTES, "%s", role->name);
    else
        (void)snprintf(name, LAM_TOPOLOGY_RING_NAME_BYTES, "%s.%u", role->name, index);
}

void lam_plan_ring_name(const struct lam_plan *plan, const struct lam_topology_edge *edge,
    uint32_t index, char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    if (edge->direction == LAM_TOPOLOGY_BROADCAST)
        (void)snprintf(name, LAM_TOPOLOGY_RING_NAME_BYTES, "%s.%s", plan->name, edge->name);
    else
        (void)snprintf(
            name, LAM_TOPOLOGY_RING_NAME_BYTES, "%s.%s.%u", plan->name, edge->name, index);
}

uint64_t lam_plan_ring_bytes(const struct lam_plan *plan, const struct lam_topology_edge *edge)
{
    struct lam_ring_options options;
    uint64_t bytes = 0;

    wire_ring_options(plan, edge, edge->name, &options);
    LAM_ASSERT(lam_ring_bytes(&options, &bytes, NULL) == 0);
    return bytes;
}

uint64_t lam_plan_bytes(const struct lam_plan *plan)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < plan->edge_count; i++)
        bytes += plan->edges[i].ring_count * lam_plan_ring_bytes(plan, &plan->edges[i]);
    return bytes;
}

uint64_t lam_plan_event_bytes_max(const struct lam_topology_edge *edge)
{
    uint64_t cells = edge->depth / 2 > 0 ? edge->depth / 2 : 1;

    return cells * edge->cell_bytes - 16;
}
