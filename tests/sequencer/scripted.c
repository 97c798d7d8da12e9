/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"

static struct scripted *of(struct lam_env *env)
{
    return (struct scripted *)env;
}

static void die(const char *text)
{
    (void)fprintf(stderr, "scripted: %s\n", text);
    abort();
}

static void finish(struct scripted *world, struct lam_env_io *io, int64_t result)
{
    io->result = result;
    io->next = NULL;
    if (world->made.first == NULL)
        world->made.first = io;
    else
        world->made.last->next = io;
    world->made.last = io;
}

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void start_connect(struct scripted *world, struct lam_env_io *io)
{
    if (world->file != 0)
        die("a second connection");
    if (world->connections < 64)
        world->connected_ns[world->connections] = world->now_ns;
    world->connections++;
    if (world->connect_result == 1) {
        world->connect = io;
        return;
    }
    if (world->connect_result == 0) {
        world->file = (int)world->connections;
        world->has_ended = 0;
        world->to_begin = world->to_end = world->from_begin = world->from_end = 0;
    }
    finish(world, io, world->connect_result == 0 ? world->file : world->connect_result);
}

static void start_send(struct scripted *world, struct lam_env_io *io)
{
    uint32_t count = least(io->count, world->piece);

    if (world->has_ended) {
        finish(world, io, -EPIPE);
        return;
    }
    if (count > SCRIPTED_BYTES - world->from_end)
        die("too much is sent");
    memcpy(world->from + world->from_end, io->bytes, count);
    world->from_end += count;
    finish(world, io, count);
}

static void start(struct lam_env *env, struct lam_env_io *io)
{
    struct scripted *world = of(env);

    if (io->call != LAM_ENV_CONNECT && (world->file == 0 || io->file != world->file))
        die("a call on no connection");
    switch (io->call) {
    case LAM_ENV_CONNECT:
        start_connect(world, io);
        break;
    case LAM_ENV_SEND:
        start_send(world, io);
        break;
    case LAM_ENV_RECEIVE:
        if (world->receive != NULL || io->count == 0)
            die("two receives, or one of nothing");
        world->receive = io;
        break;
    case LAM_ENV_CLOSE:
        if (world->receive != NULL)
            finish(world, world->receive, -ECANCELED);
        world->receive = NULL;
        world->file = 0;
        finish(world, io, 0);
        break;
    default:
        die("a call that no client makes");
    }
}

static void cancel(struct lam_env *env, struct lam_env_io *io)
{
    struct scripted *world = of(env);

    if (io == world->connect) {
        world->connect = NULL;
        finish(world, io, -ECANCELED);
    }
}

static void give(struct scripted *world)
{
    struct lam_env_io *io = world->receive;
    uint32_t count;

    if (io == NULL)
        return;
    count = least(least(io->count, world->piece), world->to_end - world->to_begin);
    if (count == 0 && !world->has_ended)
        return;
    memcpy(io->bytes, world->to + world->to_begin, count);
    world->to_begin += count;
    world->receive = NULL;
    finish(world, io, count);
}

/* The node's answer to one request. */
static void answer(struct scripted *world, const struct frame *frame)
{
    struct scripted_node *node = world->node;
    uint64_t number = frame->request;
    struct frame reply = {.kind = FRAME_REPLY, .request = number};
    int is_lost = node->break_in == 1 && node->breaks_before;

    node->break_in -= node->break_in != 0;
    if (is_lost) {
        scripted_end(world);
        return;
    }
    node->busy_in -= node->busy_in != 0;
    if (number >= SCRIPTED_NUMBER || frame->floor > number || frame->floor < node->floor ||
        number - frame->floor >= node->window) {
        node->wrong++;
    } else if (node->busy_in == 1) {
        node->busy_in = 0;
        reply = (struct frame){.kind = FRAME_REFUSED, .request = number, .code = REFUSED_BUSY};
    } else {
        node->floor = frame->floor;
        reply.flags = node->applied[number] != 0 ? FRAME_REPEATED : 0;
        if (node->applied[number] == 0) {
            node->applied[number] = ++node->sequence;
            node->times[number]++;
        }
        reply.sequence = node->applied[number];
        reply.bytes = frame->bytes;
        reply.count = frame->count;
    }
    scripted_say(world, &reply);
}

