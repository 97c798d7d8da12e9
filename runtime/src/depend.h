/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_DEPEND_H
#define LAM_RUNTIME_DEPEND_H

/*
 * depend.h: who needs whom, among the modules that are loaded.
 *
 * A need that is not optional holds: what is needed may neither go nor become a version that does
 * not fit. While a module is replaced both of its generations count, so that either may stay. The
 * lock of the graph is taken for looks alone, never over code of a module.
 */

#include "lamina/runtime/dependency.h"
#include "lamina/runtime/version.h"

struct lam_generation;

/* What a generation needs. */
struct lam_need {
    char name[LAM_NAME_BYTES_MAX];
    char text[LAM_RANGE_TEXT_BYTES]; /* the range, for messages */
    struct lam_range range;
    uint32_t is_optional;
};

struct lam_needs {
    uint32_t count;
    struct lam_need *all;
};

/* Modules that are being loaded, each for the sake of the one that is outer to it. */
struct lam_chain {
    const char *name;
    const struct lam_chain *outer;
};

/* Is it a range that can be kept? Returns 0, or -EPROTO with a reason. */
int lam_need_check(
    const char *path, const struct lam_dependency *dependency, struct lam_error *error);

/* Keep @dependencies, which were checked. Returns 0 or -ENOMEM. Freed with needs->all. */
int lam_needs_keep(
    struct lam_needs *needs, const struct lam_dependency *dependencies, uint32_t count);

/*
 * See that what @generation needs is loaded, and load what is not, where the runtime does that.
 * @chain ends with its own name. Under the runtime's loading lock.
 *
 * Returns 0, -ENOENT something is not loaded, -ELOOP a module would need itself, or as
 * lam_runtime_load().
 */
int lam_depend_bring(struct lam_runtime *runtime, const struct lam_generation *generation,
    enum lam_module_host host, const struct lam_chain *chain, struct lam_error *error);

/*
 * @generation is about to be the code of @module: may it? From then on it counts as well, until
 * lam_depend_end() says whether it is, and the old one goes, or is not. Under the change lock.
 *
 * Returns 0, -ENOENT it needs what is not loaded, -ERANGE a version does not fit, or -ELOOP.
 */
int lam_depend_begin(
    struct lam_module *module, struct lam_generation *generation, struct lam_error *error);
void lam_depend_end(struct lam_module *module, int is_taken);

/* @module goes. Returns 0, or -EBUSY it is needed; @error says by whom. */
int lam_depend_leave(struct lam_module *module, struct lam_error *error);

#endif
