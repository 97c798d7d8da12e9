/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.c: what a client says, frame by frame, and what is put in order or refused of it.
 */
#include <string.h>

#include "pipeline/reader.h"

/* It goes into the order, or its client hears why not. */
static int put_or_close(struct reader *reader, struct client *client, const struct put *put)
{
    if (!reader_try_put(reader, put))
        return reader_try_close(reader, client, REFUSED_BUSY, "the node is busy: come again");
    client->ordinal++;
    return 1;
}

/* A new session. Its number is that of its record, so it is open for all that comes behind. */
static int open_session(struct reader *reader, struct client *client)
{
    struct record_open open = {
        .token = reader->env->ops->random(reader->env), .role = client->role};
    struct put put = {.kind = RECORD_OPEN,
        .client = client,
        .ordinal = client->ordinal + 1,
        .head = &open,
        .head_bytes = sizeof(open)};
    uint64_t sequence = reader->next_sequence;
    int result;

    if (lam_load_relaxed(&reader->node->is_full))
        return reader_try_close(reader, client, REFUSED_NO_SPACE, "the disk is full");
    memcpy(open.identity, client->identity, sizeof(open.identity));
    result = put_or_close(reader, client, &put);
    if (result == 1 && client->state == CLIENT_GREETING) {
        client->state = CLIENT_OPEN;
        client->session = sequence;
    }
    return result;
}

/*
 * One that is there. What the sessions are only the copies of the state know, so the question takes
 * its place in the order, before whatever this client sends: until it is answered it is held. A
 * table beside the order could say yes to a session that has just been closed.
 */
static int resume_session(
    struct reader *reader, struct client *client, uint64_t session, uint64_t token)
{
    struct record_open open = {.token = token, .role = client->role};
    struct put put = {.kind = ENTRY_RESUME,
        .client = client,
        .ordinal = client->ordinal + 1,
        .session = session,
        .head = &open,
        .head_bytes = sizeof(open)};
    int result;

    memcpy(open.identity, client->identity, sizeof(open.identity));
    result = put_or_close(reader, client, &put);
    if (result == 1 && client->state == CLIENT_GREETING) {
        client->state = CLIENT_RESUMING;
        client->session = session;
        reader_hold(reader, client);
    }
    return result;
}

static int challenge(struct reader *reader, struct client *client)
{
    struct control_entry entry = {.connection = client->connection, .kind = CONTROL_SEND};
    uint8_t bytes[FRAME_HEAD_BYTES_MAX];

    return reader_try_tell(
        reader, &entry, bytes, frame_encode_head(&client->greeting.answer, bytes));
}

/* What the greeting has come to. It has taken the frame: a second try begins here. */
static int go_on(struct reader *reader, struct client *client)
{
    struct greeting *greeting = &client->greeting;
    char text[REFUSAL_TEXT_BYTES + 1] = "";

    switch (greeting->verdict) {
    case GREETING_SENDS:
        return challenge(reader, client);
    case GREETING_ADMITS:
        client->role = greeting->role;
        memcpy(client->identity, greeting->identity, sizeof(client->identity));
        if (greeting->hello.session == 0)
            return open_session(reader, client);
        return resume_session(reader, client, greeting->hello.session, greeting->hello.token);
    case GREETING_ENDS:
        memcpy(text, greeting->answer.bytes,
            greeting->answer.count < sizeof(text) ? greeting->answer.count : sizeof(text) - 1);
        return reader_try_close(reader, client, greeting->answer.code, text);
    case GREETING_WAITS:
    case GREETING_VERIFIES:
        break;
    }
    return 1;
}

static int greet(struct reader *reader, struct client *client, const uint8_t *bytes, uint32_t count)
{
    struct greeting *greeting = &client->greeting;

    if (!client->has_verdict) {
        if (greeting_take(greeting, &reader->rules, bytes, count) == GREETING_VERIFIES)
            (void)greeting_verified(greeting, &reader->rules, greeting_verify(&greeting->proof));
        client->has_verdict = 1;
    }
    if (!go_on(reader, client))
        return 0;
    client->has_verdict = 0;
    return 1;
}

static int put_query(struct reader *reader, struct client *client, const struct frame *frame,
    const struct lam_app_request *request)
{
    struct put put = {.kind = ENTRY_QUERY,
        .client = client,
        .ordinal = client->ordinal + 1,
        .session = client->session,
        .request = frame->request,
        .data = request->bytes,
        .bytes = (uint32_t)request->count};

    if (!reader_try_put(reader, &put))
        return reader_try_refuse(
            reader, client, frame->request, REFUSED_BUSY, "the node is busy: ask again");
    client->ordinal++;
    return 1;
}

