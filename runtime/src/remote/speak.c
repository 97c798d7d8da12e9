/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak.c: the thread that has the port. It never runs a module's code.
 */
#include <errno.h>
#include <string.h>

#include "remote/server.h"

/* The speaker is not woken by runners: it looks. At once after something came, then less often. */
#define LOOK_NS_MIN  (UINT64_C(50) * 1000)
#define LOOK_NS_MAX  (2 * LAM_NS_PER_MS)
#define LOOK_NS_IDLE (10 * LAM_NS_PER_MS)

static void count(struct lam_remote_server *server, uint64_t *counter)
{
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    ++*counter;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
}

static void send_answer(struct lam_remote_server *server, struct remote_job *job)
{
    int rc = -ENOMEM; /* not even an error found memory */

    if (job->answer_bytes != 0)
        rc = port_answer(server->port, &job->ask, job->answer.bytes, job->answer_bytes);
    if (rc != 0 && rc != -ENOTCONN) /* who is gone is not sent away */
        count(server, &server->counts.dropped);
}

static void refuse(
    struct lam_remote_server *server, enum lam_protocol_error code, int rc, const char *text)
{
    remote_answer_error(server->at_hand, code, rc, text);
    count(server, &server->counts.errors);
    send_answer(server, server->at_hand);
}

/* ---- events ---- */

/* What was agreed on with @client; 0 it has gone. */
static void agree(struct lam_remote_server *server, uint64_t client, uint32_t features)
{
    struct remote_peer *place = NULL;

    for (uint32_t i = 0; i < server->options.clients_max; i++) {
        if (server->peers[i].client == client)
            server->peers[i].client = 0;
        if (server->peers[i].client == 0)
            place = &server->peers[i];
    }
    if (features != 0 && place != NULL)
        *place = (struct remote_peer){.client = client, .features = features};
}

static int has_agreed(const struct lam_remote_server *server, uint64_t client, uint32_t feature)
{
    for (uint32_t i = 0; i < server->options.clients_max; i++)
        if (server->peers[i].client == client)
            return (server->peers[i].features & feature) != 0;
    return 0;
}

static void forward_events(struct lam_remote_server *server)
{
    struct lam_remote_event event;
    uint8_t bytes[REMOTE_OVERHEAD_BYTES];
    uint64_t written;

    while (remote_feed_take(server->feed, &event)) {
        struct lam_protocol_message message = {
            .header = {.type = LAM_PROTOCOL_EVENT, .features = LAM_PROTOCOL_EVENTS}};

        message.body.event = (struct lam_protocol_event){.kind = (uint32_t)event.kind,
            .module = {event.name, strlen(event.name)},
            .value = event.value,
            .at_ns = event.at_ns,
            .text = {event.text, strlen(event.text)}};
        if (lam_protocol_write_message(&message, bytes, sizeof(bytes), &written) != 0)
            continue;
        for (uint32_t i = 0; i < server->options.clients_max; i++)
            if (server->peers[i].client != 0 &&
                (server->peers[i].features & LAM_PROTOCOL_EVENTS) != 0 &&
                port_tell(server->port, server->peers[i].client, bytes, written) == 1)
                count(server, &server->counts.events);
    }
}

/* ---- what comes ---- */

static void negotiate(struct lam_remote_server *server, uint64_t client)
{
    struct lam_protocol_negotiation ours = {
        .versions = {{1, 3, LAM_PROTOCOL_PRIORITY_DEGRADATION | LAM_PROTOCOL_EVENTS}}, .count = 1};
    struct remote_job *job = server->at_hand;
    struct lam_protocol_negotiation agreed = {.count = 1};
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_RESPONSE}};
    uint8_t data[64];
    uint64_t bytes;

    if (server->streams.bytes_max != 0)
        ours.versions[0].features |= LAM_PROTOCOL_STREAMING;
    if (lam_protocol_negotiate(&ours, &job->message.body.negotiate, &agreed.versions[0]) != 0) {
        refuse(server, LAM_PROTOCOL_UNSUPPORTED_VERSION, -EPROTONOSUPPORT,
            "this host speaks 1.0 to 1.3");
        return;
    }
    agree(server, client, agreed.versions[0].features);
    LAM_ASSERT(lam_protocol_write_negotiation(&agreed, data, sizeof(data), &bytes) == 0);
    answer.body.response.data = (struct lam_protocol_view){data, bytes};
    remote_answer(job, &answer, LAM_PROTOCOL_RESPONSE);
    send_answer(server, job);
}

