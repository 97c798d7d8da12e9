/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_LIMITS_H
#define LAM_RUNTIME_LIMITS_H

/*
 * lamina/runtime/limits.h: how much a module is asked at a time, and what becomes of more.
 *
 * Runtime, floor 6. Quotas of the module, and of each of its callers: the program, or another
 * module by its name. A call within a call of the same module is part of that one, and neither its
 * number nor its bytes are limited. How full the quotas are is the call's pressure: the module sees
 * it.
 *
 * Memory has two bounds. In this process the bytes of a call are its request and the room for its
 * answer (its arena is lam_runtime_options.arena_bytes at most), and bytes_max is how many of them
 * a module is lent at a time: whoever lends rooms of any size knows what they come to. What a
 * module takes by itself is bounded in a worker alone, by the kernel: sandbox.h, memory_bytes.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_LIMITS_RATE_MAX  UINT64_C(10000000)
#define LAM_LIMITS_BYTES_MAX (UINT64_C(1) << 40)

/* What becomes of a call that finds a quota used up. */
enum lam_limits_full {
    LAM_LIMITS_SHED = 0, /* it fails at once: -ECANCELED, LAM_FAILURE_LIMITED */
    /* It waits its turn, in order, by its deadline (-ETIMEDOUT, LAM_FAILURE_BUSY). It fails as with
     * SHED if queue_max wait already, or if no rate lets it in by its deadline. */
    LAM_LIMITS_WAIT = 1,
    LAM_LIMITS_DEGRADE = 2, /* the fallback is called in its place */
};

/* Zero is the default of each, and no limit. Everything is copied. */
struct lam_limits_options {
    uint32_t calls_max;          /* inside at a time; a call that waits is not */
    uint32_t caller_calls_max;   /* of one caller */
    uint64_t calls_per_s;        /* at most LAM_LIMITS_RATE_MAX */
    uint64_t caller_calls_per_s; /* of one caller */
    uint32_t burst;              /* of calls_per_s so many at once; default 1 */
    uint32_t caller_burst;       /* of caller_calls_per_s; default 1 */
    uint64_t request_bytes_max;  /* of a call; a longer one always fails */
    uint64_t reply_bytes_max;    /* of a call; a longer one always fails */
    enum lam_limits_full full;
    uint32_t queue_max;          /* WAIT: how many wait at each quota; default 64 */
    const char *fallback_module; /* DEGRADE: default this one, without a limit */
    const char *fallback_method; /* DEGRADE: default the same; needed without fallback_module */
    /* Of the calls inside, together: at most LAM_LIMITS_BYTES_MAX. A call that has more of its own
     * finds the quota used up at once, and does not wait. */
    uint64_t bytes_max;
    uint64_t caller_bytes_max; /* of one caller */
};

/* The detail of LAM_FAILURE_LIMITED. */
enum lam_limit {
    LAM_LIMIT_NONE = 0,
    LAM_LIMIT_CALLS = 1,
    LAM_LIMIT_CALLER_CALLS = 2,
    LAM_LIMIT_RATE = 3,
    LAM_LIMIT_CALLER_RATE = 4,
    LAM_LIMIT_REQUEST_BYTES = 5,
    LAM_LIMIT_REPLY_BYTES = 6,
    LAM_LIMIT_BYTES = 7,
    LAM_LIMIT_CALLER_BYTES = 8,
};
#define LAM_LIMIT_COUNT 9

struct lam_limits_stat {
    uint32_t inside;   /* calls that count for calls_max; 0 where that is not limited */
    uint32_t waiting;  /* for a place of calls_max, or for bytes_max */
    uint32_t pressure; /* thousandths: what a call that came now would see, callers aside */
    uint32_t reserved;
    uint64_t degraded;                 /* calls that their fallback answered */
    uint64_t refused[LAM_LIMIT_COUNT]; /* by enum lam_limit */
    uint64_t bytes;                    /* of the calls inside; 0 where they are not limited */
};

/* Where a pressure begins, in thousandths, to be low, medium, high and critical. */
enum lam_pressure_mark {
    LAM_PRESSURE_LOW = 300,
    LAM_PRESSURE_MEDIUM = 500,
    LAM_PRESSURE_HIGH = 700,
    LAM_PRESSURE_CRITICAL = 900,
};

/*
 * How the quotas of @module are used. Any thread; what moves meanwhile is from between before and
 * now. Returns 0, or -ENOENT the module was loaded without limits.
 */
int lam_limits_look(struct lam_module *module, struct lam_limits_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
