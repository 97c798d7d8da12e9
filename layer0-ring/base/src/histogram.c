/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/histogram.h"

#include <errno.h>

/* The largest value that bucket @index counts. */
static uint64_t bucket_top(uint32_t index)
{
    uint32_t power;

    if (index < 64)
        return index;
    power = index / 32 + 4; /* inverse of lam_histogram_bucket() */
    return (((uint64_t)(index % 32) + 33) << (power - 5)) - 1;
}

uint64_t lam_histogram_total(const struct lam_histogram *histogram)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < LAM_HISTOGRAM_BUCKET_COUNT; i++)
        total += lam_load_relaxed(&histogram->counts[i]);
    return total;
}

int lam_histogram_quantile(
    const struct lam_histogram *histogram, uint32_t per_mille, uint64_t *value_ns)
{
    uint64_t total = lam_histogram_total(histogram);
    uint64_t wanted, seen = 0;

    if (per_mille == 0 || per_mille > 1000)
        return -EINVAL;
    if (total == 0)
        return -ENODATA;
    wanted = (total * per_mille + 999) / 1000; /* rounded up: the median of one value is it */
    for (uint32_t i = 0; i < LAM_HISTOGRAM_BUCKET_COUNT; i++) {
        seen += lam_load_relaxed(&histogram->counts[i]);
        if (seen >= wanted) {
            *value_ns = bucket_top(i);
            return 0;
        }
    }
    return -ENODATA; /* counts shrank under us: the recorder started afresh */
}
