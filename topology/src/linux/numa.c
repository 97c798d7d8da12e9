/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/numa.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stddef.h>
#include <string.h>

static void one_node(struct lam_machine *machine)
{
    machine->nodes = 1;
    memset(machine->node_cpus[0], 0xff, sizeof(machine->node_cpus[0]));
}

/* The CPUs of @node into the bits of @set. */
static void read_cpus(int node, uint64_t *set)
{
    struct bitmask *cpus = numa_allocate_cpumask();

    if (numa_node_to_cpus(node, cpus) == 0)
        for (unsigned cpu = 0; cpu < LAM_MACHINE_CPUS_MAX && cpu < cpus->size; cpu++)
            if (numa_bitmask_isbitset(cpus, cpu))
                set[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    numa_free_cpumask(cpus);
}

void lam_numa_read(struct lam_machine *machine)
{
    machine->nodes = 0;
    memset(machine->node_cpus, 0, sizeof(machine->node_cpus));
    if (numa_available() < 0) { /* every other call of the library is undefined then */
        one_node(machine);
        return;
    }
    for (int node = 0; node < LAM_MACHINE_NODES_MAX && node <= numa_max_node(); node++) {
        if (!numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned)node))
            continue;
        machine->nodes |= UINT64_C(1) << node;
        read_cpus(node, machine->node_cpus[node]);
    }
    if (machine->nodes == 0)
        one_node(machine);
}

int lam_numa_prefer(int node)
{
    unsigned long mask = node >= 0 ? 1UL << node : 0;
    /* The call itself, not numa_set_preferred(): that one prints, and hides the error. */
    long code = node >= 0
                    ? set_mempolicy(MPOL_PREFERRED, &mask, (unsigned long)LAM_MACHINE_NODES_MAX + 1)
                    : set_mempolicy(MPOL_DEFAULT, NULL, 0UL);

    return code == 0 ? 0 : -errno;
}
