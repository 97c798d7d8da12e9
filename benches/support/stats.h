/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_STATS_H
#define LAM_BENCH_STATS_H

/*
 * stats.h: medians and quantiles of a few thousand numbers.
 */

#include <stdint.h>

/* Sorts @values and gives the one that @share (0 to 1) of them do not exceed; 0 of none. */
double bench_quantile(double *values, uint32_t count, double share);

/* The mean of the middle half: a median finer than the steps of the clock. Sorts @values. */
double bench_middle(double *values, uint32_t count);

/* How far apart the middle half lies, as a share of the median. Sorts @values. */
double bench_spread(double *values, uint32_t count);

#endif
