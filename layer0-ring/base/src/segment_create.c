/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making an object: a name that nobody sees, memory reserved, pages touched, then the real name.
 */
#include "lamina/base/assert.h"
#include "lamina/base/lock.h"
#include "lamina/base/segment.h"
#include "segment_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int open_memfd(const struct lam_segment_options *options)
{
    int fd = memfd_create(options->name == NULL ? "lamina" : options->name,
        MFD_CLOEXEC | (options->backing == LAM_BACKING_MEMFD ? MFD_ALLOW_SEALING : 0U));

    return fd < 0 ? -errno : fd;
}

/* A hidden name beside the final one: rename is atomic within one directory. */
static int open_staged(struct lam_segment *segment, mode_t mode)
{
    const char *slash = strrchr(segment->path, '/');
    int fd;

    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        (void)snprintf(segment->staged_path, sizeof(segment->staged_path), "%.*s/.%s.%d.%u",
            (int)(slash - segment->path), segment->path, slash + 1, (int)getpid(), attempt);
        fd = open(segment->staged_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
    }
    return -EEXIST;
}

/* The store is looked at before it is asked: filling a tmpfs that is as large as memory kills. */
static int look_for_room(const struct lam_segment *segment, uint64_t bytes, struct lam_error *error)
{
    struct statvfs store;
    uint64_t free_bytes;
    uint64_t all_bytes;

    if (segment->path[0] == '\0' || fstatvfs(segment->fd, &store) != 0 || store.f_blocks == 0)
        return 0;
    free_bytes = (uint64_t)store.f_bavail * store.f_frsize;
    all_bytes = (uint64_t)store.f_blocks * store.f_frsize;
    if (free_bytes >= bytes)
        return 0;
    return lam_error_set(error, -ENOSPC,
        "%s: the store is too full: needs %llu bytes, %llu of %llu are free; make depth or "
        "counts smaller, or the store larger",
        segment->path, (unsigned long long)bytes, (unsigned long long)free_bytes,
        (unsigned long long)all_bytes);
}

static int reserve(struct lam_segment *segment, uint64_t bytes, struct lam_error *error)
{
    const char *where = segment->path[0] != '\0' ? segment->path : "memory file";
    int code = look_for_room(segment, bytes, error);

    if (code != 0)
        return code;
    code = -posix_fallocate(segment->fd, 0, (off_t)bytes);
    if (code != 0)
        return lam_error_set(error, code, "%s: cannot reserve %llu bytes: %s", where,
            (unsigned long long)bytes, strerror(-code));
    return 0;
}

static int fill(struct lam_segment *segment, const struct lam_segment_options *options, mode_t mode,
    struct lam_error *error)
{
    int rc;

    if (fchmod(segment->fd, mode) != 0)
        return lam_error_set(
            error, -errno, "%s: cannot set mode: %s", segment->path, strerror(errno));
    rc = reserve(segment, options->head_bytes + options->body_bytes, error);
    if (rc != 0)
        return rc;
    if (options->backing == LAM_BACKING_MEMFD &&
        fcntl(segment->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return lam_error_set(error, -errno, "cannot seal a memory file: %s", strerror(errno));
    return lam_segment_map(segment, options->head_bytes, options->body_bytes, error);
}

int lam_segment_create(
    struct lam_segment *segment, const struct lam_segment_options *options, struct lam_error *error)
{
    uint64_t page_bytes = lam_segment_page_bytes();
    mode_t mode = options->mode == 0 ? 0600 : options->mode;
    int rc;

    lam_segment_clear(segment);
    if (options->head_bytes == 0 || options->head_bytes % page_bytes != 0 ||
        options->body_bytes % page_bytes != 0 ||
        options->head_bytes + options->body_bytes > INT64_MAX / 4)
        return lam_error_set(error, -EINVAL, "sizes %llu and %llu are not whole pages of %llu",
            (unsigned long long)options->head_bytes, (unsigned long long)options->body_bytes,
            (unsigned long long)page_bytes);
    if (options->backing == LAM_BACKING_NAMED) {
        rc = lam_segment_set_path(segment, options->directory, options->name, error);
        if (rc != 0)
            return rc;
    }
    segment->access = LAM_ACCESS_WRITE;
    segment->fd =
        options->backing == LAM_BACKING_NAMED ? open_staged(segment, mode) : open_memfd(options);
    if (segment->fd < 0) {
        rc = segment->fd;
        segment->staged_path[0] = '\0';
        return lam_error_set(error, rc, "%s: cannot create: %s",
            segment->path[0] != '\0' ? segment->path : "memory file", strerror(-rc));
    }
    rc = fill(segment, options, mode, error);
    if (rc != 0)
        lam_segment_close(segment);
    return rc;
}

int lam_segment_appear(struct lam_segment *segment, struct lam_error *error)
{
    if (segment->staged_path[0] == '\0')
        return 0;
    if (renameat2(AT_FDCWD, segment->staged_path, AT_FDCWD, segment->path, RENAME_NOREPLACE) != 0)
        return lam_error_set(error, -errno, "%s: %s", segment->path, strerror(errno));
    segment->staged_path[0] = '\0';
    return 0;
}
