/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a ring: both objects complete, control appears first, data last; and its end.
 */
#include "layout.h"
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static void fill_mark(struct lam_ring_mark *mark, uint64_t magic, uint64_t bytes, uint64_t ring_id)
{
    mark->magic = magic;
    mark->version = LAM_RING_LAYOUT_VERSION;
    mark->byte_order = LAM_RING_BYTE_ORDER;
    mark->object_bytes = bytes;
    mark->ring_id = ring_id;
}

/* A new ring's cells hold complements: no byte that is there by chance is a stamp. */
static void fill_cells(uint8_t *cells, const struct lam_ring_data *data)
{
    for (uint64_t i = 0; i < data->mapped_cells; i++) {
        uint64_t sequence = data->first_sequence + i;
        uint64_t index = sequence & (data->mapped_cells - 1);
        struct lam_event_header *header =
            (struct lam_event_header *)(void *)(cells + index * data->cell_bytes);

        lam_store_relaxed(&header->stamp, ~sequence);
    }
}

static void fill_data(struct lam_segment *segment, const struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, uint64_t ring_id)
{
    struct lam_ring_data *data = (struct lam_ring_data *)(void *)segment->base;

    fill_mark(
        &data->mark, LAM_RING_DATA_MAGIC, geometry->head_bytes + geometry->cells_bytes, ring_id);
    data->head_bytes = geometry->head_bytes;
    data->depth = geometry->depth;
    data->mapped_cells = geometry->mapped_cells;
    data->cell_bytes = geometry->cell_bytes;
    data->waiting = (uint32_t)options->waiting;
    data->first_sequence = options->first_sequence;
    data->type_hash = options->type_hash;
    (void)snprintf(data->name, sizeof(data->name), "%s", options->name);
    (void)snprintf(data->type_name, sizeof(data->type_name), "%s",
        options->type_name == NULL ? "" : options->type_name);
    lam_store_relaxed(&data->horizon, options->first_sequence);
    lam_store_relaxed(&data->waypoints[0].sequence, options->first_sequence);
    lam_store_relaxed(&data->waypoint_count, 1);
    fill_cells(segment->base + geometry->head_bytes, data);
}

static void fill_control(struct lam_segment *segment, const struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, uint64_t ring_id)
{
    struct lam_ring_control *control = (struct lam_ring_control *)(void *)segment->base;

    fill_mark(&control->mark, LAM_RING_CONTROL_MAGIC, geometry->control_bytes, ring_id);
    control->entry_count = LAM_RING_CONSUMER_COUNT_MAX;
    control->entry_bytes = (uint32_t)sizeof(struct lam_ring_entry);
    control->schema_offset = (uint32_t)sizeof(struct lam_ring_control);
    control->schema_bytes = options->schema_bytes;
    if (options->schema_bytes != 0)
        memcpy(segment->base + sizeof(*control), options->schema, options->schema_bytes);
}

static int create_objects(struct lam_ring *ring, const struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment_options segment = {
        .backing = options->backing,
        .directory = options->directory,
        .name = file,
        .mode = options->mode,
    };
    uint64_t ring_id;
    int rc;

    if (getrandom(&ring_id, sizeof(ring_id), 0) != (ssize_t)sizeof(ring_id))
        return lam_error_set(error, -errno, "getrandom: %s", strerror(errno));
    lam_ring_control_file(file, options->name);
    segment.head_bytes = geometry->control_bytes;
    rc = lam_segment_create(&ring->control, &segment, error);
    if (rc != 0)
        return rc;
    fill_control(&ring->control, geometry, options, ring_id);
    lam_ring_data_file(file, options->name);
    segment.head_bytes = geometry->head_bytes;
    segment.body_bytes = geometry->cells_bytes;
    rc = lam_segment_create(&ring->data, &segment, error);
    if (rc != 0)
        return rc;
    fill_data(&ring->data, geometry, options, ring_id);
    /* Before it has a name: a ring that can be seen has always somebody who holds it. */
    rc = lam_lock_take(&ring->creator, ring->control.fd, LAM_RING_LOCK_CREATOR);
    if (rc != 0)
        return lam_error_set(error, rc, "ring %s: cannot lock: %s", options->name, strerror(-rc));
    return 0;
}

void lam_ring_clear(struct lam_ring *ring)
{
    memset(ring, 0, sizeof(*ring));
    ring->data.fd = -1;
    ring->control.fd = -1;
    ring->creator.fd = -1;
}

int lam_ring_create(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_ring_geometry geometry;
    int rc;

    lam_ring_clear(ring);
    rc = lam_ring_geometry_of(&geometry, options, error);
    if (rc != 0)
        return rc;
    rc = create_objects(ring, &geometry, options, error);
    if (rc == 0)
        rc = lam_ring_appear(ring, options, error);
    if (rc != 0) {
        lam_ring_detach(ring);
        return rc;
    }
    lam_ring_bind(ring, (const struct lam_ring_data *)(const void *)ring->data.base);
    return 0;
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

int lam_ring_destroy(struct lam_ring *ring)
{
    /* Data first: who finds data must find its control. */
    int rc = lam_segment_unlink(&ring->data);
    int control_rc = lam_segment_unlink(&ring->control);

    lam_ring_detach(ring);
    return rc != 0 ? rc : control_rc;
}
