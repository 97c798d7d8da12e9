/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PATH_MIDDLEWARE_H
#define LAM_RUNTIME_PATH_MIDDLEWARE_H

/*
 * middleware.h: what of it belongs to a runtime.
 */

#include "lamina/runtime/middleware.h"

/* Keep the pairs of a runtime's @options (NULL: none) in *@copy, to be freed. Returns 0, or -EINVAL
 * with the field in @error, or -ENOMEM. */
int lam_middleware_copy(struct lam_middleware_options **copy,
    const struct lam_middleware_options *options, struct lam_error *error);

#endif
