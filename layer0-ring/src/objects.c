/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new ring's two objects, complete and without a name.
 */
#include "geometry.h"
#include "lamina/base/crash_point.h"
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void fill_mark(struct lam_ring_mark *mark, uint64_t magic, const struct lam_segment *segment,
    const struct lam_ring_options *options, uint64_t ring_id)
{
    mark->magic = magic;
    mark->version = LAM_RING_LAYOUT_VERSION;
    mark->byte_order = LAM_RING_BYTE_ORDER;
    mark->object_bytes = segment->head_bytes + segment->body_bytes;
    mark->ring_id = ring_id;
    mark->page_bytes = (uint32_t)segment->page_bytes;
    mark->traits = (options->backing == LAM_BACKING_FILE ? LAM_RING_TRAIT_FILE : 0U) |
                   (options->hardened ? LAM_RING_TRAIT_HARDENED : 0U);
}

/* A new ring's headers hold complements: no byte that is there by chance is a stamp. */
static void fill_stamps(uint8_t *heads, const struct lam_ring_data *data, uint64_t bytes_between)
{
    for (uint64_t i = 0; i < data->mapped_cells; i++) {
        uint64_t sequence = data->first_sequence + i;
        uint64_t index = sequence & (data->mapped_cells - 1);
        struct lam_event_header *header =
            (struct lam_event_header *)(void *)(heads + index * bytes_between);

        lam_store_relaxed(&header->stamp, ~sequence);
    }
}

static void fill_many(const struct lam_segment *segment, const struct lam_ring_data *data)
{
    struct lam_ring_many *many =
        (struct lam_ring_many *)(void *)(segment->base + LAM_RING_MANY_OFFSET);

    lam_store_relaxed(&many->tail, data->first_sequence);
    for (uint32_t index = 0; index < LAM_RING_PRODUCER_COUNT_MAX; index++)
        lam_store_relaxed(&many->entries[index].intent, data->first_sequence - 1);
    fill_stamps((uint8_t *)(many + 1), data, sizeof(struct lam_event_header));
}

/*
 * The head is filled in @data, which is ours alone, and then copied: nothing is read back from
 * where others may write already, under its hidden name, too.
 */
static void fill_data(const struct lam_segment *segment, const struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, uint64_t ring_id, struct lam_ring_data *data)
{
    fill_mark(&data->mark, LAM_RING_DATA_MAGIC, segment, options, ring_id);
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
    if (options->backing == LAM_BACKING_FILE)
        lam_store_relaxed(&data->boot, lam_identity_self().boot);
    lam_store_relaxed(&data->horizon, options->first_sequence);
    lam_store_relaxed(&data->waypoints[0].sequence, options->first_sequence);
    lam_store_relaxed(&data->waypoint_count, 1);
    data->producers = (uint32_t)options->producers;
    memcpy(segment->base, data, sizeof(*data));
    if (options->producers == LAM_RING_MANY_PRODUCERS)
        fill_many(segment, data);
    else
        fill_stamps(segment->base + geometry->head_bytes, data, data->cell_bytes);
}

static void fill_control(
    struct lam_segment *segment, const struct lam_ring_options *options, uint64_t ring_id)
{
    struct lam_ring_control *control = (struct lam_ring_control *)(void *)segment->base;

    fill_mark(&control->mark, LAM_RING_CONTROL_MAGIC, segment, options, ring_id);
    control->entry_count = LAM_RING_CONSUMER_COUNT_MAX;
    control->entry_bytes = (uint32_t)sizeof(struct lam_ring_entry);
    control->schema_offset = (uint32_t)sizeof(struct lam_ring_control);
    control->schema_bytes = options->schema_bytes;
    control->histogram_offset = lam_ring_histogram_offset(options->schema_bytes);
    control->histogram_count = options->histograms;
    if (options->schema_bytes != 0)
        memcpy(segment->base + sizeof(*control), options->schema, options->schema_bytes);
}

static struct lam_segment_options segment_options(
    const struct lam_ring_options *options, enum lam_backing backing, const char *file)
{
    return (struct lam_segment_options){
        .backing = backing,
        .directory = options->directory,
        .name = file,
        .mode = options->mode,
        .set_group = options->set_group,
        .group = options->group,
        .bind_node = options->bind_node,
        .numa_node = options->numa_node,
    };
}

/* Huge pages for data, or small ones where there are none and the object needs no name. */
static int create_data(struct lam_ring *ring, struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment_options segment = segment_options(options, geometry->backing, file);
    struct lam_error why = {{0}};
    int rc;

    lam_ring_data_file(file, options->name);
    segment.hardened = options->hardened;
    segment.head_bytes = geometry->head_bytes;
    segment.body_bytes = geometry->cells_bytes;
    rc = lam_segment_create(&ring->data, &segment, &why);
    if (rc == -ENOSPC && geometry->backing == LAM_BACKING_HUGE && options->directory == NULL) {
        lam_ring_geometry_small(geometry, options);
        segment.backing = geometry->backing;
        segment.head_bytes = geometry->head_bytes;
        segment.body_bytes = geometry->cells_bytes;
        rc = lam_segment_create(&ring->data, &segment, &why);
    }
    return rc == 0 ? 0 : lam_error_set(error, rc, "%s", why.text);
}

static int create_control(struct lam_ring *ring, const struct lam_ring_geometry *geometry,
    const struct lam_ring_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    struct lam_segment_options segment = segment_options(options, geometry->backing, file);

    lam_ring_control_file(file, options->name);
    segment.head_bytes = geometry->control_bytes;
    if (geometry->control_page_bytes != geometry->page_bytes)
        segment.backing = LAM_BACKING_MEMFD;
    return lam_segment_create(&ring->control, &segment, error);
}

int lam_ring_create_objects(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error)
{
    struct lam_ring_data head = {.depth = 0};
    struct lam_ring_geometry geometry;
    uint64_t ring_id;
    int rc = lam_ring_geometry_of(&geometry, options, error);

    if (rc != 0)
        return rc;
    if (getrandom(&ring_id, sizeof(ring_id), 0) != (ssize_t)sizeof(ring_id))
        return lam_error_set(error, -errno, "getrandom: %s", strerror(errno));
    rc = create_control(ring, &geometry, options, error);
    if (rc != 0)
        return rc;
    fill_control(&ring->control, options, ring_id);
    LAM_CRASH_POINT("create.control_staged");
    rc = create_data(ring, &geometry, options, error);
    if (rc != 0)
        return rc;
    fill_data(&ring->data, &geometry, options, ring_id, &head);
    LAM_CRASH_POINT("create.data_staged");
    lam_ring_bind(ring, &head, options->schema_bytes, options->histograms);
    /* Before it has a name: a ring that can be seen has always somebody who holds it. */
    rc = lam_lock_take(&ring->creator, ring->control.fd, LAM_RING_LOCK_CREATOR);
    LAM_CRASH_POINT("create.locked");
    if (rc != 0)
        return lam_error_set(error, rc, "ring %s: cannot lock: %s", options->name, strerror(-rc));
    return 0;
}
