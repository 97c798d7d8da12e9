/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c: a worker's process. One thread, which runs the module's entries as they are asked for.
 *
 * The room of an answer ends where an unmapped page begins: who writes past it dies there, and not
 * later of something else.
 */
#include "worker/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "later.h"
#include "linux/spawn.h"
#include "worker/link.h"
#include "worker/memlink.h"
#include "worker/secure.h"

/* Between the room and the page, where the room is no multiple of 16. */
#define SLACK 0xa5

static struct {
    struct lam_link link;
    struct lam_runtime runtime;
    struct lam_module module;
    struct lam_generation generation;
    struct lam_seat seat; /* for its arena */
    uint32_t depth;       /* entries that run, one within the other */
    struct link_buffer buffers[LAM_RUNTIME_DEPTH_MAX + 2];
    uint8_t
        *rooms[LAM_RUNTIME_DEPTH_MAX + 1]; /* each LINK_REPLY_BYTES_MAX, then a page that is not */
    uint64_t next_id;
} worker;

static void serve_request(const struct link_message *message);

/* The host is gone, or makes no sense: there is nobody to tell. */
static _Noreturn void leave(int status)
{
    _exit(status);
}

static uint8_t *find_room(uint64_t capacity)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint8_t **room = &worker.rooms[worker.depth];

    if (capacity > LINK_REPLY_BYTES_MAX)
        leave(3);
    if (*room == NULL) {
        uint8_t *made = mmap(NULL, LINK_REPLY_BYTES_MAX + page, PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (made == MAP_FAILED || mprotect(made, LINK_REPLY_BYTES_MAX, PROT_READ | PROT_WRITE) != 0)
            leave(4);
        *room = made;
    }
    return *room + LINK_REPLY_BYTES_MAX - ((capacity + 15) & ~UINT64_C(15));
}

static int is_slack_intact(const uint8_t *room, uint64_t capacity)
{
    for (uint64_t i = capacity; i % 16 != 0; i++)
        if (room[i] != SLACK)
            return 0;
    return 1;
}

static void respond(uint64_t id, const struct link_response *response, const void *data)
{
    if (lam_link_respond(&worker.link, id, response, data, LAM_DEADLINE_NEVER) != 0)
        leave(0);
}

/* ---- what the module is lent ---- */

static void send_event(const struct link_event *event, struct iovec *parts, uint32_t count)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_EVENT};
    struct link_event said = *event;

    parts[1] = (struct iovec){.iov_base = &said, .iov_len = sizeof(said)};
    if (lam_link_send(&worker.link, &header, parts, count, LAM_DEADLINE_NEVER) != 0)
        leave(0);
}

static void set_string(struct iovec *part, const char *text)
{
    *part = (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) + 1};
}

static void write_log(const struct lam_call *call, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    uint32_t count = field_count < 4 ? field_count : 4;
    struct link_event event = {.kind = level, .string_count = 1 + 2 * count};
    struct iovec parts[3 + 2 * 4];

    (void)call;
    set_string(&parts[2], text);
    for (uint32_t i = 0; i < count; i++) {
        set_string(&parts[3 + 2 * i], fields[i].name);
        set_string(&parts[4 + 2 * i], fields[i].value);
    }
    send_event(&event, parts, 3 + 2 * count);
}

static int note_metric(
    const struct lam_call *call, enum lam_metric kind, const char *name, uint64_t value)
{
    struct link_event event = {.is_metric = 1, .kind = kind, .value = value, .string_count = 1};
    struct iovec parts[3];

    (void)call;
    if (strnlen(name, LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX ||
        (unsigned)kind > LAM_METRIC_HISTOGRAM)
        return -EINVAL;
    set_string(&parts[2], name);
    send_event(&event, parts, 3);
    return 0;
}

/* Serves until the answer to @id is there. */
static void await_response(uint64_t id, struct link_message *message)
{
    struct link_buffer *buffer = &worker.buffers[worker.depth + 1];

    for (;;) {
        if (lam_link_take(&worker.link, buffer, message, LAM_DEADLINE_NEVER) != 0)
            leave(0);
        if (message->header.type == LAM_PROTOCOL_REQUEST) {
            if (worker.depth == LAM_RUNTIME_DEPTH_MAX)
                leave(5);
            serve_request(message);
        } else if (message->header.type == LAM_PROTOCOL_RESPONSE &&
                   message->header.request_id == id) {
            return;
        } else {
            leave(6);
        }
    }
}

static int call_module(struct lam_call *call, const char *name, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_REQUEST,
        .request_id = ++worker.next_id,
        .module_id = lam_method_id(name),
        .method_id = method};
    struct link_request body = {.deadline_ns = call->deadline_ns,
        .reply_capacity = reply->capacity,
        .trace = call->trace,
        .caller_bytes = LAM_NAME_BYTES_MAX};
    char padded[LAM_NAME_BYTES_MAX] = "";
    struct link_response response;
    struct link_message message;
    struct iovec parts[4];

    reply->bytes = 0;
    reply->failure = LAM_FAILURE_NONE;
    reply->detail = 0;
    if (strnlen(name, sizeof(padded)) == sizeof(padded) || reply->capacity > LINK_REPLY_BYTES_MAX)
        return -EINVAL;
    memcpy(padded, name, strlen(name));
    parts[1] = (struct iovec){.iov_base = &body, .iov_len = sizeof(body)};
    parts[2] = (struct iovec){.iov_base = padded, .iov_len = sizeof(padded)};
    parts[3] = (struct iovec){.iov_base = (void *)(uintptr_t)request, .iov_len = request_bytes};
    if (lam_link_send(&worker.link, &header, parts, 4, LAM_DEADLINE_NEVER) != 0)
        leave(0);
    await_response(header.request_id, &message);
    memcpy(&response, message.body, sizeof(response));
    reply->bytes = response.reply_bytes;
    reply->failure = response.failure;
    if (response.status == 0)
        memcpy(reply->data, message.body + sizeof(response), response.reply_bytes);
    return response.status;
}

