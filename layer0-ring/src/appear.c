/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made ring takes its names; what a dead one left under them goes first.
 */
#include "lamina/base/crash_point.h"
#include "names.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether @object is a regular file that begins as a ring's object of this kind does. */
static int read_mark(const struct lam_segment *object, uint64_t magic, struct lam_ring_mark *mark)
{
    struct stat status;

    return fstat(object->fd, &status) == 0 && S_ISREG(status.st_mode) &&
           lam_segment_read(object, mark, sizeof(*mark)) == 0 && mark->magic == magic;
}

static int read_data_mark(const struct lam_ring_options *options, struct lam_ring_mark *mark)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment data;
    int found;

    lam_ring_data_file(file, options->name);
    found = lam_segment_open(&data, options->directory, file, LAM_ACCESS_READ, NULL) == 0 &&
            read_mark(&data, LAM_RING_DATA_MAGIC, mark);
    lam_segment_close(&data);
    return found;
}

/* What no ring has made is somebody's who is not asked, whatever its name. */
static int refuse_foreign(const char *path, struct lam_error *error)
{
    return lam_error_set(
        error, -EEXIST, "%s: is there, and is no object of a ring: it is yours to remove", path);
}

/* Another layout may lock other bytes: that none of ours is held proves nobody's death. */
static int check_layout(const struct lam_ring_mark *mark, const struct lam_ring_options *options,
    const char *path, struct lam_error *error)
{
    if (mark->version == LAM_RING_LAYOUT_VERSION)
        return 0;
    return lam_error_set(error, -EPROTO,
        "ring %s: layout version of the one that is there is %u, expected %d: whether it lives "
        "only a lamina of that version can tell; clean it by that one, or remove %s and the "
        "object beside it",
        options->name, mark->version, LAM_RING_LAYOUT_VERSION, path);
}

/* The control object that has our name. Returns 0, -ENOENT: none has, or another error. */
static int open_old(
    struct lam_segment *old, const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_ring_mark mark;
    int rc;

    lam_ring_control_file(file, options->name);
    rc = lam_segment_open(old, options->directory, file, LAM_ACCESS_WRITE, error);
    if (rc == -ELOOP || rc == -EISDIR || rc == -ENXIO) /* a link, a directory, a socket */
        return refuse_foreign(old->path, error);
    if (rc != 0)
        return rc;
    /* Every end may write control: where there is data, its mark speaks for both. */
    if (read_data_mark(options, &mark) || read_mark(old, LAM_RING_CONTROL_MAGIC, &mark))
        rc = check_layout(&mark, options, old->path, error);
    else
        rc = refuse_foreign(old->path, error);
    if (rc != 0)
        lam_segment_close(old);
    return rc;
}

/* A dead ring is not ours to remove if it is a file, or if the caller wants to go on with it. */
static int refuse_to_replace(const struct lam_ring *ring, const struct lam_segment *old,
    const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_ring_mark mark = {0};

    (void)lam_segment_read(old, &mark, sizeof(mark));
    if (!options->keep && options->backing != LAM_BACKING_FILE &&
        (mark.magic != LAM_RING_CONTROL_MAGIC || (mark.traits & LAM_RING_TRAIT_FILE) == 0))
        return 0;
    if (access(ring->data.path, F_OK) != 0)
        return 0; /* its maker died before it was a ring */
    return lam_error_set(error, -EEXIST,
        "ring %s: a file ring that nobody holds is there (%s): "
        "go on with it by keep = 1, or remove it by lamina clean --files",
        options->name, old->path);
}

/*
 * Remove what a dead ring left under our names. Whether it is dead is asked after the replace lock
 * was taken: an end that joins meanwhile waits for that lock and then finds its name gone.
 */
static int remove_dead(
    const struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_segment old;
    struct lam_lock replace = {.fd = -1};
    int rc = open_old(&old, options, error);

    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    rc = lam_ring_take_replace(&replace, &old);
    if (rc != 0)
        rc = lam_error_set(error, rc == -EBUSY ? -EEXIST : rc,
            "ring %s: another process replaces it now", options->name);
    if (rc == 0)
        rc = lam_ring_name_the_living(&old, options->name, error);
    if (rc == 0)
        rc = refuse_to_replace(ring, &old, options, error);
    LAM_CRASH_POINT("replace.proven_dead");
    if (rc == 0)
        rc = lam_ring_remove_names(&old, ring->data.path, error);
    lam_lock_drop(&replace);
    lam_segment_close(&old);
    return rc;
}

/* Data without control: a name that somebody removed by hand. No lock tells whose it is. */
static int appear_over_data(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_ring_mark mark;
    int rc;

    if (options->keep || options->backing == LAM_BACKING_FILE)
        return lam_error_set(error, -EEXIST,
            "%s: is there without its control object; it may hold what somebody wants, so it is "
            "yours to remove",
            ring->data.path);
    if (!read_data_mark(options, &mark))
        return refuse_foreign(ring->data.path, error);
    rc = check_layout(&mark, options, ring->data.path, error);
    if (rc != 0)
        return rc;
    (void)unlink(ring->data.path);
    return lam_segment_appear(&ring->data, error);
}

int lam_ring_appear(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    int rc = lam_segment_appear(&ring->control, error);

    /* A few tries: whoever replaces the same dead ring may come first. */
    for (unsigned attempt = 0; rc == -EEXIST && attempt < 3; attempt++) {
        rc = remove_dead(ring, options, error);
        if (rc != 0)
            return rc;
        rc = lam_segment_appear(&ring->control, error);
    }
    if (rc != 0)
        return rc;
    LAM_CRASH_POINT("create.control_appeared");
    rc = lam_segment_appear(&ring->data, error);
    LAM_CRASH_POINT("create.appeared");
    if (rc == -EEXIST)
        rc = appear_over_data(ring, options, error);
    if (rc != 0)
        (void)lam_segment_unlink(&ring->control); /* ours: we hold the creator's lock */
    return rc;
}
