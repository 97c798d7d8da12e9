/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-modify-writes: each follows the message that it found at once, nothing comes between, and
 * carries on what that one tells: a release sequence. (Where it acquires, it would anyway.)
 */
#include "engine.h"

/* Who may be modified: nobody has done so before. @wanted: of these values alone, or NULL. */
static uint32_t choose_modified(struct model_actor *actor, const struct model_location *location,
    const uint64_t *wanted, uint16_t found[MODEL_MESSAGE_COUNT])
{
    uint32_t count = 0;

    for (uint32_t position = location->message_count; position-- > model_oldest(actor, location);) {
        uint16_t message = location->order[position];
        int equal = wanted == NULL || location->messages[message].value == *wanted;

        /* An equal value that was modified already can neither be swapped nor be refused. */
        if (!equal || !model_is_modified(location, position))
            found[count++] = message;
    }
    return model_choose(count, 1);
}

static void modify(
    struct model_location *location, uint16_t message, uint64_t value, struct model_site *site)
{
    enum model_order order = model_order_of(site);
    const struct model_message *old = &location->messages[message];
    const struct model_view *chain = old->view;
    uint64_t was = model_take(model_me(), location, message, order);
    uint16_t next = model_insert(location, old->position, value);

    location->messages[next].is_modify = 1;
    model_publish(location, next, order, chain);
    (void)model_trace(site, "finds", location, was, old->step);
    location->messages[next].step = model_trace(site, "puts", location, value, 0);
}

static uint64_t changed(enum model_change change, uint64_t old, uint64_t operand)
{
    switch (change) {
    case MODEL_ADD:
        return old + operand;
    case MODEL_OR:
        return old | operand;
    case MODEL_AND:
        return old & operand;
    case MODEL_EXCHANGE:
    case MODEL_CAS:
        break;
    }
    return operand;
}

static uint64_t cut(uint64_t value, uint32_t bytes)
{
    return bytes == 4 ? (uint32_t)value : value;
}

uint64_t model_modify(
    void *at, uint32_t bytes, enum model_change change, uint64_t operand, struct model_site *site)
{
    uint16_t found[MODEL_MESSAGE_COUNT];
    struct model_location *location;
    uint16_t message;
    uint64_t old;

    if (!model_engine.running) {
        old = model_word(at, bytes);
        model_set_word(at, bytes, changed(change, old, operand));
        return old;
    }
    location = model_touch(at, bytes, MODEL_WRITES);
    message = found[choose_modified(model_me(), location, NULL, found)];
    old = location->messages[message].value;
    modify(location, message, cut(changed(change, old, operand), bytes), site);
    return old;
}

static int cas(
    void *at, uint32_t bytes, uint64_t *expected, uint64_t desired, struct model_site *site)
{
    uint16_t found[MODEL_MESSAGE_COUNT];
    struct model_location *location = model_touch(at, bytes, MODEL_WRITES);
    uint16_t message = found[choose_modified(model_me(), location, expected, found)];

    if (location->messages[message].value == *expected) {
        modify(location, message, desired, site);
        return 1;
    }
    *expected = model_take(model_me(), location, message,
        model_order_of(site) == MODEL_RELAXED ? MODEL_RELAXED : MODEL_ACQUIRE);
    (void)model_trace(
        site, "refused, finds", location, *expected, location->messages[message].step);
    return 0;
}

int model_cas(void *at, uint32_t bytes, void *expected, uint64_t desired, struct model_site *site)
{
    uint64_t wanted = model_word(expected, bytes);
    int swapped;

    if (model_engine.running) {
        swapped = cas(at, bytes, &wanted, desired, site);
    } else {
        uint64_t old = model_word(at, bytes);

        swapped = old == wanted;
        wanted = old;
        if (swapped)
            model_set_word(at, bytes, desired);
    }
    if (!swapped)
        model_set_word(expected, bytes, wanted);
    return swapped;
}
