/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_LIFE_H
#define LAM_TESTS_SEQUENCER_LIFE_H

/*
 * life.h: a journal in a simulated world, and beside it a model that knows what was sent and what
 * was acknowledged: nothing of the latter is lost, nothing else comes back, and the order is kept.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "journal/journal.h"
#include "simulation/sim.h"
#include "snapshot/snapshot.h"

/* As CHECK, with the seed that shows it again. */
#define LIFE_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            (void)fprintf(stderr, "life %llu, call %llu\n", (unsigned long long)life->name,        \
                (unsigned long long)life->sim.calls);                                              \
        CHECK(condition);                                                                          \
    } while (0)

#define LIFE_EVENTS_MAX   4096
#define LIFE_EVENT_BYTES  1024
#define LIFE_EPOCH        5
#define LIFE_SEGMENT      UINT64_C(16384)
#define LIFE_BATCH        4096
#define LIFE_MARK_BATCHES 4

struct life {
    struct sim sim;
    struct journal journal;
    struct journal_config config;
    struct journal_report report;
    struct lam_error error;
    uint64_t contents[LIFE_EVENTS_MAX]; /* of each event: what its bytes are made of */
    uint64_t sent, acknowledged;
    uint64_t replayed;
    int is_open;
    int is_wrong;  /* the model and the journal differ */
    uint64_t name; /* of the life: its seed */
};

static inline uint64_t life_effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    long effort = text != NULL ? strtol(text, NULL, 10) : 1;

    return effort < 1 ? 1 : (uint64_t)effort;
}

static inline void life_begin(struct life *life, uint64_t seed)
{
    memset(life, 0, sizeof(*life));
    sim_init(&life->sim, seed);
    life->config = (struct journal_config){.env = &life->sim.env,
        .segment_bytes = LIFE_SEGMENT,
        .reserve_bytes = 1024,
        .epoch = LIFE_EPOCH,
        .sector_bytes = 512,
        .batch_bytes = LIFE_BATCH,
        .mark_batches = LIFE_MARK_BATCHES};
}

static inline uint32_t life_bytes_of(uint64_t content, uint8_t *bytes)
{
    uint32_t count = (uint32_t)(content >> 8) % LIFE_EVENT_BYTES;

    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(content >> i % 57);
    return count;
}

static inline void life_replay(void *context, const struct batch_record *record)
{
    struct life *life = context;
    uint8_t bytes[LIFE_EVENT_BYTES];
    uint64_t at = life->replayed++;

    if (at >= life->sent || record->sequence != at || record->time_ns != 1000 + at ||
        record->kind != 9 || record->bytes != life_bytes_of(life->contents[at], bytes) ||
        memcmp(record->data, bytes, record->bytes) != 0)
        life->is_wrong = 1;
}

/* Returns what journal_open does. Where it works, what came back is what had to. */
static inline int life_open(struct life *life)
{
    int result;

    life->replayed = life->config.from != NULL ? life->config.from->next_sequence : 0;
    result =
        journal_open(&life->journal, &life->config, life_replay, life, &life->report, &life->error);
    LIFE_CHECK(!life->is_wrong);
    life->is_open = result == 0;
    if (result != 0)
        return result;
    LIFE_CHECK(life->replayed >= life->acknowledged);
    LIFE_CHECK(journal_next(&life->journal) == life->replayed);
    LIFE_CHECK(journal_durable(&life->journal) == life->replayed);
    life->sent = life->acknowledged = life->replayed;
    return 0;
}

/* Returns what journal_step does, and looks at what may be acknowledged. */
static inline int life_step(struct life *life)
{
    int result = journal_step(&life->journal);
    uint64_t durable = journal_durable(&life->journal);

    LIFE_CHECK(durable >= life->acknowledged && durable <= life->sent);
    if (!life->sim.is_off) /* who is dead acknowledges nothing */
        life->acknowledged = durable;
    if (result == 0 && life->sim.queue_count != 0)
        life->sim.env.ops->wait(&life->sim.env, journal_due_ns(&life->journal));
    return result;
}

/* Returns what journal_try_add does. */
static inline int life_add(struct life *life, uint64_t content)
{
    uint8_t bytes[LIFE_EVENT_BYTES];
    uint32_t count = life_bytes_of(content, bytes);
    int result;

    LIFE_CHECK(life->sent < LIFE_EVENTS_MAX);
    life->contents[life->sent] = content;
    result = journal_try_add(&life->journal, life->sent, 9, 1000 + life->sent, bytes, count);
    if (result == 1)
        life->sent++;
    return result;
}

/* So many events more, some steps between them. Returns 0, or negative errno: it failed. */
static inline int life_run(struct life *life, uint64_t events)
{
    uint64_t until = life->sent + events;

    while (life->sent < until) {
        int result = life_add(life, sim_random(&life->sim));

        if (result < 0)
            return result;
        if (result == 0 || sim_random(&life->sim) % 4 == 0)
            if ((result = life_step(life)) < 0)
                return result;
    }
    return 0;
}

/* Until all is durable and marked. Returns 0, or negative errno. */
static inline int life_settle(struct life *life)
{
    while (!journal_is_idle(&life->journal)) {
        int result = life_step(life);

        if (result < 0)
            return result;
    }
    return 0;
}

/* The process ends, and with it all but what @keep says. */
static inline void life_kill(struct life *life, enum sim_keep keep)
{
    life->sim.is_off = 1;
    if (life->is_open)
        journal_close(&life->journal);
    life->is_open = 0;
    sim_restart(&life->sim, keep);
}

static inline void life_end(struct life *life)
{
    life_kill(life, SIM_KEEP_CACHE);
    sim_fini(&life->sim);
}

#endif
