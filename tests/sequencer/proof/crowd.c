/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c: what clients do.
 */
#include "proof/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "proof/book.h"
#include "proof/wire.h"

#define MILLISECOND   UINT64_C(1000000)
#define SECOND        UINT64_C(1000000000)
#define FLOOD_QUERIES 60
#define PATIENCE_NS   (45 * SECOND) /* without any word; more than a node waits for a client */

static uint64_t now(const struct crowd *crowd)
{
    return *crowd->net->now_ns;
}

static uint64_t draw(struct crowd *crowd, uint64_t count)
{
    return random_below(&crowd->workload.random, count);
}

int crowd_break(struct crowd *crowd, const char *what)
{
    if (crowd->broken == NULL)
        crowd->broken = what;
    return 0;
}

void crowd_lose_connection(struct crowd *crowd, struct crowd_client *client, int is_silent)
{
    if (client->state != CROWD_AWAY)
        net_leave(crowd->net, client->connection, is_silent);
    client->state = CROWD_AWAY;
    client->waiting_count = 0;
    client->read_ns = 0;
    client->act_ns = now(crowd) + MILLISECOND + draw(crowd, 200 * MILLISECOND);
    for (unsigned i = 0; i < CROWD_OPEN_MAX; i++)
        client->requests[i].is_sent = 0;
}

void crowd_lose_session(struct crowd *crowd, struct crowd_client *client)
{
    (void)crowd;
    client->session = client->token = 0;
    memset(client->requests, 0, sizeof(client->requests));
}

static struct crowd_request *request_of(struct crowd_client *client, uint64_t number)
{
    return &client->requests[number % CROWD_OPEN_MAX];
}

static uint64_t true_floor(struct crowd_client *client)
{
    uint64_t number = client->floor;

    while (number < client->next_number) {
        const struct crowd_request *request = request_of(client, number);

        if (request->is_used && request->number == number && !request->is_answered)
            break;
        number++;
    }
    return number;
}

/* The floor that it tells: some that have been answered are kept, to be asked for again. */
static uint64_t told_floor(struct crowd_client *client)
{
    uint64_t floor = true_floor(client);

    if (floor > client->floor + client->lag)
        client->floor = floor - client->lag;
    return client->floor;
}

/* Returns 1 where it is on its way, and then what is to come is noted. */
static int send_wire(struct crowd *crowd, struct crowd_client *client, const struct wire *wire,
    const struct crowd_waiting *waiting)
{
    int result;

    if (client->waiting_count == CROWD_WAITING_MAX)
        return 0;
    result = net_send(crowd->net, client->connection, wire->bytes, wire->count);
    if (result < 0)
        crowd_lose_connection(crowd, client, 0);
    if (result <= 0)
        return 0;
    client->beat_ns = now(crowd);
    if (waiting != NULL)
        client->waiting[(client->waiting_first + client->waiting_count++) % CROWD_WAITING_MAX] =
            *waiting;
    crowd->histogram->depths[workload_bucket(client->waiting_count)]++;
    return 1;
}

void crowd_subscribe(struct crowd *crowd, struct crowd_client *client)
{
    uint64_t from = client->heard == 0 ? 0 : client->heard + 1;
    struct wire wire;

    if (client->heard == 0) /* nobody knows what it will miss */
        client->subscription = ++crowd->subscriptions;
    wire_begin(&wire, FRAME_SUBSCRIBE, from);
    (void)send_wire(crowd, client, &wire, &(struct crowd_waiting){WANT_SUBSCRIBED, from, 0, 0});
}

static size_t new_op(struct crowd *crowd, int is_query)
{
    struct history_op *op;

    if (crowd->op_count == crowd->op_capacity) {
        crowd->op_capacity = 2 * crowd->op_capacity + 256;
        crowd->ops = realloc(crowd->ops, crowd->op_capacity * sizeof(*crowd->ops));
        CHECK(crowd->ops != NULL);
    }
    op = &crowd->ops[crowd->op_count];
    memset(op, 0, sizeof(*op));
    op->op = workload_op(&crowd->workload, is_query, crowd->op_count + 1);
    op->asked = ++crowd->clock;
    crowd->histogram->verbs[op->op.verb]++;
    return crowd->op_count++;
}

