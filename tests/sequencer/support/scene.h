/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_SCENE_H
#define LAM_TEST_SCENE_H

/*
 * scene.h: what the suites of a whole node have in common: one world, and what clients do in it.
 * One thread runs all stages, so that each scene can stop where it wants to look.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "pipeline/parts.h"
#include "world.h"

static struct world world;
static struct answer answer;

/* What a client knows of its session. */
struct session {
    uint64_t id, token, floor;
};

static inline void open_world(void)
{
    cr_assert(eq(int, world_open(&world), 0), "%s", world.error.text);
}

static inline void setup(void)
{
    world_init(&world, 42);
    open_world();
}

static inline void teardown(void)
{
    world_fini(&world);
}

static inline void hear(unsigned client, uint8_t kind)
{
    cr_assert(eq(int, world_hear(&world, client, &answer), 1));
    cr_assert(eq(u8, answer.kind, kind));
}

static inline struct session welcome(unsigned client)
{
    struct session session;

    hear(client, FRAME_WELCOME);
    session.id = wire_get_u64(answer.body);
    session.token = wire_get_u64(answer.body + 8);
    session.floor = wire_get_u64(answer.body + 16);
    return session;
}

/* The same with other rings. */
static inline void open_with_cells(uint32_t input_cells, uint32_t output_cells)
{
    world_close(&world);
    world.config.input_cells = input_cells;
    world.config.output_cells = output_cells;
    open_world();
}

/* A client that has a new session. */
static inline unsigned come(struct session *session)
{
    unsigned client = memory_connect(&world.transport);

    world_hello(&world, client, 0, 0);
    world_settle(&world);
    *session = welcome(client);
    return client;
}

static inline void hear_value(unsigned client, uint64_t request, uint64_t value)
{
    hear(client, FRAME_REPLY);
    cr_assert(eq(u64, answer.request, request));
    cr_assert(eq(u64, world_value(&answer), value));
}

static inline void hear_refused(unsigned client, uint64_t request, uint32_t code)
{
    hear(client, FRAME_REFUSED);
    cr_assert(eq(u64, answer.request, request));
    cr_assert(eq(u32, wire_get_u32(answer.body), code));
}

static inline void hear_nothing(unsigned client)
{
    cr_assert(eq(int, world_hear(&world, client, &answer), 0));
}

static inline void crash(enum sim_keep keep)
{
    cr_assert(eq(int, world_crash(&world, keep), 0), "%s", world.error.text);
}

/* All stages but the journal, until nothing more comes of it. */
static inline void run_without_disk(void)
{
    for (int i = 0; i < 20; i++)
        for (int which = 0; which < NODE_STAGES; which++)
            if (which != NODE_JOURNAL)
                (void)world_step_of(&world, (enum node_stage)which, 8);
}

#endif
