/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_quantile(double *values, uint32_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare);
    return values[(uint32_t)(share * (double)(count - 1) + 0.5)];
}

double bench_middle(double *values, uint32_t count)
{
    uint32_t first = count / 4, last = count - count / 4;
    double sum = 0;

    (void)bench_quantile(values, count, 0.5);
    for (uint32_t i = first; i < last; i++)
        sum += values[i];
    return count != 0 ? sum / (last - first) : 0;
}

double bench_spread(double *values, uint32_t count)
{
    double median = bench_quantile(values, count, 0.5);

    if (median == 0)
        return 0;
    return (bench_quantile(values, count, 0.75) - bench_quantile(values, count, 0.25)) / median;
}
