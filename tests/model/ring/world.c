/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"
#include "consumer_wait.h"
#include "many_internal.h"
#include "scenario.h"

#include <stdio.h>
#include <string.h>

/* More than scenarios have consumers, and producers. */
#define ENTRY_COUNT 5

struct world world;

static void begin(uint64_t depth, enum lam_ring_waiting waiting, enum lam_ring_producers producers,
    uint64_t first)
{
    /* So large a cell that those of the ring fill pages: then it wraps in memory as in numbers. */
    struct lam_ring_options options = {.name = "model",
        .depth = depth,
        .cell_bytes = depth < 64 ? (uint32_t)(4096 / depth) : 64,
        .waiting = waiting,
        .producers = producers,
        .first_sequence = first};

    if (world.ring.cells != NULL)
        (void)lam_ring_destroy(&world.ring);
    memset(&world, 0, sizeof(world));
    LAM_ASSERT(lam_ring_create(&world.ring, &options, NULL) == 0);
    LAM_ASSERT(world.ring.cell_mask + 1 == depth);
}

void world_begin(uint64_t depth, enum lam_ring_waiting waiting, uint64_t first)
{
    begin(depth, waiting, LAM_RING_ONE_PRODUCER, first);
}

void world_begin_many(uint64_t depth, enum lam_ring_waiting waiting, uint64_t first)
{
    begin(depth, waiting, LAM_RING_MANY_PRODUCERS, first);
}

void world_tame_consumer(struct lam_ring_consumer *consumer)
{
    consumer->cadence.yields = 0;
}

void world_tame_producer(struct lam_ring_producer *producer)
{
    producer->cadence.yields = 0;
}

void world_add_producer(uint32_t index, uint32_t thread)
{
    struct lam_ring_producer_options options = {.wait = LAM_WAIT_FUTEX};

    LAM_ASSERT(lam_ring_producer_attach(&world.producers[index], &world.ring, &options, NULL) == 0);
    model_own_lock(&world.producers[index].lock, thread);
    world_tame_producer(&world.producers[index]);
}

void world_add_many(uint32_t index, uint32_t thread)
{
    struct lam_ring_many_options options = {.wait = LAM_WAIT_FUTEX};

    LAM_ASSERT(lam_ring_many_attach(&world.many[index], &world.ring, &options, NULL) == 0);
    model_own_lock(&world.many[index].lock, thread);
    world.many[index].cadence.yields = 0;
}

void world_add_consumer(
    uint32_t index, uint32_t thread, const struct lam_ring_consumer_options *options)
{
    LAM_ASSERT(lam_ring_consumer_attach(&world.consumers[index], &world.ring, options, NULL) == 0);
    model_own_lock(&world.consumers[index].lock, thread);
    world_tame_consumer(&world.consumers[index]);
}

void world_ready(void)
{
    uint64_t cells_bytes = (world.ring.cell_mask + 1) << world.ring.cell_shift;

    model_alias(world.ring.cells, cells_bytes);
    model_region(&world, sizeof(world));
    /* Up to the entries that nobody here comes to. */
    model_region(world.ring.control_head, offsetof(struct lam_ring_control, entries[ENTRY_COUNT]));
    model_region(world.ring.control_head->groups, 2 * sizeof(struct lam_ring_group));
    model_region(world.ring.data_head, sizeof(*world.ring.data_head));
    if (world.ring.producers == LAM_RING_MANY_PRODUCERS) {
        model_region(
            lam_ring_many_of(&world.ring), offsetof(struct lam_ring_many, entries[ENTRY_COUNT]));
        model_region(world.ring.heads, (world.ring.cell_mask + 1) << world.ring.head_shift);
    }
}

uint64_t world_payload_bytes(uint64_t cell_count)
{
    return (cell_count << world.ring.cell_shift) - LAM_EVENT_HEADER_BYTES;
}

/* Word @i of an event's words that are looked at: its first, and the first of each later cell. */
static uint64_t word_offset(const struct lam_ring *ring, uint64_t i)
{
    return i == 0 ? 0 : (i << ring->cell_shift) - LAM_EVENT_HEADER_BYTES;
}

/*
 * The first word is the number. Where a stamp would be stands one that would fit: that of a lap
 * later for even numbers, of this one for odd ones.
 */
static uint64_t word_of(const struct lam_ring *ring, uint64_t sequence, uint64_t i, uint64_t number)
{
    if (i == 0)
        return number;
    return sequence + i + (number % 2 == 0 ? ring->cell_mask + 1 : 0);
}

void world_write(const struct lam_ring *ring, void *payload, uint64_t sequence, uint64_t cell_count,
    uint64_t number)
{
    for (uint64_t i = 0; i < cell_count; i++) {
        uint8_t *at = (uint8_t *)payload + word_offset(ring, i);

        model_write(at, word_of(ring, sequence, i, number));
        if (i == 0)
            continue;
        /* Where a length would be, none that can be; where an event begins, another word. */
        model_write(at + offsetof(struct lam_event_header, shape), UINT64_MAX);
        model_write(at + LAM_EVENT_HEADER_BYTES, UINT64_MAX);
    }
}

