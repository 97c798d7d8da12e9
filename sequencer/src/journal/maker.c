/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maker.c: the next segment: zeros, a header, a sync, its name, a sync of the folder; then it is
 * ready. Zeros, since writing to blocks that were never written makes every sync dearer.
 */
#include <errno.h>

#include "journal/parts.h"

#define ZEROS_BYTES (UINT64_C(64) * 1024) /* a write */
#define AGAIN_NS    UINT64_C(1000000000)

static uint8_t zeros[ZEROS_BYTES]; /* nobody writes here */

void journal_make_begin(struct journal *journal, uint64_t index)
{
    struct journal_maker *maker = &journal->maker;

    maker->state = MAKE_NOT_YET;
    maker->file = -1;
    maker->written = journal->config.sector_bytes;
    maker->header = (struct segment_header){.journal = journal->id,
        .index = index,
        .segment = journal->env->ops->random(journal->env),
        .segment_bytes = journal->config.segment_bytes,
        .sector_bytes = journal->config.sector_bytes};
    name_segment(maker->name, index);
}

void journal_make_take(struct journal *journal)
{
    struct journal_maker *maker = &journal->maker;

    journal->segment_file = maker->file;
    journal->segment_index = maker->header.index;
    journal->place.segment = maker->header.segment;
    journal->place.offset = journal->config.sector_bytes;
    journal_make_begin(journal, maker->header.index + 1);
}

static void start_zeros(struct journal *journal, struct lam_env_io *io)
{
    struct journal_maker *maker = &journal->maker;
    uint64_t left = journal->config.segment_bytes - maker->written;

    io->bytes = zeros;
    io->count = left < ZEROS_BYTES ? left : ZEROS_BYTES;
    io->offset = maker->written;
    lam_env_start(journal->env, io, LAM_ENV_WRITE);
}

static void start_header(struct journal *journal, struct lam_env_io *io)
{
    struct journal_maker *maker = &journal->maker;

    segment_header_write(&maker->header, maker->sector);
    io->bytes = maker->sector;
    io->count = journal->config.sector_bytes;
    lam_env_start(journal->env, io, LAM_ENV_WRITE);
}

static void start(struct journal *journal)
{
    struct journal_maker *maker = &journal->maker;
    struct lam_env *env = journal->env;
    struct lam_env_io *io = &maker->io;

    *io = (struct lam_env_io){.file = maker->file, .name = NAME_MAKING, .to = maker->name};
    maker->in_flight = 1;
    switch (maker->state) {
    case MAKE_CREATE:
        lam_env_start(env, io, LAM_ENV_CREATE);
        return;
    case MAKE_NO_SPACE:
    case MAKE_ALLOCATE:
        io->count = journal->config.segment_bytes;
        lam_env_start(env, io, LAM_ENV_ALLOCATE);
        return;
    case MAKE_ZEROS:
        start_zeros(journal, io);
        return;
    case MAKE_HEADER:
        start_header(journal, io);
        return;
    case MAKE_SYNC:
        lam_env_start(env, io, LAM_ENV_SYNC);
        return;
    case MAKE_RENAME:
        lam_env_start(env, io, LAM_ENV_RENAME);
        return;
    default:
        lam_env_start(env, io, LAM_ENV_SYNC_DIRECTORY);
    }
}

/* A call is done. The next state is the one behind it, but for those that stay. */
static int finish(struct journal *journal)
{
    struct journal_maker *maker = &journal->maker;
    int64_t result = maker->io.result;

    maker->in_flight = 0;
    if (result == -ENOSPC && (maker->io.call == LAM_ENV_ALLOCATE)) {
        maker->state = MAKE_NO_SPACE;
        maker->again_ns = journal->env->ops->now_ns(journal->env) + AGAIN_NS;
        return 1;
    }
    if (result < 0)
        return journal_fail(journal, maker->io.call, maker->name, (int)result);
    if (maker->state == MAKE_CREATE)
        maker->file = (int)result;
    if (maker->state == MAKE_ZEROS) {
        if (result == 0)
            return journal_fail(journal, LAM_ENV_WRITE, maker->name, -EIO);
        maker->written += (uint64_t)result;
        if (maker->written < journal->config.segment_bytes)
            return 1;
    }
    if (maker->state == MAKE_HEADER && (uint64_t)result != maker->io.count)
        return journal_fail(journal, LAM_ENV_WRITE, maker->name, -EIO);
    if (maker->state == MAKE_ALLOCATE || maker->state == MAKE_NO_SPACE)
        maker->state = MAKE_ZEROS;
    else
        maker->state = (enum journal_making)(maker->state + 1);
    return 1;
}

int journal_make_step(struct journal *journal)
{
    struct journal_maker *maker = &journal->maker;

    if (maker->in_flight)
        return maker->io.done ? finish(journal) : 0;
    if (maker->state == MAKE_NOT_YET && journal->durable_index == journal->segment_index &&
        journal->durable.offset > journal->config.sector_bytes)
        maker->state = MAKE_CREATE;
    if (maker->state == MAKE_READY || maker->state == MAKE_NOT_YET ||
        (maker->state == MAKE_NO_SPACE &&
            journal->env->ops->now_ns(journal->env) < maker->again_ns))
        return 0;
    start(journal);
    return 1;
}
