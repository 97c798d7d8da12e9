/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_SEGMENT_H
#define LAM_BASE_SEGMENT_H

/*
 * lamina/base/segment.h: shared memory objects and their mapping.
 *
 * Base, floor 0. A segment is a memory object: a head, mapped once, and optionally a body that is
 * mapped twice, back to back, so that what wraps at its end is still one piece of memory:
 *
 *     +------+-----------+-----------+
 *     | head |   body    | body again|     head and body are whole pages
 *     +------+-----------+-----------+
 *
 * Memory is reserved before anyone may attach, so a full store is an error of create and never a
 * SIGBUS later; then every page is touched, in both aliases. Objects appear under their name
 * complete or not at all, with the mode and group asked for whatever the umask. Nothing here knows
 * what the bytes mean.
 *
 * Control plane: any thread, system calls, may block on the kernel.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/error.h"
#include "lamina/base/lock.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where named objects live unless told otherwise. */
#define LAM_SEGMENT_DIRECTORY "/dev/shm"

/* The longest name of an object, its directory not counted, without the terminator. */
#define LAM_SEGMENT_NAME_MAX 160

/* Room for a whole path, with its terminator. */
#define LAM_SEGMENT_PATH_BYTES 512

/*
 * While an object has not appeared its maker holds this byte of it as a lock (lamina/base/lock.h):
 * a hidden name whose lock is free is what a dead one left. Bytes below are the users'.
 */
#define LAM_SEGMENT_LOCK_STAGING 4096

enum lam_backing {
    LAM_BACKING_ANONYMOUS = 0, /* no name: threads and forked children */
    LAM_BACKING_NAMED = 1,     /* a name in LAM_SEGMENT_DIRECTORY or another tmpfs */
    LAM_BACKING_MEMFD = 2,     /* no name: passed over a Unix socket */
    LAM_BACKING_FILE = 3,      /* a name in a directory on a disk: outlives all processes */
    LAM_BACKING_HUGE = 4,      /* huge pages, without a name, or with one in a hugetlbfs */
};

enum lam_access {
    LAM_ACCESS_READ = 0,
    LAM_ACCESS_WRITE = 1,
};

struct lam_segment {
    int fd;        /* -1 when closed */
    uint8_t *base; /* start of the mapping, or NULL */
    uint64_t head_bytes;
    uint64_t body_bytes;
    uint64_t page_bytes; /* of its memory, while it is open */
    int numa_node;       /* that its pages lay on when they were mapped; -1 on several, unknown */
    enum lam_access access;
    int durable;                              /* on a disk: synced before it appears */
    struct lam_lock staging;                  /* held while it has not appeared yet */
    char path[LAM_SEGMENT_PATH_BYTES];        /* final path, absolute; empty without a name */
    char staged_path[LAM_SEGMENT_PATH_BYTES]; /* while it has not appeared yet */
};

struct lam_segment_options {
    enum lam_backing backing;
    const char *directory; /* NULL: named in LAM_SEGMENT_DIRECTORY, huge without a name */
    const char *name;      /* file name, no '/'. Without a name: a label for people */
    uint64_t head_bytes;   /* whole pages, 1 page or more */
    uint64_t body_bytes;   /* whole pages; 0 for none */
    mode_t mode;           /* 0777 at most, set whatever the umask; 0 means 0600 */
    int set_group;         /* 1: the object is given to @group */
    gid_t group;
    int bind_node;      /* 1: all pages on @numa_node and nowhere else */
    uint32_t numa_node; /* a file's pages are the page cache's: they cannot be bound */
    int hardened;       /* 1, without a name alone: once mapped, nobody maps it writable any more */
};

/* The size of a small page. */
uint64_t lam_segment_page_bytes(void);

/*
 * The size of the pages that LAM_BACKING_HUGE in @directory (NULL: without a name) would have,
 * whether or not there are any to be had.
 *
 * Returns 0, or
 *   -EINVAL  @directory is not in a hugetlbfs
 *   -ENOTSUP this kernel has no huge pages
 *   -errno   of open
 */
