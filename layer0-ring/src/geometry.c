/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes: from options to bytes.
 */
#include "geometry.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

static uint64_t whole_pages(uint64_t bytes, uint64_t page_bytes)
{
    return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

uint64_t lam_ring_head_bytes(uint32_t producers, uint64_t mapped_cells, uint64_t page_bytes)
{
    if (producers == LAM_RING_ONE_PRODUCER)
        return whole_pages(sizeof(struct lam_ring_data), page_bytes);
    return whole_pages(LAM_RING_MANY_OFFSET + sizeof(struct lam_ring_many) +
                           mapped_cells * sizeof(struct lam_event_header),
        page_bytes);
}

uint64_t lam_ring_mapped_cells(uint64_t depth, uint32_t cell_bytes, uint64_t page_bytes)
{
    uint64_t page_cells = page_bytes / cell_bytes;

    return depth > page_cells ? depth : page_cells;
}

uint32_t lam_ring_histogram_offset(uint32_t schema_bytes)
{
    return ((uint32_t)sizeof(struct lam_ring_control) + schema_bytes + LAM_HOT_BYTES - 1) /
           LAM_HOT_BYTES * LAM_HOT_BYTES;
}

uint64_t lam_ring_control_bytes(
    uint32_t schema_bytes, uint32_t histogram_count, uint64_t page_bytes)
{
    return whole_pages(
        lam_ring_histogram_offset(schema_bytes) + histogram_count * sizeof(struct lam_histogram),
        page_bytes);
}

static int check_names(const struct lam_ring_options *options, struct lam_error *error)
{
    if (options->name == NULL || options->name[0] == '\0')
        return lam_error_set(error, -EINVAL, "ring name: is missing");
    if (strlen(options->name) > LAM_RING_NAME_MAX || strchr(options->name, '/') != NULL)
        return lam_error_set(error, -EINVAL, "ring name \"%.60s\": has a '/' or more than %d bytes",
            options->name, LAM_RING_NAME_MAX);
    if (options->type_name != NULL && strlen(options->type_name) > LAM_RING_TYPE_NAME_MAX)
        return lam_error_set(error, -EINVAL, "ring %s: type name has more than %d bytes",
            options->name, LAM_RING_TYPE_NAME_MAX);
    if (options->histograms > LAM_RING_CONSUMER_COUNT_MAX)
        return lam_error_set(error, -EINVAL, "ring %s: %u histograms: more than %d", options->name,
            options->histograms, LAM_RING_CONSUMER_COUNT_MAX);
    if (options->schema_bytes > LAM_RING_SCHEMA_BYTES_MAX ||
        (options->schema_bytes != 0 && options->schema == NULL))
        return lam_error_set(error, -EINVAL, "ring %s: schema of %u bytes: missing, or above %u",
            options->name, options->schema_bytes, LAM_RING_SCHEMA_BYTES_MAX);
    return 0;
}

/* By which it is found in a store. */
static int has_name(const struct lam_ring_options *options)
{
    return options->backing == LAM_BACKING_NAMED || options->backing == LAM_BACKING_FILE ||
           (options->backing == LAM_BACKING_HUGE && options->directory != NULL);
}

/* An option that no backing of this kind can keep would be forgotten in silence. */
static int check_place(const struct lam_ring_options *options, struct lam_error *error)
{
    if (options->directory != NULL &&
        (options->backing == LAM_BACKING_ANONYMOUS || options->backing == LAM_BACKING_MEMFD))
        return lam_error_set(error, -EINVAL,
            "ring %s: directory %s: memory files have no name, so they lie in none", options->name,
            options->directory);
    if (options->keep && !has_name(options))
        return lam_error_set(error, -EINVAL,
            "ring %s: keep: without a name in a store nobody finds it again", options->name);
    return 0;
}

/* The pages that @options ask for: huge ones only if the machine has such a thing. */
static int choose_pages(struct lam_ring_geometry *geometry, const struct lam_ring_options *options,
    struct lam_error *error)
{
    int rc = 0;

    geometry->backing = options->backing;
    geometry->page_bytes = geometry->control_page_bytes = lam_segment_page_bytes();
    if (options->backing != LAM_BACKING_HUGE)
        return 0;
    rc = lam_segment_huge_page_bytes(options->directory, &geometry->page_bytes, error);
    if (options->directory != NULL)
        geometry->control_page_bytes = geometry->page_bytes;
    else if (rc != 0)
        geometry->backing = LAM_BACKING_MEMFD;
    return options->directory != NULL ? rc : 0;
}

static void work_sizes_out(
    struct lam_ring_geometry *geometry, const struct lam_ring_options *options)
{
    geometry->mapped_cells =
        lam_ring_mapped_cells(geometry->depth, geometry->cell_bytes, geometry->page_bytes);
    geometry->head_bytes = lam_ring_head_bytes(
        (uint32_t)options->producers, geometry->mapped_cells, geometry->page_bytes);
    geometry->cells_bytes = geometry->mapped_cells * geometry->cell_bytes;
    geometry->control_bytes = lam_ring_control_bytes(
        options->schema_bytes, options->histograms, geometry->control_page_bytes);
}

void lam_ring_geometry_small(
    struct lam_ring_geometry *geometry, const struct lam_ring_options *options)
{
    geometry->backing = LAM_BACKING_MEMFD;
    geometry->page_bytes = geometry->control_page_bytes = lam_segment_page_bytes();
    work_sizes_out(geometry, options);
}

int lam_ring_geometry_of(struct lam_ring_geometry *geometry, const struct lam_ring_options *options,
    struct lam_error *error)
{
    int rc = check_names(options, error);

    if (rc == 0)
        rc = check_place(options, error);
    if (rc != 0)
        return rc;
    geometry->depth = options->depth == 0 ? LAM_RING_DEPTH_DEFAULT : options->depth;
    geometry->cell_bytes =
        options->cell_bytes == 0 ? LAM_RING_CELL_BYTES_DEFAULT : options->cell_bytes;
    if (!lam_ring_is_power_of_two(geometry->cell_bytes) ||
        geometry->cell_bytes < LAM_RING_CELL_BYTES_MIN ||
        geometry->cell_bytes > LAM_RING_CELL_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "ring %s: cell of %u bytes: must be a power of two from %d to %d", options->name,
            geometry->cell_bytes, LAM_RING_CELL_BYTES_MIN, LAM_RING_CELL_BYTES_MAX);
    if (!lam_ring_is_power_of_two(geometry->depth) || geometry->depth < 2 ||
        geometry->depth > LAM_RING_DATA_BYTES_MAX / geometry->cell_bytes)
        return lam_error_set(error, -EINVAL,
            "ring %s: depth of %llu cells: must be a power of two from 2 to %llu", options->name,
            (unsigned long long)geometry->depth,
            (unsigned long long)(LAM_RING_DATA_BYTES_MAX / geometry->cell_bytes));
    if (options->waiting != LAM_RING_MAY_SLEEP && options->waiting != LAM_RING_SPIN_ONLY)
        return lam_error_set(error, -EINVAL,
            "ring %s: waiting %d is neither MAY_SLEEP nor SPIN_ONLY", options->name,
            (int)options->waiting);
    if (options->producers != LAM_RING_ONE_PRODUCER &&
        options->producers != LAM_RING_MANY_PRODUCERS)
        return lam_error_set(error, -EINVAL,
            "ring %s: producers %d is neither ONE_PRODUCER nor MANY_PRODUCERS", options->name,
            (int)options->producers);
    if (options->producers == LAM_RING_MANY_PRODUCERS && options->backing == LAM_BACKING_FILE)
        return lam_error_set(error, -EINVAL,
            "ring %s: a file ring has one producer: "
            "what many leave is not put in order after a power cut",
            options->name);
    rc = choose_pages(geometry, options, error);
    if (rc == 0)
        work_sizes_out(geometry, options);
    return rc;
}

int lam_ring_bytes(
    const struct lam_ring_options *options, uint64_t *total_bytes, struct lam_error *error)
{
    struct lam_ring_geometry geometry;
    int rc = lam_ring_geometry_of(&geometry, options, error);

    if (rc == 0)
        *total_bytes = geometry.head_bytes + geometry.cells_bytes + geometry.control_bytes;
    return rc;
}
