/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_ENTRY_H
#define LAM_SEQUENCER_ENTRY_H

/*
 * entry.h: what lies in the rings between the stages, all of them within one process.
 *
 * The input ring has what the reader has put in order: records, which are journaled and applied,
 * and queries, which are only answered. The output ring has what the application stage made of
 * them. The control ring goes from the reader straight to the response stage: connections that
 * came and went, and refusals that were never sequenced.
 *
 * Whatever a connection has asked is numbered by the reader in the order in which it came, and the
 * response stage answers it in that order: its ordinal, from 1.
 */

#include <stdint.h>

/* In front of a record's data, or of a query, in the input ring. */
struct input_entry {
    uint64_t sequence; /* of the record; of a query that of the last record before it */
    uint64_t time_ns;
    uint64_t connection; /* who waits for an answer; 0: nobody */
    uint64_t ordinal;
    uint64_t session, request; /* of a query */
    uint16_t kind;             /* enum record_kind, or ENTRY_QUERY */
    uint16_t reserved[3];
};

#define ENTRY_QUERY 0xffff

/* In front of an item's bytes in the output ring. */
struct output_entry {
    uint64_t sequence; /* the item leaves when all up to this one is durable */
    uint64_t connection, ordinal;
    uint64_t session, request;
    uint32_t index; /* of ITEM_PUBLISH within its record */
    uint16_t kind;  /* enum machine_item_kind, or ENTRY_PASSED */
    uint16_t reserved;
};

#define ENTRY_PASSED 0xffff /* nothing came of the record but progress: sequence says how far */

enum control_kind {
    CONTROL_CONNECTED = 1, /* connection, and its transport's word for it in @handle */
    CONTROL_GONE = 2,      /* nothing is sent any more; the response stage closes it */
    CONTROL_REFUSED = 3,   /* u32 code, then the text */
    CONTROL_SEND = 4,      /* a whole frame of the reader's own, in order: welcome, heartbeat */
    CONTROL_SUBSCRIBE = 5, /* to what is published, from @request (a sequence) on */
};

struct control_entry {
    uint64_t connection, ordinal; /* ordinal 0: at once */
    uint64_t session, request;
    int64_t handle;
    uint16_t kind;
    uint16_t reserved[3];
};

_Static_assert(sizeof(struct input_entry) == 56, "no holes");
_Static_assert(sizeof(struct output_entry) == 48, "no holes");
_Static_assert(sizeof(struct control_entry) == 48, "no holes");

#endif