static uint64_t now_ns(void)
{
    return lam_clock_now_ns();
}

static const struct lam_host lent = {.bytes = sizeof(struct lam_host),
    .abi = LAM_ABI_VERSION,
    .now_ns = now_ns,
    .log = write_log,
    .metric = note_metric,
    .call = call_module,
    .later = lam_later_take,
    .answer = lam_later_answer_by};

/* ---- what the host asks ---- */

static lam_entry_fn entry_of(const struct link_message *message)
{
    const struct lam_descriptor *descriptor = worker.generation.descriptor;
    const struct lam_method *method;

    switch (message->header.features) {
    case LINK_METHOD:
        method = lam_generation_serve(&worker.generation, message->header.method_id);
        return method == NULL ? NULL : method->call;
    case LINK_INIT:
        return descriptor->init;
    case LINK_SHUTDOWN:
        return descriptor->shutdown;
    case LINK_HEALTH:
        return descriptor->health;
    case LINK_SAVE:
        return descriptor->save;
    case LINK_RESTORE:
        return descriptor->restore;
    default:
        return NULL;
    }
}

static void describe_needs(struct link_dependency *dependencies)
{
    const struct lam_needs *needs = &worker.generation.needs;

    for (uint32_t i = 0; i < needs->count; i++) {
        memset(&dependencies[i], 0, sizeof(dependencies[i]));
        dependencies[i].flags = needs->all[i].is_optional ? LAM_DEPENDENCY_OPTIONAL : 0;
        memcpy(dependencies[i].name, needs->all[i].name, sizeof(dependencies[i].name));
        memcpy(dependencies[i].range, needs->all[i].text, sizeof(dependencies[i].range));
    }
}

static void describe(uint8_t *bytes, uint64_t *count)
{
    const struct lam_descriptor *descriptor = worker.generation.descriptor;
    struct link_description said = {.features = descriptor->features,
        .version = descriptor->version,
        .method_count = descriptor->method_count,
        .dependency_count = descriptor->dependency_count};
    struct link_method *methods = (void *)(bytes + sizeof(said));

    memcpy(said.name, descriptor->name, strlen(descriptor->name)); /* it was checked */
    memcpy(bytes, &said, sizeof(said));
    for (uint32_t i = 0; i < said.method_count; i++) {
        memset(&methods[i], 0, sizeof(methods[i]));
        methods[i].id = descriptor->methods[i].id;
        methods[i].flags = descriptor->methods[i].flags;
        memcpy(methods[i].name, descriptor->methods[i].name, strlen(descriptor->methods[i].name));
    }
    describe_needs((void *)(methods + said.method_count));
    *count = sizeof(said) + said.method_count * sizeof(*methods) +
             said.dependency_count * sizeof(struct link_dependency);
}

