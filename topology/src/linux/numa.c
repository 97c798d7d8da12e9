/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/numa.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODES "/sys/devices/system/node/"

/* A list as the kernel writes it, "0-3,8", into the bits of @set, @bits of them. 0 or -errno. */
static int read_list(const char *path, uint64_t *set, unsigned bits)
{
    FILE *file = fopen(path, "re");
    unsigned first, last;
    char separator = ',';

    if (file == NULL)
        return -errno;
    while (separator == ',' && fscanf(file, "%u", &first) == 1) {
        last = first;
        if (fscanf(file, "%c", &separator) == 1 && separator == '-')
            if (fscanf(file, "%u%c", &last, &separator) < 1)
                break;
        for (; first <= last && first < bits; first++)
            set[first / 64] |= UINT64_C(1) << (first % 64);
    }
    (void)fclose(file);
    return 0;
}

void numa_read(struct lam_machine *machine)
{
    char path[64];

    machine->nodes = 0;
    memset(machine->node_cpus, 0, sizeof(machine->node_cpus));
    if (read_list(NODES "online", &machine->nodes, LAM_MACHINE_NODES_MAX) != 0 ||
        machine->nodes == 0) {
        machine->nodes = 1;
        memset(machine->node_cpus[0], 0xff, sizeof(machine->node_cpus[0]));
        return;
    }
    for (unsigned node = 0; node < LAM_MACHINE_NODES_MAX; node++) {
        if ((machine->nodes >> node & 1) == 0)
            continue;
        (void)snprintf(path, sizeof(path), NODES "node%u/cpulist", node);
        (void)read_list(path, machine->node_cpus[node], LAM_MACHINE_CPUS_MAX);
    }
}

int numa_prefer(int node)
{
    unsigned long mask = node >= 0 ? 1UL << node : 0;
    long code = node >= 0 ? syscall(SYS_set_mempolicy, MPOL_PREFERRED, &mask,
                                (unsigned long)LAM_MACHINE_NODES_MAX + 1)
                          : syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);

    return code == 0 ? 0 : -errno;
}
