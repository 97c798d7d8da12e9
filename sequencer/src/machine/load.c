/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: a machine made again from an image. Its checksum finds accidents; who can make one with a
 * right checksum gets a machine that is in order, or an error.
 */
#include <errno.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "lamina/base/crc32c.h"
#include "machine/image.h"
#include "machine/machine.h"
#include "machine/parts.h"

struct lam_app_reader {
    const uint8_t *bytes;
    uint64_t left;
};

int lam_app_read(struct lam_app_reader *reader, void *bytes, size_t count)
{
    if (count > reader->left)
        return -EBADMSG;
    if (count != 0)
        memcpy(bytes, reader->bytes, count);
    reader->bytes += count;
    reader->left -= count;
    return 0;
}

uint64_t lam_app_left(const struct lam_app_reader *reader)
{
    return reader->left;
}

static int bad(struct lam_error *error, const char *what)
{
    return lam_error_set(error, -EBADMSG, "snapshot: %s", what);
}

static int check_app(
    const struct image_header *header, const struct lam_app *app, struct lam_error *error)
{
    char name[sizeof(header->app_name)] = {0};

    memcpy(name, app->name, strlen(app->name));
    if (memcmp(header->app_name, name, sizeof(name)) != 0)
        return lam_error_set(error, -EBADMSG, "snapshot: it is of application %.31s, not of %s",
            header->app_name, app->name);
    if (header->app_version != app->version)
        return lam_error_set(error, -EBADMSG,
            "snapshot: it is of version %u of %s, this is version %u", header->app_version,
            app->name, app->version);
    if (header->event_bytes_max != app->event_bytes_max ||
        header->reply_bytes_max != app->reply_bytes_max ||
        header->publish_bytes_max != app->publish_bytes_max)
        return bad(error, "the application's bounds were others");
    return 0;
}

static int check_header(
    const struct machine *machine, const struct image_header *header, struct lam_error *error)
{
    const struct machine_config *config = &machine->config;
    int result;

    if (header->magic != IMAGE_MAGIC)
        return bad(error, "it does not begin as one");
    if (header->version != IMAGE_VERSION)
        return lam_error_set(error, -EBADMSG, "snapshot: its format is %u, this reads %u",
            header->version, IMAGE_VERSION);
    result = check_app(header, config->app, error);
    if (result != 0)
        return result;
    if (header->sessions_max != config->sessions_max || header->window != config->window ||
        header->reply_bytes != config->reply_bytes)
        return lam_error_set(error, -EBADMSG,
            "snapshot: sessions_max, window and reply_bytes were %u, %u and %llu, are %u, %u and "
            "%llu: start with those, or without the snapshot",
            header->sessions_max, header->window, (unsigned long long)header->reply_bytes,
            config->sessions_max, config->window, (unsigned long long)config->reply_bytes);
    if (header->reserved != 0 || header->next == UINT64_MAX ||
        header->session_count > config->sessions_max ||
        (header->session_count != 0 && header->started != UINT32_MAX) ||
        (header->started != UINT32_MAX && header->started > header->next) ||
        (header->next == 0 && (header->time_ns | header->epoch | header->started) != 0))
        return bad(error, "its header makes no sense");
    return 0;
}

static int check_kept(const struct image_header *header, struct lam_error *error)
{
    static const uint8_t zeros[BLAKE3_BYTES];

    if (header->kept_sequence == 0 ? memcmp(header->kept_digest, zeros, BLAKE3_BYTES) != 0
                                   : header->kept_sequence >= header->next)
        return bad(error, "its digest makes no sense");
    return 0;
}

/* An answer's own fields, but for its request. */
static int check_answer(const struct machine *machine, const struct session *session,
    const struct image_answer *answer, const uint8_t *bytes)
{
    const struct replies *replies = &session->replies;
    uint32_t code;

    if (answer->sequence <= session->id || answer->sequence > session->last)
        return -EBADMSG;
    if (answer->kind == ITEM_REPLY)
        return answer->count <= machine->config.app->reply_bytes_max &&
                       answer->count <= machine->config.reply_bytes - replies->reply_bytes
                   ? 0
                   : -EBADMSG;
    if (answer->kind != ITEM_REFUSED || answer->count < sizeof(code) ||
        answer->count > REFUSAL_BYTES_MAX)
        return -EBADMSG;
    memcpy(&code, bytes, sizeof(code));
    return le32toh(code) >= REFUSED_APP ? 0 : -EBADMSG;
}

