/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c: a connection to a remote host, and calls over it. What the host sends is copied, and
 * read from the copy.
 */
#include "remote/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/method_id.h"

#define EARLY_NS_MAX (100 * LAM_NS_PER_MS)

struct lam_protocol_view remote_view(const char *text)
{
    return (struct lam_protocol_view){text, text != NULL ? strlen(text) : 0};
}

/* ---- asking ---- */

static enum port_lane lane_of(uint32_t priority)
{
    if (priority == LAM_PROTOCOL_CRITICAL)
        return PORT_CRITICAL;
    return priority == LAM_PROTOCOL_LOW ? PORT_LOW : PORT_HIGH;
}

static uint64_t own_bytes(const struct lam_remote *remote)
{
    return remote->bytes_max - REMOTE_OVERHEAD_BYTES;
}

/* What one message to the host carries. */
static uint64_t carried_bytes(const struct lam_remote *remote)
{
    return remote->host_bytes < own_bytes(remote) ? remote->host_bytes : own_bytes(remote);
}

/* No message carries a request of @bytes: whose bound that is, and what to do. */
static int refuse_request(struct lam_remote *remote, uint64_t bytes)
{
    static const char how[] = "what is larger goes in chunks where the host has serve: {streams: "
                              "...} in its file";

    if (remote->host_bytes < own_bytes(remote))
        return lam_error_set(&remote->why, -EMSGSIZE,
            "the request has %llu bytes, and the host takes %llu: serve: {bytes: ...} in its file "
            "says so, 32MiB at most; %s",
            (unsigned long long)bytes, (unsigned long long)remote->host_bytes, how);
    return lam_error_set(&remote->why, -EMSGSIZE,
        "the request has %llu bytes, and bytes_max of this connection is %llu, 32 MiB at most; %s",
        (unsigned long long)bytes, (unsigned long long)own_bytes(remote), how);
}

/* What a failed exchange is called in remote.h. */
static int name_failure(struct lam_remote *remote, int rc)
{
    static const char *const words[] = {"no answer in time", "the host has ended", "the host died",
        "the host sent us away", "what came is no answer"};
    static const int known[] = {-ETIMEDOUT, -EPIPE, -EOWNERDEAD, -EACCES, -EPROTO};
    const char *goodbye = line_goodbye(remote->line);

    if (rc == -EMSGSIZE) /* what was asked went out */
        return lam_error_set(&remote->why, rc,
            "the answer is larger than bytes_max of this connection, which is %llu: connect with "
            "more, 32 MiB at most",
            (unsigned long long)own_bytes(remote));
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == rc)
            return lam_error_set(
                &remote->why, rc, "%s%s%s", words[i], goodbye[0] != '\0' ? ": " : "", goodbye);
    return lam_error_set(&remote->why, -EREMOTEIO, "the connection: %s", strerror(-rc));
}

static int name_error(struct lam_remote *remote, const struct lam_protocol_failure *error)
{
    int rc = error->result < 0 && error->result >= -4095 ? error->result : -EREMOTEIO;

    remote->code = error->code;
    return lam_error_set(&remote->why, rc, "%.*s (%s)", (int)error->text.bytes,
        error->text.bytes != 0 ? (const char *)error->text.data : "",
        lam_protocol_error_name((enum lam_protocol_error)error->code));
}

int remote_ask(struct lam_remote *remote, struct lam_protocol_message *message,
    uint64_t deadline_ns, struct lam_protocol_message *answer)
{
    struct line_room room = {remote->answer, remote->bytes_max, 0};
    uint64_t bytes = 0;
    int rc;

    remote->code = 0;
    remote->why.text[0] = '\0';
    message->header.request_id = ++remote->next_id;
    rc = lam_protocol_write_message(message, remote->request, remote->bytes_max, &bytes);
    if (rc == -ENOSPC || rc == -EMSGSIZE ||
        (rc == 0 && bytes > remote->host_bytes + REMOTE_OVERHEAD_BYTES))
        return refuse_request(remote, bytes);
    if (rc != 0)
        return lam_error_set(&remote->why, rc, "a number of the request is outside its range");
    rc = line_ask(
        remote->line, lane_of(remote->priority), remote->request, bytes, deadline_ns, &room);
    if (rc != 0)
        return name_failure(remote, rc);
    if (lam_protocol_read_message(answer, room.bytes, room.count, &remote->why) != 0)
        return -EPROTO;
    if (answer->header.request_id != message->header.request_id ||
        (answer->header.type != LAM_PROTOCOL_RESPONSE && answer->header.type != LAM_PROTOCOL_ERROR))
        return name_failure(remote, -EPROTO);
    return answer->header.type == LAM_PROTOCOL_ERROR ? name_error(remote, &answer->body.error) : 0;
}

