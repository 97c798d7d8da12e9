/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_HISTOGRAM_H
#define LAM_BASE_HISTOGRAM_H

/*
 * lamina/base/histogram.h: latencies in fixed memory, cheap enough to be always on.
 *
 * Base, floor 0. Log-linear buckets: 32 per power of two, so a value is known to 3.2 %. Below 64
 * each value has its own bucket. One recorder; any number of readers, in any process, at any time.
 * All zeros is the empty histogram. 15 KiB.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_HISTOGRAM_BUCKET_COUNT 1920

struct lam_histogram {
    lam_atomic_u64 counts[LAM_HISTOGRAM_BUCKET_COUNT];
};

/* The bucket that counts @value. */
static inline uint32_t lam_histogram_bucket(uint64_t value)
{
    uint32_t power;

    if (value < 64)
        return (uint32_t)value;
    power = 63 - (uint32_t)__builtin_clzll(value); /* 6 or more */
    return (power - 5) * 32 + (uint32_t)(value >> (power - 5));
}

/*
 * Count one duration of @value_ns nanoseconds.
 *
 * The recorder only, and only one: counts are plain increments. Wait-free.
 */
static inline void lam_histogram_record(struct lam_histogram *histogram, uint64_t value_ns)
{
    lam_atomic_u64 *count = &histogram->counts[lam_histogram_bucket(value_ns)];

    /*
     * Relaxed, and not a read-modify-write: there is one recorder, and readers want each count, not
     * an order between counts.
     */
    lam_store_relaxed(count, lam_load_relaxed(count) + 1);
}

/* How many values were counted. Any reader. */
uint64_t lam_histogram_total(const struct lam_histogram *histogram);

/*
 * Smallest value that @per_mille thousandths of all counted values do not exceed.
 *
 * Any reader; counts that move meanwhile give an answer between the old and the new one. Lock-free.
 *
 * Returns 0 and sets *@value_ns, or
 *   -EINVAL  @per_mille is 0 or above 1000
 *   -ENODATA nothing was counted
 */
int lam_histogram_quantile(
    const struct lam_histogram *histogram, uint32_t per_mille, uint64_t *value_ns);

#ifdef __cplusplus
}
#endif

#endif
