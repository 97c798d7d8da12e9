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

#include "later.h"
#include "linux/spawn.h"
#include "worker/memlink.h"
#include "worker/secure.h"
#include "worker/serving.h"

/* Between the room and the page, where the room is no multiple of 16. */
#define SLACK 0xa5

struct serving serving;

static uint8_t *find_room(uint64_t capacity)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint8_t **room = &serving.rooms[serving.depth];

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
    if (lam_link_respond(&serving.link, id, response, data, LAM_DEADLINE_NEVER) != 0)
        leave(0);
}

static lam_entry_fn entry_of(const struct link_message *message)
{
    const struct lam_descriptor *descriptor = serving.generation.descriptor;
    const struct lam_method *method;

    switch (message->header.features) {
    case LINK_METHOD:
        method = lam_generation_serve(&serving.generation, message->header.method_id);
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

/* Load the image that comes over the socket, and say what it is, or why not. */
static void open_module(const struct link_message *message, const char *path)
{
    static uint8_t answer[sizeof(struct link_opened) + LINK_DESCRIPTION_BYTES_MAX];
    struct link_opened opened = {0, 0};
    struct link_response response = {.status = 0};
    struct lam_error error = {""};
    int fd = spawn_receive_fd(SPAWN_SOCKET_FD);

    if (fd < 0 || spawn_die_with_host(SPAWN_SOCKET_FD) != 0)
        leave(7);
    image_adopt(&serving.generation.image, fd);
    opened.rc = lam_memlink_open_image(&serving.generation, path, &error);
    spawn_lock_down();
    if (opened.rc == 0)
        serving_describe(answer + sizeof(opened), &response.reply_bytes);
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

    lam_frame_init(frame, &serving.module, message->body + before,
        message->header.body_bytes - before, room, request->reply_capacity);
    call->method = message->header.method_id;
    call->state = serving.generation.state;
    call->deadline_ns = request->deadline_ns;
    call->trace = request->trace;
    call->caller = (const char *)message->body + sizeof(*request);
    call->depth = request->depth;
    call->depth_max = request->depth_max;
    call->pressure = request->pressure;
    /* A part of the arena for each entry that runs within another. */
    call->arena.bytes = SEAT_ARENA_BYTES / (LAM_RUNTIME_DEPTH_MAX + 1) & ~UINT64_C(63);
    call->arena.base = serving.seat.arena + serving.depth * call->arena.bytes;
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
        serving.depth++;
        response.status = entry(&frame.call);
        if (response.status == LAM_LATER || frame.later != NULL)
            response.status = lam_later_settle(&frame, response.status, &response.failure);
        serving.depth--;
        response.reply_bytes = frame.call.reply_bytes;
        serving.generation.state = frame.call.state;
    } else if (message->header.features == LINK_INIT || message->header.features == LINK_SHUTDOWN ||
               message->header.features == LINK_HEALTH) {
        response.status = 0;
    }
    if ((response.status == 0 && response.reply_bytes > request->reply_capacity) ||
        !is_slack_intact(room, request->reply_capacity))
        response = (struct link_response){.status = -EPROTO, .failure = LAM_FAILURE_BAD_REPLY};
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

void serving_answer(const struct link_message *message)
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

    if (lam_link_join(&serving.link, socket, &error) != 0) {
        (void)fprintf(stderr, "lamina_worker: %s\n", error.text);
        return 1;
    }
    if (spawn_end_with_host(socket) != 0)
        return 7;
    serving.runtime.host = &serving_lent;
    serving.module.runtime = &serving.runtime;
    serving.generation.module = &serving.module;
    serving.seat.arena = aligned_alloc(64, SEAT_ARENA_BYTES);
    if (serving.seat.arena == NULL)
        return 4;
    secure_prepare();
    while (lam_link_take(&serving.link, &serving.buffers[0], &message, LAM_DEADLINE_NEVER) == 0) {
        if (message.header.type == LAM_PROTOCOL_EVENT)
            serving_learn(&message);
        else if (message.header.type == LAM_PROTOCOL_REQUEST)
            serving_answer(&message);
        else
            return 6;
    }
    return 0;
}
