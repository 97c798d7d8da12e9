/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.c: a snapshot from memory to a file that was read again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/writer.h"

int snapshot_writer_create(struct snapshot_writer **writer, struct lam_env *env,
    const struct snapshot_place *place, const void *bytes, uint64_t count)
{
    struct snapshot_writer *made;

    if (memchr(place->app_name, 0, sizeof(place->app_name)) == NULL)
        return -EINVAL;
    if ((made = calloc(1, sizeof(*made))) == NULL)
        return -ENOMEM;
    made->env = env;
    made->place = *place;
    made->bytes = bytes;
    made->content.bytes = count;
    made->file = -1;
    made->reader.file = -1;
    blake3_init(&made->hash);
    name_snapshot(made->name, place->journal, place->next_sequence);
    *writer = made;
    return 0;
}

int snapshot_fail(
    struct snapshot_writer *writer, const char *what, const char *name, int64_t result)
{
    writer->code = (int)result;
    (void)lam_error_set(&writer->failure, writer->code,
        "snapshot: %s of %s failed (%s); there is no new one, the older ones are in force", what,
        name, strerrordesc_np((int)-result));
    if (writer->file >= 0)
        writer->state = SNAPSHOT_UNDO_CLOSE;
    else if (writer->state > SNAPSHOT_UNLINK && writer->state < SNAPSHOT_OLDER)
        writer->state = SNAPSHOT_UNDO_UNLINK;
    else
        writer->state = SNAPSHOT_FAILED;
    return 1;
}

/* A piece is hashed when its write begins, so that no step takes long. */
static void start_content(struct snapshot_writer *writer, struct lam_env_io *io)
{
    uint64_t left = writer->content.bytes - writer->hashed;
    uint64_t piece = left < SNAPSHOT_PIECE_BYTES ? left : SNAPSHOT_PIECE_BYTES;

    if (writer->written == writer->hashed) {
        blake3_update(&writer->hash, writer->bytes + writer->hashed, piece);
        writer->hashed += piece;
    }
    io->bytes = (void *)(uintptr_t)(writer->bytes + writer->written); /* it is only read */
    io->count = writer->hashed - writer->written;
    io->offset = SNAPSHOT_HEADER_BYTES + writer->written;
    lam_env_start(writer->env, io, LAM_ENV_WRITE);
}

/* All content is written: the header says what it is. */
static void make_header(struct snapshot_writer *writer)
{
    blake3_finish(&writer->hash, writer->content.digest);
    snapshot_header_write(&writer->header, &writer->place, &writer->content);
    writer->written = 0;
    writer->state = SNAPSHOT_HEADER;
}

static void start_header(struct snapshot_writer *writer, struct lam_env_io *io)
{
    io->bytes = (uint8_t *)&writer->header + writer->written;
    io->count = SNAPSHOT_HEADER_BYTES - writer->written;
    io->offset = writer->written;
    lam_env_start(writer->env, io, LAM_ENV_WRITE);
}

static void start_list(struct snapshot_writer *writer, struct lam_env_io *io)
{
    int result = listing_grow(&writer->listing);

    if (result < 0) {
        writer->in_flight = 0;
        (void)snapshot_fail(writer, "list", "the folder", result);
        return;
    }
    io->bytes = writer->listing.names;
    io->count = writer->listing.room;
    lam_env_start(writer->env, io, LAM_ENV_LIST);
}

static const char *name_of(const struct snapshot_writer *writer)
{
    if (writer->state == SNAPSHOT_REMOVE)
        return writer->older;
    return writer->has_name ? writer->name : NAME_SNAPSHOT_MAKING;
}

static void start(struct snapshot_writer *writer)
{
    static const enum lam_env_call calls[] = {
        [SNAPSHOT_UNLINK] = LAM_ENV_UNLINK,
        [SNAPSHOT_CREATE] = LAM_ENV_CREATE,
        [SNAPSHOT_ALLOCATE] = LAM_ENV_ALLOCATE,
        [SNAPSHOT_SYNC] = LAM_ENV_SYNC,
        [SNAPSHOT_CLOSE] = LAM_ENV_CLOSE,
        [SNAPSHOT_RENAME] = LAM_ENV_RENAME,
        [SNAPSHOT_SYNC_DIRECTORY] = LAM_ENV_SYNC_DIRECTORY,
        [SNAPSHOT_REMOVE] = LAM_ENV_UNLINK,
        [SNAPSHOT_UNDO_CLOSE] = LAM_ENV_CLOSE,
        [SNAPSHOT_UNDO_UNLINK] = LAM_ENV_UNLINK,
    };
    struct lam_env_io *io = &writer->io;

    *io = (struct lam_env_io){.file = writer->file, .name = name_of(writer), .to = writer->name};
    writer->in_flight = 1;
    if (writer->state == SNAPSHOT_LIST) {
        start_list(writer, io);
    } else if (writer->state == SNAPSHOT_CONTENT) {
        start_content(writer, io);
    } else if (writer->state == SNAPSHOT_HEADER) {
        start_header(writer, io);
    } else {
        io->count = SNAPSHOT_HEADER_BYTES + writer->content.bytes; /* of SNAPSHOT_ALLOCATE */
        lam_env_start(writer->env, io, calls[writer->state]);
    }
}

