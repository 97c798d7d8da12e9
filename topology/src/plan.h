/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_SRC_PLAN_H
#define LAM_TOPOLOGY_SRC_PLAN_H

/* plan.h: how a plan comes about: settings change the tree, fill reads it, cross checks it. */

#include "lamina/config/config.h"
#include "lamina/topology/plan.h"

/* Apply one "ROLE.KEY=V", "EDGE.KEY=V", "PARAMETER=V". Problems are noted in the config. */
void plan_set(struct lam_config *config, const char *setting);

/* What no table can say: ends that are roles, counts, CPUs, memory. Problems are noted. */
void plan_cross_check(struct lam_plan *plan, const struct lam_machine *machine);

/* The node of a role's, edge's or the plan's key, for messages. */
struct lam_config_node *plan_node(
    const struct lam_plan *plan, const char *group, const char *name, const char *key);

#endif
