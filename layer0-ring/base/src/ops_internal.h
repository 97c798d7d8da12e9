/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_OPS_INTERNAL_H
#define LAM_BASE_OPS_INTERNAL_H

/*
 * Shared by ops_linux.c and its tests alone.
 */

#include "lamina/base/ops.h"

/* futex_wait_any of kernels that have none: a nap of at most 1 ms, on the first word. */
void lam_futex_wait_any_by_naps(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns);

#endif