/* Too many are in hand, or with @rc < 0 too many of this client. */
static void turn_away(struct lam_remote_server *server, int rc)
{
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_RESPONSE}};

    if (server->at_hand->message.header.type != LAM_PROTOCOL_REQUEST) {
        refuse(server, LAM_PROTOCOL_OVER_QUOTA, -EBUSY, "the host has too much to do");
        return;
    }
    answer.body.response = (struct lam_protocol_response){
        .status = rc < 0 ? LAM_PROTOCOL_QUOTA_EXCEEDED : LAM_PROTOCOL_BACKPRESSURE,
        .result = -ECANCELED,
        .failure = LAM_FAILURE_LIMITED};
    remote_answer(server->at_hand, &answer, LAM_PROTOCOL_RESPONSE);
    send_answer(server, server->at_hand);
}

/* ---- streams ---- */

/* Why a client's stream does not begin or go on. */
static void refuse_stream(
    struct lam_remote_server *server, uint64_t client, enum lam_protocol_error code, int rc)
{
    const struct lam_protocol_stream *asked = &server->at_hand->message.body.stream;
    struct lam_error why;

    if (rc == -EDQUOT)
        (void)lam_error_set(&why, rc,
            "what comes in chunks has %llu bytes, and of the %llu that this host keeps for a "
            "client, in %d streams, %llu are left: serve: {streams: ...} in its file",
            (unsigned long long)asked->total_bytes, (unsigned long long)server->streams.bytes_max,
            REMOTE_STREAMS_OF_CLIENT,
            (unsigned long long)remote_streams_left(&server->streams, client));
    else
        (void)lam_error_set(&why, rc, "no such stream, chunk or room for it");
    refuse(server, code, rc, why.text);
}

static void ask_stream(struct lam_remote_server *server, uint64_t client)
{
    struct remote_job *job = server->at_hand;
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_RESPONSE}};
    struct lam_protocol_stream now;
    enum lam_protocol_error code = LAM_PROTOCOL_NOT_ALLOWED;
    uint64_t bytes = 0;
    int rc = -EOPNOTSUPP;

    if (has_agreed(server, client, LAM_PROTOCOL_STREAMING))
        rc = remote_stream_ask(&server->streams, client, &job->message.body.stream, &now, &code);
    if (rc == 0) {
        (void)lam_protocol_write_stream(&now, NULL, 0, &bytes);
        rc = remote_reserve(&job->reply, bytes);
    }
    if (rc != 0) {
        refuse_stream(server, client, code, rc);
        return;
    }
    (void)lam_protocol_write_stream(&now, job->reply.bytes, job->reply.capacity, &bytes);
    answer.header.features = LAM_PROTOCOL_STREAMING;
    answer.body.response.data = (struct lam_protocol_view){job->reply.bytes, bytes};
    remote_answer(job, &answer, LAM_PROTOCOL_RESPONSE);
    send_answer(server, job);
    if (now.mode == LAM_PROTOCOL_STREAM_PULL && (now.flags & LAM_PROTOCOL_CHUNK_LAST) != 0)
        remote_stream_drop(remote_stream_find(&server->streams, client, now.id));
}

