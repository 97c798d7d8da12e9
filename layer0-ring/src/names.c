/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"
#include "layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void lam_ring_control_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.control", name);
}

void lam_ring_data_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.data", name);
}

/* Say which end keeps the ring behind @control alive. Returns -EEXIST, or 0: nobody does. */
static int name_the_living(
    const struct lam_segment *control, const char *name, struct lam_error *error)
{
    struct lam_ring_control head;

    /* What it says is for people only; an object that is cut short still has its locks. */
    if (lam_segment_read(control, &head, sizeof(head)) != 0)
        memset(&head, 0, sizeof(head));
    for (uint64_t byte = 0; byte < LAM_RING_LOCK_END; byte++) {
        uint64_t index = byte - LAM_RING_LOCK_CONSUMER;

        if (lam_base->lock_probe(control->fd, byte) == 0)
            continue;
        if (byte == LAM_RING_LOCK_PRODUCER)
            return lam_error_set(
                error, -EEXIST, "ring %s is alive: producer, pid %u", name, head.producer.pid);
        if (index < LAM_RING_CONSUMER_COUNT_MAX)
            return lam_error_set(error, -EEXIST, "ring %s is alive: consumer %.*s, pid %u", name,
                LAM_RING_CONSUMER_NAME_MAX, head.entries[index].name,
                head.entries[index].identity.pid);
        return lam_error_set(
            error, -EEXIST, "ring %s is alive: held by the process that made it", name);
    }
    return 0;
}

static int same_object(const struct lam_segment *segment)
{
    struct stat ours, named;

    return fstat(segment->fd, &ours) == 0 && stat(segment->path, &named) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/*
 * Remove what a dead ring left under our names. The replace lock of the *old* control object, held
 * while its name still is that object, keeps two creators from removing each other's new ring.
 */
static int remove_dead(
    const struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment old;
    struct lam_lock replace = {.fd = -1};
    int rc;

    lam_ring_control_file(file, options->name);
    rc = lam_segment_open(&old, options->directory, file, LAM_ACCESS_WRITE, error);
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    rc = name_the_living(&old, options->name, error);
    if (rc == 0) {
        rc = lam_lock_take(&replace, old.fd, LAM_RING_LOCK_REPLACE);
        if (rc != 0)
            rc = lam_error_set(error, rc == -EBUSY ? -EEXIST : rc,
                "ring %s: another process replaces it now", options->name);
    }
    if (rc == 0 && same_object(&old)) {
        if (unlink(ring->data.path) != 0 && errno != ENOENT)
            rc = lam_error_set(error, -errno, "%s: %s", ring->data.path, strerror(errno));
        else if (unlink(old.path) != 0 && errno != ENOENT)
            rc = lam_error_set(error, -errno, "%s: %s", old.path, strerror(errno));
    }
    lam_lock_drop(&replace);
    lam_segment_close(&old);
    return rc;
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
    rc = lam_segment_appear(&ring->data, error);
    if (rc == -EEXIST) {
        /* Data without control, of a creator that died between the two: the name is ours now. */
        (void)unlink(ring->data.path);
        rc = lam_segment_appear(&ring->data, error);
    }
    if (rc != 0)
        (void)lam_segment_unlink(&ring->control);
    return rc;
}