/* ---- the connection ---- */

static int negotiate(struct lam_remote *remote, int wants_events, uint64_t deadline_ns)
{
    uint32_t features =
        LAM_PROTOCOL_PRIORITY_DEGRADATION | (wants_events ? LAM_PROTOCOL_EVENTS : 0);
    uint64_t chunk_bytes = remote->bytes_max - REMOTE_OVERHEAD_BYTES;
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_NEGOTIATE}};
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_ERROR}};
    struct lam_protocol_negotiation agreed;
    int rc;

    if (chunk_bytes >= LAM_PROTOCOL_CHUNK_BYTES_MIN)
        features |= LAM_PROTOCOL_STREAMING;
    message.body.negotiate =
        (struct lam_protocol_negotiation){.versions = {{1, 3, features}}, .count = 1};
    rc = remote_ask(remote, &message, deadline_ns, &answer);
    if (rc != 0)
        return rc;
    rc = lam_protocol_read_negotiation(&agreed, answer.body.response.data, &remote->why);
    if (rc != 0)
        return -EPROTO;
    if (agreed.versions[0].major != 1)
        return lam_error_set(
            &remote->why, -EPROTONOSUPPORT, "the host speaks version %u", agreed.versions[0].major);
    remote->has_events = (agreed.versions[0].features & LAM_PROTOCOL_EVENTS) != 0;
    if ((agreed.versions[0].features & LAM_PROTOCOL_STREAMING) != 0)
        remote->chunk_bytes =
            chunk_bytes < LAM_PROTOCOL_CHUNK_BYTES_MAX ? chunk_bytes : LAM_PROTOCOL_CHUNK_BYTES_MAX;
    return 0;
}

