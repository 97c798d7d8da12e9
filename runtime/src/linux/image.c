/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what, struct lam_error *error)
{
    int rc = -errno;

    return lam_error_set(error, rc, "module %s: %s: %s", path, what, strerror(-rc));
}

static void fill(struct image_stamp *stamp, const struct stat *status)
{
    stamp->device = status->st_dev;
    stamp->inode = status->st_ino;
    stamp->bytes = (uint64_t)status->st_size;
    stamp->changed_ns =
        (uint64_t)status->st_ctim.tv_sec * 1000000000 + (uint64_t)status->st_ctim.tv_nsec;
}

int image_stamp_of(const char *path, struct image_stamp *stamp, struct lam_error *error)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return fail(path, "stat", error);
    fill(stamp, &status);
    return 0;
}

static int copy_all(int from, int to)
{
    ssize_t sent;

    do
        sent = sendfile(to, from, NULL, 1 << 20);
    while (sent > 0 || (sent < 0 && errno == EINTR));
    return sent < 0 ? -1 : 0;
}

int image_copy(const char *path, struct image_stamp *stamp, struct lam_error *error)
{
    struct stat status;
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to, rc;

    if (from < 0)
        return fail(path, "open", error);
    to = memfd_create("lamina-module", MFD_CLOEXEC);
    if (to < 0) {
        rc = fail(path, "memfd_create", error);
        (void)close(from);
        return rc;
    }
    /* Before the copy: what is written to the file meanwhile looks like a change afterwards. */
    if (fstat(from, &status) != 0 || copy_all(from, to) != 0) {
        rc = fail(path, "read", error);
        (void)close(from);
        (void)close(to);
        return rc;
    }
    fill(stamp, &status);
    (void)close(from);
    return to;
}
