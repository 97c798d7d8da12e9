/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

int sessions_create(struct sessions *sessions, uint32_t max, uint32_t window)
{
    uint32_t capacity = 2;

    while (capacity < 2 * max)
        capacity *= 2;
    memset(sessions, 0, sizeof(*sessions));
    sessions->max = max;
    sessions->window = window;
    sessions->mask = capacity - 1;
    sessions->places = calloc(max, sizeof(*sessions->places));
    sessions->index = calloc(capacity, sizeof(*sessions->index));
    if (sessions->places == NULL || sessions->index == NULL)
        return -ENOMEM;
    for (uint32_t i = max; i-- > 0;) {
        sessions->places[i].newer = sessions->unused;
        sessions->unused = &sessions->places[i];
    }
    return 0;
}

void sessions_destroy(struct sessions *sessions)
{
    for (struct session *at = sessions->oldest; at != NULL; at = at->newer)
        replies_destroy(&at->replies);
    free(sessions->places);
    free(sessions->index);
}

/* Where an id is looked for first. The multiplier is 2^64 divided by the golden ratio. */
static uint32_t home_of(const struct sessions *sessions, uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & sessions->mask;
}

/* The entry of @id, or the empty one behind all that were tried. */
static uint32_t entry_of(const struct sessions *sessions, uint64_t id)
{
    uint32_t at = home_of(sessions, id);

    while (sessions->index[at] != 0 && sessions->places[sessions->index[at] - 1].id != id)
        at = (at + 1) & sessions->mask;
    return at;
}

struct session *sessions_find(const struct sessions *sessions, uint64_t id)
{
    uint32_t place = sessions->index[entry_of(sessions, id)];

    return place == 0 ? NULL : &sessions->places[place - 1];
}

/* Close the gap: what was put behind it because its own home was taken moves up. */
static void clear_entry(struct sessions *sessions, uint64_t id)
{
    uint32_t gap = entry_of(sessions, id);
    uint32_t at = gap;

    for (;;) {
        uint32_t home;

        at = (at + 1) & sessions->mask;
        if (sessions->index[at] == 0)
            break;
        home = home_of(sessions, sessions->places[sessions->index[at] - 1].id);
        if (((at - home) & sessions->mask) >= ((at - gap) & sessions->mask)) {
            sessions->index[gap] = sessions->index[at];
            gap = at;
        }
    }
    sessions->index[gap] = 0;
}

static void take_out(struct sessions *sessions, struct session *session)
{
    *(session->older != NULL ? &session->older->newer : &sessions->oldest) = session->newer;
    *(session->newer != NULL ? &session->newer->older : &sessions->newest) = session->older;
}

static void put_last(struct sessions *sessions, struct session *session)
{
    session->older = sessions->newest;
    session->newer = NULL;
    *(sessions->newest != NULL ? &sessions->newest->newer : &sessions->oldest) = session;
    sessions->newest = session;
}

struct session *sessions_add(
    struct sessions *sessions, uint64_t sequence, const struct record_open *open)
{
    struct session *session = sessions->unused;

    LAM_ASSERT(session != NULL && sequence != 0);
    if (replies_create(&session->replies, sessions->window) != 0)
        return NULL;
    sessions->unused = session->newer;
    session->id = sequence;
    session->last = sequence;
    session->open = *open;
    sessions->index[entry_of(sessions, sequence)] = (uint32_t)(session - sessions->places) + 1;
    put_last(sessions, session);
    sessions->count++;
    return session;
}

void sessions_touch(struct sessions *sessions, struct session *session, uint64_t sequence)
{
    session->last = sequence;
    if (sessions->newest == session)
        return;
    take_out(sessions, session);
    put_last(sessions, session);
}

void sessions_remove(struct sessions *sessions, struct session *session)
{
    clear_entry(sessions, session->id);
    take_out(sessions, session);
    replies_destroy(&session->replies);
    session->newer = sessions->unused;
    sessions->unused = session;
    sessions->count--;
}
