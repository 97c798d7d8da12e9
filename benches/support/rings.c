/* SPDX-License-Identifier: Apache-2.0 */
#include "rings.h"

#include "layers.h"

static int create(struct lam_ring *ring, const char *name, const struct bench_shape *shape,
    const struct lam_ring_options *wanted)
{
    struct lam_error error = {""};
    struct lam_ring_options options = *wanted;

    options.backing = LAM_BACKING_MEMFD;
    options.name = name;
    options.depth = shape->depth;
    options.cell_bytes = shape->cell_bytes;
    return bench_said(lam_ring_create(ring, &options, &error), &error);
}

int bench_rings_create(struct bench_rings *rings, const struct bench_shape *shape,
    const struct lam_ring_options *options)
{
    int rc = create(&rings->there, "bench.there", shape, options);

    return rc != 0 ? rc : create(&rings->back, "bench.back", shape, options);
}

static int reopen(struct lam_ring *ring, enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access, .type_hash = ring->type_hash};
    struct lam_error error = {""};
    struct lam_ring inherited = *ring;
    int data_fd, control_fd;

    lam_ring_fds(&inherited, &data_fd, &control_fd);
    return bench_said(lam_ring_attach_fds(ring, data_fd, control_fd, &options, &error), &error);
}

int bench_rings_take(
    struct bench_rings *rings, uint32_t side, struct lam_ring **out, struct lam_ring **in)
{
    int rc = 0;

    *out = side == 0 ? &rings->there : side == 1 ? &rings->back : NULL;
    *in = side == 0 ? &rings->back : &rings->there;
    if (side > 0)
        rc = reopen(&rings->there, LAM_ACCESS_READ);
    if (side > 0 && rc == 0)
        rc = reopen(&rings->back, LAM_ACCESS_WRITE);
    return rc;
}

void bench_rings_leave(struct bench_rings *rings)
{
    lam_ring_detach(&rings->there);
    lam_ring_detach(&rings->back);
}
