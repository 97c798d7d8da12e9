/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sim_net.c: the simulated network breaks what a real one may break, at the end that it is
 * told to, and nothing else; and a transport of sockets lives with all of it, seed after seed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/sim.h"
#include "transport/socket.h"

#define ADDRESS "tcp:10.0.0.1:9000"
#define MS      UINT64_C(1000000)
#define CLIENTS 4

static struct sim sim;
static struct sim_host one, two;

static void setup(void)
{
    sim_init(&sim, 7);
    sim_host_init(&one, &sim);
    sim_host_init(&two, &sim);
}

static void teardown(void)
{
    sim_fini(&sim);
}

TestSuite(sim_net, .init = setup, .fini = teardown, .timeout = 60);

static int64_t call(struct lam_env *env, enum lam_env_call which, struct lam_env_io io)
{
    return lam_env_do(env, &io, which);
}

/* Ends of a connection between @far, which connects, and @near, which listens at @address. */
static void join(
    struct lam_env *near, struct lam_env *far, const char *address, int *near_end, int *far_end)
{
    struct lam_env_io accepted = {0};

    accepted.file = (int)call(near, LAM_ENV_LISTEN, (struct lam_env_io){.name = address});
    cr_assert(accepted.file > 0);
    lam_env_start(near, &accepted, LAM_ENV_ACCEPT);
    *far_end = (int)call(far, LAM_ENV_CONNECT, (struct lam_env_io){.name = address});
    while (near->ops->poll(near), !accepted.done)
        near->ops->wait(near, UINT64_MAX);
    *near_end = (int)accepted.result;
    cr_assert(accepted.result > 0 && far_end[0] > 0);
}

static int64_t send_byte(struct lam_env *env, int file)
{
    char byte = 'x';

    return call(env, LAM_ENV_SEND, (struct lam_env_io){.file = file, .bytes = &byte, .count = 1});
}

/* Of one byte, or SIM_QUIET: nothing for 10 ms. */
#define SIM_QUIET 1000

static int64_t receive_byte(struct lam_env *env, int file)
{
    uint64_t deadline_ns = env->ops->now_ns(env) + 10 * MS;
    char byte;
    struct lam_env_io io = {.file = file, .bytes = &byte, .count = 1};

    lam_env_start(env, &io, LAM_ENV_RECEIVE);
    while (env->ops->poll(env), !io.done && env->ops->now_ns(env) < deadline_ns)
        env->ops->wait(env, deadline_ns);
    if (io.done)
        return io.result;
    env->ops->cancel(env, &io);
    env->ops->poll(env);
    cr_assert(io.done != 0 && io.result == -ECANCELED);
    return SIM_QUIET;
}

Test(sim_net, a_cut_of_one_way_leaves_the_other_and_loses_nothing)
{
    int near, far;

    join(&sim.env, &one.env, ADDRESS, &near, &far);
    sim_cut(&sim, far, UINT64_MAX);
    cr_assert(eq(i64, send_byte(&one.env, far), 1));
    cr_assert(eq(i64, send_byte(&sim.env, near), 1));
    cr_assert(eq(i64, receive_byte(&one.env, far), 1));
    cr_assert(eq(i64, receive_byte(&sim.env, near), SIM_QUIET));
    sim_cut(&sim, far, 0);
    cr_assert(eq(i64, receive_byte(&sim.env, near), 1));
}

Test(sim_net, a_reset_is_known_here_now_and_there_later)
{
    int near, far;
    char byte;
    struct lam_env_io in = {.bytes = &byte, .count = 1};

    join(&sim.env, &one.env, ADDRESS, &near, &far);
    in.file = near;
    lam_env_start(&sim.env, &in, LAM_ENV_RECEIVE);
    cr_assert(eq(i64, receive_byte(&sim.env, near), SIM_QUIET)); /* which has parked the other */
    sim_reset(&sim, far);
    sim.env.ops->poll(&sim.env);
    cr_assert(eq(int, in.done, 0));
    cr_assert(eq(i64, send_byte(&one.env, far), -ECONNRESET));
    while (sim.env.ops->poll(&sim.env), !in.done)
        sim.env.ops->wait(&sim.env, UINT64_MAX);
    cr_assert(eq(i64, in.result, -ECONNRESET));
}