int lam_segment_huge_page_bytes(
    const char *directory, uint64_t *page_bytes, struct lam_error *error);

/* Nothing open, nothing mapped: what close leaves, and safe to close. */
void lam_segment_clear(struct lam_segment *segment);

/*
 * Make an object, reserve its memory, map it for writing, touch all pages. The bytes are zero. A
 * named object is not visible yet: lam_segment_appear(). One without a name is sealed against
 * resizing.
 *
 * Returns 0, or
 *   -EINVAL       sizes are not whole pages; the name is empty, too long or holds a '/'; there is
 *                 no such NUMA node; an option that this backing cannot keep
 *   -ENOSPC       the store is too full, or the memory that it is of; @error says mount, needed and
 *                 free bytes. No huge pages
 *   -EFBIG        this process may not make so large a file (RLIMIT_FSIZE)
 *   -errno        of the system call that @error names
 */
int lam_segment_create(struct lam_segment *segment, const struct lam_segment_options *options,
    struct lam_error *error);

/*
 * Give a created named object its name; a file's bytes, and then its name, are on the disk before
 * this returns. Does nothing for others.
 *
 * Returns 0, or
 *   -EEXIST the name is taken; the object stays invisible
 *   -errno  of rename, fsync or open otherwise
 */
int lam_segment_appear(struct lam_segment *segment, struct lam_error *error);

/*
 * Open a named object, without mapping it. A symbolic link in its place is not followed.
 *
 * Returns 0, or
 *   -ENOENT no such name
 *   -EINVAL the name is empty, too long or holds a '/'
 *   -errno  of open (-EACCES: @error names file, mode and owner)
 */
int lam_segment_open(struct lam_segment *segment, const char *directory, const char *name,
    enum lam_access access, struct lam_error *error);

/*
 * Open for writing what is, or was, being made under the hidden name @file, for who cleans up after
 * a dead maker. Returns as lam_segment_open().
 */
int lam_segment_open_staged(
    struct lam_segment *segment, const char *directory, const char *file, struct lam_error *error);

/*
 * Use a duplicate of @fd, which stays the caller's, without mapping it.
 *
 * Returns 0 or -errno.
 */
int lam_segment_open_fd(
    struct lam_segment *segment, int fd, enum lam_access access, struct lam_error *error);

/* 1 when @segment's path still names the object that it has open, or 0. */
int lam_segment_has_name(const struct lam_segment *segment);

/*
 * 1 when the object without a name that @segment has open can never be cut short, as one passed by
 * a peer has to be, or 0.
 */
int lam_segment_keeps_size(const struct lam_segment *segment);

/* 1 when nobody can map the object writable any more, or 0. */
int lam_segment_is_hardened(const struct lam_segment *segment);

/* Size of the object in bytes, or -errno. */
int64_t lam_segment_object_bytes(const struct lam_segment *segment);

/*
 * Copy @bytes from the start of an open object to @to: what a header says is looked at before
 * anything is mapped by it.
 *
 * Returns 0, or
 *   -ENODATA the object is shorter
 *   -errno   of pread
 */
int lam_segment_read(const struct lam_segment *segment, void *to, uint64_t bytes);

/*
 * Map an open object: @head_bytes once, then @body_bytes twice.
 *
 * Returns 0, or
 *   -EINVAL sizes are not whole pages of the object's, or exceed it
 *   -EPERM  for writing, and the object is hardened
 *   -errno  of mmap
 */
int lam_segment_map(
    struct lam_segment *segment, uint64_t head_bytes, uint64_t body_bytes, struct lam_error *error);

/* Unmap and close. A staged object that never appeared is removed. Safe to call twice. */
void lam_segment_close(struct lam_segment *segment);

/* Remove the name, if it still names this object. Returns 0, also when it was gone, or -errno. */
int lam_segment_unlink(struct lam_segment *segment);

#ifdef __cplusplus
}
#endif

#endif
