/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping of an open object, and its end. Making one is segment_create.c.
 */
#include "lamina/base/segment.h"
#include "lamina/base/assert.h"
#include "segment_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t lam_segment_page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

void lam_segment_clear(struct lam_segment *segment)
{
    memset(segment, 0, sizeof(*segment));
    segment->fd = -1;
    segment->numa_node = -1;
    segment->staging.fd = -1;
}

/* A name must mean the same after a chdir. Returns the length of what was written, or -1. */
static int print_path(struct lam_segment *segment, const char *directory, const char *name)
{
    char here[LAM_SEGMENT_PATH_BYTES] = "";

    if (directory[0] != '/' && getcwd(here, sizeof(here)) == NULL)
        return -1;
    return snprintf(segment->path, sizeof(segment->path), "%s%s%s/%s", here,
        here[0] == '\0' ? "" : "/", directory, name);
}

static int set_path(
    struct lam_segment *segment, const char *directory, const char *name, struct lam_error *error)
{
    int length = print_path(segment, directory == NULL ? LAM_SEGMENT_DIRECTORY : directory, name);

    if (length >= 0 && (size_t)length < sizeof(segment->path) - 32)
        return 0;
    segment->path[0] = '\0';
    return lam_error_set(error, -EINVAL, "segment directory \"%.60s...\": too long", directory);
}

