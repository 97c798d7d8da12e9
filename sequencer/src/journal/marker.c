/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marker.c: the mark follows what is durable, in a file of its own, and nobody waits for it.
 */
#include <errno.h>
#include <string.h>

#include "journal/parts.h"

void journal_mark_begin(struct journal *journal)
{
    struct mark *mark = &journal->mark;

    *mark = (struct mark){.turn = mark->turn + 1,
        .journal = journal->id,
        .begun = 1,
        .index = journal->durable_index,
        .offset = journal->durable.offset,
        .epoch = journal->durable.epoch,
        .next_sequence = journal->durable.next_sequence};
    memcpy(mark->chain, journal->durable.chain, sizeof(mark->chain));
    mark_write(mark, journal->mark_slot);
    journal->unmarked_batches = 0;
    journal->mark_io = (struct lam_env_io){.file = journal->mark_file,
        .bytes = journal->mark_slot,
        .count = MARK_SLOT_BYTES,
        .offset = mark_slot(mark)};
    journal->marking = MARK_WRITING;
    lam_env_start(journal->env, &journal->mark_io, LAM_ENV_WRITE);
}

uint64_t journal_mark_due_ns(const struct journal *journal)
{
    int is_quiet = journal->writing == JOURNAL_IDLE && journal->gathered.count == 0;

    if (journal->marking != MARK_IDLE || journal->unmarked_batches == 0 || !is_quiet)
        return UINT64_MAX;
    return journal->quiet_ns + journal->config.mark_idle_ns;
}

/* Late enough to be seldom, soon enough that a quiet journal is marked to its end. */
static int is_due(const struct journal *journal)
{
    uint64_t due_ns = journal_mark_due_ns(journal);

    return journal->unmarked_batches >= journal->config.mark_batches ||
           (due_ns != UINT64_MAX && journal->env->ops->now_ns(journal->env) >= due_ns);
}

int journal_mark_step(struct journal *journal)
{
    struct lam_env_io *io = &journal->mark_io;

    if (journal->marking == MARK_IDLE) {
        if (!is_due(journal))
            return 0;
        journal_mark_begin(journal);
        return 1;
    }
    if (!io->done)
        return 0;
    if (io->result < 0)
        return journal_fail(journal, io->call, NAME_MARK, (int)io->result);
    if (journal->marking == MARK_SYNCING) {
        journal->marking = MARK_IDLE;
        return 1;
    }
    if (io->result == 0)
        return journal_fail(journal, io->call, NAME_MARK, -EIO);
    if ((uint64_t)io->result < io->count) {
        io->bytes = (uint8_t *)io->bytes + io->result;
        io->offset += (uint64_t)io->result;
        io->count -= (uint64_t)io->result;
        lam_env_start(journal->env, io, LAM_ENV_WRITE);
        return 1;
    }
    journal->marking = MARK_SYNCING;
    lam_env_start(journal->env, io, LAM_ENV_SYNC);
    return 1;
}
