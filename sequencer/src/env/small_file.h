/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SMALL_FILE_H
#define LAM_SEQUENCER_SMALL_FILE_H

/*
 * small_file.h: a file that is read once, before anything runs, and lies anywhere: keys. The env's
 * own files are those of one folder.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/*
 * All of the file @path into @bytes. @is_secret: it may be its owner's alone.
 *
 * Returns how many bytes it has, or with @error
 *   -EPERM  it is secret, and others may read or write it
 *   -EFBIG  more than @room
 *   -EINVAL it is no plain file
 *   -errno  of open or read
 */
int64_t lam_env_small_file(
    const char *path, int is_secret, void *bytes, uint32_t room, struct lam_error *error);

#endif