/* Its request is at @least or more above the floor, and in the window. */
static int read_answer(const struct machine *machine, struct session *session, uint64_t *least,
    struct lam_app_reader *reader)
{
    struct image_answer answer;
    const uint8_t *bytes;
    uint64_t padding = 0;
    struct reply_slot slot;
    int result;

    if (lam_app_read(reader, &answer, sizeof(answer)) != 0)
        return -EBADMSG;
    image_answer_turn(&answer);
    bytes = reader->bytes;
    if (reader->left < answer.count)
        return -EBADMSG;
    reader->bytes += answer.count;
    reader->left -= answer.count;
    if (lam_app_read(reader, &padding, (0U - answer.count) & 7) != 0 || padding != 0)
        return -EBADMSG;
    if (!replies_in_window(&session->replies, answer.request) ||
        answer.request - session->replies.floor < *least)
        return -EBADMSG;
    *least = answer.request - session->replies.floor + 1;
    result = check_answer(machine, session, &answer, bytes);
    if (result != 0)
        return result;
    slot = (struct reply_slot){
        .sequence = answer.sequence, .count = answer.count, .kind = answer.kind};
    return replies_keep(&session->replies, answer.request, &slot, bytes);
}

/* Sessions come in the order of their last words, answers in that of their requests. */
static int read_session(struct machine *machine, struct lam_app_reader *reader)
{
    const struct session *before = machine->sessions.newest;
    struct image_session header;
    struct record_open open = {0};
    struct session *session;
    uint64_t least = 0;
    int result = lam_app_read(reader, &header, sizeof(header));

    if (result != 0)
        return result;
    image_session_turn(&header);
    if (header.id == 0 || header.last < header.id || header.last >= machine->next ||
        (before != NULL && header.last <= before->last) ||
        header.answers > machine->config.window ||
        sessions_find(&machine->sessions, header.id) != NULL)
        return -EBADMSG;
    open.token = header.token;
    open.role = header.role;
    memcpy(open.identity, header.identity, sizeof(open.identity));
    session = sessions_add(&machine->sessions, header.id, &open);
    if (session == NULL)
        return -ENOMEM;
    session->last = header.last;
    session->replies.floor = header.floor;
    for (uint32_t i = 0; i < header.answers && result == 0; i++)
        result = read_answer(machine, session, &least, reader);
    return result;
}

static int read_app(struct machine *machine, struct lam_app_reader *reader, struct lam_error *error)
{
    uint64_t bytes;
    int result;

    if (lam_app_read(reader, &bytes, sizeof(bytes)) != 0 || le64toh(bytes) != reader->left)
        return bad(error, "it is longer or shorter than it says");
    result = machine->config.app->restore(machine->state, reader);
    if (result == 0 && reader->left != 0)
        return bad(error, "the application has left some of its bytes unread");
    if (result != 0 && result != -ENOMEM)
        return bad(error, "the application refuses its part");
    return result;
}

static int read_all(struct machine *machine, struct lam_app_reader *reader, struct lam_error *error)
{
    struct image_header header;
    int result = lam_app_read(reader, &header, sizeof(header));

    if (result != 0)
        return bad(error, "it is too short");
    image_header_turn(&header);
    result = check_header(machine, &header, error);
    if (result == 0)
        result = check_kept(&header, error);
    if (result != 0)
        return result;
    machine->started = header.started;
    machine->next = header.next;
    machine->time_ns = header.time_ns;
    machine->epoch = header.epoch;
    machine->kept_sequence = header.kept_sequence;
    memcpy(machine->kept_digest, header.kept_digest, BLAKE3_BYTES);
    for (uint32_t i = 0; i < header.session_count; i++) {
        result = read_session(machine, reader);
        if (result == -EBADMSG)
            return lam_error_set(error, result, "snapshot: session %u makes no sense", i);
        if (result != 0)
            return result;
    }
    return read_app(machine, reader, error);
}

int machine_load(
    struct machine *machine, const void *bytes, uint64_t count, struct lam_error *error)
{
    struct lam_app_reader reader = {.bytes = bytes, .left = count};
    uint32_t crc;

    LAM_ASSERT(machine->next == 0 && machine->broken == 0);
    machine->broken = -EBADMSG;
    if (count < sizeof(crc))
        return bad(error, "it is too short");
    reader.left -= sizeof(crc);
    memcpy(&crc, reader.bytes + reader.left, sizeof(crc));
    if (lam_crc32c(0, bytes, reader.left) != le32toh(crc))
        return bad(error, "its checksum is another one");
    machine->broken = read_all(machine, &reader, error);
    return machine->broken;
}
