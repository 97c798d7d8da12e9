/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SESSIONS_H
#define LAM_SEQUENCER_SESSIONS_H

/*
 * sessions.h: the open sessions: found by their id, and in the order of their last words, which is
 * the same on every copy.
 */

#include <stdint.h>

#include "machine/machine.h"
#include "machine/replies.h"

struct session {
    uint64_t id;   /* sequence of its RECORD_OPEN */
    uint64_t last; /* sequence of its last word: no two sessions have the same one */
    struct record_open open;
    struct replies replies;
    struct session *older, *newer; /* by @last */
};

struct sessions {
    struct session *places; /* @max of them */
    uint32_t *index;        /* by a hash of the id: a place and one, 0: none */
    uint32_t mask, max, window, count;
    struct session *oldest, *newest;
    struct session *unused; /* linked by @newer */
};

/* Returns 0, or -ENOMEM. Either way sessions_destroy is due, once. */
int sessions_create(struct sessions *sessions, uint32_t max, uint32_t window);

void sessions_destroy(struct sessions *sessions);

/* Returns NULL where there is none. */
struct session *sessions_find(const struct sessions *sessions, uint64_t id);

/*
 * A session that begins with @sequence, its id, which is above all others and not 0. There is room
 * (asserted). Returns NULL: no memory.
 */
struct session *sessions_add(
    struct sessions *sessions, uint64_t sequence, const struct record_open *open);

/* It has spoken: @sequence is above every one before. */
void sessions_touch(struct sessions *sessions, struct session *session, uint64_t sequence);

void sessions_remove(struct sessions *sessions, struct session *session);

#endif
