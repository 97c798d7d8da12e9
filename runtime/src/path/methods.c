/* SPDX-License-Identifier: Apache-2.0 */
#include "path/methods.h"

#include <errno.h>
#include <string.h>

int lam_method_set_fill(struct lam_method_set *set, const struct lam_module *module,
    const char *option, const char *const *names, uint32_t count, struct lam_error *error)
{
    if (count > LAM_METHODS_MAX || (count > 0) != (names != NULL))
        return lam_error_set(error, -EINVAL,
            "module %s: %s.method_count is %u: it has to say how many names there are, %d at most",
            module->name, option, count, LAM_METHODS_MAX);
    set->count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (names[i] == NULL || names[i][0] == '\0' ||
            strnlen(names[i], LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX)
            return lam_error_set(error, -EINVAL,
                "module %s: %s.methods[%u] has to be a name of 1 to %d bytes", module->name, option,
                i, LAM_NAME_BYTES_MAX - 1);
        set->ids[i] = lam_method_id(names[i]);
    }
    return 0;
}

int lam_method_set_has(const struct lam_method_set *set, const struct lam_passage *passage)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->ids[i] == passage->frame->call.method || set->ids[i] == passage->method->id)
            return 1;
    return 0;
}