static void put_event(struct wire *wire, const struct model_op *op, uint32_t padding)
{
    static const uint8_t filling[WIRE_BYTES];

    wire_put(wire, op, sizeof(*op));
    wire_put(wire, filling, padding);
}

static int send_request(
    struct crowd *crowd, struct crowd_client *client, struct crowd_request *request)
{
    struct wire wire;
    int is_repeat = request->is_answered;

    wire_begin(&wire, FRAME_REQUEST, request->number);
    wire_put_u64(&wire, told_floor(client));
    put_event(&wire, &crowd->ops[request->op].op, request->bytes);
    if (!send_wire(crowd, client, &wire,
            &(struct crowd_waiting){
                is_repeat ? WANT_REPEAT : WANT_ANSWER, request->number, request->op, 0}))
        return 0;
    request->sendings++;
    request->is_sent = 1;
    request->is_busy = 0;
    return 1;
}

static int send_event(struct crowd *crowd, struct crowd_client *client)
{
    uint64_t number = client->next_number;
    struct crowd_request *request = request_of(client, number);

    if (number >= told_floor(client) + client->window)
        return 0;
    *request = (struct crowd_request){.number = number,
        .op = new_op(crowd, 0),
        .bytes = (uint32_t)draw(crowd, crowd->workload.padding),
        .is_used = 1};
    crowd->histogram->bytes[workload_bucket(request->bytes + sizeof(struct model_op))]++;
    client->next_number++;
    return send_request(crowd, client, request);
}

static int send_query(struct crowd *crowd, struct crowd_client *client)
{
    struct wire wire;
    size_t op = new_op(crowd, 1);

    wire_begin(&wire, FRAME_QUERY, op + 1);
    put_event(&wire, &crowd->ops[op].op, 0);
    return send_wire(crowd, client, &wire, &(struct crowd_waiting){WANT_QUERY, op + 1, op, 0});
}

/* A request that has to be refused, with the id of nobody. */
static int send_refused(struct crowd *crowd, struct crowd_client *client, uint64_t number,
    uint32_t bytes, uint32_t code)
{
    const struct model_op op = {.id = UINT64_MAX, .verb = MODEL_SET, .key = 3, .a = -1};
    struct wire wire;

    wire_begin(&wire, FRAME_REQUEST, number);
    wire_put_u64(&wire, client->floor); /* its own number may be what is above it */
    if (bytes < sizeof(op))
        wire_put(&wire, &op, bytes);
    else
        put_event(&wire, &op, bytes - (uint32_t)sizeof(op));
    return send_wire(crowd, client, &wire, &(struct crowd_waiting){WANT_REFUSAL, number, 0, code});
}

/* Numbered as any other, and given up at once. */
static void send_nonsense(struct crowd *crowd, struct crowd_client *client)
{
    if (client->next_number >= told_floor(client) + client->window)
        return;
    request_of(client, client->next_number)->is_used = 0;
    (void)send_refused(crowd, client, client->next_number++,
        (uint32_t)draw(crowd, sizeof(struct model_op)), REFUSED_APP_CODE + BOOK_NO_EVENT);
}

static void send_repeat(struct crowd *crowd, struct crowd_client *client)
{
    for (uint64_t number = told_floor(client); number < client->next_number; number++) {
        struct crowd_request *request = request_of(client, number);

        if (request->is_used && request->number == number && request->is_answered &&
            draw(crowd, 2) == 0) {
            (void)send_request(crowd, client, request);
            return;
        }
    }
}

static void send_bye(struct crowd *crowd, struct crowd_client *client)
{
    static const uint8_t is_over = 1;
    struct wire wire;

    wire_begin(&wire, FRAME_BYE, 0);
    wire_put(&wire, &is_over, 1);
    if (!send_wire(crowd, client, &wire, NULL))
        return;
    crowd_lose_connection(crowd, client, 1);
    crowd_lose_session(crowd, client);
}

