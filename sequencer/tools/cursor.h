/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_CURSOR_H
#define LAM_SEQUENCER_CURSOR_H

/*
 * cursor.h: a journal in a folder, read event by event and never written: for tools. Every batch is
 * checked as recovery does; what a place without a whole batch means is for `verify` to say.
 */

#include "env/linux.h"
#include "journal/journal.h"

struct cursor {
    struct lam_env_linux env;
    const char *folder;
    int lock_file;
    int is_in_use; /* a living process has the journal open */
    struct mark mark;
    uint64_t first_index, segment_end; /* of the segments that there are */
    struct segment_header header;      /* of the present one */
    uint8_t *bytes;                    /* all of it, */
    uint64_t count;                    /* so many */
    uint64_t index;
    int is_loaded;
    struct batch_place place;
    struct batch_view view;
    enum batch_verdict verdict; /* of the place where the batches end */
    uint64_t tail_bytes;        /* behind it, up to the last that is not zero */
    struct lam_error error;
};

/*
 * The journal in @folder, and its lock where it is free. Waits for the disk. Returns 0, or -errno
 * with @cursor's error: there is none, or it cannot be read.
 */
int cursor_open(struct cursor *cursor, const char *folder);

/*
 * The next batch, in cursor->view. Returns 1, or 0: the end, its verdict and tail_bytes set; or
 * -EBADMSG, -errno with @cursor's error.
 */
int cursor_batch(struct cursor *cursor);

/* The next event, lent until the next call. Returns as cursor_batch. */
int cursor_next(struct cursor *cursor, struct batch_record *record);

void cursor_close(struct cursor *cursor);

#endif