static int open_line(struct lam_remote *remote, const struct lam_remote_client_options *options,
    uint64_t deadline_ns, struct lam_error *error)
{
    struct port_options port = {
        .endpoint = options->endpoint != NULL ? options->endpoint : LAM_REMOTE_ENDPOINT,
        .directory = options->directory,
        .name = options->name,
        .message_bytes_max = 0}; /* as the host likes: answers larger than ours are refused here */
    uint64_t bytes_max = options->bytes_max != 0 ? options->bytes_max : LAM_REMOTE_BYTES_DEFAULT;
    int rc;

    if (bytes_max > LAM_REMOTE_BYTES_MAX || options->reserved != 0)
        return lam_error_set(error, -EINVAL,
            "bytes_max of the connection is %llu, at most %llu, since what is larger goes in "
            "chunks; reserved is %u, and must be 0",
            (unsigned long long)bytes_max, (unsigned long long)LAM_REMOTE_BYTES_MAX,
            options->reserved);
    remote->bytes_max = bytes_max + REMOTE_OVERHEAD_BYTES;
    remote->request = malloc(remote->bytes_max);
    remote->answer = malloc(remote->bytes_max);
    if (remote->request == NULL || remote->answer == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a connection");
    rc = line_open(&remote->line, &port, deadline_ns, error);
    if (rc != 0)
        return rc;
    remote->host_bytes = line_message_bytes_max(remote->line);
    remote->host_bytes -=
        remote->host_bytes < REMOTE_OVERHEAD_BYTES ? remote->host_bytes : REMOTE_OVERHEAD_BYTES;
    return 0;
}

int lam_remote_connect(struct lam_remote **remote, const struct lam_remote_client_options *options,
    uint64_t deadline_ns, struct lam_error *error)
{
    static const struct lam_remote_client_options defaults;
    struct lam_remote *made = calloc(1, sizeof(*made));
    uint64_t agree_ns = lam_deadline_after_ns(LAM_NS_PER_S);
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a connection");
    if (options == NULL)
        options = &defaults;
    made->priority = LAM_PROTOCOL_NORMAL;
    rc = open_line(made, options, deadline_ns, error);
    if (rc == 0) {
        rc = negotiate(
            made, options->wants_events != 0, deadline_ns > agree_ns ? deadline_ns : agree_ns);
        if (rc != 0)
            rc = lam_error_set(error, rc, "%s", made->why.text);
    }
    if (rc != 0)
        lam_remote_disconnect(made);
    else
        *remote = made;
    return rc;
}

void lam_remote_disconnect(struct lam_remote *remote)
{
    if (remote == NULL)
        return;
    if (remote->line != NULL)
        line_close(remote->line);
    free(remote->request);
    free(remote->answer);
    free(remote);
}

void lam_remote_set_priority(struct lam_remote *remote, uint32_t priority)
{
    LAM_ASSERT(priority <= LAM_PROTOCOL_CRITICAL);
    remote->priority = priority;
}

void lam_remote_set_trace(struct lam_remote *remote, const struct lam_trace *trace)
{
    remote->has_trace = trace != NULL;
    remote->trace = trace != NULL ? *trace : (struct lam_trace){{0, 0}, 0, 0};
}

const char *lam_remote_why(const struct lam_remote *remote)
{
    return remote->why.text;
}

/* ---- calls ---- */

static void put_trace(const struct lam_remote *remote, struct lam_protocol_request *request)
{
    const struct lam_trace *trace = &remote->trace;

    if (!remote->has_trace)
        return;
    if (trace->id[0] == 0 && trace->id[1] == 0)
        request->flags |= LAM_PROTOCOL_REQUEST_UNTRACED;
    lam_protocol_put(request->trace, trace->id[0], 8);
    lam_protocol_put(request->trace + 8, trace->id[1], 8);
    request->span = trace->span;
}

/* The answer is with the host, and fetched. */
static int finish_stream(struct lam_remote *remote, const struct lam_protocol_response *response,
    struct lam_module_reply *reply, uint64_t deadline_ns)
{
    uint8_t id[16];
    uint64_t bytes = response->needed;
    int rc = -EPROTO;

    memcpy(id, response->stream, sizeof(id));
    if (remote->chunk_bytes != 0 && bytes <= reply->capacity)
        rc = remote_pull(remote, id, reply->data, bytes, deadline_ns);
    else
        remote_forget(remote, id);
    reply->bytes = rc == 0 ? bytes : 0;
    if (rc != 0) {
        reply->failure = LAM_FAILURE_REMOTE;
        reply->detail = (int32_t)remote->code;
    }
    return rc;
}

static int finish(struct lam_remote *remote, const struct lam_protocol_response *response,
    struct lam_module_reply *reply, uint64_t deadline_ns)
{
    static const uint8_t none[16];

    reply->failure = response->failure;
    reply->detail = response->detail;
    reply->bytes = 0;
    if (response->result == -ENOSPC && response->failure == LAM_FAILURE_NONE)
        reply->bytes = response->needed;
    if (response->result != 0)
        return response->result;
    if (response->data.bytes > reply->capacity || response->status != LAM_PROTOCOL_SUCCESS) {
        reply->failure = LAM_FAILURE_REMOTE;
        return name_failure(remote, -EPROTO);
    }
    if (memcmp(response->stream, none, sizeof(none)) != 0)
        return finish_stream(remote, response, reply, deadline_ns);
    reply->bytes = response->data.bytes;
    if (reply->bytes != 0)
        memcpy(reply->data, response->data.data, reply->bytes);
    return 0;
}

/* A little before ours, so that an answer that says who was late is here in time. */
static uint64_t host_deadline(uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint64_t early_ns;

    if (deadline_ns == LAM_DEADLINE_NEVER || deadline_ns <= now_ns)
        return deadline_ns;
    early_ns = (deadline_ns - now_ns) / 10;
    return deadline_ns - (early_ns < EARLY_NS_MAX ? early_ns : EARLY_NS_MAX);
}

int lam_remote_call(struct lam_remote *remote, const char *module, const char *method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_REQUEST,
                                               .module_id = lam_method_id(module),
                                               .method_id = lam_method_id(method)}};
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_ERROR}};
    int rc;

    message.body.request = (struct lam_protocol_request){.module = remote_view(module),
        .method = remote_view(method),
        .args = {request, request_bytes},
        .deadline_ns = host_deadline(deadline_ns),
        .priority = (enum lam_protocol_priority)remote->priority,
        .reply_capacity = reply->capacity};
    put_trace(remote, &message.body.request);
    remote->code = 0;
    rc = 0;
    if (request_bytes > carried_bytes(remote) && remote->chunk_bytes == 0) {
        rc = refuse_request(remote, request_bytes);
    } else if (request_bytes > carried_bytes(remote)) {
        message.body.request.args = (struct lam_protocol_view){NULL, 0};
        rc = remote_push(remote, request, request_bytes, deadline_ns, message.body.request.stream);
    }
    if (rc == 0)
        rc = remote_ask(remote, &message, deadline_ns, &answer);
    if (rc == 0)
        return finish(remote, &answer.body.response, reply, deadline_ns);
    reply->bytes = 0;
    reply->failure = LAM_FAILURE_REMOTE;
    reply->detail = (int32_t)remote->code;
    return rc;
}
