/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

uint64_t bench_template[BENCH_PAYLOAD_BYTES_MAX / 8];

void bench_payload_init(void)
{
    for (uint64_t i = 0; i < BENCH_PAYLOAD_BYTES_MAX / 8; i++)
        bench_template[i] = i * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t bench_payload_expected(uint32_t bytes, uint64_t seed)
{
    return bench_payload_expected_run(bytes, seed, 1);
}

/* All sums wrap at 2^64, here as in bench_sum(). */
uint64_t bench_payload_expected_run(uint32_t bytes, uint64_t seed, uint64_t count)
{
    uint64_t words = bytes / 8;
    uint64_t seeds = count * seed + (count % 2 ? (count - 1) / 2 * count : count / 2 * (count - 1));
    uint64_t fixed = 0;

    if (words <= 1)
        return words * seeds;
    if (bytes == BENCH_EVENT_BYTES)
        return words * seeds + count * (words * (words - 1) / 2);
    for (uint64_t i = 1; i + 1 < words; i++)
        fixed += bench_template[i];
    return 2 * seeds + count * fixed;
}
