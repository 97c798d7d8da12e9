/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_MODULE_H
#define LAM_RUNTIME_MODULE_H

/*
 * lamina/runtime/module.h: what a module is: the one thing that its author includes.
 *
 * Runtime, floor 6. A module is a shared object with one symbol, made by LAM_MODULE_EXPORT(): a
 * constant description of itself. It includes nothing else of Lamina's and links nothing of it.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a host could not understand an older or newer description. */
#define LAM_MODULE_ABI 1

/* The name that a host looks for. */
#define LAM_MODULE_SYMBOL "lam_module_description"

#define LAM_MODULE_METHODS_MAX 256

/*
 * Answer a call: read @bytes at @arguments, write at most @capacity bytes at @result and their
 * count into *@result_bytes. All three are borrowed for the call. The format is the module's.
 *
 * Returns 0, -ENOSPC where @capacity is too small, or another negative errno of the module's.
 */
typedef int (*lam_module_method_fn)(
    const void *arguments, size_t bytes, void *result, size_t capacity, size_t *result_bytes);

struct lam_module_method {
    const char *name;
    lam_module_method_fn call;
};

/* Constant, in the module's own memory, valid while it is loaded. */
struct lam_module_description {
    uint32_t abi;               /* LAM_MODULE_ABI */
    uint32_t description_bytes; /* sizeof(struct lam_module_description), as the module was built */
    const char *name;
    const char *version; /* for people */
    const struct lam_module_method *methods;
    uint32_t method_count;
};

/* In one source of the module: its name, its version, and an array of its methods. */
#define LAM_MODULE_EXPORT(module_name, module_version, module_methods)                             \
    __attribute__((                                                                                \
        visibility("default"))) extern const struct lam_module_description lam_module_description; \
    const struct lam_module_description lam_module_description = {LAM_MODULE_ABI,                  \
        sizeof(struct lam_module_description), module_name, module_version, module_methods,        \
        sizeof(module_methods) / sizeof((module_methods)[0])}

#ifdef __cplusplus
}
#endif

#endif
