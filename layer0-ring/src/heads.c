/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heads of both objects: checked where somebody else wrote them, and only then used.
 */
#include "geometry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One field of a head, what it says and what it must say. */
struct field {
    const char *name;
    uint64_t found;
    uint64_t expected;
};

static int check_fields(
    const char *object, const struct field *fields, size_t count, struct lam_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].found != fields[i].expected)
            return lam_error_set(error, -EPROTO,
                "%s object: %s is 0x%llx, expected 0x%llx: not a ring of this version, or damaged",
                object, fields[i].name, (unsigned long long)fields[i].found,
                (unsigned long long)fields[i].expected);
    }
    return 0;
}

static int check_mark(
    const char *object, const struct lam_ring_mark *mark, uint64_t magic, struct lam_error *error)
{
    const struct field fields[] = {
        {"magic", mark->magic, magic},
        {"byte order", mark->byte_order, LAM_RING_BYTE_ORDER},
        {"layout version", mark->version, LAM_RING_LAYOUT_VERSION},
    };

    return check_fields(object, fields, sizeof(fields) / sizeof(fields[0]), error);
}

int lam_ring_check_data(
    const struct lam_ring_data *data, const struct lam_segment *segment, struct lam_error *error)
{
    int rc = check_mark("data", &data->mark, LAM_RING_DATA_MAGIC, error);

    if (rc != 0)
        return rc;
    if (!lam_ring_is_power_of_two(data->cell_bytes) || data->cell_bytes < LAM_RING_CELL_BYTES_MIN ||
        data->cell_bytes > LAM_RING_CELL_BYTES_MAX)
        return lam_error_set(error, -EPROTO,
            "data object: cell size is %u, expected a power of two from %d to %d", data->cell_bytes,
            LAM_RING_CELL_BYTES_MIN, LAM_RING_CELL_BYTES_MAX);
    if (!lam_ring_is_power_of_two(data->depth) || data->depth < 2 ||
        data->depth > LAM_RING_DATA_BYTES_MAX / data->cell_bytes)
        return lam_error_set(error, -EPROTO,
            "data object: depth is %llu, expected a power of two from 2",
            (unsigned long long)data->depth);
    if (data->waiting > LAM_RING_SPIN_ONLY)
        return lam_error_set(
            error, -EPROTO, "data object: waiting is %u, expected 0 or 1", data->waiting);
    if (data->producers > LAM_RING_MANY_PRODUCERS)
        return lam_error_set(
            error, -EPROTO, "data object: producers is %u, expected 0 or 1", data->producers);
    if (memchr(data->name, '\0', sizeof(data->name)) == NULL ||
        memchr(data->type_name, '\0', sizeof(data->type_name)) == NULL)
        return lam_error_set(error, -EPROTO, "data object: a name is not terminated");

    uint64_t mapped_cells =
        lam_ring_mapped_cells(data->depth, data->cell_bytes, segment->page_bytes);
    uint64_t head_bytes = lam_ring_head_bytes(data->producers, mapped_cells, segment->page_bytes);
    uint64_t expected_bytes = head_bytes + mapped_cells * data->cell_bytes;
    const struct field fields[] = {
        {"page size", data->mark.page_bytes, segment->page_bytes},
        {"mapped cells", data->mapped_cells, mapped_cells},
        {"head size", data->head_bytes, head_bytes},
        {"stated size", data->mark.object_bytes, expected_bytes},
        {"size", (uint64_t)lam_segment_object_bytes(segment), expected_bytes},
    };

    return check_fields("data", fields, sizeof(fields) / sizeof(fields[0]), error);
}

