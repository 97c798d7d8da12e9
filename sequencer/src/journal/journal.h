/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_JOURNAL_H
#define LAM_SEQUENCER_JOURNAL_H

/*
 * journal.h: events, one after another, on a disk: written by one thread, read again by the next
 * process.
 *
 * Events are gathered into a batch; while one batch is on its way, the next one is gathered. One
 * write is in flight at a time, and its sync is started when all of it is written. What is durable
 * by then is what was durable when the sync began, and only that may be acknowledged.
 *
 * Segments are of one size, and the next one is made of zeros while the present one is filled.
 * After any failed write, sync or rename nothing is acknowledged any more, for the life of the
 * process: not even a sync that works says then what is on the disk.
 */

#include "env/env.h"
#include "journal/batch.h"
#include "journal/mark.h"
#include "journal/names.h"
#include "journal/segment.h"
#include "lamina/base/error.h"

struct snapshot_place;

/* What becomes of a segment that recovery does not need any more: see journal_retain. */
enum journal_retention {
    JOURNAL_KEEP,    /* it stays */
    JOURNAL_ARCHIVE, /* it gets a name of its own, for somebody to take it away */
    JOURNAL_REMOVE,
};

struct journal_config {
    struct lam_env *env;
    /*
     * A snapshot that was loaded, or NULL. What it holds is read and checked, and not replayed; the
     * chain must have the value that it names. Kept by the caller until journal_open is back.
     */
    const struct snapshot_place *from;
    enum journal_retention retention;
    uint64_t
        segment_bytes; /* a multiple of a sector: its header, a batch and the reserve, or more */
    uint64_t reserve_bytes; /* input is refused before less room than this is left on a full disk */
    uint64_t epoch; /* of what is written from now on, never an earlier one; 0: the next one */
    uint32_t sector_bytes; /* a power of two from BATCH_SECTOR_BYTES_MIN to MARK_SLOT_BYTES */
    uint32_t batch_bytes;  /* of the largest batch: whole sectors */
    uint32_t mark_batches; /* the mark is written after so many at the latest, or when idle */
    uint64_t mark_idle_ns; /* for so long: its sync would be in the next batch's way */
};

/* What an open found and did. */
struct journal_report {
    uint64_t records; /* that were replayed */
    uint64_t passed;  /* below the snapshot, that were not */
    uint64_t batches;
    uint64_t rewritten_bytes; /* above the mark: whole, written and synced once more */
    uint64_t torn_bytes;      /* cut off and kept aside */
    char aside[NAME_BYTES];   /* where; empty: nowhere */
};

/* Told of every record in order while a journal is opened. It may still prove to be corrupt. */
typedef void (*journal_replay_fn)(void *context, const struct batch_record *record);

enum journal_writing { JOURNAL_IDLE, JOURNAL_WRITING, JOURNAL_SYNCING, JOURNAL_CLOSING };
enum journal_marking { MARK_IDLE, MARK_WRITING, MARK_SYNCING };
enum journal_making {
    MAKE_NOT_YET, /* the present segment has no durable batch: two empty ones are never there */
    MAKE_CREATE,
    MAKE_ALLOCATE,
    MAKE_NO_SPACE, /* and again later */
    MAKE_ZEROS,
    MAKE_HEADER,
    MAKE_SYNC,
    MAKE_RENAME,
    MAKE_SYNC_DIRECTORY,
    MAKE_READY,
};

/* The next segment, while it is made. */
struct journal_maker {
    enum journal_making state;
    int in_flight;
    int file;
    struct lam_env_io io;
    struct segment_header header;
    uint64_t written;
    uint64_t again_ns;
    uint8_t *sector;
    char name[NAME_BYTES];
};

enum journal_retaining {
    RETAIN_IDLE,
    RETAIN_OPEN, /* the segment behind the oldest one, */
    RETAIN_READ, /* where in the order it begins */
    RETAIN_CLOSE,
    RETAIN_MOVE, /* the oldest one goes */
    RETAIN_SYNC,
    RETAIN_STOPPED,
};

/* What goes from the beginning of the journal. */
struct journal_retainer {
    enum journal_retaining state;
    int in_flight;
    int file;
    struct lam_env_io io;
    uint64_t below;      /* what lies wholly below this event may go, */
    uint64_t looked_for; /* and nothing more lies below this one */
    uint8_t *bytes;      /* two sectors */
    char name[NAME_BYTES], to[NAME_BYTES];
    struct lam_error alarm;
};

