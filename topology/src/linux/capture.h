/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_CAPTURE_H
#define LAM_TOPOLOGY_CAPTURE_H

/* capture.h: what a program prints. */

#include <stddef.h>

/*
 * Run the program at @path with @arguments (ended by NULL) and keep what it writes to standard
 * output in *@text, terminated, which the caller frees. Its standard error is ours. Blocks until it
 * has ended; more than @bytes_max is refused.
 *
 * Returns 0, -ECHILD (it did not exit with 0), -EFBIG, -ENOMEM, or -errno of starting it.
 */
int capture(
    const char *path, const char *const *arguments, size_t bytes_max, char **text, size_t *bytes);

#endif
