/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_NAMES_H
#define LAM_RING_NAMES_H

/*
 * The names of a ring's objects, and the rule by which they appear: complete or not at all, control
 * first, data last; a live ring is never replaced.
 */

#include "lamina/ring/ring.h"

/* Nothing open. */
void lam_ring_clear(struct lam_ring *ring);

/* "lamina.NAME.control" and "lamina.NAME.data". @file holds LAM_SEGMENT_NAME_MAX + 1 bytes. */
void lam_ring_control_file(char *file, const char *name);
void lam_ring_data_file(char *file, const char *name);

/* Give both objects of a created ring their names. Returns 0, -EEXIST or -errno. */
int lam_ring_appear(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error);

#endif
