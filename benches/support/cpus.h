/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_CPUS_H
#define LAM_BENCH_CPUS_H

/*
 * cpus.h: which CPUs the ends of a bench run on.
 *
 * Those that the process was allowed when it began, one of each core first: the threads of one core
 * share its caches and its ports, and say nothing of two cores.
 */

#include <stdint.h>

#define BENCH_CPU_ENDS_MAX 17

/* CPUs that this process may use, and cores that they lie on. */
uint32_t bench_cpus_count(void);
uint32_t bench_cpus_core_count(void);

/* One for each of @ends: those of @asked, or where that is NULL the first, round and round. */
void bench_cpus_choose(const int *asked, uint32_t ends, int *cpus);

/* Moves this process to @cpu. Prints what it cannot. */
void bench_cpus_pin(int cpu);

#endif