/* Load the image that comes over the socket, and say what it is, or why not. */
static void open_module(const struct link_message *message, const char *path)
{
    static uint8_t answer[sizeof(struct link_opened) + LINK_DESCRIPTION_BYTES_MAX];
    struct link_opened opened = {0, 0};
    struct link_response response = {0, 0, 0};
    struct lam_error error = {""};
    int fd = spawn_receive_fd(SPAWN_SOCKET_FD);

    if (fd < 0 || spawn_die_with_host(SPAWN_SOCKET_FD) != 0)
        leave(7);
    image_adopt(&worker.generation.image, fd);
    opened.rc = lam_memlink_open_image(&worker.generation, path, &error);
    spawn_lock_down();
    if (opened.rc == 0)
        describe(answer + sizeof(opened), &response.reply_bytes);
    else
        response.reply_bytes = (uint64_t)snprintf(
            (char *)answer + sizeof(opened), sizeof(answer) - sizeof(opened), "%s", error.text);
    memcpy(answer, &opened, sizeof(opened));
    response.reply_bytes += sizeof(opened);
    respond(message->header.request_id, &response, answer);
}

static void fill(struct lam_frame *frame, const struct link_message *message,
    const struct link_request *request, uint8_t *room)
{
    uint64_t before = sizeof(*request) + request->caller_bytes;
    struct lam_call *call = &frame->call;

    lam_frame_init(frame, &worker.module, message->body + before,
        message->header.body_bytes - before, room, request->reply_capacity);
    call->method = message->header.method_id;
    call->state = worker.generation.state;
    call->deadline_ns = request->deadline_ns;
    call->trace = request->trace;
    call->caller = (const char *)message->body + sizeof(*request);
    call->depth = request->depth;
    call->depth_max = request->depth_max;
    call->pressure = request->pressure;
    /* A part of the arena for each entry that runs within another. */
    call->arena.bytes = SEAT_ARENA_BYTES / (LAM_RUNTIME_DEPTH_MAX + 1) & ~UINT64_C(63);
    call->arena.base = worker.seat.arena + worker.depth * call->arena.bytes;
}

static void run(
    lam_entry_fn entry, const struct link_message *message, const struct link_request *request)
{
    struct link_response response = {.status = -ENOTSUP};
    uint8_t *room = find_room(request->reply_capacity);
    struct lam_frame frame;

    fill(&frame, message, request, room);
    for (uint64_t i = request->reply_capacity; i % 16 != 0; i++)
        room[i] = SLACK;
    if (entry != NULL) {
        worker.depth++;
        response.status = entry(&frame.call);
        if (response.status == LAM_LATER || frame.later != NULL)
            response.status = lam_later_settle(&frame, response.status, &response.failure);
        worker.depth--;
        response.reply_bytes = frame.call.reply_bytes;
        worker.generation.state = frame.call.state;
    } else if (message->header.features == LINK_INIT || message->header.features == LINK_SHUTDOWN ||
               message->header.features == LINK_HEALTH) {
        response.status = 0;
    }
    if ((response.status == 0 && response.reply_bytes > request->reply_capacity) ||
        !is_slack_intact(room, request->reply_capacity))
        response = (struct link_response){-EPROTO, LAM_FAILURE_BAD_REPLY, 0};
    respond(message->header.request_id, &response, room);
}

static void confine(const struct link_message *message, const uint8_t *wish)
{
    uint64_t bytes = message->header.body_bytes - (uint64_t)(wish - message->body);
    struct link_response response = {.reply_bytes = sizeof(struct lam_sandbox_report)};
    struct lam_sandbox_report report;

    if (secure_process(wish, bytes, &report) != 0)
        leave(9);
    respond(message->header.request_id, &response, &report);
}

static void serve_request(const struct link_message *message)
{
    struct link_request request;

    if (message->header.body_bytes < sizeof(request))
        leave(8);
    memcpy(&request, message->body, sizeof(request));
    if (request.caller_bytes > message->header.body_bytes - sizeof(request))
        leave(8);
    if (message->header.features == LINK_OPEN)
        open_module(message, (const char *)message->body + sizeof(request) + request.caller_bytes);
    else if (message->header.features == LINK_SANDBOX)
        confine(message, message->body + sizeof(request) + request.caller_bytes);
    else
        run(entry_of(message), message, &request);
}

int lam_worker_serve(int socket)
{
    struct lam_error error = {""};
    struct link_message message;

    if (lam_link_join(&worker.link, socket, &error) != 0) {
        (void)fprintf(stderr, "lamina_worker: %s\n", error.text);
        return 1;
    }
    if (spawn_end_with_host(socket) != 0)
        return 7;
    worker.runtime.host = &lent;
    worker.module.runtime = &worker.runtime;
    worker.generation.module = &worker.module;
    worker.seat.arena = aligned_alloc(64, SEAT_ARENA_BYTES);
    if (worker.seat.arena == NULL)
        return 4;
    secure_prepare();
    while (lam_link_take(&worker.link, &worker.buffers[0], &message, LAM_DEADLINE_NEVER) == 0) {
        if (message.header.type != LAM_PROTOCOL_REQUEST)
            return 6;
        serve_request(&message);
    }
    return 0;
}