int lam_ring_check_control(const struct lam_ring_control *control,
    const struct lam_segment *segment, struct lam_error *error)
{
    int rc = check_mark("control", &control->mark, LAM_RING_CONTROL_MAGIC, error);

    if (rc != 0)
        return rc;
    if (control->schema_bytes > LAM_RING_SCHEMA_BYTES_MAX)
        return lam_error_set(error, -EPROTO,
            "control object: schema size is %u, expected %u at most", control->schema_bytes,
            LAM_RING_SCHEMA_BYTES_MAX);

    if (control->histogram_count > LAM_RING_CONSUMER_COUNT_MAX)
        return lam_error_set(error, -EPROTO,
            "control object: histogram count is %u, expected %d at most", control->histogram_count,
            LAM_RING_CONSUMER_COUNT_MAX);

    uint64_t expected_bytes = lam_ring_control_bytes(
        control->schema_bytes, control->histogram_count, segment->page_bytes);
    const struct field fields[] = {
        {"page size", control->mark.page_bytes, segment->page_bytes},
        {"entry count", control->entry_count, LAM_RING_CONSUMER_COUNT_MAX},
        {"entry size", control->entry_bytes, sizeof(struct lam_ring_entry)},
        {"schema offset", control->schema_offset, sizeof(struct lam_ring_control)},
        {"stated size", control->mark.object_bytes, expected_bytes},
        {"size", (uint64_t)lam_segment_object_bytes(segment), expected_bytes},
        {"histogram offset", control->histogram_offset,
            lam_ring_histogram_offset(control->schema_bytes)},
    };

    return check_fields("control", fields, sizeof(fields) / sizeof(fields[0]), error);
}

void lam_ring_bind(struct lam_ring *ring, const struct lam_ring_data *checked,
    uint32_t schema_bytes, uint32_t histogram_count)
{
    uint64_t event_cells;

    ring->data_head = (struct lam_ring_data *)(void *)ring->data.base;
    ring->control_head = (struct lam_ring_control *)(void *)ring->control.base;
    ring->cells = ring->data.base + checked->head_bytes;
    ring->histograms = (struct lam_histogram *)(void *)(ring->control.base +
                                                        lam_ring_histogram_offset(schema_bytes));
    ring->histogram_count = histogram_count;
    ring->producers = (enum lam_ring_producers)checked->producers;
    ring->ring_id = checked->mark.ring_id;
    ring->page_bytes = ring->data.page_bytes;
    ring->depth = checked->depth;
    ring->cell_mask = checked->mapped_cells - 1;
    ring->cell_shift = (uint32_t)__builtin_ctz(checked->cell_bytes);
    ring->heads = ring->cells;
    ring->head_shift = ring->cell_shift;
    if (ring->producers == LAM_RING_MANY_PRODUCERS) {
        ring->heads = ring->data.base + LAM_RING_MANY_OFFSET + sizeof(struct lam_ring_many);
        ring->head_shift = (uint32_t)__builtin_ctz(sizeof(struct lam_event_header));
    }
    ring->waiting = (enum lam_ring_waiting)checked->waiting;
    ring->first_sequence = checked->first_sequence;
    ring->type_hash = checked->type_hash;
    (void)snprintf(ring->name, sizeof(ring->name), "%s", checked->name);
    /* Half the ring, but never more than a length of 32 bits can say. */
    event_cells = checked->depth / 2;
    if (event_cells > (UINT64_C(1) << 32) / checked->cell_bytes)
        event_cells = (UINT64_C(1) << 32) / checked->cell_bytes;
    ring->event_cells_max = (uint32_t)event_cells;
}

int64_t lam_ring_schema(const struct lam_ring *ring, const void **schema)
{
    /* Once, into a local: control is written by every end. */
    const uint32_t bytes =
        lam_load_relaxed((const lam_atomic_u32 *)(const void *)&ring->control_head->schema_bytes);

    if (bytes > ring->control.head_bytes - sizeof(struct lam_ring_control))
        return -EPROTO;
    *schema = ring->control.base + sizeof(struct lam_ring_control);
    return bytes;
}

void lam_ring_type_name(const struct lam_ring *ring, char text[LAM_RING_TYPE_NAME_MAX + 1])
{
    memcpy(text, ring->data_head->type_name, LAM_RING_TYPE_NAME_MAX);
    text[LAM_RING_TYPE_NAME_MAX] = '\0';
}
