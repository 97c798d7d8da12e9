/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_H
#define LAM_SEQUENCER_SNAPSHOT_H

/*
 * snapshot.h: the state at one sequence, in a file beside the journal. It is believed only where
 * the journal's chain has the value at that sequence that the snapshot names.
 *
 * Written as a temporary file, synced, renamed, the folder synced; then read again and verified,
 * and only then older ones but one are removed, and that one was verified as well. All by started
 * calls, a piece at a time: nobody waits for it.
 *
 * A failure ends that one snapshot. It says nothing of what the journal has written, whose files
 * are others, and so it leaves lam_env.poison alone: only the journal sets that. What the kernel
 * holds of a file whose sync has failed is not believed here either: that file never gets a name.
 */

#include "env/env.h"
#include "hash/blake3.h"
#include "lamina/base/error.h"

/* What a snapshot is bound to. */
struct snapshot_place {
    uint64_t journal; /* which */
    uint64_t epoch;
    uint64_t next_sequence;      /* it holds all before this one */
    uint8_t chain[BLAKE3_BYTES]; /* of the journal, there */
    uint32_t app_version;
    char app_name[32]; /* ends with a zero */
};

/* Fields are private. */
struct snapshot_writer;

/*
 * @bytes, @count: what machine_save made, of any size; kept until snapshot_writer_destroy. For each
 * folder there is one writer at a time, in the process that has the journal open.
 *
 * Returns 0, or -ENOMEM, -EINVAL: the name of the application does not end.
 */
int snapshot_writer_create(struct snapshot_writer **writer, struct lam_env *env,
    const struct snapshot_place *place, const void *bytes, uint64_t count);

/*
 * Take what is done, start what is due. Never waits. Returns 1 where it did something, 0 where it
 * waits for the disk, -EALREADY: it is done, the snapshot is there and verified (where there was
 * one of that place already, that one is); or
 *     -EBADMSG  what was read again is not what was written
 *     -ENOSPC   there is no room for it, and it takes none
 *     -errno    of a disk call, or of memory
 * with @error: it is not there, and the ones before it are as they were. Where only the removal of
 * older ones fails, it is there all the same, and the next one removes them.
 */
int snapshot_writer_step(struct snapshot_writer *writer, struct lam_error *error);

/*
 * After -EALREADY: the other one that is kept holds all before this sequence; 0: there is none, or
 * one of the very beginning. The journal must keep what comes behind it.
 */
uint64_t snapshot_writer_other(const struct snapshot_writer *writer);

/* Waits for what is in flight. What was not finished leaves a file that the next one removes. */
void snapshot_writer_destroy(struct snapshot_writer *writer);

/* One that was found. */
struct snapshot_loaded {
    struct snapshot_place place;
    uint8_t *bytes; /* the caller's to free */
    uint64_t count;
    unsigned damaged; /* newer ones that were passed over */
};

/*
 * The newest whole snapshot of wanted->journal, at or below @next_sequence_max. Waits for the disk.
 * Damaged and unreadable ones are passed over and counted.
 *
 * Returns 1 and fills in @loaded; 0: there is none, and only its damaged is set; or
 *     -EPROTOTYPE  it is of another application than wanted->app_name
 *     -errno       of listing the folder, or of memory
 */
int snapshot_load(struct lam_env *env, const struct snapshot_place *wanted,
    uint64_t next_sequence_max, struct snapshot_loaded *loaded, struct lam_error *error);

#endif
