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
};

/*
 * The methods of those @count @names; none are allowed. Returns 0, or -EINVAL: @error says which
 * field of the options called @option.
 */
int lam_method_set_fill(struct lam_method_set *set, const struct lam_module *module,
    const char *option, const char *const *names, uint32_t count, struct lam_error *error);

/* The passage's method is one of them, as it was asked for or as the module calls it. */
int lam_method_set_has(const struct lam_method_set *set, const struct lam_passage *passage);

#endif
