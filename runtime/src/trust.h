/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_TRUST_H
#define LAM_RUNTIME_TRUST_H

/*
 * trust.h: which files may run: by their owner, and by their bytes.
 */

#include "internal.h"
#include "resolve.h"

/* Read sums with spaces, commas or lines between. Returns 0, -EINVAL or -ENOMEM with @error. */
int lam_allowed_parse(struct lam_allowed *allowed, const char *text, struct lam_error *error);

/*
 * Open generation->image from the file of generation->found, as generation->runtime trusts it. What
 * is looked at is what runs: the owner of the file that was opened, the bytes of the sealed copy.
 *
 * Returns as image_open(), or -EPERM it is not trusted; -ENOTSUP sums are asked for, and there is
 * no libcrypto.
 */
int lam_trust_open(struct lam_generation *generation, struct lam_error *error);

/* ---- sum.c ---- */

/* The SHA-256 of all of @fd. Returns 0, -ENOTSUP or -errno. */
int lam_sum_file(int fd, uint8_t sum[SUM_BYTES]);

#endif
