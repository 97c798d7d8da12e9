/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd_hear.c: what clients are told, and whether it may be so.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "proof/crowd.h"
#include "proof/wire.h"

#define WELCOME_BYTES (FRAME_HEADER_BYTES + 48)

static int hear_welcome(
    struct crowd *crowd, struct crowd_client *client, const uint8_t *bytes, uint32_t count)
{
    const uint8_t *body = bytes + FRAME_HEADER_BYTES;
    uint64_t floor;

    if (client->state != CROWD_HELLO || count < WELCOME_BYTES)
        return crowd_break(crowd, "a welcome that nobody asked for");
    client->state = CROWD_THERE;
    client->act_ns = *crowd->net->now_ns;
    floor = wire_u64(body + 16);
    if (client->session != 0 && wire_u64(body) != client->session)
        return crowd_break(crowd, "another session than the one that was asked for");
    if (client->session == 0) {
        crowd->sessions++;
        client->session = wire_u64(body);
        client->token = wire_u64(body + 8);
        client->floor = client->next_number = floor != 0 ? floor : 1;
        client->lag = (uint32_t)random_below(&crowd->workload.random, 5);
        client->window = wire_u32(body + 24);
        if (client->session == 0 || client->window <= client->lag ||
            client->window > CROWD_OPEN_MAX)
            return crowd_break(crowd, "a welcome with another window");
    } else if (floor > client->floor) {
        return crowd_break(crowd, "a floor that was never told");
    }
    if (client->kind == CROWD_SUBSCRIBER)
        crowd_subscribe(crowd, client);
    return 1;
}

static struct model_result result_of(const uint8_t *bytes, uint32_t count)
{
    struct model_result result = {0};

    if (count == sizeof(result))
        memcpy(&result, bytes, sizeof(result));
    return result;
}

static int is_transient(uint32_t code)
{
    return code == REFUSED_BUSY_CODE || code == REFUSED_NO_SPACE_CODE;
}

/* The first answer to an operation. */
static void note(struct crowd *crowd, size_t index, uint64_t sequence, struct model_result result)
{
    struct history_op *op = &crowd->ops[index];

    op->end = HISTORY_ANSWERED;
    op->answered = ++crowd->clock;
    op->sequence = sequence;
    op->result = result;
    crowd->answers++;
}

static int is_as_before(const struct history_op *op, uint64_t sequence, struct model_result result)
{
    return op->end == HISTORY_ANSWERED && op->sequence == sequence &&
           memcmp(&op->result, &result, sizeof(result)) == 0;
}

static int hear_reply(struct crowd *crowd, struct crowd_client *client,
    const struct crowd_waiting *waiting, const uint8_t *bytes, uint32_t count)
{
    struct crowd_request *request = &client->requests[waiting->request % CROWD_OPEN_MAX];
    uint64_t sequence;
    struct model_result result;

    if (count < FRAME_HEADER_BYTES + 8)
        return crowd_break(crowd, "a reply that is cut short");
    sequence = wire_u64(bytes + FRAME_HEADER_BYTES);
    result = result_of(bytes + FRAME_HEADER_BYTES + 8, count - FRAME_HEADER_BYTES - 8);
    if (waiting->want == WANT_SUBSCRIBED)
        return client->heard == 0 || sequence > client->heard ||
               crowd_break(crowd, "what was told is told again");
    if (waiting->want == WANT_REFUSAL)
        return crowd_break(crowd, "a reply to what is to be refused");
    if (waiting->want == WANT_REPEAT) {
        crowd->repeats++;
        if (bytes[5] != FRAME_REPEATED || !is_as_before(&crowd->ops[waiting->op], sequence, result))
            return crowd_break(crowd, "a repeat is answered otherwise than before");
        return 1;
    }
    note(crowd, waiting->op, sequence, result);
    if (waiting->want == WANT_ANSWER)
        request->is_answered = 1;
    return 1;
}

/* Returns 1, or 0: no more is said on this connection. */
static int hear_refusal(struct crowd *crowd, struct crowd_client *client,
    const struct crowd_waiting *waiting, uint32_t code)
{
    struct crowd_request *request = &client->requests[waiting->request % CROWD_OPEN_MAX];
    struct model_result result = {.refused = code - REFUSED_APP_CODE};

    crowd->refusals++;
    if (waiting->want == WANT_SUBSCRIBED) { /* what it has not heard is not kept any more */
        client->heard = 0;
        crowd_lose_connection(crowd, client, 0);
        return 0;
    }
    if (code == REFUSED_SESSION_CODE) { /* it had to make room for another one */
        crowd_lose_connection(crowd, client, 0);
        crowd_lose_session(crowd, client);
        return 0;
    }
    if (waiting->want == WANT_REFUSAL)
        return waiting->code == 0 || code == waiting->code || is_transient(code) ||
               crowd_break(crowd, "refused for another reason");
    if (is_transient(code)) {
        if (waiting->want == WANT_ANSWER)
            request->is_busy = 1;
        return 1;
    }
    if (code < REFUSED_APP_CODE || waiting->want == WANT_QUERY)
        return crowd_break(crowd, "a request is refused that keeps all rules");
    if (waiting->want == WANT_REPEAT)
        return is_as_before(&crowd->ops[waiting->op], 0, result) ||
               crowd_break(crowd, "a repeat is refused otherwise than before");
    note(crowd, waiting->op, 0, result);
    request->is_answered = 1;
    return 1;
}

