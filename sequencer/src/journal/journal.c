/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.c: the writer, from an event to what is durable.
 */
#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/layout.h"
#include "journal/parts.h"
#include "lamina/base/assert.h"
#include "snapshot/snapshot.h"

int journal_fail(struct journal *journal, enum lam_env_call call, const char *what, int code)
{
    if (journal->failed == 0)
        (void)lam_error_set(&journal->failure, code,
            "journal: %s of %s failed (%s); nothing is acknowledged any more: end this process and "
            "start it again, it will recover from the disk",
            lam_env_call_text(call), what, strerrordesc_np(-code));
    journal->failed = code;
    journal->env->poison = code;
    return -ENOTRECOVERABLE;
}

/* The bytes of the batch that is gathered, as it would be sealed. */
static uint64_t gathered_bytes(const struct journal *journal)
{
    return batch_padded(journal->gathered.used, journal->config.sector_bytes);
}

static uint64_t room(const struct journal *journal)
{
    return journal->config.segment_bytes - journal->place.offset;
}

/* Nothing can follow the present segment, and that one has to keep its reserve. */
int journal_is_full(const struct journal *journal)
{
    return journal->maker.state == MAKE_NO_SPACE &&
           room(journal) < journal->config.batch_bytes + journal->config.reserve_bytes;
}

int journal_try_add(struct journal *journal, uint64_t sequence, uint16_t kind, uint64_t time_ns,
    const void *data, uint32_t bytes)
{
    if (journal->failed == 0 && journal_is_full(journal))
        return -ENOSPC;
    return journal_try_add_sequenced(journal, sequence, kind, time_ns, data, bytes);
}

int journal_try_add_sequenced(struct journal *journal, uint64_t sequence, uint16_t kind,
    uint64_t time_ns, const void *data, uint32_t bytes)
{
    uint64_t alone = BATCH_HEADER_BYTES + batch_padded((uint64_t)bytes + BATCH_RECORD_BYTES, 8);

    LAM_ASSERT(sequence == journal_next(journal));
    if (journal->failed != 0)
        return -ENOTRECOVERABLE;
    if (alone > journal->config.batch_bytes)
        return -EMSGSIZE;
    return batch_add(
               &journal->gathered, journal->config.sector_bytes, kind, time_ns, data, bytes) == 0;
}

static void start_write(struct journal *journal)
{
    uint8_t *bytes = journal->buffers[1 - journal->turn];

    journal->io = (struct lam_env_io){.file = journal->segment_file,
        .bytes = bytes + journal->flight_written,
        .count = journal->flight_bytes - journal->flight_written,
        .offset = journal->flight_offset + journal->flight_written};
    journal->writing = JOURNAL_WRITING;
    lam_env_start(journal->env, &journal->io, LAM_ENV_WRITE);
}

/* The batch that is gathered goes, and the other buffer gathers the next one. */
static void start_batch(struct journal *journal)
{
    journal->flight_offset = journal->place.offset;
    journal->flight_written = 0;
    journal->flight_bytes =
        batch_seal(&journal->gathered, journal->config.sector_bytes, &journal->place);
    journal->turn = 1 - journal->turn;
    batch_begin(&journal->gathered, journal->buffers[journal->turn], journal->config.batch_bytes);
    start_write(journal);
}

static int step_when_idle(struct journal *journal)
{
    if (journal->gathered.count == 0)
        return 0;
    if (gathered_bytes(journal) <= room(journal)) {
        start_batch(journal);
        return 1;
    }
    if (journal->maker.state != MAKE_READY)
        return 0;
    /* All of the present segment is durable: no batch is in flight. */
    journal->io = (struct lam_env_io){.file = journal->segment_file};
    journal->writing = JOURNAL_CLOSING;
    lam_env_start(journal->env, &journal->io, LAM_ENV_CLOSE);
    return 1;
}

static int step_when_written(struct journal *journal)
{
    if (journal->io.result == 0)
        return journal_fail(journal, LAM_ENV_WRITE, "a batch", -EIO);
    journal->flight_written += (uint64_t)journal->io.result;
    if (journal->flight_written < journal->flight_bytes) {
        start_write(journal);
        return 1;
    }
    journal->io = (struct lam_env_io){.file = journal->segment_file};
    journal->writing = JOURNAL_SYNCING;
    lam_env_start(journal->env, &journal->io, LAM_ENV_SYNC);
    return 1;
}

