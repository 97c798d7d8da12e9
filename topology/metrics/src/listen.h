/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_METRICS_LISTEN_H
#define LAM_METRICS_LISTEN_H

/* listen.h: a socket that listens, on a port or on a path. */

#include "lamina/metrics/http.h"

#include <sys/types.h>

struct listener {
    int fd;
    uint32_t port;
    char *path; /* of a Unix socket, or NULL */
    dev_t device;
    ino_t inode;
};

/* Returns 0, or as lam_metrics_http_start(). The descriptor is the caller's. */
int listener_open(
    struct listener *listener, const struct lam_metrics_options *options, struct lam_error *error);

/* Remove the path, if what is there is still ours, and forget it. */
void listener_forget(struct listener *listener);

#endif