static int hear_answer(
    struct crowd *crowd, struct crowd_client *client, const uint8_t *bytes, uint32_t count)
{
    struct crowd_waiting waiting = client->waiting[client->waiting_first % CROWD_WAITING_MAX];

    if (client->waiting_count == 0 || wire_u64(bytes + 8) != waiting.request)
        return crowd_break(crowd, "an answer that is not the next one");
    client->waiting_first++;
    client->waiting_count--;
    client->beat_ns = *crowd->net->now_ns;
    if (bytes[4] == FRAME_REPLY)
        return hear_reply(crowd, client, &waiting, bytes, count);
    if (count < FRAME_HEADER_BYTES + 4)
        return crowd_break(crowd, "a refusal that is cut short");
    return hear_refusal(crowd, client, &waiting, wire_u32(bytes + FRAME_HEADER_BYTES));
}

static int hear_publication(
    struct crowd *crowd, struct crowd_client *client, const uint8_t *bytes, uint32_t count)
{
    struct history_publication *one;

    if (client->kind != CROWD_SUBSCRIBER || count < FRAME_HEADER_BYTES + 8)
        return crowd_break(crowd, "a publication for nobody");
    if (crowd->publication_count == crowd->publication_capacity) {
        crowd->publication_capacity = 2 * crowd->publication_capacity + 256;
        crowd->publications =
            realloc(crowd->publications, crowd->publication_capacity * sizeof(*one));
        CHECK(crowd->publications != NULL);
    }
    one = &crowd->publications[crowd->publication_count++];
    *one = (struct history_publication){.sequence = wire_u64(bytes + 8),
        .subscriber = client->subscription,
        .index = wire_u32(bytes + FRAME_HEADER_BYTES),
        .result = result_of(bytes + FRAME_HEADER_BYTES + 8, count - FRAME_HEADER_BYTES - 8)};
    client->heard = one->sequence;
    return 1;
}

static int hear_goodbye(
    struct crowd *crowd, struct crowd_client *client, const uint8_t *bytes, uint32_t count)
{
    uint32_t code = count < FRAME_HEADER_BYTES + 4 ? 0 : wire_u32(bytes + FRAME_HEADER_BYTES);

    crowd_lose_connection(crowd, client, 0);
    if (code == REFUSED_STALE_CODE)
        client->heard = 0;
    if (code == REFUSED_SESSION_CODE)
        crowd_lose_session(crowd, client);
    return 0;
}

static int hear_frame(
    struct crowd *crowd, struct crowd_client *client, const uint8_t *bytes, uint32_t count)
{
    if (count < FRAME_HEADER_BYTES || wire_u32(bytes) != count)
        return crowd_break(crowd, "a frame of another length than it says");
    if (client->kind == CROWD_STRANGER)
        return 1;
    switch (bytes[4]) {
    case FRAME_WELCOME:
        return hear_welcome(crowd, client, bytes, count);
    case FRAME_REPLY:
    case FRAME_REFUSED:
        return hear_answer(crowd, client, bytes, count);
    case FRAME_EVENT:
        return hear_publication(crowd, client, bytes, count);
    case FRAME_GOODBYE:
        return hear_goodbye(crowd, client, bytes, count);
    case FRAME_BEAT:
        return 1;
    default:
        return crowd_break(crowd, "a frame that no node sends");
    }
}

unsigned crowd_hear(struct crowd *crowd, struct crowd_client *client)
{
    uint8_t bytes[NET_FRAME_BYTES];
    uint32_t count = 0;
    unsigned heard = 0;
    int result = 0;

    if (client->read_ns > *crowd->net->now_ns)
        return 0;
    while (client->state != CROWD_AWAY && heard < 8 && crowd->broken == NULL) {
        result = net_receive(crowd->net, client->connection, bytes, &count);
        if (result <= 0)
            break;
        heard++;
        if (!hear_frame(crowd, client, bytes, count))
            break;
    }
    if (result < 0)
        crowd_lose_connection(crowd, client, 0);
    return heard;
}
