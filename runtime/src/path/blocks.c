/* SPDX-License-Identifier: Apache-2.0 */
#include "path/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lam_blocks_open(struct lam_blocks *blocks, uint32_t bytes)
{
    blocks->bytes = bytes;
    blocks->by_seat = calloc(LAM_RUNTIME_THREADS_MAX, sizeof(*blocks->by_seat));
    return blocks->by_seat == NULL ? -ENOMEM : 0;
}

void lam_blocks_close(struct lam_blocks *blocks)
{
    for (uint32_t i = 0; blocks->by_seat != NULL && i < lam_blocks_count(blocks); i++)
        free(lam_blocks_at(blocks, i));
    free(blocks->by_seat);
}

void *lam_blocks_make(struct lam_blocks *blocks, uint32_t index)
{
    void *block = aligned_alloc(64, blocks->bytes);
    uint32_t used = lam_load_relaxed(&blocks->used); /* relaxed: only a first guess */

    if (block == NULL)
        return NULL;
    memset(block, 0, blocks->bytes);
    lam_store_release(&blocks->by_seat[index], (uint64_t)(uintptr_t)block);    /* B1 */
    while (used <= index && !lam_cas_acq_rel(&blocks->used, &used, index + 1)) /* B3 */
        ;
    return block;
}
