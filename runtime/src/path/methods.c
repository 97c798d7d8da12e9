/* SPDX-License-Identifier: Apache-2.0 */
#include "path/methods.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES 400 /* of an error's text */

/* The name at @index is one, and none of those before it. */
static int take_name(struct lam_method_set *set, const struct lam_module *module,
    const char *option, const char *name, uint32_t index, struct lam_error *error)
{
    if (name == NULL || name[0] == '\0' || strnlen(name, LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "module %s: %s.methods[%u] has to be a name of 1 to %d bytes", module->name, option,
            index, LAM_NAME_BYTES_MAX - 1);
    memcpy(set->names[index], name, strlen(name));
    set->ids[index] = lam_method_id(name);
    for (uint32_t i = 0; i < index; i++)
        if (set->ids[i] == set->ids[index])
            return lam_error_set(error, -EINVAL,
                "module %s: %s.methods[%u] is \"%s\", the same method as \"%s\" before it: take "
                "one out",
                module->name, option, index, name, set->names[i]);
    return 0;
}

int lam_method_set_fill(struct lam_method_set *set, const struct lam_module *module,
    const char *option, const char *const *names, uint32_t count, struct lam_error *error)
{
    int rc = 0;

    if (count > LAM_METHODS_MAX || (count > 0) != (names != NULL))
        return lam_error_set(error, -EINVAL,
            "module %s: %s.method_count is %u: it has to say how many names there are, %d at most",
            module->name, option, count, LAM_METHODS_MAX);
    set->names = count > 0 ? calloc(count, sizeof(*set->names)) : NULL;
    if (count > 0 && set->names == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    set->count = count;
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = take_name(set, module, option, names[i], i, error);
    return rc;
}

void lam_method_set_free(struct lam_method_set *set)
{
    free(set->names);
    *set = (struct lam_method_set){.count = 0};
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* "a, b and 3 more", by name. */
static void list_methods(const struct lam_generation *generation, char text[LIST_BYTES])
{
    const char *names[LAM_METHODS_MAX];
    uint32_t count = 0, said = 0;
    size_t used = 0;

    for (uint32_t i = 0; i <= generation->mask; i++)
        if (generation->methods[i].call != NULL)
            names[count++] = generation->methods[i].name;
    qsort((void *)names, count, sizeof(names[0]), compare_names);
    text[0] = '\0';
    for (; said < count && used + LAM_NAME_BYTES_MAX + 24 < LIST_BYTES; said++)
        used += (size_t)snprintf(
            text + used, LIST_BYTES - used, "%s%s", said > 0 ? ", " : "", names[said]);
    if (said < count)
        (void)snprintf(text + used, LIST_BYTES - used, " and %u more", count - said);
    else if (count == 0)
        (void)snprintf(text, LIST_BYTES, "none");
}

/* Its ids are hashes of names that nobody wrote down: a typo is seen by people, or not at all. */
static void tell_unknown(
    const struct lam_generation *generation, const char *option, const char *name)
{
    const struct lam_runtime_options *options = &generation->module->runtime->options;
    struct lam_log_field fields[] = {{"option", option}, {"method", name}};

    options->log(options->log_context, generation->module->name, LAM_LEVEL_INFO,
        "a method of the options is taken as it is: this module serves any name", fields, 2);
}

int lam_method_set_admit(const struct lam_method_set *set, const char *option,
    const struct lam_generation *generation, struct lam_error *error)
{
    for (uint32_t i = 0; i < set->count; i++) {
        char list[LIST_BYTES];

        if (lam_generation_find(generation, set->ids[i]) != NULL)
            continue;
        if (generation->any != NULL) {
            tell_unknown(generation, option, set->names[i]);
            continue;
        }
        list_methods(generation, list);
        return lam_error_set(error, -ENOTSUP,
            "module %s: %s.methods[%u] is \"%s\", a method that it has not; it has: %s",
            generation->module->name, option, i, set->names[i], list);
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
