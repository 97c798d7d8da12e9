/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_PARTS_H
#define LAM_SEQUENCER_PARTS_H

/*
 * parts.h: what the files of the journal call of each other.
 */

#include "journal/journal.h"

/* The end of acknowledgements, in this journal and in its env. Returns -ENOTRECOVERABLE. */
int journal_fail(struct journal *journal, enum lam_env_call call, const char *what, int code);

/* One step of making the next segment. As journal_step. maker.c */
int journal_make_step(struct journal *journal);

/* Begin to make the segment of that index. */
void journal_make_begin(struct journal *journal, uint64_t index);

/* The segment that was made becomes the present one. */
void journal_make_take(struct journal *journal);

/* One step of writing the mark. As journal_step. marker.c */
int journal_mark_step(struct journal *journal);

/* One step of taking old segments away. As journal_step. retain.c */
int journal_retain_step(struct journal *journal);

/* 1 where such a step would do something, now or when its call is done. */
int journal_retain_is_due(const struct journal *journal);

/* When the mark of a quiet journal is to be written; UINT64_MAX: there is nothing to mark, yet. */
uint64_t journal_mark_due_ns(const struct journal *journal);

/* Starts the mark of what is durable. */
void journal_mark_begin(struct journal *journal);

/* What there is, from the first batch to the last: recover.c */
struct journal_scan {
    struct journal *journal;
    struct lam_error *error;
    struct journal_report *report;
    journal_replay_fn replay;
    void *context;
    struct mark mark;     /* as it was found */
    uint8_t *bytes;       /* a segment */
    uint64_t first_index; /* of the segments that there are, without a gap */
    uint64_t segment_end; /* behind the last one */
    uint64_t index;       /* where the end is, and the place there */
    struct batch_place place;
    uint64_t tail_bytes; /* behind the end, up to the last that is not zero */
    uint64_t from_index; /* the first batch above the mark */
    uint64_t from_offset;
    int is_new;         /* no mark: there was no journal */
    int mark_was_seen;  /* the place of the mark was passed */
    int from_was_seen;  /* that of the snapshot */
    uint64_t epoch;     /* the last one that anything is of */
    int has_spare;      /* one more segment, of zeros, behind the end */
    uint64_t spare_id;  /* its id */
    uint64_t header_id; /* of the segment in @bytes */
};

/* Reads all, and changes nothing. Returns 0, -EBADMSG, or -errno. */
int journal_scan(struct journal_scan *scan);

/* Reads the segment @index to scan->bytes, its header checked. Leaves the file open in *@file. */
int journal_scan_load(struct journal_scan *scan, uint64_t index, int *file);

/* Makes what the scan found durable, cuts its tail off and marks the end. repair.c */
int journal_repair(struct journal_scan *scan);

/* The error of a disk call, in words. Returns @code. */
int journal_call_failed(
    struct lam_error *error, enum lam_env_call call, const char *name, int64_t code);

#endif