/* The streams of the request at hand. Returns 1, or 0: it names one that is not there. */
static int take_streams(struct lam_remote_server *server, uint64_t client)
{
    static const uint8_t none[16];
    struct remote_job *job = server->at_hand;
    const struct lam_protocol_request *request = &job->message.body.request;
    uint64_t left = remote_streams_left(&server->streams, client), wanted = request->reply_capacity;

    if (memcmp(request->stream, none, sizeof(none)) != 0) {
        job->args = remote_stream_find(&server->streams, client, request->stream);
        if (job->args == NULL || job->args->mode != LAM_PROTOCOL_STREAM_PUSH ||
            job->args->moved_bytes != job->args->total_bytes) {
            job->args = NULL;
            return 0;
        }
        job->args->is_running = 1;
    }
    if (wanted > left)
        wanted = left;
    if (request->reply_capacity != UINT64_MAX && wanted > server->options.bytes_max &&
        has_agreed(server, client, LAM_PROTOCOL_STREAMING)) {
        job->room = remote_stream_make(&server->streams, client, wanted, LAM_PROTOCOL_STREAM_PULL);
        job->room->is_running = 1;
    }
    return 1;
}

/* Its request has ended, or was turned away. */
static void settle_streams(struct lam_remote_server *server, struct remote_job *job)
{
    remote_stream_drop(job->args);
    if (job->room != NULL && job->streamed_bytes != 0) {
        remote_stream_give(&server->streams, job->room, job->reply.bytes, job->streamed_bytes);
        job->reply = (struct remote_buffer){NULL, 0};
    } else {
        remote_stream_drop(job->room);
    }
    job->args = job->room = NULL;
    job->streamed_bytes = 0;
}

static void queue(struct lam_remote_server *server, uint64_t client, uint64_t deadline_ns)
{
    int rc;
    struct remote_job *job = server->at_hand;
    uint64_t latest_ns = lam_deadline_after_ns(server->options.call_ns_max);
    enum lam_protocol_priority priority = LAM_PROTOCOL_HIGH;

    job->deadline_ns = deadline_ns < latest_ns ? deadline_ns : latest_ns;
    if (job->message.header.type == LAM_PROTOCOL_REQUEST) {
        priority = job->message.body.request.priority;
        if (job->message.body.request.deadline_ns < job->deadline_ns)
            job->deadline_ns = job->message.body.request.deadline_ns;
        if (!take_streams(server, client)) {
            refuse(
                server, LAM_PROTOCOL_NO_STREAM, -ENOENT, "no such stream, or it is not complete");
            return;
        }
    }
    rc = remote_queue_push(server, client, priority);
    if (rc <= 0) {
        settle_streams(server, job);
        turn_away(server, rc);
    }
}

/* Returns 0, or what of the message is wrong. */
static int read_copy(
    struct lam_remote_server *server, const struct port_coming *coming, struct lam_error *error)
{
    struct remote_job *job = server->at_hand;

    memset(&job->message, 0, sizeof(job->message));
    if (remote_reserve(&job->request, coming->count + 1) != 0)
        return lam_error_set(error, -ENOMEM, "out of memory");
    if (coming->count != 0)
        memcpy(job->request.bytes, coming->bytes, coming->count);
    job->ask = coming->ask;
    return lam_protocol_read_message(&job->message, job->request.bytes, coming->count, error);
}

