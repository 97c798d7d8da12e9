/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a ring: both objects complete, control appears first, data last; and its end. What is in
 * them: objects.c.
 */
#include "geometry.h"
#include "names.h"

#include <errno.h>
#include <string.h>

/* How long to look at a ring that others are making or removing. */
#define KEEP_NS (2 * LAM_NS_PER_S)

void lam_ring_clear(struct lam_ring *ring)
{
    memset(ring, 0, sizeof(*ring));
    lam_segment_clear(&ring->data);
    lam_segment_clear(&ring->control);
    ring->creator.fd = -1;
}

static int make_new(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    int rc;

    lam_ring_clear(ring);
    rc = lam_ring_create_objects(ring, options, error);
    if (rc == 0)
        rc = lam_ring_appear(ring, options, error);
    if (rc != 0)
        lam_ring_detach(ring);
    return rc;
}

/* Whether the ring that is there is the one that was asked for. */
static int check_fit(
    const struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    uint64_t depth = options->depth == 0 ? LAM_RING_DEPTH_DEFAULT : options->depth;
    uint32_t cell_bytes =
        options->cell_bytes == 0 ? LAM_RING_CELL_BYTES_DEFAULT : options->cell_bytes;
    uint32_t traits = ring->control_head->mark.traits;

    if (ring->depth == depth && UINT32_C(1) << ring->cell_shift == cell_bytes &&
        ring->waiting == options->waiting && ring->producers == options->producers &&
        ring->type_hash == options->type_hash &&
        ((traits & LAM_RING_TRAIT_FILE) != 0) == (options->backing == LAM_BACKING_FILE))
        return 0;
    return lam_error_set(error, -EINVAL,
        "ring %s: is there already with depth %llu, cells of %u bytes, waiting %d, type hash %llx "
        "and %s; asked for are %llu, %u, %d, %llx and %s",
        options->name, (unsigned long long)ring->depth, 1U << ring->cell_shift, (int)ring->waiting,
        (unsigned long long)ring->type_hash,
        (traits & LAM_RING_TRAIT_FILE) != 0 ? "a file" : "no file", (unsigned long long)depth,
        cell_bytes, (int)options->waiting, (unsigned long long)options->type_hash,
        options->backing == LAM_BACKING_FILE ? "a file" : "no file");
}

/* Join the ring that is there, for writing. Returns 0, -ENOENT: there is none, or another error. */
static int go_on(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_ring_attach_options attach = {
        .name = options->name, .directory = options->directory, .access = LAM_ACCESS_WRITE};
    int rc = lam_ring_attach_once(ring, &attach, error);

    if (rc != 0)
        return rc;
    rc = check_fit(ring, options, error);
    if (rc == 0)
        rc = lam_lock_take(&ring->creator, ring->control.fd, LAM_RING_LOCK_CREATOR);
    if (rc == 0 || rc == -EBUSY) /* its maker is alive: then we need not stand in */
        rc = lam_ring_confirm(ring, error);
    if (rc != 0)
        lam_ring_detach(ring);
    return rc;
}

/*
 * Go on with what is there, or make it. Between the look and the making another may come first, and
 * what is there may be half of a ring that is being made, or that is being removed.
 */
static int keep_or_make(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    uint64_t end_ns = lam_deadline_after_ns(KEEP_NS);
    unsigned mixed_up = 0;
    int rc;

    for (;;) {
        rc = go_on(ring, options, error);
        if (rc != -ENOENT && (rc != -EPROTO || ++mixed_up > 3))
            return rc;
        if (rc == -ENOENT) {
            rc = make_new(ring, options, error);
            if (rc != -EEXIST || lam_clock_now_ns() >= end_ns)
                return rc;
        }
        lam_ring_nap();
    }
}

int lam_ring_create(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_error why = {{0}};
    struct lam_ring_geometry geometry;
    int rc;

    lam_ring_clear(ring); /* a detach is safe whatever fails */
    rc = lam_ring_geometry_of(&geometry, options, &why);
    if (rc == 0)
        rc = options->keep ? keep_or_make(ring, options, &why) : make_new(ring, options, &why);
    return rc == 0 ? 0 : lam_error_set(error, rc, "%s", why.text);
}

void lam_ring_fds(const struct lam_ring *ring, int *data_fd, int *control_fd)
{
    *data_fd = ring->data.fd;
    *control_fd = ring->control.fd;
}

void lam_ring_detach(struct lam_ring *ring)
{
    lam_lock_drop(&ring->creator);
    lam_segment_close(&ring->data);
    lam_segment_close(&ring->control);
}

/* By the replace lock, or a name that a successor has made meanwhile might be taken away. */
static int remove_own_names(const struct lam_ring *ring)
{
    struct lam_lock replace = {.fd = -1};
    int rc;

    if (ring->control.path[0] == '\0' || !lam_segment_has_name(&ring->control))
        return 0;
    rc = lam_ring_take_replace(&replace, &ring->control);
    if (rc == 0)
        rc = lam_ring_remove_names(&ring->control, ring->data.path, NULL);
    lam_lock_drop(&replace);
    return rc;
}

int lam_ring_destroy(struct lam_ring *ring)
{
    int rc = remove_own_names(ring);

    lam_ring_detach(ring);
    return rc;
}
