/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save.c: a machine written down, into an image or into a hash.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/crc32c.h"
#include "machine/image.h"
#include "machine/machine.h"
#include "machine/parts.h"

#define IMAGE_BYTES_MIN 4096

struct lam_app_digest {
    struct blake3 hash;
};

/* One of the two. An error stays. */
struct lam_app_writer {
    struct machine_image *image;
    struct lam_app_digest *digest;
    int error;
};

static int grow(struct machine_image *image, uint64_t bytes)
{
    uint64_t capacity = image->capacity > IMAGE_BYTES_MIN ? image->capacity : IMAGE_BYTES_MIN;
    uint8_t *grown;

    while (capacity - image->count < bytes) {
        if (capacity > UINT64_MAX / 4)
            return -ENOMEM;
        capacity *= 2;
    }
    grown = realloc(image->bytes, capacity);
    if (grown == NULL)
        return -ENOMEM;
    image->bytes = grown;
    image->capacity = capacity;
    return 0;
}

void lam_app_digest_add(struct lam_app_digest *digest, const void *bytes, size_t count)
{
    if (count != 0)
        blake3_update(&digest->hash, bytes, count);
}

int lam_app_write(struct lam_app_writer *writer, const void *bytes, size_t count)
{
    struct machine_image *image = writer->image;

    if (writer->error != 0 || count == 0)
        return writer->error;
    if (writer->digest != NULL) {
        lam_app_digest_add(writer->digest, bytes, count);
        return 0;
    }
    if (image->capacity - image->count < count && grow(image, count) != 0) {
        writer->error = -ENOMEM;
        return -ENOMEM;
    }
    memcpy(image->bytes + image->count, bytes, count);
    image->count += count;
    return 0;
}

static void write_header(const struct machine *machine, struct lam_app_writer *writer)
{
    const struct machine_config *config = &machine->config;
    struct image_header header = {.magic = IMAGE_MAGIC,
        .version = IMAGE_VERSION,
        .app_version = config->app->version,
        .sessions_max = config->sessions_max,
        .window = config->window,
        .reply_bytes = config->reply_bytes,
        .event_bytes_max = config->app->event_bytes_max,
        .reply_bytes_max = config->app->reply_bytes_max,
        .publish_bytes_max = config->app->publish_bytes_max,
        .started = machine->started,
        .next = machine->next,
        .time_ns = machine->time_ns,
        .epoch = machine->epoch,
        .kept_sequence = machine->kept_sequence,
        .session_count = machine->sessions.count};

    memcpy(header.app_name, config->app->name, strlen(config->app->name));
    if (machine->kept_sequence != 0)
        memcpy(header.kept_digest, machine->kept_digest, BLAKE3_BYTES);
    image_header_turn(&header);
    (void)lam_app_write(writer, &header, sizeof(header));
}

/* Returns how many there are. Writes them where there is a @writer. */
static uint32_t write_answers(const struct replies *replies, struct lam_app_writer *writer)
{
    static const uint8_t zeros[8];
    uint32_t count = 0;

    for (uint32_t i = 0; i < replies->window; i++) {
        uint64_t request = replies->floor + i;
        struct image_answer answer = {.request = request};
        const struct reply_slot *slot;

        if (request < replies->floor) /* numbers end there */
            break;
        slot = replies_slot(replies, request);
        if (slot->kind == 0)
            continue;
        count++;
        if (writer == NULL)
            continue;
        answer.sequence = slot->sequence;
        answer.kind = slot->kind;
        answer.count = slot->count;
        image_answer_turn(&answer);
        (void)lam_app_write(writer, &answer, sizeof(answer));
        (void)lam_app_write(writer, replies_bytes(replies, slot), slot->count);
        (void)lam_app_write(writer, zeros, (0U - slot->count) & 7);
    }
    return count;
}

static void write_session(const struct session *session, struct lam_app_writer *writer)
{
    struct image_session header = {.id = session->id,
        .last = session->last,
        .floor = session->replies.floor,
        .token = session->open.token,
        .role = session->open.role,
        .answers = write_answers(&session->replies, NULL)};

    memcpy(header.identity, session->open.identity, sizeof(header.identity));
    image_session_turn(&header);
    (void)lam_app_write(writer, &header, sizeof(header));
    (void)write_answers(&session->replies, writer);
}

static void write_own(const struct machine *machine, struct lam_app_writer *writer)
{
    write_header(machine, writer);
    for (const struct session *at = machine->sessions.oldest; at != NULL; at = at->newer)
        write_session(at, writer);
}

void machine_digest(struct machine *machine, uint8_t digest[BLAKE3_BYTES])
{
    struct lam_app_digest hashed;
    struct lam_app_writer writer = {.digest = &hashed};

    blake3_init(&hashed.hash);
    write_own(machine, &writer);
    machine->config.app->digest(machine->state, &hashed);
    blake3_finish(&hashed.hash, digest);
}

int machine_save(const struct machine *machine, struct machine_image *image)
{
    struct lam_app_writer writer = {.image = image};
    uint64_t at, bytes = 0;
    uint32_t crc;
    int result;

    image->count = 0;
    write_own(machine, &writer);
    at = image->count;
    (void)lam_app_write(&writer, &bytes, sizeof(bytes));
    result = machine->config.app->snapshot(machine->state, &writer);
    if (writer.error != 0)
        return writer.error;
    if (result != 0)
        return result;
    bytes = htole64(image->count - at - sizeof(bytes));
    memcpy(image->bytes + at, &bytes, sizeof(bytes));
    crc = htole32(lam_crc32c(0, image->bytes, image->count));
    return lam_app_write(&writer, &crc, sizeof(crc));
}