static void answer_ask(struct lam_remote_server *server, const struct port_coming *coming)
{
    struct lam_error error = {""};
    const struct lam_protocol_header *header = &server->at_hand->message.header;
    int rc = read_copy(server, coming, &error);

    /* The endpoint takes a little more, where that fits a ring. */
    if (rc == 0 && coming->count > server->options.bytes_max + REMOTE_OVERHEAD_BYTES)
        rc = lam_error_set(&error, -EMSGSIZE,
            "the message has %llu bytes, and this host takes %llu: serve: {bytes: ...} in its file "
            "says so, 32MiB at most",
            (unsigned long long)coming->count, (unsigned long long)server->options.bytes_max);

    if (rc != 0) {
        refuse(server, lam_protocol_error_of(rc), rc, error.text);
        return;
    }
    if (header->request_id == 0) {
        refuse(server, LAM_PROTOCOL_INVALID_REQUEST_ID, -EINVAL,
            "what wants an answer has a request id");
        return;
    }
    switch (header->type) {
    case LAM_PROTOCOL_NEGOTIATE:
        negotiate(server, coming->client);
        break;
    case LAM_PROTOCOL_STREAM:
        ask_stream(server, coming->client);
        break;
    case LAM_PROTOCOL_REQUEST:
    case LAM_PROTOCOL_HEALTH:
    case LAM_PROTOCOL_LOAD:
    case LAM_PROTOCOL_UNLOAD:
    case LAM_PROTOCOL_STATS:
        queue(server, coming->client, coming->deadline_ns);
        break;
    default:
        refuse(server, LAM_PROTOCOL_INVALID_MESSAGE_TYPE, -ENOMSG, "nothing to ask a host");
        break;
    }
}

/* A heartbeat or an event wants nothing of us; what is no message at all costs the connection. */
static void hear(struct lam_remote_server *server, const struct port_coming *coming)
{
    const struct lam_protocol_message *message = &server->at_hand->message;

    if (read_copy(server, coming, NULL) == 0) {
        if (message->header.type == LAM_PROTOCOL_STREAM &&
            message->body.stream.state == LAM_PROTOCOL_STREAM_FAILED)
            remote_stream_drop(
                remote_stream_find(&server->streams, coming->client, message->body.stream.id));
        return;
    }
    count(server, &server->counts.dropped);
    port_drop(server->port, coming->client, "no message of the protocol");
}

static void serve(struct lam_remote_server *server, const struct port_coming *coming)
{
    switch (coming->event) {
    case PORT_ASKED:
        answer_ask(server, coming);
        break;
    case PORT_TOLD:
        hear(server, coming);
        break;
    case PORT_CAME:
        count(server, &server->counts.connected);
        break;
    case PORT_WENT:
        agree(server, coming->client, 0);
        remote_streams_went(&server->streams, coming->client);
        break;
    default:
        break;
    }
}

/* Returns how many jobs are in hand. */
static uint32_t send_answers(struct lam_remote_server *server)
{
    struct remote_job *job;
    uint32_t in_hand;

    while ((job = remote_queue_done(server, &in_hand)) != NULL) {
        settle_streams(server, job);
        send_answer(server, job);
        remote_queue_release(server, job);
    }
    return in_hand;
}

static int is_over(struct lam_remote_server *server)
{
    int is;

    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    is = server->is_over != 0;
    server->counts.clients = port_client_count(server->port);
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    return is;
}

static int begin(struct lam_remote_server *server)
{
    struct port_options options = {.endpoint = server->endpoint,
        .directory = server->directory,
        .mode = server->options.mode,
        .clients_max = server->options.clients_max,
        .message_bytes_max = server->options.bytes_max + REMOTE_OVERHEAD_BYTES};
    int rc = port_open(&server->port, &options, server->begin_error);

    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    server->begin_rc = rc;
    LAM_ASSERT(pthread_cond_signal(&server->begun) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    return rc;
}

void *remote_speak(void *context)
{
    struct lam_remote_server *server = context;
    uint64_t look_ns = LOOK_NS_MIN;

    if (begin(server) != 0)
        return NULL;
    while (!is_over(server)) {
        struct port_coming coming;
        uint32_t in_hand = send_answers(server);

        forward_events(server);
        remote_streams_expire(&server->streams, lam_clock_now_ns());
        port_wait(
            server->port, lam_deadline_after_ns(in_hand > 0 ? look_ns : LOOK_NS_IDLE), &coming);
        if (coming.event != PORT_NOTHING)
            look_ns = LOOK_NS_MIN;
        else if (look_ns < LOOK_NS_MAX)
            look_ns *= 2;
        serve(server, &coming);
    }
    (void)send_answers(server);
    port_close(server->port);
    return NULL;
}
