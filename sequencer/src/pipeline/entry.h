/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_ENTRY_H
#define LAM_SEQUENCER_ENTRY_H

/*
 * entry.h: what lies in the rings between the stages, all of them within one process.
 *
 * The input ring has what the reader has put in order: records, which are journaled and applied,
 * and what is only answered in its place, queries. The output ring has what the application stage
 * made of them. The control ring goes from the reader straight to the response stage: connections
 * that came and went, and what was never sequenced.
 *
 * Whatever a connection has asked is numbered by the reader in the order in which it came, and the
 * response stage answers it in that order: its ordinal, from 1. A connection has a number of the
 * node's own, never used again: its place in the table of connections, and how often that place was
 * given away.
 */

#include <stdint.h>

#include "machine/machine.h"

/* In front of a record's data, or of a query, in the input ring. */
struct input_entry {
    uint64_t sequence; /* of the record; of another entry that of the last record before it */
    uint64_t time_ns;
    uint64_t connection; /* who waits for an answer; 0: nobody */
    uint64_t ordinal;
    uint64_t session, request; /* of a query; the session of a resume */
    uint16_t kind;             /* enum record_kind, or one of these */
    uint16_t reserved[3];
};

#define ENTRY_RECORDS_END 0xff00 /* kinds below are records */
#define ENTRY_RESUME      0xfffe /* struct record_open: who asks for the session */
#define ENTRY_QUERY       0xffff

/* In front of an item's bytes in the output ring. */
struct output_entry {
    uint64_t sequence; /* the item leaves when all up to this one is durable */
    uint64_t connection, ordinal;
    uint64_t session, request;
    uint64_t made_at;   /* the sequence of the record that brought it about: an earlier one for a */
    uint16_t is_repeat; /* repeat */
    uint16_t kind;      /* enum machine_item_kind, or ENTRY_DENIED */
    uint32_t index;     /* of ITEM_PUBLISH within its record */
};

/* Behind it for ITEM_OPENED: the session is this connection's, opened now or resumed. */
struct opened_entry {
    struct record_open open;
    uint64_t floor;
};

#define ENTRY_DENIED 0xfffd /* the session is not resumed: u32 code, then the text */

enum control_kind {
    CONTROL_CONNECTED = 1, /* connection, and its transport's word for it in @handle */
    CONTROL_GONE = 2,      /* nothing is sent any more; the response stage closes it */
    CONTROL_REFUSED = 3,   /* u32 code, then the text */
    CONTROL_SEND = 4,      /* a whole frame of the reader's own */
    CONTROL_SUBSCRIBE = 5, /* to what is published, from @request (a sequence) on */
    CONTROL_CLOSE = 6,     /* u32 code, then the text: the last that it hears. Connection 0: @handle
                              never got a place */
};

struct control_entry {
    uint64_t connection, ordinal; /* ordinal 0: at once */
    uint64_t request;
    uint64_t handle;
    uint16_t kind;
    uint16_t reserved[3];
};

/* Of all that is behind a control entry. */
#define CONTROL_BYTES_MAX 128

/* Of CONTROL_CLOSE, in place of a code: it has said goodbye, and hears nothing more. */
#define CONTROL_NO_WORD UINT32_MAX

_Static_assert(sizeof(struct input_entry) == 56, "no holes");
_Static_assert(sizeof(struct output_entry) == 56, "no holes");
_Static_assert(sizeof(struct control_entry) == 40, "no holes");

#endif
