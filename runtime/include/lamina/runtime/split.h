/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SPLIT_H
#define LAM_RUNTIME_SPLIT_H

/*
 * lamina/runtime/split.h: two versions side by side, and the way from one to the other.
 *
 * Runtime, floor 6. A module that was loaded with can_split may send a share of its calls to a
 * candidate: another module, loaded under a name of its own ("greeter@1.1.0"). Callers do not know.
 * The share grows by steps; where too many of the candidate's calls fail it is taken back; at the
 * end the module is reloaded to what the candidate is, and the candidate unloaded. Each change of
 * the share is an event (LAM_EVENT_SPLIT: the new percentage, and why).
 *
 * A call that goes to the candidate passes the candidate's stages, not the module's, at the depth
 * at which it came, with the same caller, trace and deadline. While the candidate is unloaded or
 * hands its state over, calls go to the module. A method has to be known to the module.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_SPLIT_STEPS_MAX     16
#define LAM_SPLIT_KEY_BYTES_MAX 4096

/* What decides which of the two a call goes to. */
enum lam_split_by {
    LAM_SPLIT_BY_CALL = 0,    /* each thread's calls in turn: 10 of 100 */
    LAM_SPLIT_BY_CALLER = 1,  /* all calls of one module go to one side */
    LAM_SPLIT_BY_REQUEST = 2, /* all requests that begin with the same key_bytes bytes do */
};

struct lam_split_step {
    uint32_t percent;  /* 0 to 100 */
    uint32_t reserved; /* 0 */
    uint64_t ns;       /* before the next step */
};

/* Zero is the default of each. */
struct lam_split_options {
    struct lam_split_step steps[LAM_SPLIT_STEPS_MAX];
    uint32_t step_count; /* at least one; the last one's share stays, unless promotes is set */
    enum lam_split_by by;
    uint32_t key_bytes;       /* BY_REQUEST: 1 to LAM_SPLIT_KEY_BYTES_MAX */
    uint32_t failure_percent; /* from so many on it is taken back, 1 to 100; default 10 */
    uint32_t calls_min;       /* of fewer calls in a window nothing is said; default 20 */
    uint32_t promotes;        /* 1: the last step is 100; behind it the module is reloaded to the
                          candidate's reference, and the candidate unloaded */
    uint64_t window_ns;       /* failures are counted over; default 10 s */
};

enum lam_split_phase {
    LAM_SPLIT_NONE = 0,
    LAM_SPLIT_RUNNING = 1,
    LAM_SPLIT_ROLLED_BACK = 2, /* by failures; all calls go to the module */
    LAM_SPLIT_STOPPED = 3,     /* by lam_module_split_stop(), or because one of the two went */
    LAM_SPLIT_PROMOTED = 4,
    LAM_SPLIT_STUCK = 5, /* the reload failed; the share is as it was, and nobody looks any more */
};

struct lam_split_stat {
    enum lam_split_phase phase;
    uint32_t percent;
    uint32_t step; /* from 0 */
    uint32_t reserved;
    /* Since it was started. Failures: negative, but for an answer that found no room. */
    uint64_t calls, failures; /* of the module */
    uint64_t candidate_calls, candidate_failures;
    char reason[256]; /* of the last change */
};

/*
 * Send a share of the calls of @module to @candidate, from the first step on. Any thread that is
 * not told of an event.
 *
 * Returns 0, or (@error says why)
 *   -ENOENT  @module was loaded without can_split
 *   -ENODEV  one of the two is not loaded
 *   -EBUSY   a split runs
 *   -EINVAL  the options make no sense, or @candidate is @module or another runtime's
 *   -errno   of the thread that makes the steps
 */
int lam_module_split_start(struct lam_module *module, struct lam_module *candidate,
    const struct lam_split_options *options, struct lam_error *error);

/*
 * All calls go to @module from now on; those that are inside the candidate end there. Any thread
 * that is not told of an event.
 *
 * Returns 0, or -ENOENT no split runs.
 */
int lam_module_split_stop(struct lam_module *module);

/* Any thread. Returns 0, or -ENOENT @module was loaded without can_split. */
int lam_module_split_look(struct lam_module *module, struct lam_split_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
