/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PATH_H
#define LAM_RUNTIME_PATH_H

/*
 * path.h: what stands between a call and the code that it calls.
 *
 * A module's path is a row of stages, the outermost first, in the order of the table in path.c.
 * Those that its options switch on are in it, and a module without any has no path: its calls go
 * straight to the code. A stage is one file: it is asked once, at load, whether it is on, and then
 * runs around every call, in the thread of the caller, inside the generation that the call pinned.
 *
 * A path outlives reloads, so a stage that remembers answers asks passage->generation->number.
 * It ends when the last generation that was loaded with it has ended: no call is inside then.
 */

#include "internal.h"

/* A call on its way. It is its thread's own; a stage may change it for what is behind. */
struct lam_passage {
    struct lam_generation *generation;
    const struct lam_method *method;
    struct lam_frame *frame;        /* frame->call: request, deadline, caller, depth, trace */
    struct lam_module_reply *reply; /* the caller's */
    const struct lam_stage *next;
};

struct lam_path;

struct lam_stage_kind {
    const char *name; /* as in the README and in messages */

    /*
     * Is this stage on? Any thread that loads; @module is not yet called.
     *
     * Returns 1 and sets *@state (NULL is allowed), 0 it is off, or -EINVAL (@error says which
     * option), -ENOMEM.
     */
    int (*open)(void **state, struct lam_module *module, const struct lam_module_options *options,
        struct lam_error *error);

    /*
     * May this stage stand before @generation? Asked once for each, before its init. NULL: always.
     * Returns 0, or -ENOTSUP with the reason in @error.
     */
    int (*admit)(void *state, const struct lam_generation *generation, struct lam_error *error);

    /*
     * All stages of @path are open: look for others of them. NULL: nothing to do. Returns 0, or
     * -errno with the reason in @error.
     */
    int (*begin)(void *state, const struct lam_path *path, struct lam_error *error);

    /*
     * Around each call. It goes on by lam_path_go_on(): once, again after a failure, or not at all;
     * then it fills the reply itself, with lam_reply_fail() if the call failed. Returns as
     * lam_module_call(). Any thread, many at a time; it takes no lock on the common way.
     */
    int (*run)(void *state, struct lam_passage *passage);

    /* No call is inside, and the others still are: let go of them. NULL: nothing to do. It may
     * come without begin(). */
    void (*end)(void *state);

    /* Behind the end() of all. NULL where there is nothing to free. */
    void (*close)(void *state);
};

struct lam_stage {
    const struct lam_stage_kind *kind; /* NULL behind the last */
    void *state;
};

/*
 * The path that @options describe, for one owner.
 *
 * Returns 0 and sets *@path (NULL: no stage is on), or what a stage's open() returned.
 */
int lam_path_open(struct lam_path **path, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error);

/* Ask its stages for @generation. NULL is allowed. Returns 0, or what one of them returned. */
int lam_path_admit(
    const struct lam_path *path, const struct lam_generation *generation, struct lam_error *error);

/* One owner more, one less; the last one ends it. NULL is allowed. Any thread. */
struct lam_path *lam_path_share(struct lam_path *path);
void lam_path_close(struct lam_path *path);

/* The state of its stage of that @kind, or NULL: for what looks at a stage or sets it. */
void *lam_path_find(const struct lam_path *path, const struct lam_stage_kind *kind);

/* The module's own, shared: to be closed. NULL: no stage is on. It stays when the module is
 * unloaded, until it is loaded anew. Any thread. */
struct lam_path *lam_path_of(struct lam_module *module);

/* The first stage, and so all of them. */
int lam_path_run(const struct lam_path *path, struct lam_generation *generation,
    const struct lam_method *method, struct lam_frame *frame, struct lam_module_reply *reply);

/*
 * What is behind this stage: the other stages, then the code. May be called again by the same
 * stage: the arena is empty then, and the reply of before is forgotten. Returns as
 * lam_module_call().
 */
int lam_path_go_on(struct lam_passage *passage);

/* ---- the stages ---- */

extern const struct lam_stage_kind lam_stage_trace;
extern const struct lam_stage_kind lam_stage_middleware;
extern const struct lam_stage_kind lam_stage_split; /* split.c */
extern const struct lam_stage_kind lam_stage_usage; /* ../usage.c */
extern const struct lam_stage_kind lam_stage_limits;
extern const struct lam_stage_kind lam_stage_cache;
extern const struct lam_stage_kind lam_stage_health;
extern const struct lam_stage_kind lam_stage_breaker;
extern const struct lam_stage_kind lam_stage_retry;
extern const struct lam_stage_kind lam_stage_batch;

#endif
