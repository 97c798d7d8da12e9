/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needs.c: what a module says that it needs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "depend.h"

int lam_need_check(
    const char *path, const struct lam_dependency *dependency, struct lam_error *error)
{
    struct lam_range range;

    if (dependency->range == NULL)
        return 0;
    if (strnlen(dependency->range, LAM_RANGE_TEXT_BYTES) == LAM_RANGE_TEXT_BYTES)
        return lam_error_set(error, -EPROTO,
            "module %s: the range of its dependency %s has more than %d bytes", path,
            dependency->name, LAM_RANGE_TEXT_BYTES - 1);
    if (lam_range_parse(&range, dependency->range, error) != 0)
        return lam_error_prefix(
            error, -EPROTO, "module %s: its dependency %s: ", path, dependency->name);
    return 0;
}

int lam_needs_keep(
    struct lam_needs *needs, const struct lam_dependency *dependencies, uint32_t count)
{
    needs->all = calloc(count + 1, sizeof(*needs->all));
    if (needs->all == NULL)
        return -ENOMEM;
    needs->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct lam_need *need = &needs->all[i];
        const char *range = dependencies[i].range;

        memcpy(need->name, dependencies[i].name, strlen(dependencies[i].name)); /* checked */
        if (range != NULL)
            memcpy(need->text, range, strlen(range)); /* checked */
        (void)lam_range_parse(&need->range, range, NULL);
        need->is_optional = (dependencies[i].flags & LAM_DEPENDENCY_OPTIONAL) != 0;
    }
    return 0;
}