static int put_event(struct reader *reader, struct client *client, const struct frame *frame,
    const struct lam_app_request *request)
{
    struct record_app app = {
        .session = client->session, .request = frame->request, .floor = frame->floor};
    struct put put = {.kind = RECORD_APP,
        .client = client,
        .ordinal = client->ordinal + 1,
        .head = &app,
        .head_bytes = sizeof(app),
        .data = request->bytes,
        .bytes = (uint32_t)request->count};

    if (lam_load_relaxed(&reader->node->is_full))
        return reader_try_refuse(
            reader, client, frame->request, REFUSED_NO_SPACE, "the disk is full");
    if (!reader_try_put(reader, &put))
        return reader_try_refuse(
            reader, client, frame->request, REFUSED_BUSY, "the node is busy: send it again");
    client->ordinal++;
    return 1;
}

/* What the application makes of the bytes, before they have a place in the order. */
static struct lam_app_request decode(const struct reader *reader, const struct client *client,
    int is_query, const uint8_t *bytes, uint32_t count)
{
    const struct lam_app *app = reader->node->app;
    struct lam_app_request request = {
        .kind = is_query ? LAM_APP_QUERY : LAM_APP_EVENT, .bytes = bytes, .count = count};

    if (app->decode != NULL)
        app->decode(app->config, client->role, is_query, bytes, count, &request);
    return request;
}

static int take_request(struct reader *reader, struct client *client, const struct frame *frame)
{
    int is_query = frame->kind == FRAME_QUERY;
    struct lam_app_request request = decode(reader, client, is_query, frame->bytes, frame->count);

    if (request.kind == LAM_APP_REFUSED)
        return reader_try_refuse(reader, client, frame->request, REFUSED_APP + request.code,
            request.text != NULL ? request.text : "");
    if (request.count > reader->node->app->event_bytes_max)
        return reader_try_refuse(
            reader, client, frame->request, REFUSED_SIZE, "it is larger than events may be");
    if (request.kind == LAM_APP_QUERY)
        return put_query(reader, client, frame, &request);
    if (is_query)
        return reader_try_refuse(
            reader, client, frame->request, REFUSED_MALFORMED, "an event, sent as a query");
    return put_event(reader, client, frame, &request);
}

static int subscribe(struct reader *reader, struct client *client, const struct frame *frame)
{
    struct control_entry entry = {.connection = client->connection,
        .ordinal = client->ordinal + 1,
        .request = frame->request,
        .kind = CONTROL_SUBSCRIBE};

    if (!reader_try_tell(reader, &entry, NULL, 0))
        return 0;
    client->ordinal++;
    client->state = CLIENT_SUBSCRIBED;
    return 1;
}

static int leave(struct reader *reader, struct client *client, const struct frame *frame)
{
    struct record_close close = {.session = client->session};
    struct put put = {.kind = RECORD_CLOSE, .head = &close, .head_bytes = sizeof(close)};

    /* Where there is no room, the session stays until it is the one that was silent longest. */
    if (frame->is_over && client->state == CLIENT_OPEN && client->session != 0 &&
        !lam_load_relaxed(&reader->node->is_full) && reader_try_put(reader, &put))
        client->session = 0;
    return reader_try_close(reader, client, CONTROL_NO_WORD, "");
}

static int take(struct reader *reader, struct client *client, const struct frame *frame)
{
    if (frame->kind == FRAME_BEAT)
        return 1;
    if (frame->kind == FRAME_BYE)
        return leave(reader, client, frame);
    if (client->state == CLIENT_OPEN) {
        if (frame->kind == FRAME_REQUEST || frame->kind == FRAME_QUERY)
            return take_request(reader, client, frame);
    }
    if (frame->kind == FRAME_SUBSCRIBE &&
        (client->state == CLIENT_OPEN || client->state == CLIENT_SUBSCRIBED))
        return subscribe(reader, client, frame);
    return reader_try_close(reader, client, REFUSED_MALFORMED, "a frame that has no place here");
}

int reader_take_frame(
    struct reader *reader, struct client *client, const uint8_t *bytes, uint32_t count)
{
    uint64_t limit = UNANSWERED_WINDOWS * (uint64_t)reader->node->settings.window;
    struct frame frame;
    uint64_t answered;

    if (client->state == CLIENT_GREETING)
        return greet(reader, client, bytes, count);
    if (frame_decode(&frame, FRAME_OF_CLIENT, bytes, count) < 0)
        return reader_try_close(reader, client, REFUSED_MALFORMED, "no frame of a client");
    if (!take(reader, client, &frame))
        return 0;
    answered = lam_load_acquire(&reader->node->places[place_of(client->connection)].answered);
    if (client->ordinal - answered >= limit)
        reader_hold(reader, client);
    return 1;
}
