/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_RETRY_POLICY_H
#define LAM_RUNTIME_RETRY_POLICY_H

/*
 * retry_policy.h: what is tried again, how often, and after which pause.
 */

#include "lamina/runtime/retry.h"
#include "path/blocks.h"
#include "path/hedge.h"
#include "path/methods.h"
#include "path/path.h"

/* A thread's own. */
struct retry_block {
    lam_atomic_u64 again, no_budget, no_time;
    uint64_t spent; /* hundredths of a try: each try adds 100, each call takes a little away */
    uint64_t random;
    uint64_t unused[3];
};

struct retry_method {
    uint64_t deadline_ns;
    uint32_t tries_max;
};

struct lam_retry {
    struct lam_retry_options options; /* without zeros; its methods are those below */
    struct lam_blocks blocks;
    struct lam_hedge *hedge; /* or NULL */
    struct lam_method_set named;
    struct retry_method methods[LAM_RETRY_METHODS_MAX]; /* of each of those */
};

/* Fill @retry from what was given. Returns 0, -ENOMEM, or -EINVAL with the field in @error. */
int lam_retry_read(struct lam_retry *retry, const struct lam_retry_options *given,
    const struct lam_module *module, struct lam_error *error);

/* The pause behind the @tries-th try, from 1 on; @random chooses how much less. */
uint64_t lam_retry_pause_ns(
    const struct lam_retry_options *options, uint32_t tries, uint32_t random);

#endif
