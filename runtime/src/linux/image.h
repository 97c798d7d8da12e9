/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_LINUX_IMAGE_H
#define LAM_RUNTIME_LINUX_IMAGE_H

/*
 * image.h: a copy of a file in memory, and which file it was copied from.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/* Enough of a file's identity to see that it is another one, or was written to. */
struct image_stamp {
    uint64_t device;
    uint64_t inode;
    uint64_t bytes;
    uint64_t changed_ns;
};

/* Fill *@stamp for @path. Returns 0 or -errno. */
int image_stamp_of(const char *path, struct image_stamp *stamp, struct lam_error *error);

/*
 * Copy the file at @path into memory that has no name.
 *
 * Returns its descriptor, which is the caller's, and fills *@stamp; or -errno.
 */
int image_copy(const char *path, struct image_stamp *stamp, struct lam_error *error);

#endif
