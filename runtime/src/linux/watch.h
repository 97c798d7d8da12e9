/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_WATCH_H
#define LAM_RUNTIME_WATCH_H

/*
 * watch.h: what happens to the files of directories.
 */

#include <stdint.h>

#define WATCH_DIRECTORIES_MAX 16

enum watch_kind {
    WATCH_HERE = 1,    /* it was moved in: it is whole */
    WATCH_WRITTEN = 2, /* a writer has closed it, or another name was made for what is there */
    WATCH_GONE = 3,    /* removed, or moved out */
    WATCH_TOUCHED = 4, /* its mode or owner changed */
    WATCH_LOST = 5,    /* events were lost, or a directory came or went: look at everything */
};

struct watch {
    int fd;
    int stop_fd;
    uint32_t count;
    const char *directories[WATCH_DIRECTORIES_MAX]; /* the caller's */
    int ids[WATCH_DIRECTORIES_MAX];                 /* -1: it is not watched now */
};

/* @name is a file's name without its directory; "" with WATCH_LOST. */
typedef void (*watch_fn)(void *context, enum watch_kind kind, const char *name);

/* Returns 0, or -errno and in *@which the directory, or watch->count: none. */
int watch_open(
    struct watch *watch, const char *const *directories, uint32_t count, uint32_t *which);
void watch_close(struct watch *watch);

/*
 * Wait until @deadline_ns for something to happen, and visit what did. A directory that went is
 * looked for again and again.
 *
 * Returns 1, or 0 watch_stop() was called.
 */
int watch_wait(struct watch *watch, uint64_t deadline_ns, watch_fn visit, void *context);

/* Any thread. */
void watch_stop(struct watch *watch);

#endif