Test(sim_net, an_end_of_the_node_ends_its_own_connections_alone)
{
    int near, far, host_near, host_far;
    int64_t result;

    for (unsigned seed = 0; seed < 10; seed++) {
        join(&sim.env, &one.env, ADDRESS, &near, &far);
        join(&two.env, &one.env, "unix:/other", &host_near, &host_far);
        cr_assert(eq(i64, send_byte(&sim.env, near), 1));
        sim_restart(&sim, SIM_KEEP_NONE);
        result = send_byte(&one.env, host_far);
        cr_assert(eq(i64, result, 1));
        cr_assert(eq(i64, receive_byte(&two.env, host_near), 1));
        result = receive_byte(&one.env, far);
        if (result == 1) /* it was on its way */
            result = receive_byte(&one.env, far);
        cr_assert(result == 0 || result == -ECONNRESET);
        cr_assert(eq(i64, call(&one.env, LAM_ENV_CONNECT, (struct lam_env_io){.name = ADDRESS}),
            -ECONNREFUSED));
        sim_host_restart(&two);
        cr_assert(receive_byte(&one.env, host_far) <= 0);
        sim_host_restart(&one);
    }
}

Test(sim_net, a_power_cut_ends_what_the_node_waits_for)
{
    int near, far;
    char byte;
    struct lam_env_io in = {.bytes = &byte, .count = 1}, name = {.name = "file"};

    join(&sim.env, &one.env, ADDRESS, &near, &far);
    in.file = near;
    lam_env_start(&sim.env, &in, LAM_ENV_RECEIVE);
    sim.faults.crash_at = sim.calls + 1;
    cr_assert(eq(i64, lam_env_do(&sim.env, &name, LAM_ENV_CREATE), -EIO));
    sim.env.ops->poll(&sim.env);
    cr_assert(in.done != 0 && in.result == -EIO);
    cr_assert(receive_byte(&one.env, far) <= 0);
}

Test(sim_net, a_clock_jumps_for_one_process_alone)
{
    uint64_t node_ns = sim.env.ops->now_ns(&sim.env), host_ns = one.env.ops->now_ns(&one.env);

    sim_jump(&sim.env, 5000 * MS);
    cr_assert(eq(u64, sim.env.ops->now_ns(&sim.env), node_ns + 5000 * MS));
    cr_assert(eq(u64, one.env.ops->now_ns(&one.env), host_ns));
    sim.env.ops->wait(&sim.env, node_ns + 5007 * MS);
    cr_assert(eq(u64, sim.env.ops->now_ns(&sim.env), node_ns + 5007 * MS));
    cr_assert(eq(u64, one.env.ops->now_ns(&one.env), host_ns + 7 * MS));
    one.env.ops->wake(&one.env);
    one.env.ops->wait(&one.env, UINT64_MAX);
    cr_assert(eq(u64, one.env.ops->now_ns(&one.env), host_ns + 7 * MS));
}

/* A client that sends numbered frames and wants each back, as long as its connection lasts. */
struct client {
    struct sim_host host;
    struct lam_env_io connect, send, receive;
    uint8_t out[FRAME_HEADER_BYTES], in[64];
    uint32_t have, sent, heard;
    int file;
    enum { IDLE, CONNECTING, TALKING, CLOSING } state;
};

static struct client clients[CLIENTS];
static struct transport *transport;
static uint64_t lives, echoes, ends;

static void put_number(uint8_t *bytes, uint32_t number)
{
    memset(bytes, 0, FRAME_HEADER_BYTES);
    bytes[0] = FRAME_HEADER_BYTES;
    memcpy(bytes + 8, &number, sizeof(number));
}

static void begin_send(struct client *client, uint64_t done)
{
    client->send.file = client->file;
    client->send.bytes = client->out + done;
    client->send.count = sizeof(client->out) - done;
    lam_env_start(&client->host.env, &client->send, LAM_ENV_SEND);
}

static void begin_receive(struct client *client)
{
    client->receive.file = client->file;
    client->receive.bytes = client->in + client->have;
    client->receive.count = sizeof(client->in) - client->have;
    lam_env_start(&client->host.env, &client->receive, LAM_ENV_RECEIVE);
}

/* Every whole frame is the one that has to come. */
static void check_heard(struct client *client)
{
    uint8_t want[FRAME_HEADER_BYTES];

    while (client->have >= FRAME_HEADER_BYTES) {
        put_number(want, client->heard++);
        cr_assert(eq(int, memcmp(client->in, want, sizeof(want)), 0));
        client->have -= FRAME_HEADER_BYTES;
        memmove(client->in, client->in + FRAME_HEADER_BYTES, client->have);
        echoes++;
    }
    cr_assert(client->heard <= client->sent);
}

static void talk(struct client *client)
{
    if (client->receive.done && client->receive.result > 0) {
        client->have += (uint32_t)client->receive.result;
        check_heard(client);
        begin_receive(client);
    }
    if (client->send.done && client->send.result > 0) {
        uint64_t done =
            (uint64_t)((uint8_t *)client->send.bytes - client->out) + (uint64_t)client->send.result;

        if (done == sizeof(client->out)) {
            put_number(client->out, ++client->sent);
            done = 0;
        }
        begin_send(client, done);
    }
    if ((client->receive.done && client->receive.result <= 0) || client->sent >= 40) {
        client->state = CLOSING;
        client->connect.file = client->file;
        lam_env_start(&client->host.env, &client->connect, LAM_ENV_CLOSE);
    }
}

