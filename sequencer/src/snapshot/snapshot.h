/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_H
#define LAM_SEQUENCER_SNAPSHOT_H

/*
 * snapshot.h: the state at one sequence, in a file beside the journal. It is believed only where
 * the journal's chain has the value at that sequence that the snapshot names.
 *
 * Written as a temporary file, synced, renamed, the folder synced; then read again and verified,
 * and only then older ones but one are removed. All by started calls, a piece at a time: nobody
 * waits for it.
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
    char app_name[32];
};

/* Fields are private. */
struct snapshot_writer;

/* @bytes, @count: what machine_save made; kept until the writer is done. */
int snapshot_writer_create(struct snapshot_writer **writer, struct lam_env *env,
    const struct snapshot_place *place, const void *bytes, uint64_t count);

/*
 * Take what is done, start what is due. Returns 1 where it did something, 0 where it waits for the
 * disk, -EALREADY: it is done, the snapshot is there and verified; or -errno with @error: it is
 * not, and the ones before it are as they were. A failed snapshot never fails the journal.
 */
int snapshot_writer_step(struct snapshot_writer *writer, struct lam_error *error);

void snapshot_writer_destroy(struct snapshot_writer *writer);

/*
 * The newest whole snapshot of that journal and application, at or below @next_sequence_max. Waits
 * for the disk. Damaged ones are passed over and counted.
 *
 * Returns 1, with its place and its bytes, which the caller frees; 0: there is none; or -errno.
 */
int snapshot_load(struct lam_env *env, const struct snapshot_place *wanted,
    uint64_t next_sequence_max, struct snapshot_place *found, uint8_t **bytes, uint64_t *count,
    unsigned *damaged, struct lam_error *error);

#endif
