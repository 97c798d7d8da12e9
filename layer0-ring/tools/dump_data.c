/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a data object, field by field. */
#include "dump.h"
#include "layout.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>

#define FIELD(member, wrong)                                                                       \
    dump_number(dump, offsetof(struct lam_ring_data, member), sizeof(data->member), #member,       \
        data->member, wrong)
#define WORD(member, wrong)                                                                        \
    dump_number(dump, offsetof(struct lam_ring_data, member), sizeof(data->member), #member,       \
        lam_load_relaxed(&data->member), wrong)
#define TEXT(member)                                                                               \
    dump_text(dump, offsetof(struct lam_ring_data, member), sizeof(data->member), #member,         \
        data->member, NULL)

static int cell_bytes_can_be(uint32_t cell_bytes)
{
    return dump_is_power_of_two(cell_bytes) && cell_bytes >= LAM_RING_CELL_BYTES_MIN &&
           cell_bytes <= LAM_RING_CELL_BYTES_MAX;
}

static int depth_can_be(const struct lam_ring_data *data)
{
    return dump_is_power_of_two(data->depth) && data->depth >= 2 &&
           cell_bytes_can_be(data->cell_bytes) &&
           data->depth <= LAM_RING_DATA_BYTES_MAX / data->cell_bytes;
}

static int cells_can_be(const struct lam_ring_data *data)
{
    return depth_can_be(data) && dump_is_power_of_two(data->mapped_cells) &&
           data->mapped_cells >= data->depth &&
           data->mapped_cells <= LAM_RING_DATA_BYTES_MAX / data->cell_bytes &&
           data->head_bytes >= sizeof(*data) && data->head_bytes <= LAM_RING_DATA_BYTES_MAX;
}

static void geometry(struct dump *dump, const struct lam_ring_data *data)
{
    uint64_t page_bytes = data->mark.page_bytes;

    const char *wrong = NULL;

    if (data->head_bytes < sizeof(*data))
        wrong = "too few for a head";
    else if (page_bytes != 0 && data->head_bytes % page_bytes != 0)
        wrong = "no whole pages";
    else if (data->head_bytes > dump->object_bytes)
        wrong = "beyond the object's end";
    FIELD(head_bytes, wrong);
    FIELD(depth, depth_can_be(data) ? NULL : "expected a power of two from 2 that fits the cells");
    FIELD(mapped_cells, cells_can_be(data) ? NULL : "expected a power of two, the depth at least");
    FIELD(cell_bytes,
        cell_bytes_can_be(data->cell_bytes) ? NULL : "expected a power of two from 32 to 65536");
    FIELD(waiting, data->waiting <= LAM_RING_SPIN_ONLY ? NULL : "expected 0 or 1");
    FIELD(producers, data->producers <= LAM_RING_MANY_PRODUCERS ? NULL : "expected 0 or 1");
    FIELD(first_sequence, NULL);
    dump_hex(dump, offsetof(struct lam_ring_data, type_hash), sizeof(data->type_hash), "type_hash",
        data->type_hash, NULL);
    TEXT(name);
    TEXT(type_name);
}

static void waypoints(struct dump *dump, const struct lam_ring_data *data)
{
    uint64_t count = lam_load_relaxed(&data->waypoint_count);

    WORD(waypoint_count, count == 0 ? "a ring has one from the start" : NULL);
    for (uint32_t i = 0; i < LAM_RING_WAYPOINT_COUNT; i++) {
        const struct lam_ring_waypoint *waypoint = &data->waypoints[i];
        uint64_t offset = offsetof(struct lam_ring_data, waypoints) + i * sizeof(*waypoint);
        char name[40];

        if (i >= count)
            break;
        (void)snprintf(name, sizeof(name), "waypoints[%u].sequence%s", i,
            (count - 1) % LAM_RING_WAYPOINT_COUNT == i ? " *" : ""); /* the newest */
        dump_number(dump, offset, 8, name, lam_load_relaxed(&waypoint->sequence), NULL);
        (void)snprintf(name, sizeof(name), "waypoints[%u].ordinal", i);
        dump_number(dump, offset + 8, 8, name, lam_load_relaxed(&waypoint->ordinal), NULL);
    }
}

/* Many producers' words, and those of them that ever were. */
static void many(struct dump *dump)
{
    static struct lam_ring_many many;
    const uint64_t base = LAM_RING_MANY_OFFSET;

    (void)dump_read(dump, base, &many, sizeof(many));
    dump_number(dump, base + offsetof(struct lam_ring_many, tail), 8, "many.tail",
        lam_load_relaxed(&many.tail), NULL);
    dump_hex(dump, base + offsetof(struct lam_ring_many, used), 8, "many.used",
        lam_load_relaxed(&many.used), NULL);
    for (uint32_t i = 0; i < LAM_RING_PRODUCER_COUNT_MAX; i++) {
        const struct lam_ring_many_entry *entry = &many.entries[i];
        uint64_t offset = base + offsetof(struct lam_ring_many, entries) + i * sizeof(*entry);
        uint64_t word = lam_load_relaxed(&entry->state);
        char name[40];

        if (word == 0)
            continue; /* never used */
        (void)snprintf(name, sizeof(name), "many.entries[%u].state", i);
        dump_number(
            dump, offset, 8, name, word, (word & 0xff) > LAM_RING_MANY_CLOSED ? "no state" : NULL);
        dump_number(dump,
            offset + offsetof(struct lam_ring_many_entry, identity) +
                offsetof(struct lam_identity, pid),
            4, "identity.pid", entry->identity.pid, NULL);
        dump_text(dump, offset + offsetof(struct lam_ring_many_entry, name), sizeof(entry->name),
            "name", entry->name, NULL);
        dump_number(dump, offset + offsetof(struct lam_ring_many_entry, intent), 8, "intent",
            lam_load_relaxed(&entry->intent), NULL);
    }
}

void dump_data(struct dump *dump)
{
    /* Of static storage: all bytes are there, whatever the object has. */
    static struct lam_ring_data head;
    const struct lam_ring_data *data = &head;
    uint64_t state;
    char name[40];

    (void)dump_read(dump, 0, &head, sizeof(head));
    state = lam_load_relaxed(&data->state);
    dump_note(dump, "data object of %llu bytes", (unsigned long long)dump->object_bytes);
    dump_mark(dump, &data->mark, LAM_RING_DATA_MAGIC);
    geometry(dump, data);
    (void)snprintf(name, sizeof(name), "state: %s", tool_state(lam_ring_state_of(state)));
    dump_number(dump, offsetof(struct lam_ring_data, state), 8, name, lam_ring_state_of(state),
        lam_ring_state_of(state) > LAM_RING_FAILED ? "no state" : NULL);
    dump_number(
        dump, offsetof(struct lam_ring_data, state), 8, "epoch", lam_ring_epoch_of(state), NULL);
    dump_hex(
        dump, offsetof(struct lam_ring_data, boot), 8, "boot", lam_load_relaxed(&data->boot), NULL);
    WORD(horizon, NULL);
    WORD(horizon_ordinal, NULL);
    waypoints(dump, data);
    TEXT(failure);
    if (data->producers == LAM_RING_MANY_PRODUCERS)
        many(dump);
    if (cells_can_be(data))
        dump_cells(dump, data);
    else
        dump_note(dump, "cells: with this geometry they cannot be found");
}
