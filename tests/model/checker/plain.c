/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores that are no atomics: each must be ordered after what it conflicts with, by
 * happens-before, or the program means nothing.
 */
#include "engine.h"

#include <string.h>

static void refuse_race(const struct model_location *location, const uint32_t *others,
    struct model_site *site, const char *what)
{
    const struct model_actor *actor = model_me();

    for (uint32_t i = 0; i < MODEL_ACTOR_COUNT; i++) {
        if (i == model_engine.self || others[i] <= actor->now.clock[i])
            continue;
        (void)model_trace(site, "races at", location, 0, 0);
        model_fail("data race: %s in %s with %s thread %u", site->operation, site->function, what,
            (unsigned)i + 1);
    }
}

uint64_t model_plain_read(const void *at, struct model_site *site)
{
    struct model_location *location;
    const struct model_message *newest;
    struct model_actor *actor = model_me();

    if (!model_engine.running)
        return *(const uint64_t *)at;
    location = model_touch(at, sizeof(uint64_t), MODEL_READS);
    refuse_race(location, location->written, site, "a store of");
    newest = &location->messages[location->order[location->message_count - 1]];
    actor->now.clock[model_engine.self]++;
    actor->fenced.clock[model_engine.self] = actor->now.clock[model_engine.self];
    location->plainly_read[model_engine.self] = actor->now.clock[model_engine.self];
    (void)model_trace(site, "reads", location, newest->value, newest->step);
    return newest->value;
}

void model_plain_write(void *at, uint64_t value, struct model_site *site)
{
    struct model_location *location;

    if (!model_engine.running) {
        *(uint64_t *)at = value;
        return;
    }
    location = model_touch(at, sizeof(uint64_t), MODEL_WRITES);
    refuse_race(location, location->written, site, "a store of");
    refuse_race(location, location->plainly_read, site, "a read of");
    model_append(location, value, site);
}

void model_racing_copy(void *to, const void *from, uint64_t bytes, struct model_site *site)
{
    uint64_t word;

    if (!model_engine.running || !model_is_aliased(from)) {
        memcpy(to, from, bytes);
        return;
    }
    if (bytes != sizeof(word) || (uintptr_t)from % sizeof(word) != 0)
        model_fail("a racing copy of %llu bytes: whole words alone are modelled",
            (unsigned long long)bytes);
    word = model_load(from, sizeof(word), site);
    memcpy(to, &word, sizeof(word));
}
