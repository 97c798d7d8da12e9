/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_WRITER_H
#define LAM_SEQUENCER_SNAPSHOT_WRITER_H

/*
 * writer.h: what the files of the snapshot's writer call of each other.
 */

#include "journal/listing.h"
#include "snapshot/read.h"

enum snapshot_writing {
    SNAPSHOT_LIST,   /* what is there already */
    SNAPSHOT_LOOK,   /* at the one of this place */
    SNAPSHOT_UNLINK, /* what somebody before has left unfinished */
    SNAPSHOT_CREATE,
    SNAPSHOT_ALLOCATE,
    SNAPSHOT_CONTENT,
    SNAPSHOT_HEADER,
    SNAPSHOT_SYNC,
    SNAPSHOT_CLOSE,
    SNAPSHOT_RENAME,
    SNAPSHOT_SYNC_DIRECTORY,
    SNAPSHOT_VERIFY,
    SNAPSHOT_OLDER,  /* is the next older one whole? */
    SNAPSHOT_REMOVE, /* it is not, or it is one too many */
    SNAPSHOT_DONE,
    SNAPSHOT_UNDO_CLOSE,
    SNAPSHOT_UNDO_UNLINK,
    SNAPSHOT_FAILED,
};

struct snapshot_writer {
    struct lam_env *env;
    struct snapshot_place place;
    const uint8_t *bytes;
    struct snapshot_content content; /* its digest when all of it was hashed */
    enum snapshot_writing state;
    int in_flight;
    int file;
    struct lam_env_io io;
    char name[NAME_BYTES]; /* that it will have, */
    int has_name;          /* or has */
    struct snapshot_header header;
    struct blake3 hash;
    uint64_t hashed, written; /* of the content, then of the header */
    struct snapshot_reader reader;
    struct listing listing;
    char older[NAME_BYTES]; /* the one that is looked at, or removed */
    uint64_t older_sequence;
    uint64_t other; /* the older one that is kept, if has_other */
    int has_other;
    int code; /* of the failure */
    struct lam_error failure;
};

/* The end of this snapshot, with what it leaves taken away. Returns 1. */
int snapshot_fail(
    struct snapshot_writer *writer, const char *what, const char *name, int64_t result);

/* The folder was listed: on with what is there of this place, or with nothing. */
void snapshot_look(struct snapshot_writer *writer);

/* The new one is there and verified: on with the older ones, from the newest on. */
void snapshot_next_older(struct snapshot_writer *writer);

/* The reader is done with what it was begun for. */
void snapshot_was_read(struct snapshot_writer *writer);

#endif
