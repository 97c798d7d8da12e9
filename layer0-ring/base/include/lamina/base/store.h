/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_STORE_H
#define LAM_BASE_STORE_H

/*
 * lamina/base/store.h: what to say of a file system that has no room for a file.
 *
 * Base, floor 0. Looks at the store, which may have changed since it refused. Any thread.
 */

#include <stdint.h>

#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The store of the file @path, in a directory that exists, was too full for @bytes more of it, or,
 * with 0, for its name: write to @error where it is mounted, what is needed, what is free, and
 * @advice. With 0, and where names are not counted or some are free, the sentence says that no more
 * is known.
 *
 * Returns -ENOSPC
 */
int lam_store_refuse(const char *path, uint64_t bytes, const char *advice, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