static void flood(struct crowd *crowd, struct crowd_client *client)
{
    unsigned queries = 0;

    while (send_event(crowd, client))
        ;
    while (client->state == CROWD_THERE && queries++ < FLOOD_QUERIES && send_query(crowd, client))
        ;
    client->read_ns = now(crowd) + draw(crowd, 5 * SECOND);
}

static void act(struct crowd *crowd, struct crowd_client *client)
{
    enum workload_act what = workload_next(&crowd->workload, crowd->histogram);
    uint64_t count = draw(crowd, crowd->workload.pipeline_max);

    switch (what) {
    case WORKLOAD_PIPELINE:
        while (count-- != 0 && send_event(crowd, client))
            ;
        break;
    case WORKLOAD_FLOOD:
        flood(crowd, client);
        break;
    case WORKLOAD_QUERY:
        (void)send_query(crowd, client);
        break;
    case WORKLOAD_REPEAT:
        send_repeat(crowd, client);
        break;
    case WORKLOAD_STALE:
        if (told_floor(client) > 1)
            (void)send_refused(crowd, client, client->floor - 1, 40, REFUSED_STALE_CODE);
        break;
    case WORKLOAD_FAR:
        (void)send_refused(crowd, client, told_floor(client) + client->window + draw(crowd, 9), 40,
            REFUSED_WINDOW_CODE);
        break;
    case WORKLOAD_OVERSIZED:
        (void)send_refused(crowd, client, client->next_number, BOOK_EVENT_BYTES + 8, 0);
        break;
    case WORKLOAD_NONSENSE:
        send_nonsense(crowd, client);
        break;
    case WORKLOAD_CUT:
        crowd_lose_connection(crowd, client, draw(crowd, 4) == 0);
        break;
    case WORKLOAD_DEAF:
        client->read_ns = now(crowd) + draw(crowd, 20 * SECOND);
        break;
    case WORKLOAD_BYE:
        send_bye(crowd, client);
        break;
    default:
        (void)send_event(crowd, client);
        break;
    }
}

/* What has no answer yet, and was not sent on this connection or came back as busy. */
static void send_again(struct crowd *crowd, struct crowd_client *client)
{
    for (uint64_t number = client->floor; number < client->next_number; number++) {
        struct crowd_request *request = request_of(client, number);

        if (!request->is_used || request->number != number || request->is_answered ||
            (request->is_sent && !request->is_busy))
            continue;
        if (request->is_busy && request->sendings == 1 && draw(crowd, 8) == 0) {
            crowd->ops[request->op].end = HISTORY_REFUSED; /* and that is taken for an answer */
            request->is_used = 0;
        } else if (!send_request(crowd, client, request)) {
            return;
        }
    }
}

static void connect_client(struct crowd *crowd, struct crowd_client *client)
{
    struct wire wire;

    client->connection = net_connect(crowd->net);
    client->act_ns = now(crowd) + MILLISECOND + draw(crowd, SECOND);
    if (client->connection < 0)
        return;
    client->state = CROWD_HELLO;
    client->beat_ns = client->act_ns = now(crowd) + 10 * SECOND;
    wire_hello(&wire, client->session, client->token);
    (void)send_wire(crowd, client, &wire, NULL);
}

/* Frames of any kind and any bytes, as a whole of the length that they say. */
static void act_strangely(struct crowd *crowd, struct crowd_client *client)
{
    struct wire wire;
    uint64_t count = draw(crowd, 6);

    crowd->histogram->acts[WORKLOAD_GARBAGE]++;
    while (count-- != 0 && client->state != CROWD_AWAY) {
        uint32_t bytes = (uint32_t)draw(crowd, draw(crowd, 3) == 0 ? 1500 : 40);

        wire_begin(&wire, (uint8_t)draw(crowd, draw(crowd, 2) == 0 ? 256 : 24), draw(crowd, 50));
        while (bytes-- != 0) {
            uint8_t byte = (uint8_t)draw(crowd, draw(crowd, 2) == 0 ? 256 : 2);

            wire_put(&wire, &byte, 1);
        }
        wire.bytes[5] = (uint8_t)draw(crowd, 2);
        client->waiting_count = 0;
        (void)send_wire(crowd, client, &wire, NULL);
    }
    if (client->state != CROWD_AWAY && draw(crowd, 3) == 0)
        crowd_lose_connection(crowd, client, draw(crowd, 3) == 0);
    client->act_ns = now(crowd) + draw(crowd, 20 * SECOND);
}

