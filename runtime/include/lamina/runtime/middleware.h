/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_MIDDLEWARE_H
#define LAM_RUNTIME_MIDDLEWARE_H

/*
 * lamina/runtime/middleware.h: the program's own code around the calls of its modules.
 *
 * Runtime, floor 6. A stage of a module's path. Of each pair, before is called on the way in and
 * after on the way out, in the thread of the caller. The runtime's pairs are around the module's,
 * and within both the first is the outermost:
 *
 *     runtime[0].before, runtime[1].before, module[0].before, the call,
 *     module[0].after, runtime[1].after, runtime[0].after
 *
 * Where a before refuses the call, nothing behind it runs, its own after included; the afters of
 * those before it do. Calls within calls pass here, too; those that end before the path (no such
 * method or module, too deep) do not.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_MIDDLEWARE_MAX 16 /* of a runtime, and of a module */

/* A call on its way. All of it is borrowed until after has returned. */
struct lam_middleware_call {
    struct lam_module *module;
    const char *module_name;
    const char *method_name; /* the module's own, "*" where that one serves the id */
    const char *caller;      /* name of the calling module; "" for the program */
    uint32_t method;
    uint32_t depth;
    uint64_t generation;
    uint64_t deadline_ns;
    struct lam_trace trace;
    /* before may let both say another request, which has to stay until the call has ended: that is
     * what all behind it see. */
    const void *request;
    uint64_t request_bytes;
    /* The caller's. after may change what is at data, bytes, failure and detail. */
    struct lam_module_reply *reply;
};

/* Both may be called by any thread, many at a time. */
struct lam_middleware {
    /* Returns 0, or a number that refuses the call: its caller gets -ECANCELED with
     * LAM_FAILURE_VETOED and the number as detail. NULL: nothing to do before. */
    int (*before)(void *context, struct lam_middleware_call *call);
    /* Returns @rc, which is what the call would return, or another one in its place. An answer of
     * more than reply->capacity becomes -ENOSPC. NULL: nothing to do after. */
    int (*after)(void *context, struct lam_middleware_call *call, int rc);
    void *context; /* kept */
};

/* Everything is copied but what the contexts point at. */
struct lam_middleware_options {
    const struct lam_middleware *pairs;
    uint32_t count;    /* at most LAM_MIDDLEWARE_MAX */
    uint32_t reserved; /* 0 */
};

#ifdef __cplusplus
}
#endif

#endif
