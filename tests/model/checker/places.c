/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that threads share, and what each thread has seen of them. No machine word changes
 * while a schedule runs: a word's first message is what memory held at the start.
 */
#include "engine.h"

#include <string.h>

#define VIEW_COUNT 8192
#define HASH_SIZE  2048

static struct model_location locations[MODEL_LOCATION_COUNT];
static uint32_t location_count;
static uint16_t hash[HASH_SIZE]; /* index + 1 of a location */
static struct model_view views[VIEW_COUNT];
static uint32_t view_count;
static const uint8_t *alias_at;
static uint64_t alias_bytes;

void model_memory_begin(void)
{
    view_count = 0;
    memset(&model_engine.sc, 0, sizeof(model_engine.sc));
}

void model_forget_locations(void)
{
    location_count = 0;
    alias_at = NULL;
    memset(hash, 0, sizeof(hash));
}

uint64_t model_word(const void *at, uint32_t bytes)
{
    return bytes == 4 ? *(const uint32_t *)at : *(const uint64_t *)at;
}

void model_set_word(void *at, uint32_t bytes, uint64_t value)
{
    if (bytes == 4)
        *(uint32_t *)at = (uint32_t)value;
    else
        *(uint64_t *)at = value;
}

void model_alias(void *memory, uint64_t bytes)
{
    alias_at = memory;
    alias_bytes = bytes;
}

static const uint8_t *canonical(const void *at)
{
    const uint8_t *byte = at;

    return alias_at != NULL && byte >= alias_at + alias_bytes && byte < alias_at + 2 * alias_bytes
               ? byte - alias_bytes
               : byte;
}

int model_is_aliased(const void *at)
{
    const uint8_t *byte = at;

    return alias_at != NULL && byte >= alias_at && byte < alias_at + 2 * alias_bytes;
}

static void begin_location(struct model_location *location)
{
    location->schedule = model_engine.schedule;
    location->message_count = 1;
    location->order[0] = 0;
    location->messages[0] =
        (struct model_message){.value = model_word(location->at, location->bytes)};
    memset(location->written, 0, sizeof(location->written));
    memset(location->plainly_read, 0, sizeof(location->plainly_read));
}

struct model_location *model_location_of(const void *at, uint32_t bytes)
{
    const uint8_t *byte = canonical(at);
    uint32_t slot = (uint32_t)(((uintptr_t)byte >> 2) * 2654435761U) % HASH_SIZE;
    struct model_location *location;

    while (hash[slot] != 0 && locations[hash[slot] - 1].at != byte)
        slot = (slot + 1) % HASH_SIZE;
    if (hash[slot] == 0) {
        if (location_count == MODEL_LOCATION_COUNT)
            model_fail("bound: more than %d locations", MODEL_LOCATION_COUNT);
        hash[slot] = (uint16_t)(location_count + 1);
        locations[location_count] = (struct model_location){.at = byte, .bytes = bytes};
        location_count++;
    }
    location = &locations[hash[slot] - 1];
    if (location->bytes != bytes)
        model_fail("a word of %u bytes is touched as one of %u", location->bytes, bytes);
    if (location->schedule != model_engine.schedule)
        begin_location(location);
    return location;
}

uint32_t model_number(const struct model_location *location)
{
    return (uint32_t)(location - locations);
}

int model_is_shared(const struct model_location *location)
{
    return location->writers != 0 && (location->readers & (location->readers - 1)) != 0;
}

static uint16_t position_of(const struct model_location *location, uint16_t message)
{
    /* A view is never of another schedule, but may name a location that was not touched yet. */
    return location->schedule == model_engine.schedule ? location->messages[message].position : 0;
}

void model_join_seen(struct model_view *into, const struct model_view *from)
{
    for (uint32_t i = 0; i < location_count; i++) {
        if (from->seen[i] != into->seen[i] &&
            position_of(&locations[i], from->seen[i]) > position_of(&locations[i], into->seen[i]))
            into->seen[i] = from->seen[i];
    }
}

void model_join(struct model_view *into, const struct model_view *from)
{
    for (uint32_t i = 0; i < MODEL_ACTOR_COUNT; i++) {
        if (from->clock[i] > into->clock[i])
            into->clock[i] = from->clock[i];
    }
    model_join_seen(into, from);
}

void model_learn(struct model_actor *actor, const struct model_view *view)
{
    model_join(&actor->now, view);
    model_join(&actor->fenced, view);
}

struct model_view *model_view_copy(const struct model_view *view)
{
    struct model_view *copy = &views[view_count];

    if (view_count == VIEW_COUNT)
        model_fail("bound: more than %d views", VIEW_COUNT);
    view_count++;
    memcpy(copy->clock, view->clock, sizeof(copy->clock));
    memcpy(copy->seen, view->seen, location_count * sizeof(copy->seen[0]));
    memset(copy->seen + location_count, 0,
        (MODEL_LOCATION_COUNT - location_count) * sizeof(copy->seen[0]));
    return copy;
}

void model_see(struct model_actor *actor, const struct model_location *location, uint16_t message)
{
    uint32_t number = model_number(location);
    uint16_t position = location->messages[message].position;

    if (position >= location->messages[actor->now.seen[number]].position)
        actor->now.seen[number] = message;
    if (position >= location->messages[actor->fenced.seen[number]].position)
        actor->fenced.seen[number] = message;
}

void model_refresh(struct model_actor *actor)
{
    for (uint32_t i = 0; i < location_count; i++) {
        if (locations[i].schedule == model_engine.schedule)
            model_see(actor, &locations[i], locations[i].order[locations[i].message_count - 1]);
    }
}

/* Who touches what is remembered from schedule to schedule; see model_is_shared(). */
struct model_location *model_touch(const void *at, uint32_t bytes, enum model_kind kind)
{
    struct model_location *location = model_location_of(at, bytes);
    uint32_t bit = 1U << model_engine.self;

    if (model_engine.self != MODEL_FINALLY) {
        int was_shared = model_is_shared(location);

        location->readers |= bit;
        if (kind == MODEL_WRITES)
            location->writers |= bit;
        if (!was_shared && model_is_shared(location))
            model_engine.learned = 1;
        model_step(kind, location);
    }
    return location;
}