int lam_segment_set_path(
    struct lam_segment *segment, const char *directory, const char *name, struct lam_error *error)
{
    if (name == NULL || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return lam_error_set(error, -EINVAL,
            "segment name \"%s\": must not be empty, start with '.' or hold a '/'",
            name == NULL ? "" : name);
    if (strlen(name) > LAM_SEGMENT_NAME_MAX)
        return lam_error_set(error, -EINVAL, "segment name \"%.40s...\": longer than %d characters",
            name, LAM_SEGMENT_NAME_MAX);
    return set_path(segment, directory, name, error);
}

static int open_path(struct lam_segment *segment, enum lam_access access, struct lam_error *error)
{
    segment->access = access;
    /* Not blocking: in the object's place there may be anything. */
    segment->fd = open(segment->path,
        (access == LAM_ACCESS_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (segment->fd < 0) {
        struct stat status;
        int code = -errno;

        if (code == -EACCES && stat(segment->path, &status) == 0)
            return lam_error_set(error, code, "%s: access refused (mode %04o, owner %u, group %u)",
                segment->path, (unsigned)status.st_mode & 07777U, status.st_uid, status.st_gid);
        return lam_error_set(error, code, "%s: %s", segment->path, strerror(-code));
    }
    segment->page_bytes = lam_segment_page_bytes_of(segment->fd);
    return 0;
}

int lam_segment_open(struct lam_segment *segment, const char *directory, const char *name,
    enum lam_access access, struct lam_error *error)
{
    int rc;

    lam_segment_clear(segment);
    rc = lam_segment_set_path(segment, directory, name, error);
    return rc != 0 ? rc : open_path(segment, access, error);
}

int lam_segment_open_staged(
    struct lam_segment *segment, const char *directory, const char *file, struct lam_error *error)
{
    int rc;

    lam_segment_clear(segment);
    rc = set_path(segment, directory, file, error);
    return rc != 0 ? rc : open_path(segment, LAM_ACCESS_WRITE, error);
}

int lam_segment_open_fd(
    struct lam_segment *segment, int fd, enum lam_access access, struct lam_error *error)
{
    lam_segment_clear(segment);
    segment->access = access;
    segment->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (segment->fd < 0)
        return lam_error_set(error, -errno, "descriptor %d: %s", fd, strerror(errno));
    segment->page_bytes = lam_segment_page_bytes_of(segment->fd);
    return 0;
}

int lam_segment_has_name(const struct lam_segment *segment)
{
    struct stat ours, named;

    return segment->path[0] != '\0' && fstat(segment->fd, &ours) == 0 &&
           lstat(segment->path, &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

static int has_seal(const struct lam_segment *segment, int seal)
{
    int seals = fcntl(segment->fd, F_GET_SEALS);

    return seals >= 0 && (seals & seal) != 0;
}

int lam_segment_keeps_size(const struct lam_segment *segment)
{
    return has_seal(segment, F_SEAL_SHRINK);
}

int lam_segment_is_hardened(const struct lam_segment *segment)
{
    return has_seal(segment, F_SEAL_FUTURE_WRITE);
}

int64_t lam_segment_object_bytes(const struct lam_segment *segment)
{
    struct stat status;

    return fstat(segment->fd, &status) == 0 ? (int64_t)status.st_size : -errno;
}

int lam_segment_read(const struct lam_segment *segment, void *to, uint64_t bytes)
{
    ssize_t got = pread(segment->fd, to, bytes, 0);

    if (got < 0)
        return -errno;
    return (uint64_t)got == bytes ? 0 : -ENODATA;
}

/* Fault every page in now: a first touch costs more than a copy, and never on the data path. */
static void touch(uint8_t *base, uint64_t bytes, enum lam_access access)
{
    uint64_t page_bytes = lam_segment_page_bytes();
    uint64_t sum = 0;

#ifdef MADV_POPULATE_WRITE
    if (madvise(base, bytes,
            access == LAM_ACCESS_WRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0)
        return;
#endif
    /* Before Linux 5.14. Reading is enough to map a page that already has its memory. */
    for (uint64_t at = 0; at < bytes; at += page_bytes)
        sum += *(const uint8_t *)(base + at);
    __asm__("" ::"r"(sum)); /* keep the loads */
}

/*
 * Reserve @bytes of addresses, so that the pieces lie back to back, on a whole page of the
 * object's: a huge page lies only there. Returns NULL where it cannot be.
 */
static uint8_t *reserve_addresses(uint64_t bytes, uint64_t page_bytes)
{
    uint64_t slack = page_bytes - lam_segment_page_bytes();
    uint8_t *all =
        mmap(NULL, bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t before;

    if (all == MAP_FAILED)
        return NULL;
    before = -(uint64_t)(uintptr_t)all & (page_bytes - 1);
    if (before != 0)
        (void)munmap(all, before);
    if (slack != before)
        (void)munmap(all + before + bytes, slack - before);
    return all + before;
}

static int map_pieces(
    const struct lam_segment *segment, uint8_t *base, uint64_t head_bytes, uint64_t body_bytes)
{
    int protection = segment->access == LAM_ACCESS_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
    uint64_t once_bytes = head_bytes + body_bytes;

    if (mmap(base, once_bytes, protection, MAP_SHARED | MAP_FIXED, segment->fd, 0) == MAP_FAILED)
        return -errno;
    if (body_bytes != 0 && mmap(base + once_bytes, body_bytes, protection, MAP_SHARED | MAP_FIXED,
                               segment->fd, (off_t)head_bytes) == MAP_FAILED)
        return -errno;
    return 0;
}

int lam_segment_map(
    struct lam_segment *segment, uint64_t head_bytes, uint64_t body_bytes, struct lam_error *error)
{
    uint64_t page_bytes = segment->page_bytes;
    uint64_t total_bytes = head_bytes + 2 * body_bytes;
    int64_t object_bytes = lam_segment_object_bytes(segment);
    uint8_t *base;
    int rc;

    LAM_ASSERT(segment->base == NULL);
    if (head_bytes == 0 || head_bytes % page_bytes != 0 || body_bytes % page_bytes != 0 ||
        object_bytes < 0 || head_bytes > (uint64_t)object_bytes ||
        body_bytes > (uint64_t)object_bytes - head_bytes)
        return lam_error_set(error, -EINVAL,
            "cannot map %llu + %llu bytes of an object of %lld in pages of %llu",
            (unsigned long long)head_bytes, (unsigned long long)body_bytes, (long long)object_bytes,
            (unsigned long long)page_bytes);

    base = reserve_addresses(total_bytes, page_bytes);
    if (base == NULL)
        return lam_error_set(error, -errno, "cannot reserve %llu bytes of addresses: %s",
            (unsigned long long)total_bytes, strerror(errno));
    rc = map_pieces(segment, base, head_bytes, body_bytes);
    if (rc != 0) {
        (void)munmap(base, total_bytes);
        return lam_error_set(
            error, rc, "cannot map %llu bytes: %s", (unsigned long long)total_bytes, strerror(-rc));
    }
    touch(base, total_bytes, segment->access);
    segment->base = base;
    segment->head_bytes = head_bytes;
    segment->body_bytes = body_bytes;
    segment->numa_node = lam_segment_find_node(segment);
    return 0;
}

void lam_segment_close(struct lam_segment *segment)
{
    if (segment->base != NULL)
        (void)munmap(segment->base, segment->head_bytes + 2 * segment->body_bytes);
    segment->base = NULL;
    if (segment->staged_path[0] != '\0') {
        (void)unlink(segment->staged_path);
        lam_lock_drop(&segment->staging); /* after the name: nobody finds it without its lock */
    }
    segment->staged_path[0] = '\0';
    if (segment->fd >= 0)
        (void)close(segment->fd);
    segment->fd = -1;
}

int lam_segment_unlink(struct lam_segment *segment)
{
    if (!lam_segment_has_name(segment))
        return 0; /* gone, or another's by now */
    if (unlink(segment->path) != 0 && errno != ENOENT)
        return -errno;
    return 0;
}
