/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PATH_TRACE_H
#define LAM_RUNTIME_PATH_TRACE_H

/*
 * trace.h: where the spans of a runtime go.
 */

#include "lamina/runtime/trace.h"

struct lam_tracing;

/* Returns 0 and sets *@tracing (NULL: @options is, nobody traces), or -EINVAL with the field in
 * @error, or -ENOMEM. */
int lam_tracing_open(
    struct lam_tracing **tracing, const struct lam_trace_options *options, struct lam_error *error);

/* No call is inside. NULL is allowed. */
void lam_tracing_close(struct lam_tracing *tracing);

#endif
