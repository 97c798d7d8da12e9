/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_GEOMETRY_H
#define LAM_RING_GEOMETRY_H

/*
 * Sizes: from options to bytes (geometry.c), and back from heads of others (heads.c).
 */

#include "layout.h"

/* Sizes that follow from a ring's options. */
struct lam_ring_geometry {
    uint64_t depth;
    uint64_t mapped_cells;
    uint64_t head_bytes;
    uint64_t cells_bytes;
    uint64_t control_bytes;
    uint64_t page_bytes;         /* of data */
    uint64_t control_page_bytes; /* large only where the store has no others */
    uint32_t cell_bytes;
    enum lam_backing backing; /* huge pages may not be had */
};

/* Check @options and work the sizes out. Returns 0 or -EINVAL with a sentence. */
int lam_ring_geometry_of(struct lam_ring_geometry *geometry, const struct lam_ring_options *options,
    struct lam_error *error);

/* The same ring without huge pages. */
void lam_ring_geometry_small(
    struct lam_ring_geometry *geometry, const struct lam_ring_options *options);

static inline int lam_ring_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Cells to map for @depth cells: whole pages, a power of two. */
uint64_t lam_ring_mapped_cells(uint64_t depth, uint32_t cell_bytes, uint64_t page_bytes);

/* Bytes before the cells, and of control: whole pages. @producers is enum lam_ring_producers. */
uint64_t lam_ring_head_bytes(uint32_t producers, uint64_t mapped_cells, uint64_t page_bytes);
uint64_t lam_ring_control_bytes(
    uint32_t schema_bytes, uint32_t histogram_count, uint64_t page_bytes);

/* Where histograms lie in control: behind the schema, on lines of their own. */
uint32_t lam_ring_histogram_offset(uint32_t schema_bytes);

/* Fill the fields that follow from the mapped and checked heads. */
void lam_ring_bind(struct lam_ring *ring, const struct lam_ring_data *checked,
    uint32_t schema_bytes, uint32_t histogram_count);

/* Check a copy of each head. Return 0, or -EPROTO with field, found and expected. */
int lam_ring_check_data(
    const struct lam_ring_data *data, const struct lam_segment *segment, struct lam_error *error);
int lam_ring_check_control(const struct lam_ring_control *control,
    const struct lam_segment *segment, struct lam_error *error);

#endif
