/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PATH_METHODS_H
#define LAM_RUNTIME_PATH_METHODS_H

/*
 * methods.h: methods by name, as the options of a stage list them.
 */

#include "path/path.h"

struct lam_method_set {
    uint32_t count;
    uint32_t ids[LAM_METHODS_MAX];
    char (*names)[LAM_NAME_BYTES_MAX]; /* for messages: copies */
};

/*
 * The methods of those @count @names; none are allowed. Each is there once. Returns 0, -ENOMEM, or
 * -EINVAL: @error says which field of the options called @option. Freed in each case by
 * lam_method_set_free().
 */
int lam_method_set_fill(struct lam_method_set *set, const struct lam_module *module,
    const char *option, const char *const *names, uint32_t count, struct lam_error *error);

/* All zero is allowed. */
void lam_method_set_free(struct lam_method_set *set);

/*
 * Has @generation all of them? One that serves any id has, and the log tells of the names that
 * nobody can look up there. Returns 0, or -ENOTSUP: @error says which name, and those there are.
 */
int lam_method_set_admit(const struct lam_method_set *set, const char *option,
    const struct lam_generation *generation, struct lam_error *error);

/* The passage's method is one of them, as it was asked for or as the module calls it. */
int lam_method_set_has(const struct lam_method_set *set, const struct lam_passage *passage);

#endif