/* Private, all of it. */
struct journal {
    struct journal_config config;
    struct lam_env *env;
    uint64_t id;
    int lock_file, mark_file, segment_file;
    uint64_t first_index; /* of the oldest segment */
    uint64_t segment_index;
    struct batch_place place;     /* of the next batch */
    struct batch_place durable;   /* behind the last one that is durable */
    uint64_t durable_index;       /* the segment of @durable */
    struct batch_writer gathered; /* in buffers[turn] */
    uint8_t *buffers[2];
    int turn;
    enum journal_writing writing;
    struct lam_env_io io;
    uint64_t flight_bytes, flight_written, flight_offset;
    enum journal_marking marking;
    struct lam_env_io mark_io;
    struct mark mark;          /* the last one that was begun */
    uint8_t *mark_slot;        /* its bytes */
    uint32_t unmarked_batches; /* durable since */
    uint64_t quiet_ns;         /* when the last of them became it */
    struct journal_maker maker;
    struct journal_retainer retainer;
    int failed; /* negative errno */
    struct lam_error failure;
};

/*
 * Open the journal in @config's folder, or begin one there; @journal stays where it is until
 * journal_close. Waits for the disk. Can be killed anywhere, and be done again. @replay may be
 * NULL, @report too.
 *
 * Returns 0, or
 *     -EINVAL           @config breaks a bound, or is not that of the journal
 *     -EBUSY            another process has it open
 *     -EBADMSG          it is corrupt, or not that of the snapshot, or there is none and it begins
 *                       behind the first event: @error says where and how; nothing was changed
 *     -ENOTRECOVERABLE  a write has failed in this process before
 *     -errno            of a disk call, or of memory
 */
int journal_open(struct journal *journal, const struct journal_config *config,
    journal_replay_fn replay, void *context, struct journal_report *report,
    struct lam_error *error);

/*
 * Gather an event. @sequence: that of the event, which is journal_next. Never waits.
 *
 * Returns 1, or 0: there is no room before a batch has gone, or
 *     -EMSGSIZE         no batch can hold it
 *     -ENOSPC           the disk is full: refuse the client
 *     -ENOTRECOVERABLE  the journal has failed
 */
int journal_try_add(struct journal *journal, uint64_t sequence, uint16_t kind, uint64_t time_ns,
    const void *data, uint32_t bytes);

/*
 * The same for an event that has its place already, and cannot be refused any more: a full disk is
 * no error, and the reserve is there for it. Returns 0 where that is used up, too.
 */
int journal_try_add_sequenced(struct journal *journal, uint64_t sequence, uint16_t kind,
    uint64_t time_ns, const void *data, uint32_t bytes);

/* 1 while the disk has room for nothing but what has its place already: refuse clients. */
int journal_is_full(const struct journal *journal);

/* Of what is written now. */
uint64_t journal_epoch(const struct journal *journal);

/*
 * Take what is done, start what is due. Never waits.
 *
 * Returns 1 where it did something, 0 where it waits for the disk, a time or input,
 * -ENOTRECOVERABLE.
 */
int journal_step(struct journal *journal);

/* No more will be added: the mark is not waited for. Steps are still due, until journal_is_idle. */
void journal_finish(struct journal *journal);

/* The sequence of the next event. */
uint64_t journal_next(const struct journal *journal);

/* All events before this one are durable. It never goes back. */
uint64_t journal_durable(const struct journal *journal);

/*
 * What a snapshot of exactly the durable events is bound to: journal, epoch, next_sequence and
 * chain of @place, whose other fields are left alone. The journal's thread.
 */
void journal_durable_place(const struct journal *journal, struct snapshot_place *place);

/*
 * Recovery will begin with a snapshot that holds all before @next_sequence: the older one of those
 * that are kept. What lies in segments wholly below may go, as config->retention says; steps do it.
 */
void journal_retain(struct journal *journal, uint64_t next_sequence);

/* What is wrong with old segments, or NULL: it does not end the journal, and nothing goes then. */
const char *journal_alarm(const struct journal *journal);

/* 1 where all is durable, the mark too, and nothing is in flight. */
int journal_is_idle(const struct journal *journal);

/*
 * Which journal the folder has, by its mark: to look for snapshots before it is opened. Waits.
 *
 * Returns 1, 0: none, or -EBADMSG, -errno with @error.
 */
int journal_identify(struct lam_env *env, uint64_t *id, struct lam_error *error);

/* When a step is due even if no call is done: absolute, or UINT64_MAX. */
uint64_t journal_due_ns(const struct journal *journal);

/* What has failed, or NULL. */
const char *journal_failure(const struct journal *journal);

/*
 * Waits for what is in flight, and gives all up. What was not durable may be lost: to keep it, step
 * until journal_is_idle first.
 */
void journal_close(struct journal *journal);

#endif
