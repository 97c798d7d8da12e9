/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_LINUX_H
#define LAM_SEQUENCER_LINUX_H

/*
 * linux.h: the env of production, by plain calls: pwrite, fdatasync, recv, send. A disk call is
 * made where it is started, in the caller's thread; so is a network call, which is tried again,
 * when the kernel says that it is worth it, by a poll.
 */

#include "env/env.h"

/* What is in flight of one descriptor. */
struct linux_file {
    struct lam_env_io *in, *out; /* ACCEPT or RECEIVE; CONNECT or SEND */
    uint64_t device, inode;      /* of the name that a listener has made; 0: none */
};

struct lam_env_linux {
    struct lam_env env; /* first: it is what is passed on */
    int directory;
    int wake_fd, poll_fd;
    struct lam_env_done made; /* have a result, not yet told */
    struct linux_file *files; /* by descriptor */
    unsigned file_count;
    unsigned pending; /* of the network, in flight */
};

/*
 * An env for the folder @path, which exists; NULL: for the network alone.
 *
 * Returns 0, or -errno of opening it or of making an eventfd or an epoll instance.
 */
int lam_env_linux_init(struct lam_env_linux *linux_env, const char *path);

/* No call may be in flight. Files that are open stay so. */
void lam_env_linux_fini(struct lam_env_linux *linux_env);

#endif