static void serve(struct scripted *world)
{
    struct scripted_node *node = world->node;
    struct frame frame;

    while (node != NULL && world->file != 0 && !world->has_ended && scripted_hear(world, &frame)) {
        unsigned left = node->break_in;

        if (frame.kind == FRAME_HELLO &&
            (frame.hello.session == 0 ||
                (frame.hello.session == node->session && frame.hello.token == node->token))) {
            struct frame welcome = scripted_welcome(world);

            scripted_say(world, &welcome);
        } else if (frame.kind == FRAME_HELLO) {
            scripted_say(world, &(struct frame){.kind = FRAME_GOODBYE, .code = REFUSED_SESSION});
        } else if (frame.kind == FRAME_REQUEST) {
            answer(world, &frame);
            if (left == 1 && !world->has_ended) {
                world->to_end = world->to_begin; /* its answer, and what was before it, is lost */
                scripted_end(world);
            }
        } else if (frame.kind == FRAME_QUERY) {
            scripted_say(world,
                &(struct frame){
                    .kind = FRAME_REPLY, .request = frame.request, .sequence = node->sequence});
        } else if (frame.kind == FRAME_BYE) {
            scripted_end(world);
        } else if (frame.kind != FRAME_BEAT) {
            node->wrong++;
        }
    }
}

static unsigned poll_calls(struct lam_env *env)
{
    struct scripted *world = of(env);
    struct lam_env_io *io;
    unsigned count = 0;

    serve(world);
    give(world);
    while ((io = lam_env_take(&world->made)) != NULL) {
        lam_env_tell(io);
        count++;
    }
    return count;
}

static uint64_t now_ns(struct lam_env *env)
{
    return of(env)->now_ns;
}

static uint64_t random_bits(struct lam_env *env)
{
    struct scripted *world = of(env);

    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return world->random >> 20;
}

/* Nobody else does anything meanwhile, so the time that is waited for is here at once. */
static void wait_until(struct lam_env *env, uint64_t deadline_ns)
{
    struct scripted *world = of(env);

    world->waits++;
    if (world->made.first != NULL ||
        (world->receive != NULL && (world->to_begin != world->to_end || world->has_ended)))
        return;
    if (deadline_ns == UINT64_MAX)
        die("a wait that nothing ends");
    if (deadline_ns > world->now_ns)
        world->now_ns = deadline_ns;
}

static void wake(struct lam_env *env)
{
    (void)env;
}

void scripted_begin(struct scripted *world, struct scripted_node *node)
{
    static const struct lam_env_ops ops = {.now_ns = now_ns,
        .random = random_bits,
        .start = start,
        .poll = poll_calls,
        .cancel = cancel,
        .wait = wait_until,
        .wake = wake};

    memset(world, 0, sizeof(*world));
    world->env.ops = &ops;
    world->now_ns = UINT64_C(1000000000000);
    world->piece = UINT32_MAX;
    world->node = node;
}

void scripted_say_bytes(struct scripted *world, const void *bytes, uint32_t count)
{
    if (world->to_begin == world->to_end)
        world->to_begin = world->to_end = 0;
    if (count > SCRIPTED_BYTES - world->to_end)
        die("too much is said");
    memcpy(world->to + world->to_end, bytes, count);
    world->to_end += count;
}

void scripted_say(struct scripted *world, const struct frame *frame)
{
    static uint8_t bytes[SCRIPTED_BYTES];
    uint32_t count = frame_encode(frame, bytes, sizeof(bytes));

    if (count == 0)
        die("too long a frame");
    scripted_say_bytes(world, bytes, count);
}

struct frame scripted_welcome(const struct scripted *world)
{
    static const struct scripted_node plain = {.session = 77, .token = 88, .window = 4};
    const struct scripted_node *node = world->node != NULL ? world->node : &plain;

    return (struct frame){.kind = FRAME_WELCOME,
        .welcome = {.session = node->session,
            .token = node->token,
            .floor = node->floor,
            .window = node->window,
            .bytes_max = 100000,
            .heartbeat_ns = node->heartbeat_ns,
            .version = FRAME_VERSION}};
}

int scripted_hear(struct scripted *world, struct frame *frame)
{
    const uint8_t *bytes = world->from + world->from_begin;
    uint32_t count = world->from_end - world->from_begin, length;

    if (frame_length(bytes, count, FRAME_BYTES_MAX, &length) != 1 || count < length)
        return 0;
    if (frame_decode(frame, FRAME_OF_CLIENT, bytes, length) != 0)
        die("a client's frame is none");
    world->from_begin += length;
    return 1;
}

void scripted_end(struct scripted *world)
{
    world->has_ended = 1;
}
