/* SPDX-License-Identifier: Apache-2.0 */
#include "gather.h"

#include <errno.h>
#include <string.h>

void lam_gather_bytes(struct gather *gather, void *to_memory, uint64_t bytes)
{
    uint8_t *to = to_memory;

    while (bytes > 0) {
        const struct iovec *part = &gather->parts[gather->part_index];
        size_t chunk = part->iov_len - gather->part_offset;

        if (chunk > bytes)
            chunk = bytes;
        if (chunk > 0)
            memcpy(to, (const uint8_t *)part->iov_base + gather->part_offset, chunk);
        to += chunk;
        bytes -= chunk;
        gather->part_offset += chunk;
        if (gather->part_offset == part->iov_len) {
            gather->part_index++;
            gather->part_offset = 0;
        }
    }
}

int lam_gather_sum(const struct iovec *parts, uint32_t part_count, uint64_t *total_bytes)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < part_count; i++)
        if (__builtin_add_overflow(sum, parts[i].iov_len, &sum))
            return -EMSGSIZE;
    *total_bytes = sum;
    return 0;
}