static void publish(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number, uint32_t look)
{
    uint64_t bytes = world_payload_bytes(cell_count);
    uint64_t sequence = producer->next;
    uint32_t looks = 0;
    void *payload;
    int rc;

    while ((rc = lam_ring_producer_try_claim(producer, bytes, &payload)) == 0) {
        producer->look_now = look;
        if (++looks > 2 * look)
            lam_pause(); /* after it has lost all patience */
    }
    MODEL_CHECK(rc == 1);
    world_write(producer->ring, payload, sequence, cell_count, number);
    lam_ring_producer_commit(producer, bytes, (uint16_t)number, 0);
}

void world_publish(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number)
{
    publish(producer, cell_count, number, 0);
}

void world_publish_looking(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number)
{
    publish(producer, cell_count, number, 1);
}

void world_commit_many(struct lam_ring_many_producer *producer, void *payload, uint64_t number)
{
    world_write(producer->ring, payload, producer->start, producer->claimed, number);
    lam_ring_many_commit(producer, world_payload_bytes(producer->claimed), (uint16_t)number, 0);
}

void world_publish_many(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t number)
{
    uint64_t bytes = world_payload_bytes(cell_count);
    void *payload = NULL;
    uint32_t looks = 0;
    int rc;

    while ((rc = lam_ring_many_try_claim(producer, bytes, &payload)) == 0) {
        producer->look_now = 1;
        producer->probe_at_ns = 0;
        if (++looks > 2)
            lam_pause(); /* after it has lost all patience */
    }
    MODEL_CHECK(rc == 1);
    world_commit_many(producer, payload, number);
}

void world_publish_bare(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number)
{
    uint64_t bytes = world_payload_bytes(cell_count);
    void *payload;

    MODEL_CHECK(lam_ring_producer_try_claim(producer, bytes, &payload) == 1);
    lam_ring_producer_commit(producer, bytes, (uint16_t)number, 0);
}

enum how { ORDERED, RACING, COPIED };

static uint64_t check(const struct lam_ring *ring, const struct lam_event *event, enum how how)
{
    uint64_t cell_count = lam_ring_event_cells(ring, event->payload_bytes);
    uint64_t number = event->kind;

    MODEL_CHECK(how == RACING || (number != 0 && event->end == event->sequence + cell_count));
    for (uint64_t i = 0; i < cell_count; i++) {
        const uint8_t *at = (const uint8_t *)event->payload + word_offset(ring, i);
        uint64_t word;

        if (how == RACING)
            model_racing_copy(&word, at, sizeof(word), MODEL_SITE("look", MODEL_RELAXED));
        else
            word = how == ORDERED ? model_read(at) : *(const uint64_t *)(const void *)at;
        if (how == RACING && word != word_of(ring, event->sequence, i, number))
            return 0;
        MODEL_CHECK(word == word_of(ring, event->sequence, i, number));
    }
    return number;
}

uint64_t world_check(const struct lam_ring *ring, const struct lam_event *event)
{
    return check(ring, event, ORDERED);
}

uint64_t world_check_racing(const struct lam_ring *ring, const struct lam_event *event)
{
    return check(ring, event, RACING);
}

uint64_t world_check_copy(const struct lam_ring *ring, const struct lam_event *event)
{
    return check(ring, event, COPIED);
}

void world_next(struct lam_ring_consumer *consumer, struct lam_event *event)
{
    while (!lam_ring_consumer_is_there(consumer))
        lam_pause();
    MODEL_CHECK(lam_ring_consumer_try_peek(consumer, event) == 1);
}

int world_peek(struct lam_ring_consumer *consumer, struct lam_event *event)
{
    int rc;

    while ((rc = lam_ring_consumer_try_peek(consumer, event)) == 0)
        lam_pause();
    return rc;
}

int world_peek_looking(struct lam_ring_consumer *consumer, struct lam_event *event)
{
    int rc;

    for (;;) {
        consumer->idle_streak = 63;
        consumer->probe_at_ns = 0;
        rc = lam_ring_consumer_try_peek(consumer, event);
        if (rc != 0)
            return rc;
        lam_pause();
    }
}

/* --- names for traces --- */

struct name {
    uint64_t offset;
    const char *text;
};

static int describe_in(const void *base, uint64_t bytes, const void *at, uint64_t *offset)
{
    *offset = (uint64_t)((const uint8_t *)at - (const uint8_t *)base);
    return (const uint8_t *)at >= (const uint8_t *)base && *offset < bytes;
}

static const char *name_of(const struct name *names, uint64_t offset)
{
    for (; names->text != NULL; names++) {
        if (names->offset == offset)
            return names->text;
    }
    return NULL;
}

