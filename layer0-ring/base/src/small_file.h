/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_SMALL_FILE_H
#define LAM_BASE_SMALL_FILE_H

/*
 * small_file.h: what the kernel says in a small file of its own. Base, floor 0, private.
 */

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

/* The start of the file as a string in @text; empty where it cannot be read. */
static inline void lam_small_file_read(const char *path, char *text, size_t text_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;

    if (fd >= 0) {
        got = read(fd, text, text_bytes - 1);
        (void)close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
}

#endif
