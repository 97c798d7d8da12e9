/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making an object: a name that nobody sees, memory reserved, pages touched, then the real name.
 */
#include "lamina/base/assert.h"
#include "lamina/base/crash_point.h"
#include "lamina/base/lock.h"
#include "lamina/base/segment.h"
#include "segment_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int has_name(const struct lam_segment_options *options)
{
    return options->backing == LAM_BACKING_NAMED || options->backing == LAM_BACKING_FILE ||
           (options->backing == LAM_BACKING_HUGE && options->directory != NULL);
}

static int open_memfd(const struct lam_segment_options *options)
{
    int fd = memfd_create(options->name == NULL ? "lamina" : options->name,
        MFD_CLOEXEC | MFD_ALLOW_SEALING |
            (options->backing == LAM_BACKING_HUGE ? MFD_HUGETLB : 0U));

    return fd < 0 ? -errno : fd;
}

static int names(const char *path, int fd)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && lstat(path, &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

/* Make the hidden name and lock it. Returns the descriptor, -EEXIST: take another name, -errno. */
static int stage(struct lam_segment *segment, mode_t mode)
{
    int fd = open(segment->staged_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int rc;

    if (fd < 0)
        return -errno;
    LAM_CRASH_POINT("stage.named");
    rc = lam_lock_take(&segment->staging, fd, LAM_SEGMENT_LOCK_STAGING);
    if (rc == 0 && names(segment->staged_path, fd))
        return fd;
    /* A cleaner saw it before the lock was ours, takes it for a dead one's, and removes it. */
    if (rc != 0 && rc != -EBUSY)
        (void)unlink(segment->staged_path);
    lam_lock_drop(&segment->staging);
    (void)close(fd);
    return rc == 0 || rc == -EBUSY ? -EEXIST : rc;
}

/* A hidden name beside the final one: rename is atomic within one directory. */
static int open_staged(struct lam_segment *segment, mode_t mode)
{
    const char *slash = strrchr(segment->path, '/');
    int fd = -EEXIST;

    for (unsigned attempt = 0; fd == -EEXIST && attempt < 1000; attempt++) {
        (void)snprintf(segment->staged_path, sizeof(segment->staged_path), "%.*s/.%s.%d.%u",
            (int)(slash - segment->path), segment->path, slash + 1, (int)getpid(), attempt);
        fd = stage(segment, mode);
    }
    return fd;
}

static int seal(
    struct lam_segment *segment, const struct lam_segment_options *options, struct lam_error *error)
{
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    if (has_name(options))
        return 0;
    /* Our own mapping stays writable. */
    if (options->hardened)
        seals |= F_SEAL_FUTURE_WRITE;
    if (fcntl(segment->fd, F_ADD_SEALS, seals) != 0)
        return lam_error_set(error, -errno, "cannot seal a memory file: %s", strerror(errno));
    return 0;
}

static int fill(struct lam_segment *segment, const struct lam_segment_options *options, mode_t mode,
    struct lam_error *error)
{
    uint64_t bytes = options->head_bytes + options->body_bytes;
    int rc = 0;

    /* The group first: giving a file away takes bits of its mode. */
    if (options->set_group && fchown(segment->fd, (uid_t)-1, options->group) != 0)
        return lam_error_set(error, -errno, "%s: cannot set group %u: %s", segment->path,
            options->group, strerror(errno));
    if (fchmod(segment->fd, mode) != 0)
        return lam_error_set(
            error, -errno, "%s: cannot set mode: %s", segment->path, strerror(errno));
    if (options->bind_node)
        rc = lam_segment_bind(segment, bytes, options->numa_node, error);
    if (rc == 0)
        rc = lam_segment_reserve(segment, bytes, error);
    LAM_CRASH_POINT("stage.reserved");
    if (rc == 0)
        rc = lam_segment_map(segment, options->head_bytes, options->body_bytes, error);
    return rc != 0 ? rc : seal(segment, options, error);
}

static int check(
    const struct lam_segment_options *options, uint64_t *page_bytes, struct lam_error *error)
{
    int rc;

    *page_bytes = lam_segment_page_bytes();
    if (options->backing > LAM_BACKING_HUGE)
        return lam_error_set(error, -EINVAL, "there is no backing %d", (int)options->backing);
    if ((options->mode & ~(mode_t)0777) != 0)
        return lam_error_set(
            error, -EINVAL, "mode %05o: has more than permissions, 0777", (unsigned)options->mode);
    if (options->backing == LAM_BACKING_HUGE) {
        rc = lam_segment_huge_page_bytes(options->directory, page_bytes, error);
        if (rc != 0)
            return rc;
    }
    if (options->backing == LAM_BACKING_FILE && options->directory == NULL)
        return lam_error_set(
            error, -EINVAL, "a file needs a directory: which is for you to choose");
    if (options->backing == LAM_BACKING_FILE && options->bind_node)
        return lam_error_set(error, -EINVAL,
            "pages of a file are the page cache's: they cannot be bound to NUMA node %u",
            options->numa_node);
    if (options->hardened && has_name(options))
        return lam_error_set(error, -EINVAL,
            "an object with a name cannot be hardened: only memory files can be sealed");
    if (options->head_bytes == 0 || options->head_bytes % *page_bytes != 0 ||
        options->body_bytes % *page_bytes != 0 ||
        options->head_bytes + options->body_bytes > INT64_MAX / 4)
        return lam_error_set(error, -EINVAL, "sizes %llu and %llu are not whole pages of %llu",
            (unsigned long long)options->head_bytes, (unsigned long long)options->body_bytes,
            (unsigned long long)*page_bytes);
    return 0;
}

int lam_segment_create(
    struct lam_segment *segment, const struct lam_segment_options *options, struct lam_error *error)
{
    mode_t mode = options->mode == 0 ? 0600 : options->mode;
    uint64_t page_bytes;
    int rc;

    lam_segment_clear(segment);
    rc = check(options, &page_bytes, error);
    if (rc == 0 && has_name(options))
        rc = lam_segment_set_path(segment, options->directory, options->name, error);
    if (rc != 0)
        return rc;
    segment->access = LAM_ACCESS_WRITE;
    segment->page_bytes = page_bytes;
    segment->durable = options->backing == LAM_BACKING_FILE;
    segment->fd = has_name(options) ? open_staged(segment, mode) : open_memfd(options);
    if (segment->fd < 0) {
        rc = segment->fd;
        segment->staged_path[0] = '\0';
        return lam_segment_refuse_name(segment, rc, error);
    }
    rc = fill(segment, options, mode, error);
    if (rc != 0)
        lam_segment_close(segment);
    return rc;
}

/* The directory's own entry is on the disk only after it was synced itself. */
static int sync_directory(const struct lam_segment *segment)
{
    char directory[LAM_SEGMENT_PATH_BYTES];
    const char *slash = strrchr(segment->path, '/');
    int fd, rc;

    (void)snprintf(
        directory, sizeof(directory), "%.*s", (int)(slash - segment->path + 1), segment->path);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    rc = fsync(fd) == 0 ? 0 : -errno;
    (void)close(fd);
    return rc;
}

int lam_segment_appear(struct lam_segment *segment, struct lam_error *error)
{
    int rc;

    if (segment->staged_path[0] == '\0')
        return 0;
    if (segment->durable && fsync(segment->fd) != 0)
        return lam_error_set(
            error, -errno, "%s: cannot write to disk: %s", segment->path, strerror(errno));
    if (renameat2(AT_FDCWD, segment->staged_path, AT_FDCWD, segment->path, RENAME_NOREPLACE) != 0)
        return lam_error_set(error, -errno, "%s: %s", segment->path, strerror(errno));
    LAM_CRASH_POINT("appear.renamed");
    segment->staged_path[0] = '\0';
    lam_lock_drop(&segment->staging);
    rc = segment->durable ? sync_directory(segment) : 0;
    if (rc != 0) {
        (void)lam_segment_unlink(segment);
        return lam_error_set(
            error, rc, "%s: cannot write its name to disk: %s", segment->path, strerror(-rc));
    }
    return 0;
}