static void step_client(struct client *client, int may_begin)
{
    if (client->state == IDLE && may_begin) {
        client->connect.name = ADDRESS;
        lam_env_start(&client->host.env, &client->connect, LAM_ENV_CONNECT);
        client->state = CONNECTING;
    } else if (client->state == CONNECTING && client->connect.done) {
        client->state = client->connect.result < 0 ? IDLE : TALKING;
        client->file = (int)client->connect.result;
        client->sent = client->heard = client->have = 0;
        put_number(client->out, 0);
        if (client->state == TALKING) {
            lives++;
            begin_send(client, 0);
            begin_receive(client);
        }
    } else if (client->state == TALKING) {
        talk(client);
    } else if (client->state == CLOSING && client->connect.done && client->send.done &&
               client->receive.done) {
        client->state = IDLE;
    }
}

/* Frames go back to whom they came from; who cannot take one is sent away. */
static void step_server(void)
{
    struct transport_event event;

    for (unsigned i = 0; i < 8 && transport->ops->next(transport, &event) == 1; i++) {
        struct iovec frame = {(void *)(uintptr_t)event.bytes, event.count};

        if (event.kind == TRANSPORT_FRAME &&
            transport->ops->send(transport, event.connection, &frame, 1) == 1)
            continue;
        ends += event.kind == TRANSPORT_GONE;
        if (event.kind != TRANSPORT_CONNECTED)
            transport->ops->close(transport, event.connection);
    }
    (void)transport->ops->flush(transport);
}

static void open_server(void)
{
    struct socket_transport_config config = {.reader = &sim.env,
        .writer = &sim.env,
        .address = ADDRESS,
        .number = 1,
        .frame_bytes_max = 64,
        .input_bytes = 64,
        .output_bytes = 64,
        .connections_max = CLIENTS,
        .linger_ns = 2 * MS};
    struct lam_error error;

    cr_assert(eq(int, socket_transport_create(&transport, &config, &error), 0));
}

/* The process ends as by a kill, and the next one listens. */
static void restart_server(void)
{
    sim.is_off = 1;
    transport->ops->destroy(transport);
    sim_restart(&sim, SIM_KEEP_ALL);
    open_server();
}

static void run(unsigned rounds, int may_begin)
{
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < CLIENTS; k++)
            step_client(&clients[k], may_begin);
        step_server();
        if (may_begin && sim_random(&sim) % 1000 == 0)
            restart_server();
        if (sim_random(&sim) % 100 == 0)
            sim_jump(&sim.env, sim_random(&sim) % MS);
        sim.env.ops->wait(&sim.env, sim.env.ops->now_ns(&sim.env) + MS / 4);
        sim.env.ops->poll(&sim.env);
    }
}

static uint64_t run_seed(uint64_t seed)
{
    uint64_t trace;

    teardown();
    sim_init(&sim, seed);
    sim.net = (struct sim_net){.partial_one_in = 3,
        .refuse_one_in = 10,
        .reset_one_in = 200,
        .cut_one_in = 100,
        .cut_ns = 3 * MS,
        .buffer_bytes = 40};
    memset(clients, 0, sizeof(clients));
    for (unsigned i = 0; i < CLIENTS; i++)
        sim_host_init(&clients[i].host, &sim);
    open_server();
    run(2000, 1);
    /* Nobody comes any more: all places are free before long. */
    sim.net = (struct sim_net){0};
    run(2000, 0);
    cr_assert(eq(u32, socket_transport_connections(transport), 0));
    for (unsigned i = 0; i < CLIENTS; i++)
        cr_assert(eq(int, clients[i].state, IDLE));
    trace = sim.trace;
    transport->ops->destroy(transport);
    return trace;
}

Test(sim_net, a_transport_lives_with_all_of_it_and_a_seed_is_replayed_to_the_bit)
{
    uint64_t seeds =
        getenv("LAMINA_EFFORT") != NULL ? 20 * strtoull(getenv("LAMINA_EFFORT"), 0, 10) : 20;

    for (uint64_t seed = 0; seed < seeds; seed++) {
        uint64_t trace = run_seed(seed);

        if (seed < 5)
            cr_assert(eq(u64, run_seed(seed), trace));
    }
    cr_assert(lives >= 20 * seeds && echoes >= 200 * seeds && ends >= 10 * seeds,
        "%llu lives, %llu echoes, %llu ends", (unsigned long long)lives, (unsigned long long)echoes,
        (unsigned long long)ends);
}
