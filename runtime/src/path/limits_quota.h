/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_LIMITS_QUOTA_H
#define LAM_RUNTIME_LIMITS_QUOTA_H

/*
 * limits_quota.h: the quotas of a module and of each of its callers, and who is inside of them.
 */

#include "lamina/runtime/limits.h"
#include "path/gate.h"
#include "path/path.h"

/* A power of two, and room for the program and for each module that a runtime can have. */
#define LIMITS_CALLER_PLACES (2 * LAM_RUNTIME_MODULES_MAX)

struct limits_quota {
    struct lam_gate calls;
    struct lam_gate bytes;
    struct lam_bucket rate;
};

struct limits_caller {
    struct limits_quota quota;
    char name[LAM_NAME_BYTES_MAX];
};

struct lam_limits {
    struct limits_quota quota;
    struct lam_limits_options options;
    uint32_t has_rate, has_callers;
    uint32_t fallback; /* id of the method, or 0: the same */
    char fallback_module[LAM_NAME_BYTES_MAX];
    lam_atomic_u64 degraded;
    lam_atomic_u64 refused[LAM_LIMIT_COUNT];
    lam_atomic_u64
        callers[LIMITS_CALLER_PLACES]; /* struct limits_caller by the hash of its name, or 0 */
};

/* What a call holds while it is inside. */
struct limits_pass {
    struct limits_caller *caller;
    uint64_t bytes;
    int is_within; /* a call of the same module: it counts already */
};

/*
 * A place and a token of all that is limited. Returns NONE: inside, until lam_limits_leave(). Or
 * what is used up, and *@rc: -EAGAIN, or -ETIMEDOUT it has waited.
 */
enum lam_limit lam_limits_enter(
    struct lam_limits *limits, const struct lam_frame *frame, struct limits_pass *pass, int *rc);
void lam_limits_leave(struct lam_limits *limits, const struct limits_pass *pass);

/* Thousandths, of the module's quotas and of the @caller's, which may be NULL. */
uint32_t lam_limits_pressure(const struct lam_limits *limits, const struct limits_caller *caller);

/*
 * Keep a runtime's @options (NULL: none) in *@copy, to be freed. Returns 0, or -EINVAL with the
 * field in @error, or -ENOMEM.
 */
int lam_limits_copy(struct lam_limits_options **copy, const struct lam_limits_options *options,
    struct lam_error *error);

/* Its gates: nobody inside, nobody waiting. */
void lam_limits_open_quota(
    struct limits_quota *quota, uint32_t calls, uint64_t bytes, uint32_t queue_max);
void lam_limits_close_quota(struct limits_quota *quota);

/* Free it. */
void lam_limits_end_caller(struct limits_caller *caller);

#endif
