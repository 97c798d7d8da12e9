/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void snapshot_reader_begin(
    struct snapshot_reader *reader, struct lam_env *env, const char *name, int is_kept)
{
    *reader = (struct snapshot_reader){.env = env, .file = -1, .is_kept = is_kept};
    memcpy(reader->name, name, strlen(name) + 1);
    blake3_init(&reader->hash);
}

/* Into the content's own place, or into the piece that is used again and again. */
static uint8_t *target(const struct snapshot_reader *reader)
{
    return reader->is_kept ? reader->bytes + reader->at : reader->bytes;
}

static void start(struct snapshot_reader *reader)
{
    struct lam_env_io *io = &reader->io;
    uint64_t left = reader->content.bytes - reader->at;

    *io = (struct lam_env_io){.file = reader->file, .name = reader->name};
    reader->in_flight = 1;
    switch (reader->state) {
    case SNAPSHOT_READ_OPEN:
        lam_env_start(reader->env, io, LAM_ENV_OPEN);
        return;
    case SNAPSHOT_READ_SIZE:
        lam_env_start(reader->env, io, LAM_ENV_SIZE);
        return;
    case SNAPSHOT_READ_HEADER:
        io->bytes = (uint8_t *)&reader->header + reader->at;
        io->count = SNAPSHOT_HEADER_BYTES - reader->at;
        io->offset = reader->at;
        lam_env_start(reader->env, io, LAM_ENV_READ);
        return;
    case SNAPSHOT_READ_CONTENT:
        io->bytes = target(reader);
        io->count = left < SNAPSHOT_PIECE_BYTES ? left : SNAPSHOT_PIECE_BYTES;
        io->offset = SNAPSHOT_HEADER_BYTES + reader->at;
        lam_env_start(reader->env, io, LAM_ENV_READ);
        return;
    default:
        lam_env_start(reader->env, io, LAM_ENV_CLOSE);
    }
}

/* With that result, and without the file. */
static void give_up(struct snapshot_reader *reader, int result)
{
    reader->result = result;
    reader->state = reader->file >= 0 ? SNAPSHOT_READ_CLOSE : SNAPSHOT_READ_DONE;
}

/* It is of the size that it says, and there is memory for it. */
static void take_header(struct snapshot_reader *reader)
{
    uint64_t content_bytes = reader->file_bytes - SNAPSHOT_HEADER_BYTES, journal, next_sequence;

    if (!snapshot_header_read(&reader->header, &reader->place, &reader->content) ||
        reader->content.bytes != content_bytes ||
        (name_is_snapshot(reader->name, &journal, &next_sequence) &&
            (reader->place.journal != journal || reader->place.next_sequence != next_sequence))) {
        give_up(reader, -EBADMSG);
        return;
    }
    reader->bytes = malloc(reader->is_kept ? content_bytes + 1 : SNAPSHOT_PIECE_BYTES);
    reader->at = 0;
    reader->state = SNAPSHOT_READ_CONTENT;
    if (reader->bytes == NULL)
        give_up(reader, -ENOMEM);
}

static void take_end(struct snapshot_reader *reader)
{
    uint8_t digest[BLAKE3_BYTES];

    blake3_finish(&reader->hash, digest);
    give_up(reader, memcmp(digest, reader->content.digest, sizeof(digest)) == 0 ? 0 : -EBADMSG);
}

static void take(struct snapshot_reader *reader, int64_t result)
{
    switch (reader->state) {
    case SNAPSHOT_READ_OPEN:
        reader->file = (int)result;
        reader->state = SNAPSHOT_READ_SIZE;
        return;
    case SNAPSHOT_READ_SIZE:
        reader->file_bytes = (uint64_t)result;
        reader->state = SNAPSHOT_READ_HEADER;
        if (reader->file_bytes < SNAPSHOT_HEADER_BYTES)
            give_up(reader, -EBADMSG);
        return;
    case SNAPSHOT_READ_HEADER:
        reader->at += (uint64_t)result;
        if (result == 0) /* it was longer a moment ago */
            give_up(reader, -EBADMSG);
        else if (reader->at == SNAPSHOT_HEADER_BYTES)
            take_header(reader);
        return;
    case SNAPSHOT_READ_CONTENT:
        blake3_update(&reader->hash, target(reader), (uint64_t)result);
        reader->at += (uint64_t)result;
        if (result == 0)
            give_up(reader, -EBADMSG);
        return;
    default:
        reader->file = -1;
        reader->state = SNAPSHOT_READ_DONE;
    }
}

int snapshot_reader_step(struct snapshot_reader *reader)
{
    if (reader->state == SNAPSHOT_READ_DONE)
        return 0;
    if (!reader->in_flight) {
        if (reader->state == SNAPSHOT_READ_CONTENT && reader->at == reader->content.bytes)
            take_end(reader);
        start(reader);
        return 1;
    }
    if (!reader->io.done)
        return 0;
    reader->in_flight = 0;
    if (reader->io.result < 0 && reader->state == SNAPSHOT_READ_CLOSE)
        take(reader, 0); /* it was read: that it was not closed in order changes nothing */
    else if (reader->io.result < 0)
        give_up(reader, (int)reader->io.result);
    else
        take(reader, reader->io.result);
    return 1;
}

void snapshot_reader_end(struct snapshot_reader *reader)
{
    int is_opening = reader->state == SNAPSHOT_READ_OPEN;

    if (reader->env == NULL)
        return;
    while (reader->in_flight && !reader->io.done)
        if (reader->env->ops->poll(reader->env) == 0)
            reader->env->ops->wait(reader->env, UINT64_MAX);
    if (is_opening && reader->in_flight && reader->io.result >= 0)
        reader->file = (int)reader->io.result;
    if (reader->file >= 0 && !(reader->in_flight && reader->state == SNAPSHOT_READ_CLOSE)) {
        struct lam_env_io io = {.file = reader->file};

        (void)lam_env_do(reader->env, &io, LAM_ENV_CLOSE);
    }
    free(reader->bytes);
    *reader = (struct snapshot_reader){.file = -1};
}
