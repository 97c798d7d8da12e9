/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_GATHER_H
#define LAM_FRAMED_SRC_GATHER_H

/*
 * gather.h: the parts of a message that lie elsewhere, one after another.
 */

#include <stdint.h>
#include <sys/uio.h>

/* How far they have been copied. */
struct gather {
    const struct iovec *parts;
    uint32_t part_count;
    uint32_t part_index;
    size_t part_offset;
};

/* The next @bytes of the message, to @to. The caller knows that there are as many. */
void lam_gather_bytes(struct gather *gather, void *to, uint64_t bytes);

/* All of it at once: @bytes is the sum. */
static inline void lam_gather_all(
    const struct iovec *parts, uint32_t part_count, void *to, uint64_t bytes)
{
    struct gather gather = {.parts = parts, .part_count = part_count};

    lam_gather_bytes(&gather, to, bytes);
}

/* Returns 0, or -EMSGSIZE: a sum that no 64 bits hold. */
int lam_gather_sum(const struct iovec *parts, uint32_t part_count, uint64_t *total_bytes);

#endif
