/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_SEGMENT_INTERNAL_H
#define LAM_BASE_SEGMENT_INTERNAL_H

/*
 * Shared by segment.c and segment_create.c alone.
 */

#include "lamina/base/segment.h"

/* Nothing open, nothing mapped. */
void lam_segment_clear(struct lam_segment *segment);

/* Check @name and put the final path together. Returns 0 or -EINVAL. */
int lam_segment_set_path(
    struct lam_segment *segment, const char *directory, const char *name, struct lam_error *error);

#endif
