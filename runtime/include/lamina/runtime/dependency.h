/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_DEPENDENCY_H
#define LAM_RUNTIME_DEPENDENCY_H

/*
 * lamina/runtime/dependency.h: modules that need others.
 *
 * Runtime, floor 6. What a module needs stands in its description (struct lam_dependency: a name
 * that the host knows, a range of versions as in version.h). It is loaded when all of that is
 * loaded and fits; with loads_dependencies in the runtime's options, what is not is resolved as
 * NAME@RANGE and loaded first, in the same host, and stays if the load then fails, unless a file
 * loads it (config.h). A cycle is refused and written out. While a module is needed it is not
 * unloaded, and only reloaded to a version that fits all who need it. An optional dependency must
 * fit where it is loaded, and holds nothing back.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A range in a description, with its terminator. */
#define LAM_RANGE_TEXT_BYTES 64

/*
 * The modules that are loaded, each behind all that it needs: in this order they could be loaded
 * again, in the reverse order they can be unloaded. At most @capacity go to @modules. Any thread.
 *
 * Returns how many there are.
 */
uint32_t lam_runtime_order(
    struct lam_runtime *runtime, struct lam_module **modules, uint32_t capacity);

#ifdef __cplusplus
}
#endif

#endif
