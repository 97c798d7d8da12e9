/* SPDX-License-Identifier: Apache-2.0 */
#include "cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As it was at first: a crew pins this process. */
static struct cpu {
    int number;
    int rank; /* how many allowed CPUs of the same core have a smaller number */
} found[CPU_SETSIZE];
static uint32_t found_count, core_count;

/* A list such as "0,8" or "0-1": counts those below @cpu that are allowed. */
static int count_siblings_below(int cpu, const cpu_set_t *allowed)
{
    char path[96], text[256] = "";
    int count = 0;
    FILE *file;

    snprintf(
        path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = 0;
    fclose(file);
    for (char *part = strtok(text, ",\n"); part != NULL; part = strtok(NULL, ",\n")) {
        char *dash = strchr(part, '-');
        long first = strtol(part, NULL, 10), last = dash ? strtol(dash + 1, NULL, 10) : first;

        for (long sibling = first; sibling <= last && sibling < cpu; sibling++)
            count += sibling >= 0 && CPU_ISSET((size_t)sibling, allowed);
    }
    return count;
}

static int compare(const void *left, const void *right)
{
    const struct cpu *a = left, *b = right;

    return a->rank != b->rank ? a->rank - b->rank : a->number - b->number;
}

static void find(void)
{
    cpu_set_t allowed;

    if (found_count != 0)
        return;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        CPU_SET(0, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed)) {
            found[found_count].number = cpu;
            found[found_count].rank = count_siblings_below(cpu, &allowed);
            core_count += found[found_count++].rank == 0;
        }
    qsort(found, found_count, sizeof(found[0]), compare);
}

uint32_t bench_cpus_count(void)
{
    find();
    return found_count;
}

uint32_t bench_cpus_core_count(void)
{
    find();
    return core_count;
}

void bench_cpus_choose(const int *asked, uint32_t ends, int *cpus)
{
    find();
    for (uint32_t end = 0; end < ends; end++)
        cpus[end] = asked ? asked[end] : found[end % found_count].number;
}

void bench_cpus_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fprintf(stderr, "bench: cannot use CPU %d: %s\n", cpu, strerror(errno));
}
