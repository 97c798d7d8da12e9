/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/codecs/flatbuffers/build.h"

void *lam_fb_extend_vector(
    struct lam_fb_builder *b, uint32_t link, uint32_t more, uint32_t element_bytes, uint32_t align)
{
    uint32_t vector;
    uint32_t count;
    uint32_t end;

    if (link == 0)
        return NULL;
    if (lam_fb_load_u32(b->base + link) == 0)
        return lam_fb_open_vector(b, link, more, element_bytes, align);
    vector = link + lam_fb_load_u32(b->base + link);
    count = lam_fb_load_u32(b->base + vector);
    end = b->used;
    if ((uint64_t)vector + 4 + (uint64_t)count * element_bytes != end) {
        lam_fb_fail(b, -EINVAL); /* something was written behind it */
        return NULL;
    }
    if ((uint64_t)more * element_bytes > b->capacity - end) {
        lam_fb_fail(b, -ENOSPC);
        return NULL;
    }
    b->used = end + more * element_bytes;
    lam_fb_store_u32(b, vector, count + more);
    return b->base + end;
}