/* A call has worked: what it brought, and what comes behind it. */
static void take(struct snapshot_writer *writer, int64_t result)
{
    switch (writer->state) {
    case SNAPSHOT_LIST:
        writer->listing.bytes = (uint64_t)result;
        snapshot_look(writer);
        return;
    case SNAPSHOT_CREATE:
        writer->file = (int)result;
        break;
    case SNAPSHOT_CONTENT:
    case SNAPSHOT_HEADER:
        writer->written += (uint64_t)result;
        if (writer->state == SNAPSHOT_CONTENT || writer->written < SNAPSHOT_HEADER_BYTES)
            return;
        break;
    case SNAPSHOT_RENAME:
        writer->has_name = 1;
        break;
    case SNAPSHOT_SYNC_DIRECTORY:
        snapshot_reader_begin(&writer->reader, writer->env, writer->name, 0);
        break;
    case SNAPSHOT_REMOVE:
        snapshot_next_older(writer);
        return;
    default:
        break;
    }
    writer->state = (enum snapshot_writing)(writer->state + 1);
}

/* Returns 1 where that result of the call is no failure. */
static int is_fine(const struct snapshot_writer *writer, int64_t result)
{
    if (writer->state == SNAPSHOT_UNDO_CLOSE || writer->state == SNAPSHOT_UNDO_UNLINK)
        return 1; /* it has failed already */
    if (writer->io.call == LAM_ENV_UNLINK && result == -ENOENT)
        return 1;
    return writer->io.call == LAM_ENV_WRITE ? result > 0 : result >= 0;
}

static void finish(struct snapshot_writer *writer)
{
    int64_t result = writer->io.result;

    writer->in_flight = 0;
    if (writer->io.call == LAM_ENV_CLOSE)
        writer->file = -1; /* whatever the result */
    if (writer->state == SNAPSHOT_LIST && result == -ENOSPC)
        return; /* once more, with more room */
    if (is_fine(writer, result))
        take(writer, result);
    else
        (void)snapshot_fail(writer, lam_env_call_text(writer->io.call), name_of(writer),
            result == 0 ? -EIO : result);
}

static int is_reading(const struct snapshot_writer *writer)
{
    return writer->state == SNAPSHOT_LOOK || writer->state == SNAPSHOT_VERIFY ||
           writer->state == SNAPSHOT_OLDER;
}

static int step(struct snapshot_writer *writer)
{
    if (is_reading(writer)) {
        if (writer->reader.state != SNAPSHOT_READ_DONE)
            return snapshot_reader_step(&writer->reader);
        snapshot_was_read(writer);
        return 1;
    }
    if (writer->in_flight && !writer->io.done)
        return 0;
    if (writer->in_flight)
        finish(writer);
    else if (writer->state == SNAPSHOT_CONTENT && writer->written == writer->content.bytes)
        make_header(writer);
    else
        start(writer);
    return 1;
}

int snapshot_writer_step(struct snapshot_writer *writer, struct lam_error *error)
{
    int did;

    writer->env->ops->poll(writer->env);
    did = writer->state == SNAPSHOT_DONE || writer->state == SNAPSHOT_FAILED ? 0 : step(writer);
    if (writer->state == SNAPSHOT_DONE)
        return -EALREADY;
    if (writer->state == SNAPSHOT_FAILED)
        return lam_error_set(error, writer->code, "%s", writer->failure.text);
    return did;
}

uint64_t snapshot_writer_other(const struct snapshot_writer *writer)
{
    return writer->other;
}

void snapshot_writer_destroy(struct snapshot_writer *writer)
{
    struct lam_env *env = writer->env;
    struct lam_env_io *io = &writer->io;

    while (writer->in_flight && (env->ops->poll(env), !io->done))
        env->ops->wait(env, UINT64_MAX);
    if (writer->in_flight && io->call == LAM_ENV_CREATE && io->result >= 0)
        writer->file = (int)io->result;
    if (writer->in_flight && io->call == LAM_ENV_CLOSE)
        writer->file = -1;
    if (writer->file >= 0) {
        *io = (struct lam_env_io){.file = writer->file};
        (void)lam_env_do(env, io, LAM_ENV_CLOSE);
    }
    snapshot_reader_end(&writer->reader);
    listing_free(&writer->listing);
    free(writer);
}