static void beat(struct crowd *crowd, struct crowd_client *client)
{
    struct wire wire;

    wire_begin(&wire, FRAME_BEAT, 0);
    (void)send_wire(crowd, client, &wire, NULL);
}

/* Returns 1 where it has done something. */
static unsigned do_what_is_due(struct crowd *crowd, struct crowd_client *client)
{
    uint64_t rest = crowd->workload.gap_ns;

    if (client->act_ns > now(crowd) || (crowd->is_calm && client->kind == CROWD_STRANGER))
        return 0;
    if (client->state == CROWD_AWAY) {
        connect_client(crowd, client);
    } else if (client->kind == CROWD_STRANGER) {
        act_strangely(crowd, client);
    } else if (client->state == CROWD_HELLO ||
               (client->waiting_count != 0 && now(crowd) > client->beat_ns + PATIENCE_NS)) {
        crowd_lose_connection(crowd, client, 0); /* nobody answers */
    } else {
        if (client->kind == CROWD_HONEST) {
            send_again(crowd, client);
            if (client->state == CROWD_THERE && !crowd->is_calm)
                act(crowd, client);
        }
        if (client->state == CROWD_THERE && client->waiting_count == 0 &&
            now(crowd) > client->beat_ns + 2 * SECOND)
            beat(crowd, client);
        if (client->state == CROWD_THERE && draw(crowd, 6) == 0)
            rest = crowd->workload.quiet_ns;
        if (rest > 3 * SECOND && client->waiting_count == 0)
            rest = 3 * SECOND;
        if (client->state == CROWD_THERE)
            client->act_ns = now(crowd) + 1000 + draw(crowd, rest);
    }
    return 1;
}

unsigned crowd_step(struct crowd *crowd)
{
    unsigned did = 0;

    for (unsigned i = 0; i < crowd->client_count; i++)
        did += crowd_hear(crowd, &crowd->clients[i]) + do_what_is_due(crowd, &crowd->clients[i]);
    return did;
}

uint64_t crowd_due_ns(const struct crowd *crowd)
{
    uint64_t due_ns = UINT64_MAX;

    for (unsigned i = 0; i < crowd->client_count; i++) {
        const struct crowd_client *client = &crowd->clients[i];

        if (crowd->is_calm && client->kind == CROWD_STRANGER)
            continue;
        if (client->act_ns < due_ns)
            due_ns = client->act_ns;
        if (client->read_ns > now(crowd) && client->read_ns < due_ns)
            due_ns = client->read_ns;
    }
    return due_ns;
}

int crowd_is_answered(const struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->client_count; i++)
        for (unsigned j = 0; j < CROWD_OPEN_MAX; j++)
            if (crowd->clients[i].requests[j].is_used && !crowd->clients[i].requests[j].is_answered)
                return 0;
    return 1;
}

void crowd_begin(
    struct crowd *crowd, struct net *net, uint64_t seed, struct workload_histogram *histogram)
{
    memset(crowd, 0, sizeof(*crowd));
    crowd->net = net;
    crowd->histogram = histogram;
    workload_begin(&crowd->workload, seed);
    crowd->client_count = 2 + (unsigned)draw(crowd, CROWD_CLIENTS_MAX - 1);
    for (unsigned i = 0; i < crowd->client_count; i++) {
        struct crowd_client *client = &crowd->clients[i];

        client->kind = CROWD_HONEST;
        if (i != 0)
            client->kind = draw(crowd, 6) == 0   ? CROWD_STRANGER
                           : draw(crowd, 6) == 0 ? CROWD_SUBSCRIBER
                                                 : CROWD_HONEST;
        client->act_ns = now(crowd) + draw(crowd, SECOND);
    }
}

void crowd_end(struct crowd *crowd)
{
    free(crowd->ops);
    free(crowd->publications);
}
