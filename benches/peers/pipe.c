/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A named pipe for each direction, as large as an unprivileged process may have it. A pipe takes a
 * copy in and gives a copy out; pages that are lent (vmsplice) may not be written again before they
 * are read, which nobody tells.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport.h"

#define PIPE_BYTES (1 << 20)

/* Opened for both, it opens at once; the name goes as soon as it is open. */
static int open_one(const char *folder, int *in, int *out)
{
    char path[64];
    int rc = 0;

    snprintf(path, sizeof(path), "%s/pipe", folder);
    if (mkfifo(path, 0600) != 0)
        return -errno;
    *in = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    *out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (*in < 0 || *out < 0)
        rc = -errno;
    else
        (void)fcntl(*out, F_SETPIPE_SZ, PIPE_BYTES); /* else it has 64 KiB */
    unlink(path);
    return rc;
}

int bench_pipe_open(struct bench_lane *lane)
{
    struct bench_wire *wire = bench_wire_open(lane);
    char folder[] = "/tmp/lamina-bench-XXXXXX";
    int rc;

    if (mkdtemp(folder) == NULL)
        return -errno;
    rc = open_one(folder, &wire->far_in, &wire->out);
    if (rc == 0)
        rc = open_one(folder, &wire->in, &wire->far_out);
    rmdir(folder);
    return rc;
}
