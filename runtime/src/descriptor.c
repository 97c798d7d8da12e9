/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.c: what a module says of itself is input, until it has been looked at here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"

static int refuse(
    const char *path, const char *field, uint64_t found, uint64_t expected, struct lam_error *error)
{
    return lam_error_set(error, -EPROTO, "module %s: %s is %llu, expected %llu: build it anew",
        path, field, (unsigned long long)found, (unsigned long long)expected);
}

static int check_sizes(
    const char *path, const struct lam_descriptor *descriptor, struct lam_error *error)
{
    if (descriptor->abi != LAM_ABI_VERSION)
        return refuse(path, "the ABI", descriptor->abi, LAM_ABI_VERSION, error);
    if (descriptor->bytes < sizeof(*descriptor))
        return refuse(path, "the descriptor's size", descriptor->bytes, sizeof(*descriptor), error);
    if (descriptor->method_bytes != sizeof(struct lam_method))
        return refuse(
            path, "a method's size", descriptor->method_bytes, sizeof(struct lam_method), error);
    if (descriptor->dependency_bytes != sizeof(struct lam_dependency))
        return refuse(path, "a dependency's size", descriptor->dependency_bytes,
            sizeof(struct lam_dependency), error);
    if (descriptor->method_count > LAM_METHODS_MAX ||
        (descriptor->method_count > 0 && descriptor->methods == NULL))
        return refuse(
            path, "the number of methods", descriptor->method_count, LAM_METHODS_MAX, error);
    if (descriptor->dependency_count > LAM_DEPENDENCIES_MAX ||
        (descriptor->dependency_count > 0 && descriptor->dependencies == NULL))
        return refuse(path, "the number of dependencies", descriptor->dependency_count,
            LAM_DEPENDENCIES_MAX, error);
    return 0;
}

static int check_method(const char *path, const struct lam_descriptor *descriptor, uint32_t index,
    struct lam_error *error)
{
    const struct lam_method *method = &descriptor->methods[index];
    const char *fault = lam_method_name_fault(method->name);

    if (fault != NULL)
        return lam_error_set(
            error, -EPROTO, "module %s: the name of method %u %s", path, index, fault);
    if (method->call == NULL)
        return lam_error_set(error, -EPROTO, "module %s: method %u has no code", path, index);
    if (method->id != lam_method_id(method->name))
        return lam_error_set(error, -EPROTO,
            "module %s: method %s has the id %#x, its name says %#x", path, method->name,
            method->id, lam_method_id(method->name));
    if ((method->flags & ~LAM_METHOD_FLAGS) != 0)
        return lam_error_set(error, -EPROTO, "module %s: method %s has unknown flags %#x", path,
            method->name, method->flags);
    for (uint32_t i = 0; i < index; i++)
        if (descriptor->methods[i].id == method->id)
            return lam_error_set(error, -EPROTO,
                "module %s: methods %s and %s have the same id %#x: rename one", path,
                descriptor->methods[i].name, method->name, method->id);
    return 0;
}

int lam_descriptor_check(
    const char *path, const struct lam_descriptor *descriptor, struct lam_error *error)
{
    int rc = check_sizes(path, descriptor, error);
    const char *fault;

    if (rc != 0)
        return rc;
    fault = lam_module_name_fault(descriptor->name);
    if (fault != NULL)
        return lam_error_set(error, -EPROTO, "module %s: its name %s", path, fault);
    if ((descriptor->features & ~LAM_MODULE_FEATURES) != 0)
        return lam_error_set(error, -EPROTO,
            "module %s: it wants features %#llx, this host knows %#llx", path,
            (unsigned long long)descriptor->features, (unsigned long long)LAM_MODULE_FEATURES);
    for (uint32_t i = 0; i < descriptor->method_count && rc == 0; i++)
        rc = check_method(path, descriptor, i, error);
    for (uint32_t i = 0; i < descriptor->dependency_count && rc == 0; i++) {
        fault = lam_module_name_fault(descriptor->dependencies[i].name);
        if (fault != NULL)
            rc = lam_error_set(
                error, -EPROTO, "module %s: the name of dependency %u %s", path, i, fault);
        else
            rc = lam_need_check(path, &descriptor->dependencies[i], error);
    }
    return rc;
}

int lam_descriptor_keep(struct lam_generation *generation, const struct lam_descriptor *descriptor)
{
    uint32_t places = 2;
    char *names;

    while (places < 2 * descriptor->method_count)
        places *= 2;
    /* Names lie behind the table: those of the description may go before the generation does. */
    generation->methods = calloc(1, places * sizeof(*generation->methods) +
                                        (uint64_t)descriptor->method_count * LAM_NAME_BYTES_MAX);
    if (generation->methods == NULL)
        return -ENOMEM;
    names = (char *)(generation->methods + places);
    generation->mask = places - 1;
    for (uint32_t i = 0; i < descriptor->method_count; i++, names += LAM_NAME_BYTES_MAX) {
        const struct lam_method *method = &descriptor->methods[i];
        uint32_t at = method->id;

        while (generation->methods[at & generation->mask].call != NULL)
            at++;
        memcpy(names, method->name, strlen(method->name)); /* its check bounded it */
        generation->methods[at & generation->mask] = *method;
        generation->methods[at & generation->mask].name = names;
        if (strcmp(names, LAM_METHOD_ANY) == 0)
            generation->any = &generation->methods[at & generation->mask];
    }
    memcpy(generation->name, descriptor->name, strlen(descriptor->name)); /* its check bounded it */
    generation->version = descriptor->version;
    generation->features = descriptor->features;
    generation->is_serial = (descriptor->features & LAM_MODULE_CONCURRENT) == 0;
    return lam_needs_keep(
        &generation->needs, descriptor->dependencies, descriptor->dependency_count);
}
