/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Whoever holds the replace lock makes a few system calls. */
#define NAPS_MAX 2000

void lam_ring_control_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.control", name);
}

void lam_ring_data_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.data", name);
}

void lam_ring_nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)LAM_NS_PER_MS}, NULL);
}

int lam_ring_take_replace(struct lam_lock *replace, const struct lam_segment *control)
{
    int rc = lam_lock_take(replace, control->fd, LAM_RING_LOCK_REPLACE);

    for (unsigned naps = 0; rc == -EBUSY && naps < NAPS_MAX; naps++) {
        lam_ring_nap();
        rc = lam_lock_take(replace, control->fd, LAM_RING_LOCK_REPLACE);
    }
    return rc;
}

int lam_ring_confirm(const struct lam_ring *ring, struct lam_error *error)
{
    unsigned naps = 0;

    if (ring->control.path[0] == '\0')
        return 0; /* without a name there is nothing that others could take away */
    while (lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_REPLACE) == 1) {
        if (++naps > NAPS_MAX)
            return lam_error_set(error, -EBUSY,
                "ring %s: another process replaces, cleans or revives it, and does not end",
                ring->name);
        lam_ring_nap();
    }
    if (!lam_segment_has_name(&ring->control))
        return lam_error_set(error, -ENOENT,
            "ring %s: it was destroyed or replaced since this process attached it: attach it anew",
            ring->name);
    return 0;
}

int lam_ring_name_the_living(
    const struct lam_segment *control, const char *name, struct lam_error *error)
{
    struct lam_ring_control head;

    /* What it says is for people only; an object that is cut short still has its locks. */
    if (lam_segment_read(control, &head, sizeof(head)) != 0)
        memset(&head, 0, sizeof(head));
    for (uint64_t byte = 0; byte < LAM_RING_LOCK_END; byte++) {
        uint64_t index = byte - LAM_RING_LOCK_CONSUMER;

        if (byte == LAM_RING_LOCK_REPLACE || lam_base->lock_probe(control->fd, byte) == 0)
            continue;
        if (byte == LAM_RING_LOCK_PRODUCER)
            return lam_error_set(
                error, -EEXIST, "ring %s is alive: producer, pid %u", name, head.producer.pid);
        if (index < LAM_RING_CONSUMER_COUNT_MAX)
            return lam_error_set(error, -EEXIST, "ring %s is alive: consumer %.*s, pid %u", name,
                LAM_RING_CONSUMER_NAME_MAX, head.entries[index].name,
                head.entries[index].identity.pid);
        if (byte >= LAM_RING_LOCK_MANY)
            return lam_error_set(error, -EEXIST, "ring %s is alive: producer %u of many", name,
                (unsigned)(byte - LAM_RING_LOCK_MANY));
        return lam_error_set(
            error, -EEXIST, "ring %s is alive: held by the process that made it", name);
    }
    return 0;
}

int lam_ring_remove_names(
    const struct lam_segment *control, const char *data_path, struct lam_error *error)
{
    if (!lam_segment_has_name(control))
        return 0;
    /* Data first: who finds data must find its control. What is left half way is found by that. */
    if (unlink(data_path) != 0 && errno != ENOENT)
        return lam_error_set(error, -errno, "%s: %s", data_path, strerror(errno));
    LAM_CRASH_POINT("remove.data_unlinked");
    if (unlink(control->path) != 0 && errno != ENOENT)
        return lam_error_set(error, -errno, "%s: %s", control->path, strerror(errno));
    LAM_CRASH_POINT("remove.control_unlinked");
    return 0;
}

/* Whether @object is a regular file that begins as a ring's object of this kind does. */
static int has_mark(const struct lam_segment *object, uint64_t magic)
{
    struct lam_ring_mark mark = {0};
    struct stat status;

    return fstat(object->fd, &status) == 0 && S_ISREG(status.st_mode) &&
           lam_segment_read(object, &mark, sizeof(mark)) == 0 && mark.magic == magic;
}

static int data_has_mark(const struct lam_ring_options *options)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment data;
    int found;

    lam_ring_data_file(file, options->name);
    found = lam_segment_open(&data, options->directory, file, LAM_ACCESS_READ, NULL) == 0 &&
            has_mark(&data, LAM_RING_DATA_MAGIC);
    lam_segment_close(&data);
    return found;
}

/* What no ring has made is somebody's who is not asked, whatever its name. */
static int refuse_foreign(const char *path, struct lam_error *error)
{
    return lam_error_set(
        error, -EEXIST, "%s: is there, and is no object of a ring: it is yours to remove", path);
}

/* The control object that has our name. Returns 0, -ENOENT: none has, or another error. */
static int open_old(
    struct lam_segment *old, const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    int rc;

    lam_ring_control_file(file, options->name);
    rc = lam_segment_open(old, options->directory, file, LAM_ACCESS_WRITE, error);
    if (rc == -ELOOP || rc == -EISDIR || rc == -ENXIO) /* a link, a directory, a socket */
        return refuse_foreign(old->path, error);
    if (rc != 0)
        return rc;
    /* Every end may write control: where one has spoilt its mark, that of data speaks for both. */
    if (has_mark(old, LAM_RING_CONTROL_MAGIC) || data_has_mark(options))
        return 0;
    rc = refuse_foreign(old->path, error);
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
    if (options->keep || options->backing == LAM_BACKING_FILE)
        return lam_error_set(error, -EEXIST,
            "%s: is there without its control object; it may hold what somebody wants, so it is "
            "yours to remove",
            ring->data.path);
    if (!data_has_mark(options))
        return refuse_foreign(ring->data.path, error);
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
