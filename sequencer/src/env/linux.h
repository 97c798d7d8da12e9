/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_LINUX_H
#define LAM_SEQUENCER_LINUX_H

/*
 * linux.h: the env of production, by plain calls: pwrite, fdatasync, fallocate, renameat. A call is
 * made where it is started, in the caller's thread; it is told as done by the next poll.
 */

#include "env/env.h"

struct lam_env_linux {
    struct lam_env env; /* first: it is what is passed on */
    int directory;
    int wake_fd;
    struct lam_env_io *first, *last; /* made, not yet told */
};

/*
 * An env for the folder @path, which exists.
 *
 * Returns 0, or -errno of opening it or of making an eventfd.
 */
int lam_env_linux_init(struct lam_env_linux *linux_env, const char *path);

/* No call may be in flight. Files that are open stay so. */
void lam_env_linux_fini(struct lam_env_linux *linux_env);

#endif
