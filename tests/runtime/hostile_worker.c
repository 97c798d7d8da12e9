/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_worker.c: takes the place of lamina_worker. It is well until it is called; then it does
 * what LAMINA_HOSTILE says: a number for each way to be no worker. 0 answers as it should.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lamina/runtime/method_id.h"
#include "linux/spawn.h"
#include "worker/link.h"

static struct lam_link channel;
static struct link_message message;
static struct link_buffer buffer;

static void respond(
    uint64_t id, const struct link_response *response, const void *data, uint64_t bytes)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_RESPONSE, .request_id = id};
    struct link_response said = *response;
    struct iovec parts[3];

    parts[1] = (struct iovec){.iov_base = &said, .iov_len = sizeof(said)};
    parts[2] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
    (void)lam_link_send(&channel, &header, parts, 3, LAM_DEADLINE_NEVER);
}

static void send_raw(const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};

    (void)lam_framed_sender_send_until(&channel.sender, &part, 1, 0, NULL, LAM_DEADLINE_NEVER);
}

static void send_typed(uint8_t type, uint16_t features, const void *body, uint32_t count)
{
    struct lam_protocol_header header = {
        .type = type, .features = features, .request_id = 99, .body_bytes = count};
    uint8_t bytes[512];

    lam_protocol_write(&header, bytes);
    memcpy(bytes + LAM_PROTOCOL_HEADER_BYTES, body, count);
    send_raw(bytes, LAM_PROTOCOL_HEADER_BYTES + count);
}

/* Whatever of the channel can be written, written. */
static void scribble(unsigned seed)
{
    struct lam_segment *segments[] = {&channel.out.data, &channel.out.control, &channel.in.control};

    srand(seed);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *at = segments[i]->base;

        for (uint64_t byte = 0; byte < segments[i]->head_bytes + segments[i]->body_bytes;
             byte += 1 + (uint64_t)rand() % 64)
            at[byte] = (uint8_t)rand();
    }
}

static void open_module(void)
{
    struct {
        struct link_opened opened;
        struct link_description said;
        struct link_method method;
    } answer = {.said = {.method_count = 1, .name = "hostile"},
        .method = {.id = lam_method_id("echo"), .name = "echo"}};
    struct link_response response = {.reply_bytes = sizeof(answer)};
    const char *how = getenv("LAMINA_HOSTILE_OPEN");

    (void)spawn_receive_fd(SPAWN_SOCKET_FD);
    (void)spawn_die_with_host(SPAWN_SOCKET_FD);
    if (how != NULL && strcmp(how, "name") == 0)
        memset(answer.said.name, 'x', sizeof(answer.said.name));
    if (how != NULL && strcmp(how, "method") == 0)
        memset(answer.method.name, 'x', sizeof(answer.method.name));
    if (how != NULL && strcmp(how, "id") == 0)
        answer.method.id++;
    if (how != NULL && strcmp(how, "count") == 0)
        answer.said.method_count = 0x40000000;
    if (how != NULL && strcmp(how, "short") == 0)
        response.reply_bytes = 4;
    respond(message.header.request_id, &response, &answer, response.reply_bytes);
}

/* It says that it is confined. */
static void lie_about_the_sandbox(void)
{
    struct link_response response = {.reply_bytes = sizeof(struct lam_sandbox_report)};
    struct lam_sandbox_report report = {0};
    const char *how = getenv("LAMINA_HOSTILE_OPEN");
    const struct sandbox_wish *wish;
    struct link_request request;

    memcpy(&request, message.body, sizeof(request));
    wish = (const void *)(message.body + sizeof(request) + request.caller_bytes);
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++)
        report.layers[i].is_asked = report.layers[i].is_active = wish->layers >> i & 1;
    if (how != NULL && strcmp(how, "step") == 0)
        memset(report.layers[0].step, 'x', sizeof(report.layers[0].step));
    if (how != NULL && strcmp(how, "asked") == 0)
        report.layers[0].is_asked = 0;
    if (how != NULL && strcmp(how, "report") == 0)
        response.reply_bytes--;
    respond(message.header.request_id, &response, &report, response.reply_bytes);
}

static void be_hostile(int how)
{
    static const uint8_t zeros[512];
    struct link_request nested = {.caller_bytes = 16};
    struct link_event event = {.string_count = 1};
    struct link_response response = {.reply_bytes = 2};

    switch (how) {
    case 1: /* another's answer */
        respond(message.header.request_id + 1, &response, "ok", 2);
        break;
    case 2: /* longer than the room */
        response.reply_bytes = 400;
        respond(message.header.request_id, &response, zeros, 400);
        break;
    case 3: /* not as long as it says */
        respond(message.header.request_id, &response, "k", 1);
        break;
    case 4: /* shorter than a header */
        send_raw(zeros, 8);
        break;
    case 5: /* no header */
        send_raw(zeros, 64);
        break;
    case 6: /* an answer that is none */
        send_typed(LAM_PROTOCOL_RESPONSE, 0, zeros, 4);
        break;
    case 7: /* a line without its text */
        send_typed(LAM_PROTOCOL_EVENT, 0, &event, sizeof(event));
        break;
    case 8: /* a line of more strings than there are */
        event.string_count = 5;
        send_typed(LAM_PROTOCOL_EVENT, 0, &event, sizeof(event));
        break;
    case 9: /* a call of a name without an end */
        memset(&nested.trace, 1, sizeof(nested.trace));
        nested.caller_bytes = 400;
        send_typed(LAM_PROTOCOL_REQUEST, 0, &nested, sizeof(nested));
        break;
    case 10: /* a call that wants more room than there is */
        nested.reply_capacity = UINT64_MAX;
        send_typed(LAM_PROTOCOL_REQUEST, 0, &nested, sizeof(nested));
        break;
    case 11: /* a call of no method */
        send_typed(LAM_PROTOCOL_REQUEST, 3, &nested, sizeof(nested));
        break;
    case 12: /* a type that a worker never sends */
        send_typed(LAM_PROTOCOL_LOAD, 0, zeros, 16);
        break;
    case 13: /* it goes, in order */
        lam_link_end(&channel);
        (void)pause();
        break;
    default:
        scribble((unsigned)how);
        respond(message.header.request_id, &response, "ok", 2);
        break;
    }
    (void)pause();
}

int main(void)
{
    const char *text = getenv("LAMINA_HOSTILE");
    int how = text == NULL ? 0 : atoi(text);
    struct lam_error error = {""};

    if (lam_link_join(&channel, SPAWN_SOCKET_FD, &error) != 0)
        return 1;
    while (lam_link_take(&channel, &buffer, &message, LAM_DEADLINE_NEVER) == 0) {
        struct link_response response = {.status = 0};

        if (message.header.type != LAM_PROTOCOL_REQUEST)
            continue; /* it is told something */
        if (message.header.features == LINK_OPEN) {
            open_module();
        } else if (message.header.features == LINK_SANDBOX) {
            lie_about_the_sandbox();
        } else if (message.header.features != LINK_METHOD) {
            respond(message.header.request_id, &response, NULL, 0);
        } else if (how != 0) {
            be_hostile(how);
        } else {
            response.reply_bytes = 2;
            respond(message.header.request_id, &response, "ok", 2);
        }
    }
    return 0;
}
