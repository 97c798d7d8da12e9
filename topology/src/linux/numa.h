/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_NUMA_H
#define LAM_TOPOLOGY_NUMA_H

/*
 * numa.h: memory nodes, by libnuma.
 */

#include "lamina/topology/plan.h"

/* Fill in nodes and node_cpus of @machine. A kernel without nodes has node 0 with all CPUs. */
void lam_numa_read(struct lam_machine *machine);

/*
 * Memory that this thread allocates from now on comes from @node while it has some, then from
 * others; -1: from wherever it runs. 0 or -errno.
 */
int lam_numa_prefer(int node);

#endif
