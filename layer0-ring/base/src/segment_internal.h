/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_SEGMENT_INTERNAL_H
#define LAM_BASE_SEGMENT_INTERNAL_H

/*
 * Shared by the segment's files alone.
 */

#include "lamina/base/segment.h"

/* Check @name and put the final path together. Returns 0 or -EINVAL. */
int lam_segment_set_path(
    struct lam_segment *segment, const char *directory, const char *name, struct lam_error *error);

/* The size of the pages behind @fd. */
uint64_t lam_segment_page_bytes_of(int fd);

/* Say why no object could be made under the segment's name: @code. Returns it. */
int lam_segment_refuse_name(const struct lam_segment *segment, int code, struct lam_error *error);

/*
 * Reserve @bytes behind a created, still empty object. Returns 0, or -ENOSPC with mount, needed and
 * free bytes, -EFBIG where the process may not make so large a file, or -errno.
 */
int lam_segment_reserve(struct lam_segment *segment, uint64_t bytes, struct lam_error *error);

/*
 * Have all pages of a created object, which has none yet, lie on NUMA node @node. Returns 0,
 * -EINVAL where there is no such node, or -errno.
 */
int lam_segment_bind(
    struct lam_segment *segment, uint64_t bytes, uint32_t node, struct lam_error *error);

/* The node of a sample of the mapped pages, or -1: several, or unknown. */
int lam_segment_find_node(const struct lam_segment *segment);

#endif
