/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_READ_H
#define LAM_SEQUENCER_SNAPSHOT_READ_H

/*
 * read.h: reads a snapshot's file and says whether it is whole: a piece at a time, by started
 * calls. The content is kept, or only looked at.
 */

#include "journal/names.h"
#include "snapshot/format.h"

#define SNAPSHOT_PIECE_BYTES (UINT64_C(64) * 1024)

enum snapshot_reading {
    SNAPSHOT_READ_OPEN,
    SNAPSHOT_READ_SIZE,
    SNAPSHOT_READ_HEADER,
    SNAPSHOT_READ_CONTENT,
    SNAPSHOT_READ_CLOSE,
    SNAPSHOT_READ_DONE,
};

struct snapshot_reader {
    struct lam_env *env;
    enum snapshot_reading state;
    int in_flight;
    int file;
    int is_kept;
    struct lam_env_io io;
    char name[NAME_BYTES];
    uint64_t file_bytes, at; /* of the header, then of the content */
    struct snapshot_header header;
    struct blake3 hash;
    uint8_t *bytes; /* the content, or a piece of it */
    /* What comes out, when done. */
    int result; /* 0: whole, -EBADMSG: damaged, or -errno of a call or of memory */
    struct snapshot_place place;
    struct snapshot_content content;
};

/* Begin with the file @name. @is_kept: the whole content is wanted, in one piece. */
void snapshot_reader_begin(
    struct snapshot_reader *reader, struct lam_env *env, const char *name, int is_kept);

/* As snapshot_writer_step; when state is SNAPSHOT_READ_DONE, the result is there. */
int snapshot_reader_step(struct snapshot_reader *reader);

/* Waits for what is in flight, closes, and frees the content but where it was taken. */
void snapshot_reader_end(struct snapshot_reader *reader);

#endif
