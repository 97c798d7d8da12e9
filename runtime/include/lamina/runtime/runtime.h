/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_RUNTIME_H
#define LAM_RUNTIME_RUNTIME_H

/*
 * lamina/runtime/runtime.h: load a module from a shared object, call it, replace it.
 *
 * Runtime, floor 6. This is the host in one's own process: a call is a call through a pointer, and
 * a module is trusted as the program is. It never runs a module from the file itself, but from a
 * copy in memory: whoever overwrites or truncates the file does not touch what runs.
 *
 * One thread at a time for each loaded module.
 */

#include "lamina/base/error.h"
#include "lamina/runtime/module.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_runtime_module; /* opaque */

/*
 * Load the module in the file @path, which is copied. Blocks on the file and on the loader.
 *
 * Returns 0 and sets *@module, or
 *   -ENOENT, -EACCES, -errno  of opening and reading the file
 *   -ENOEXEC  the loader does not take it, or it has no description; @error has the loader's words
 *   -EPROTO   its description makes no sense, or is of another version; @error says which field
 *   -ENOMEM
 */
int lam_runtime_load(struct lam_runtime_module **module, const char *path, struct lam_error *error);

/* Let go of a module. Nothing of it may be in use. NULL is allowed. */
void lam_runtime_unload(struct lam_runtime_module *module);

/*
 * If the file was replaced or changed since it was loaded, load it and let it take the calls. What
 * the old one had in its memory is gone. Blocks as lam_runtime_load().
 *
 * Returns 1 replaced; 0 the file is the same; or an error of lam_runtime_load(): then the old one
 * stays in service, and the next call tries again.
 */
int lam_runtime_refresh(struct lam_runtime_module *module, struct lam_error *error);

/* What the module says of itself, borrowed until it is replaced or unloaded. */
const struct lam_module_description *lam_runtime_describe(const struct lam_runtime_module *module);

/* A call: what goes in, and where the answer goes. Everything is the caller's. */
struct lam_module_call {
    const void *arguments;
    size_t argument_bytes;
    void *result;
    size_t result_capacity;
    size_t result_bytes; /* set by a call that returns 0 */
};

/*
 * Call @method of the module, in this thread.
 *
 * Returns 0, or
 *   -ENOENT  the module has no such method
 *   -EPROTO  the module says that it wrote more than it was given room for
 *   or what the method returned
 */
int lam_module_call(
    const struct lam_runtime_module *module, const char *method, struct lam_module_call *call);

#ifdef __cplusplus
}
#endif

#endif
