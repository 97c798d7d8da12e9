/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_MEMBER_H
#define LAM_TOPOLOGY_MEMBER_H

/* member.h: one process's view of its topology, and how `up` tells it which process it is. */

#include "lamina/topology/topology.h"
#include "status.h"

#define MEMBER_TOPOLOGY "LAMINA_TOPOLOGY"
#define MEMBER_ROLE     "LAMINA_ROLE"
#define MEMBER_INDEX    "LAMINA_INDEX"

struct lam_topology {
    struct lam_plan *plan;
    struct status status;
    const struct lam_plan_role *role;
    struct status_instance *row;
    uint32_t index;
    uint32_t starts; /* which start of this instance this process is */
    char end_name[LAM_TOPOLOGY_RING_NAME_BYTES];
    char *paths[LAM_TOPOLOGY_PARAMETERS_MAX]; /* made when asked for */
};

#endif
