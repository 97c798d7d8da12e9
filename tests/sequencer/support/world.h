/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_WORLD_H
#define LAM_TEST_WORLD_H

/*
 * world.h: a whole node in a simulated world: one thread runs all stages, a client is a few
 * functions, and power can be cut at any step.
 */

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "memory_transport.h"
#include "pipeline/node.h"
#include "simulation/sim.h"
#include "sum_app.h"
#include "wire.h"

#define WORLD_FRAME_MAX 512

struct world {
    struct sim sim;
    struct memory_transport transport;
    struct sum_config sum;
    struct lam_app app;
    struct lam_sequencer_config config;
    struct node *node;
    struct lam_error error;
    int has_transport;
    int failed; /* what a stage has ended with */
};

/* What a client got: a frame, taken apart. */
struct answer {
    uint8_t bytes[WORLD_FRAME_MAX];
    uint8_t kind, flags;
    uint64_t request;
    uint32_t count; /* of the body */
    const uint8_t *body;
};

static inline void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.failed = 0};
    sim_init(&world->sim, seed);
    world->app = sum_app(&world->sum);
    world->config = (struct lam_sequencer_config){.directory = "simulated",
        .segment_bytes = 65536,
        .reserve_bytes = 8192,
        .batch_bytes = 8192,
        .input_cells = 256,
        .output_cells = 256,
        .connections_max = 8,
        .sessions_max = 8,
        .window = 8,
        .tick_ns = UINT64_MAX};
}

/* Returns what node_open does. */
static inline int world_open(struct world *world)
{
    struct node_config config = {
        .sequencer = &world->config, .app = &world->app, .transport_count = 1};

    memory_transport_init(&world->transport, 1);
    world->has_transport = 1;
    for (int i = 0; i < NODE_STAGES; i++)
        config.envs[i] = &world->sim.env;
    config.transports[0] = &world->transport.transport;
    world->failed = 0;
    return node_open(&world->node, &config, &world->error);
}

/* A step of one stage. Returns what it does. */
static inline int world_step_of(struct world *world, enum node_stage which, unsigned budget)
{
    struct stage *stage = node_stage(world->node, which);
    int result = world->failed != 0 ? 0 : stage->step(stage, budget);

    if (result < 0) {
        world->failed = result;
        world->error = stage->error;
    }
    return result;
}

/* One step of each stage, in an order of the seed's. Returns how much was done. */
static inline int world_step(struct world *world)
{
    uint64_t from = sim_random(&world->sim) % NODE_STAGES;
    int worked = 0;

    for (uint64_t i = 0; i < NODE_STAGES; i++) {
        int result = world_step_of(world, (enum node_stage)((from + i) % NODE_STAGES),
            1 + (unsigned)(sim_random(&world->sim) % 8));

        worked += result > 0 ? result : 0;
    }
    return worked;
}

/* Until nothing is left to do but to wait for time. */
static inline void world_settle(struct world *world)
{
    for (int idle = 0; idle < 3 && world->failed == 0;) {
        if (world_step(world) != 0) {
            idle = 0;
            continue;
        }
        if (world->sim.queue_count != 0)
            world->sim.env.ops->wait(&world->sim.env, UINT64_MAX);
        else
            idle++;
    }
}

/* Time goes on by so much, and what is due is done. */
static inline void world_sleep(struct world *world, uint64_t ns)
{
    world->sim.now_ns += ns;
    world_settle(world);
}

static inline void world_close(struct world *world)
{
    if (world->node != NULL)
        node_close(world->node);
    world->node = NULL;
    if (world->has_transport)
        memory_transport_fini(&world->transport);
    world->has_transport = 0;
}

/* The process ends at once, and the next one begins with what the disk has. */
static inline int world_crash(struct world *world, enum sim_keep keep)
{
    world->sim.is_off = 1;
    world_close(world);
    sim_restart(&world->sim, keep);
    return world_open(world);
}

static inline void world_fini(struct world *world)
{
    world->sim.is_off = 1;
    world_close(world);
    sim_restart(&world->sim, SIM_KEEP_NONE);
    sim_fini(&world->sim);
}

/* A client says @kind, with a body of @count bytes. */
static inline void world_say(struct world *world, unsigned client, uint8_t kind, uint64_t request,
    const void *body, uint32_t count)
{
    uint8_t frame[WORLD_FRAME_MAX] = {0};

    (void)wire_put_u32(frame, FRAME_HEADER_BYTES + count);
    frame[4] = kind;
    (void)wire_put_u64(frame + 8, request);
    if (count != 0)
        memcpy(frame + FRAME_HEADER_BYTES, body, count);
    memory_send(&world->transport, client, frame, FRAME_HEADER_BYTES + count);
}

static inline void world_hello(
    struct world *world, unsigned client, uint64_t session, uint64_t token)
{
    uint8_t body[24] = {FRAME_VERSION};

    (void)wire_put_u64(body + 8, session);
    (void)wire_put_u64(body + 16, token);
    world_say(world, client, FRAME_HELLO, 0, body, sizeof(body));
}

static inline void world_request(
    struct world *world, unsigned client, uint64_t request, uint64_t floor, uint64_t value)
{
    uint8_t body[16];

    (void)wire_put_u64(body, floor);
    memcpy(body + 8, &value, sizeof(value));
    world_say(world, client, FRAME_REQUEST, request, body, sizeof(body));
}

static inline void world_query(struct world *world, unsigned client, uint64_t request)
{
    world_say(world, client, FRAME_QUERY, request, NULL, 0);
}

/* Returns 1 and what the client got next, 0: nothing, -1: it is cut off. */
static inline int world_hear(struct world *world, unsigned client, struct answer *answer)
{
    int64_t count = memory_receive(&world->transport, client, answer->bytes, sizeof(answer->bytes));

    if (count <= 0)
        return (int)count;
    answer->kind = answer->bytes[4];
    answer->flags = answer->bytes[5];
    answer->request = wire_get_u64(answer->bytes + 8);
    answer->body = answer->bytes + FRAME_HEADER_BYTES;
    answer->count = (uint32_t)count - FRAME_HEADER_BYTES;
    return 1;
}

/* The application's number in a REPLY. */
static inline uint64_t world_value(const struct answer *answer)
{
    uint64_t value;

    memcpy(&value, answer->body + 8, sizeof(value));
    return value;
}

#endif
