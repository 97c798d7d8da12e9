/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells of a data object: what their first words are, and the events that lead from the horizon
 * to the head, as the next producer would walk them.
 */
#include "dump.h"
#include "layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES (UINT64_C(1) << 18)
#define SUMMARY_MAX (UINT64_C(4) << 30) /* bytes: a file may claim to have any number */
#define EVENTS_MAX  (UINT64_C(1) << 24)
#define SHOWN_BYTES 32

struct words {
    uint64_t stamps;  /* of some lap */
    uint64_t cleared; /* the complement of one */
    uint64_t other;   /* payload */
};

/* Where the header of a cell lies: in it, or with many producers in an array of headers. */
static uint64_t header_offset(const struct lam_ring_data *data, uint64_t cell)
{
    if (data->producers == LAM_RING_ONE_PRODUCER)
        return data->head_bytes + cell * data->cell_bytes;
    return LAM_RING_MANY_OFFSET + sizeof(struct lam_ring_many) +
           cell * sizeof(struct lam_event_header);
}

static void count_words(const struct dump *dump, const struct lam_ring_data *data,
    uint64_t cell_count, struct words *words)
{
    static uint64_t chunk[CHUNK_BYTES / 8];
    uint64_t stride = header_offset(data, 1) - header_offset(data, 0);
    uint64_t per_chunk = CHUNK_BYTES / stride;

    for (uint64_t cell = 0; cell < cell_count; cell++) {
        uint64_t at = cell % per_chunk, word;

        if (at == 0)
            (void)dump_read(dump, header_offset(data, cell), chunk, sizeof(chunk));
        word = chunk[at * (stride / 8)];
        if ((word & (data->mapped_cells - 1)) == cell)
            words->stamps++;
        else if ((~word & (data->mapped_cells - 1)) == cell)
            words->cleared++;
        else
            words->other++;
    }
}

static void print_event(
    const struct dump *dump, uint64_t offset, uint64_t sequence, uint64_t ordinal, uint64_t shape)
{
    uint8_t bytes[SHOWN_BYTES];
    char hex[2 * SHOWN_BYTES + 1] = "";
    uint32_t length = (uint32_t)shape;
    uint32_t shown = length < SHOWN_BYTES ? length : SHOWN_BYTES;

    (void)dump_read(dump, offset + LAM_EVENT_HEADER_BYTES, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < shown; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", bytes[i]);
    if (dump->json)
        (void)printf("{\"offset\":%" PRIu64 ",\"event\":%" PRIu64 ",\"sequence\":%" PRIu64
                     ",\"kind\":%u,\"flags\":%u,\"bytes\":%u,\"hex\":\"%s\"}\n",
            offset, ordinal, sequence, (unsigned)(shape >> 32 & 0xffff), (unsigned)(shape >> 48),
            length, hex);
    else
        (void)printf("%8" PRIu64 "  event %" PRIu64 " at %" PRIu64
                     ": kind %04x, flags %04x, %u bytes %s%s\n",
            offset, ordinal, sequence, (unsigned)(shape >> 32 & 0xffff), (unsigned)(shape >> 48),
            length, hex, shown < length ? "..." : "");
}

/* Cells of an event or, with many producers, of padding. Returns 0: it cannot be. */
static uint64_t cells_of(const struct lam_ring_data *data, uint64_t shape, uint64_t *is_event)
{
    uint64_t cell_count =
        ((uint32_t)shape + (uint64_t)LAM_EVENT_HEADER_BYTES + data->cell_bytes - 1) /
        data->cell_bytes;

    *is_event = (uint32_t)shape != LAM_EVENT_PADDING || data->producers == LAM_RING_ONE_PRODUCER;
    if (*is_event)
        return cell_count > data->depth / 2 ? 0 : cell_count;
    return shape >> 32 >= data->depth ? 0 : shape >> 32;
}

/* Events from the horizon to the head. Returns why it ended elsewhere, or NULL. */
static const char *walk(struct dump *dump, const struct lam_ring_data *data, uint64_t *sequence,
    uint64_t *events, int *over_waypoint)
{
    uint64_t count = lam_load_relaxed(&data->waypoint_count);
    uint64_t newest =
        lam_load_relaxed(&data->waypoints[(count - 1) % LAM_RING_WAYPOINT_COUNT].sequence);
    uint64_t start = *sequence;

    *over_waypoint = 0;
    *events = 0;
    for (uint64_t steps = 0; steps < EVENTS_MAX; steps++) {
        uint64_t cell = *sequence & (data->mapped_cells - 1);
        uint64_t header[2], cell_count, is_event;

        *over_waypoint |= *sequence == newest;
        if (dump_read(dump, header_offset(data, cell), header, sizeof(header)) != sizeof(header))
            return "there the object ends";
        if (header[0] != *sequence)
            return NULL; /* the head */
        cell_count = cells_of(data, header[1], &is_event);
        if (cell_count == 0)
            return "an event there is longer than half the ring";
        if (*sequence - start + cell_count >= data->depth)
            return "events fill the ring, and leave no cell free";
        if (dump->cells && is_event)
            print_event(dump, data->head_bytes + cell * data->cell_bytes, *sequence,
                lam_load_relaxed(&data->horizon_ordinal) + *events, header[1]);
        *events += is_event;
        *sequence += cell_count;
    }
    return "more events than this tool walks";
}

static uint64_t horizon_now(const struct dump *dump)
{
    uint64_t horizon;

    (void)dump_read(dump, offsetof(struct lam_ring_data, horizon), &horizon, sizeof(horizon));
    return horizon;
}

void dump_cells(struct dump *dump, const struct lam_ring_data *data)
{
    uint64_t bytes =
        dump->object_bytes > data->head_bytes ? dump->object_bytes - data->head_bytes : 0;
    uint64_t there = bytes / data->cell_bytes;
    uint64_t cell_count = there < data->mapped_cells ? there : data->mapped_cells;
    uint64_t sequence = lam_load_relaxed(&data->horizon), events;
    struct words words = {0};
    const char *wrong;
    int over_waypoint;

    if (cell_count < data->mapped_cells) {
        dump->impossible++;
        dump_note(
            dump, "cells: %" PRIu64 " of %" PRIu64 " are there", cell_count, data->mapped_cells);
    }
    if (cell_count > SUMMARY_MAX / data->cell_bytes)
        cell_count = SUMMARY_MAX / data->cell_bytes;
    count_words(dump, data, cell_count, &words);
    dump_note(dump,
        "cells: of the first words of %" PRIu64 " cells %" PRIu64 " are stamps, %" PRIu64
        " cleared, %" PRIu64 " other bytes",
        cell_count, words.stamps, words.cleared, words.other);
    wrong = walk(dump, data, &sequence, &events, &over_waypoint);
    if ((wrong != NULL || !over_waypoint) &&
        horizon_now(dump) != lam_load_relaxed(&data->horizon)) {
        dump_note(dump, "events: the producer went round while they were looked at");
        return;
    }
    dump_note(dump, "events: %" PRIu64 " lead from the horizon to %s %" PRIu64 "%s%s", events,
        wrong == NULL ? "the head at" : "sequence", sequence, wrong == NULL ? "" : ": ",
        wrong == NULL ? "" : wrong);
    if (wrong == NULL && !over_waypoint)
        dump_note(dump, "events: IMPOSSIBLE: they do not lead over the newest waypoint");
    dump->impossible += wrong != NULL || !over_waypoint;
}
