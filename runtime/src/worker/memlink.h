/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_MEMLINK_H
#define LAM_RUNTIME_MEMLINK_H

/*
 * memlink.h: modules that were built to memlink's C interface, as modules of ours.
 */

#include "internal.h"
#include "lamina/runtime/module.h"

/* What every answer of such a module has: it says of none how long it is. */
#define MEMLINK_OUTPUT_BYTES 4096

/*
 * As lam_local_open_image(), for modules of either interface. One per process. Beside those errors
 *   -ENOEXEC  it has some of the symbols that memlink requires, and not all; @error names those
 *             that are missing
 */
int lam_memlink_open_image(
    struct lam_generation *generation, const char *path, struct lam_error *error);

#endif
