/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads, stores and fences: what each may see, and what it tells.
 */
#include "engine.h"

#include <string.h>

/* A load of the old value again and again would never end: a newer one comes in finite time. */
uint32_t model_oldest(const struct model_actor *actor, const struct model_location *location)
{
    uint32_t number = model_number(location);
    uint16_t seen = actor->now.seen[number];
    uint32_t position = location->messages[seen].position;

    if (position + 1 < location->message_count && actor->stale_message[number] == seen &&
        actor->stale_count[number] >= MODEL_STALE_LOADS)
        return position + 1;
    return position;
}

static void count_stale(
    struct model_actor *actor, const struct model_location *location, uint16_t message)
{
    uint32_t number = model_number(location);

    if (actor->stale_message[number] != message)
        actor->stale_count[number] = 0;
    actor->stale_message[number] = message;
    if ((uint32_t)location->messages[message].position + 1 < location->message_count)
        actor->stale_count[number]++;
}

int model_is_modified(const struct model_location *location, uint32_t position)
{
    return position + 1 < location->message_count &&
           location->messages[location->order[position + 1]].is_modify;
}

/* Which message a load takes: the newest first, then older ones. */
static uint16_t choose_message(struct model_actor *actor, const struct model_location *location)
{
    uint32_t oldest = model_oldest(actor, location);
    uint32_t back = model_choose(location->message_count - oldest, 1);

    return location->order[location->message_count - 1 - back];
}

uint64_t model_take(struct model_actor *actor, struct model_location *location, uint16_t message,
    enum model_order order)
{
    const struct model_view *view = location->messages[message].view;

    count_stale(actor, location, message);
    model_see(actor, location, message);
    if (view != NULL) {
        model_join(&actor->fenced, view);
        if (order == MODEL_ACQUIRE || order >= MODEL_ACQ_REL)
            model_join(&actor->now, view);
    }
    return location->messages[message].value;
}

uint64_t model_load(const void *at, uint32_t bytes, struct model_site *site)
{
    struct model_location *location;
    uint16_t message;
    uint64_t value;

    if (!model_engine.running)
        return model_word(at, bytes);
    location = model_touch(at, bytes, MODEL_READS);
    message = choose_message(model_me(), location);
    value = model_take(model_me(), location, message, model_order_of(site));
    (void)model_trace(site, "loads", location, value, location->messages[message].step);
    return value;
}

/* A new message behind @before in the order of the location. */
uint16_t model_insert(struct model_location *location, uint32_t before, uint64_t value)
{
    uint16_t message = (uint16_t)location->message_count;

    if (message == MODEL_MESSAGE_COUNT)
        model_fail("bound: more than %d stores to one word", MODEL_MESSAGE_COUNT);
    location->message_count++;
    for (uint32_t i = message; i > before + 1; i--) {
        location->order[i] = location->order[i - 1];
        location->messages[location->order[i]].position = (uint16_t)i;
    }
    location->order[before + 1] = message;
    location->messages[message] = (struct model_message){
        .value = value, .position = (uint16_t)(before + 1), .writer = (uint8_t)model_engine.self};
    return message;
}

/* What the new message tells, and that it is there. @chain: of the one that was modified. */
void model_publish(struct model_location *location, uint16_t message, enum model_order order,
    const struct model_view *chain)
{
    struct model_actor *actor = model_me();
    struct model_view *view;

    model_see(actor, location, message);
    actor->now.clock[model_engine.self]++;
    actor->fenced.clock[model_engine.self] = actor->now.clock[model_engine.self];
    location->written[model_engine.self] = actor->now.clock[model_engine.self];
    view = model_view_copy(order >= MODEL_RELEASE ? &actor->now : &actor->released);
    if (chain != NULL)
        model_join(view, chain);
    view->seen[model_number(location)] = message;
    location->messages[message].view = view;
    model_engine.stores++;
    actor->stores_own++;
}

/* Where a store goes: behind all others first, then between those that the thread has not seen. */
static uint32_t choose_place(const struct model_actor *actor, const struct model_location *location)
{
    uint32_t places[MODEL_MESSAGE_COUNT];
    uint32_t first = location->messages[actor->now.seen[model_number(location)]].position;
    uint32_t count = 0;

    for (uint32_t position = location->message_count; position-- > first;) {
        if (!model_is_modified(location, position))
            places[count++] = position;
    }
    return places[model_choose(count, 0)];
}

void model_store(void *at, uint32_t bytes, uint64_t value, struct model_site *site)
{
    struct model_location *location;
    uint16_t message;

    if (!model_engine.running) {
        model_set_word(at, bytes, value);
        return;
    }
    location = model_touch(at, bytes, MODEL_WRITES);
    message = model_insert(location, choose_place(model_me(), location), value);
    model_publish(location, message, model_order_of(site), NULL);
    location->messages[message].step = model_trace(site, "stores", location, value, 0);
}

void model_append(struct model_location *location, uint64_t value, struct model_site *site)
{
    uint16_t message = model_insert(location, location->message_count - 1, value);

    model_publish(location, message, MODEL_RELAXED, NULL);
    location->messages[message].step = model_trace(site, "stores", location, value, 0);
}

void model_fence(struct model_site *site)
{
    struct model_actor *actor = model_me();
    enum model_order order;

    if (!model_engine.running)
        return;
    order = model_order_of(site);
    if (order == MODEL_RELAXED)
        return;
    if (order == MODEL_SEQ_CST && model_engine.self != MODEL_FINALLY)
        model_step(MODEL_FENCES, NULL);
    if (order != MODEL_RELEASE)
        actor->now = actor->fenced;
    if (order == MODEL_SEQ_CST) {
        /* Not the clocks: such fences order what is seen, they do not make happens-before. */
        model_join_seen(&actor->now, &model_engine.sc);
        model_join_seen(&model_engine.sc, &actor->now);
        actor->fenced = actor->now;
    }
    if (order != MODEL_ACQUIRE)
        actor->released = actor->now;
    (void)model_trace(site, "fence", NULL, 0, 0);
}