static void describe_data(uint64_t offset, char text[64])
{
    static const struct name names[] = {
        {offsetof(struct lam_ring_data, state), "state"},
        {offsetof(struct lam_ring_data, horizon), "horizon"},
        {offsetof(struct lam_ring_data, horizon_ordinal), "horizon_ordinal"},
        {offsetof(struct lam_ring_data, waypoint_count), "waypoint_count"},
        {0, NULL},
    };
    uint64_t waypoint = offset - offsetof(struct lam_ring_data, waypoints);
    const char *name = name_of(names, offset);

    if (name != NULL)
        (void)snprintf(text, 64, "%s", name);
    else if (waypoint < sizeof(((struct lam_ring_data *)NULL)->waypoints))
        (void)snprintf(text, 64, "waypoints[%u].%s", (unsigned)(waypoint / 16),
            waypoint % 16 == 0 ? "sequence" : "ordinal");
    else
        (void)snprintf(text, 64, "data + %u", (unsigned)offset);
}

static void describe_control(uint64_t offset, char text[64])
{
    static const struct name names[] = {
        {offsetof(struct lam_ring_control, used), "used"},
        {offsetof(struct lam_ring_control, joins), "joins"},
        {offsetof(struct lam_ring_control, sleeping), "sleeping"},
        {offsetof(struct lam_ring_control, consumer_bell), "consumer_bell"},
        {offsetof(struct lam_ring_control, blocked_on), "blocked_on"},
        {offsetof(struct lam_ring_control, producer_bell), "producer_bell"},
        {offsetof(struct lam_ring_control, poisoned), "poisoned"},
        {0, NULL},
    };
    static const struct name entry_names[] = {
        {offsetof(struct lam_ring_entry, state), "state"},
        {offsetof(struct lam_ring_entry, cursor), "cursor"},
        {offsetof(struct lam_ring_entry, patience_ns), "patience_ns"},
        {offsetof(struct lam_ring_entry, holds), "holds"},
        {offsetof(struct lam_ring_entry, hold_end), "hold_end"},
        {offsetof(struct lam_ring_entry, confirmed), "confirmed"},
        {0, NULL},
    };
    uint64_t entry = offset - offsetof(struct lam_ring_control, entries);
    const char *name = name_of(names, offset);

    if (name != NULL) {
        (void)snprintf(text, 64, "%s", name);
    } else if (offset >= offsetof(struct lam_ring_control, groups)) {
        entry = offset - offsetof(struct lam_ring_control, groups);
        (void)snprintf(text, 64, "groups[%u].%s", (unsigned)(entry / sizeof(struct lam_ring_group)),
            entry % sizeof(struct lam_ring_group) == 0 ? "state" : "claim");
    } else if (offset >= offsetof(struct lam_ring_control, entries)) {
        name = name_of(entry_names, entry % sizeof(struct lam_ring_entry));
        (void)snprintf(text, 64, "entries[%u].%s",
            (unsigned)(entry / sizeof(struct lam_ring_entry)), name == NULL ? "(other)" : name);
    } else {
        (void)snprintf(text, 64, "control + %u", (unsigned)offset);
    }
}

static void describe_many(uint64_t offset, char text[64])
{
    uint64_t entry = offset - offsetof(struct lam_ring_many, entries);

    if (offset < offsetof(struct lam_ring_many, entries))
        (void)snprintf(text, 64, offset == 0 ? "tail" : "many.used");
    else
        (void)snprintf(text, 64, "many[%u].%s",
            (unsigned)(entry / sizeof(struct lam_ring_many_entry)),
            entry % sizeof(struct lam_ring_many_entry) == 0 ? "state" : "intent");
}

void world_describe(const void *at, char text[64])
{
    uint64_t head_bytes = UINT64_C(1) << world.ring.head_shift;
    uint64_t cell_bytes = UINT64_C(1) << world.ring.cell_shift;
    uint64_t offset;

    if (describe_in(world.ring.cells, (world.ring.cell_mask + 1) * cell_bytes, at, &offset)) {
        uint64_t in_cell = offset % cell_bytes;

        (void)snprintf(text, 64, "cell[%u].%s", (unsigned)(offset / cell_bytes),
            in_cell == 0   ? "stamp"
            : in_cell == 8 ? "shape"
                           : "payload");
    } else if (describe_in(world.ring.data_head, sizeof(struct lam_ring_data), at, &offset)) {
        describe_data(offset, text);
    } else if (world.ring.producers == LAM_RING_MANY_PRODUCERS &&
               describe_in(
                   lam_ring_many_of(&world.ring), sizeof(struct lam_ring_many), at, &offset)) {
        describe_many(offset, text);
    } else if (world.ring.producers == LAM_RING_MANY_PRODUCERS &&
               describe_in(
                   world.ring.heads, (world.ring.cell_mask + 1) * head_bytes, at, &offset)) {
        (void)snprintf(text, 64, "head[%u].%s", (unsigned)(offset / head_bytes),
            offset % head_bytes == 0 ? "stamp" : "shape");
    } else if (describe_in(world.ring.control_head, sizeof(struct lam_ring_control), at, &offset)) {
        describe_control(offset, text);
    } else {
        (void)snprintf(text, 64, "%p", at);
    }
}
