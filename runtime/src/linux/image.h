/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_IMAGE_H
#define LAM_RUNTIME_IMAGE_H

/*
 * image.h: a private copy of a file, which nobody else can change.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/* A sealed file in memory, open as long as the code in it may run. */
struct image_copy {
    int fd;
    char name[32]; /* for the loader: no other copy that is open has it */
};

/*
 * Copy the file at @path, and see that it is a shared object for this machine; with @checks_owner,
 * that it is root's or this user's, and that nobody else may write to it.
 *
 * Returns 0, or -errno of opening and reading it, -ENOEXEC, or -EPERM; @error says what was found.
 * Ended by image_close().
 */
int image_open(
    struct image_copy *image, const char *path, uint32_t checks_owner, struct lam_error *error);

/* Take @fd, an image that was opened by another process. */
void image_adopt(struct image_copy *image, int fd);

void image_close(struct image_copy *image);

#endif