static int step_of_writer(struct journal *journal)
{
    if (journal->writing == JOURNAL_IDLE)
        return step_when_idle(journal);
    if (!journal->io.done)
        return 0;
    if (journal->io.result < 0)
        return journal_fail(journal, journal->io.call, "a batch", (int)journal->io.result);
    switch (journal->writing) {
    case JOURNAL_WRITING:
        return step_when_written(journal);
    case JOURNAL_CLOSING:
        journal_make_take(journal);
        break;
    default: /* synced: one batch was in flight, so all that was sealed is durable */
        journal->durable = journal->place;
        journal->durable_index = journal->segment_index;
        journal->unmarked_batches++;
        journal->quiet_ns = journal->env->ops->now_ns(journal->env);
    }
    journal->writing = JOURNAL_IDLE;
    return 1;
}

int journal_step(struct journal *journal)
{
    static int (*const steps[])(struct journal *) = {
        step_of_writer, journal_make_step, journal_mark_step, journal_retain_step};
    int did = 0;

    journal->env->ops->poll(journal->env);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && journal->failed == 0; i++)
        if (steps[i](journal) != 0)
            did = 1;
    return journal->failed != 0 ? -ENOTRECOVERABLE : did;
}

void journal_finish(struct journal *journal)
{
    journal->config.mark_idle_ns = 0;
}

uint64_t journal_epoch(const struct journal *journal)
{
    return journal->place.epoch;
}

uint64_t journal_next(const struct journal *journal)
{
    return journal->place.next_sequence + journal->gathered.count;
}

uint64_t journal_durable(const struct journal *journal)
{
    return journal->durable.next_sequence;
}

int journal_is_idle(const struct journal *journal)
{
    return journal->writing == JOURNAL_IDLE && journal->gathered.count == 0 &&
           journal->marking == MARK_IDLE && journal->unmarked_batches == 0 &&
           !journal->maker.in_flight && !journal_retain_is_due(journal) &&
           (journal->maker.state == MAKE_READY || journal->maker.state == MAKE_NO_SPACE ||
               journal->maker.state == MAKE_NOT_YET);
}

void journal_durable_place(const struct journal *journal, struct snapshot_place *place)
{
    place->journal = journal->id;
    place->epoch = journal->durable.epoch;
    place->next_sequence = journal->durable.next_sequence;
    memcpy(place->chain, journal->durable.chain, sizeof(place->chain));
}

uint64_t journal_due_ns(const struct journal *journal)
{
    uint64_t due_ns = journal_mark_due_ns(journal);

    if (journal->maker.state == MAKE_NO_SPACE && !journal->maker.in_flight &&
        journal->maker.again_ns < due_ns)
        due_ns = journal->maker.again_ns;
    return due_ns;
}

const char *journal_failure(const struct journal *journal)
{
    return journal->failed != 0 ? journal->failure.text : NULL;
}

static void wait_for(struct journal *journal, const struct lam_env_io *io)
{
    while (journal->env->ops->poll(journal->env), !io->done)
        journal->env->ops->wait(journal->env, UINT64_MAX);
}

static void close_file(struct journal *journal, int file)
{
    struct lam_env_io io = {.file = file};

    if (file >= 0)
        (void)lam_env_do(journal->env, &io, LAM_ENV_CLOSE);
}

void journal_close(struct journal *journal)
{
    if (journal->writing != JOURNAL_IDLE)
        wait_for(journal, &journal->io);
    if (journal->marking != MARK_IDLE)
        wait_for(journal, &journal->mark_io);
    if (journal->maker.in_flight) {
        wait_for(journal, &journal->maker.io);
        if (journal->maker.state == MAKE_CREATE && journal->maker.io.result >= 0)
            journal->maker.file = (int)journal->maker.io.result;
    }
    if (journal->writing != JOURNAL_CLOSING)
        close_file(journal, journal->segment_file);
    if (journal->retainer.in_flight) {
        wait_for(journal, &journal->retainer.io);
        if (journal->retainer.state == RETAIN_OPEN && journal->retainer.io.result >= 0)
            journal->retainer.file = (int)journal->retainer.io.result;
        if (journal->retainer.state == RETAIN_CLOSE)
            journal->retainer.file = -1;
    }
    close_file(journal, journal->retainer.file);
    close_file(journal, journal->maker.file);
    close_file(journal, journal->mark_file);
    close_file(journal, journal->lock_file);
    free(journal->buffers[0]);
    free(journal->buffers[1]);
    free(journal->mark_slot);
    free(journal->retainer.bytes);
    free(journal->maker.sector);
}
