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
 * complete or not at all. Nothing here knows what the bytes mean.
 *
 * Control plane: any thread, system calls, may block on the kernel.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where named objects live unless told otherwise. */
#define LAM_SEGMENT_DIRECTORY "/dev/shm"

/* The longest name of an object, its directory not counted, without the terminator. */
#define LAM_SEGMENT_NAME_MAX 160

enum lam_backing {
    LAM_BACKING_ANONYMOUS = 0, /* no name: threads and forked children */
    LAM_BACKING_NAMED = 1,     /* a name in LAM_SEGMENT_DIRECTORY or another tmpfs */
    LAM_BACKING_MEMFD = 2,     /* no name, sealed against resizing: passed over a Unix socket */
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
    enum lam_access access;
    char path[LAM_SEGMENT_NAME_MAX + 96];        /* final path; empty without a name */
    char staged_path[LAM_SEGMENT_NAME_MAX + 96]; /* while it has not appeared yet */
};

struct lam_segment_options {
    enum lam_backing backing;
    const char *directory; /* named: NULL for LAM_SEGMENT_DIRECTORY */
    const char *name;      /* named: file name, no '/'. Others: a label for people */
    uint64_t head_bytes;   /* whole pages, 1 page or more */
    uint64_t body_bytes;   /* whole pages; 0 for none */
    mode_t mode;           /* permissions, set whatever the umask; 0 means 0600 */
};

/* The size of a page. */
uint64_t lam_segment_page_bytes(void);

/*
 * Make an object, reserve its memory, map it for writing, touch all pages. The bytes are zero. A
 * named object is not visible yet: lam_segment_appear().
 *
 * Returns 0, or
 *   -EINVAL       sizes are not whole pages, or the name is empty, too long or holds a '/'
 *   -ENOSPC       the store is too full; @error says mount, needed and free bytes
 *   -errno        of the system call that @error names
 */
int lam_segment_create(struct lam_segment *segment, const struct lam_segment_options *options,
    struct lam_error *error);

/*
 * Give a created named object its name. Does nothing for others.
 *
 * Returns 0, or
 *   -EEXIST the name is taken; the object stays invisible
 *   -errno  of rename otherwise
 */
int lam_segment_appear(struct lam_segment *segment, struct lam_error *error);

/*
 * Open a named object, without mapping it.
 *
 * Returns 0, or
 *   -ENOENT no such name
 *   -EINVAL the name is empty, too long or holds a '/'
 *   -errno  of open (-EACCES: @error names file, mode and owner)
 */
int lam_segment_open(struct lam_segment *segment, const char *directory, const char *name,
    enum lam_access access, struct lam_error *error);

/*
 * Use a duplicate of @fd, which stays the caller's, without mapping it.
 *
 * Returns 0 or -errno.
 */
int lam_segment_open_fd(
    struct lam_segment *segment, int fd, enum lam_access access, struct lam_error *error);

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
 *   -EINVAL sizes are not whole pages or exceed the object
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
