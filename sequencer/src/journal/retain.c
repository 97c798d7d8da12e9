/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retain.c: segments that recovery needs no more get a name of their own, or none: those below the
 * older of the snapshots that are kept. The oldest goes first, and the next one only when the
 * folder without it is durable: there is never a gap.
 *
 * The oldest segment that stays begins with a batch: its header says where in the order it is, and
 * the chain from there on has to have the value that the snapshot names.
 */
#include <errno.h>
#include <string.h>

#include "journal/parts.h"

void journal_retain(struct journal *journal, uint64_t next_sequence)
{
    if (next_sequence > journal->retainer.below)
        journal->retainer.below = next_sequence;
}

const char *journal_alarm(const struct journal *journal)
{
    return journal->retainer.state == RETAIN_STOPPED ? journal->retainer.alarm.text : NULL;
}

/*
 * May the oldest segment be looked at? The one behind it has a batch that is durable, and the mark,
 * which is durable too, is not in the oldest any more.
 */
static int is_due(const struct journal *journal)
{
    const struct journal_retainer *retainer = &journal->retainer;
    uint64_t next = journal->first_index + 1;

    if (journal->config.retention == JOURNAL_KEEP || retainer->below <= retainer->looked_for ||
        journal->marking != MARK_IDLE || journal->mark.index < next)
        return 0;
    return next < journal->durable_index ||
           (next == journal->durable_index &&
               journal->durable.offset > journal->config.sector_bytes);
}

int journal_retain_is_due(const struct journal *journal)
{
    return journal->retainer.state != RETAIN_STOPPED &&
           (journal->retainer.state != RETAIN_IDLE || is_due(journal));
}

static void start(struct journal *journal)
{
    struct journal_retainer *retainer = &journal->retainer;
    struct lam_env *env = journal->env;
    struct lam_env_io *io = &retainer->io;

    *io = (struct lam_env_io){.file = retainer->file, .name = retainer->name, .to = retainer->to};
    retainer->in_flight = 1;
    switch (retainer->state) {
    case RETAIN_OPEN:
        name_segment(retainer->name, journal->first_index + 1);
        lam_env_start(env, io, LAM_ENV_OPEN);
        return;
    case RETAIN_READ:
        io->bytes = retainer->bytes;
        io->count = UINT64_C(2) * journal->config.sector_bytes;
        lam_env_start(env, io, LAM_ENV_READ);
        return;
    case RETAIN_CLOSE:
        lam_env_start(env, io, LAM_ENV_CLOSE);
        return;
    case RETAIN_MOVE:
        name_segment(retainer->name, journal->first_index);
        name_archive(retainer->to, journal->first_index);
        lam_env_start(env, io,
            journal->config.retention == JOURNAL_ARCHIVE ? LAM_ENV_RENAME : LAM_ENV_UNLINK);
        return;
    default:
        lam_env_start(env, io, LAM_ENV_SYNC_DIRECTORY);
    }
}

/* Where the segment behind the oldest one begins. Returns 1, or 0: it is damaged. */
static int read_place(const struct journal *journal, struct batch_place *place)
{
    const struct journal_retainer *retainer = &journal->retainer;
    uint32_t sector = journal->config.sector_bytes;
    struct segment_header header;

    return segment_header_read(retainer->bytes, sector, &header) && header.journal == journal->id &&
           header.index == journal->first_index + 1 &&
           batch_peek(retainer->bytes + sector, sector, header.segment, place);
}

/* Nothing is taken away any more; the next start will say more. */
static int stop(struct journal *journal)
{
    struct journal_retainer *retainer = &journal->retainer;

    retainer->state = RETAIN_STOPPED;
    (void)lam_error_set(&retainer->alarm, -EBADMSG,
        "journal: the beginning of %s is damaged; old segments stay where they are. Look at it by "
        "`lamina journal verify`",
        retainer->name);
    return 1;
}

/* Behind RETAIN_CLOSE: does the oldest segment go? */
static int decide(struct journal *journal)
{
    struct journal_retainer *retainer = &journal->retainer;
    struct batch_place place;

    if (!read_place(journal, &place))
        return stop(journal);
    retainer->state = RETAIN_MOVE;
    if (place.next_sequence > retainer->below) {
        retainer->looked_for = retainer->below;
        retainer->state = RETAIN_IDLE;
    }
    return 1;
}

static int finish(struct journal *journal)
{
    struct journal_retainer *retainer = &journal->retainer;
    int64_t result = retainer->io.result;

    retainer->in_flight = 0;
    if (result < 0)
        return journal_fail(journal, retainer->io.call, retainer->name, (int)result);
    switch (retainer->state) {
    case RETAIN_OPEN:
        retainer->file = (int)result;
        break;
    case RETAIN_READ:
        if ((uint64_t)result != retainer->io.count)
            memset(retainer->bytes, 0, retainer->io.count); /* damaged: no segment is so short */
        break;
    case RETAIN_CLOSE:
        retainer->file = -1;
        return decide(journal);
    case RETAIN_SYNC:
        journal->first_index++;
        retainer->state = RETAIN_IDLE;
        return 1;
    default:
        break;
    }
    retainer->state = (enum journal_retaining)(retainer->state + 1);
    return 1;
}

int journal_retain_step(struct journal *journal)
{
    struct journal_retainer *retainer = &journal->retainer;

    if (retainer->in_flight)
        return retainer->io.done ? finish(journal) : 0;
    if (!journal_retain_is_due(journal))
        return 0;
    if (retainer->state == RETAIN_IDLE)
        retainer->state = RETAIN_OPEN;
    start(journal);
    return 1;
}
