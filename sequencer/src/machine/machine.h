/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_MACHINE_H
#define LAM_SEQUENCER_MACHINE_H

/*
 * machine.h: the state that all copies share: the application's, and around it the sessions with
 * their replies. One function applies a record, on every path: live, shadow, replay, replica. So
 * what is a repeated request, what is refused and what expires is decided there, once, and the same
 * everywhere.
 *
 * Exactly once. A client numbers its requests. With each one it says which is the lowest number
 * that it has no answer for, its floor. A session keeps the replies from the floor on, at most
 * @window of them: a number at or above the floor whose reply is kept is a repeat, and gets that
 * reply; one that is not kept was never applied, and is. A number below the floor, or @window or
 * more above it, is refused. So numbers need not come in order, and a request that was refused as
 * busy may come again. What the application refused is kept as a reply is. What the machine itself
 * refused is not: nothing was applied, and the same request may come again, with a higher floor.
 *
 * No reply is ever dropped before the floor has passed it. Where the replies that a session keeps
 * leave less than @reply_bytes_max of its @reply_bytes, the next request is refused before it is
 * applied, as one too far above the floor: a client that takes its answers gets on.
 *
 * The first records are those of RECORD_EPOCH and RECORD_STARTUP, and then RECORD_STARTED, once in
 * the life of a journal: nothing is opened, applied or ticked before it. What no writer makes is
 * -EBADMSG: a gap, a time that is not later, an epoch that is not higher, data of another length.
 *
 * It calls nothing but the application and the allocator, and is for one thread at a time. Memory
 * is asked for where a session is opened and where it keeps more than it ever did: at most four
 * times what it keeps, and its window. Closing gives it back. So a request costs no allocation
 * once a session has had its largest replies.
 */

#include <stdint.h>

#include "hash/blake3.h"
#include "lamina/base/error.h"
#include "lamina/sequencer/app.h"

/* Kinds of journal records; below 0x100 they are the sequencer's. */
enum record_kind {
    RECORD_APP = 1,     /* struct record_app, then the event */
    RECORD_TICK = 2,    /* nothing: its time is what it says */
    RECORD_OPEN = 3,    /* struct record_open: a session begins; its id is this sequence */
    RECORD_CLOSE = 4,   /* struct record_close: a session ends, with its replies */
    RECORD_EPOCH = 5,   /* u64, higher each time: a process (later: a leader) begins to write */
    RECORD_STARTUP = 6, /* u64 index, then the event; RECORD_STARTED comes behind the last */
    RECORD_STARTED = 7, /* nothing */
    RECORD_DIGEST = 8,  /* nothing: all copies keep their digest of here, not of an earlier one */
    RECORD_COMPARE = 9, /* struct record_compare: what it was on the live copy. Passed over where
                           that RECORD_DIGEST is not the one that is kept */
};

/* All little-endian, as the rest of the journal. */
struct record_app {
    uint64_t session;
    uint64_t request;
    uint64_t floor;
};

struct record_open {
    uint64_t token; /* random: who knows it may resume the session */
    uint32_t role;
    uint32_t reserved;
    uint8_t identity[32]; /* of the client: a public key, or zeros and the uid */
};

struct record_close {
    uint64_t session;
};

struct record_compare {
    uint64_t sequence; /* of the RECORD_DIGEST */
    uint8_t digest[BLAKE3_BYTES];
};

#define MACHINE_SESSIONS_MAX    (UINT32_C(1) << 20)
#define MACHINE_WINDOW_MAX      (UINT32_C(1) << 16)
#define MACHINE_BYTES_MAX       (UINT32_C(64) << 20) /* of an event, a reply, what it publishes */
#define MACHINE_REPLY_BYTES_MAX (UINT64_C(1) << 40)

/* All of it decides what records bring about: it is part of the digest and of every image. */
struct machine_config {
    const struct lam_app *app; /* kept by the caller until the machine is destroyed */
    uint32_t sessions_max;     /* the one that was silent longest gives way to a new one */
    uint32_t window;           /* requests of a session without an answer; a power of two */
    uint64_t reply_bytes;      /* of all kept replies of a session, refusals not counted; at least
                                  reply_bytes_max */
};

/* One record, as a journal or the input ring has it. */
struct machine_record {
    uint64_t sequence, time_ns;
    const void *data; /* 8-byte aligned */
    uint32_t bytes;
    uint16_t kind;
};

enum machine_item_kind {
    ITEM_REPLY = 1,   /* to session and request */
    ITEM_REFUSED = 2, /* likewise: u32 code, then the text */
    ITEM_PUBLISH = 3, /* to all subscribers; @index counts those of one record from 0 */
    ITEM_OPENED = 4,  /* session is open: struct record_open of it, as in its record */
    ITEM_CLOSED = 5,  /* session is no more: closed, or made room. Comes before OPENED */
};

/* Codes of ITEM_REFUSED. Below 0x10000 they are the sequencer's, above the application's. */
enum refusal {
    REFUSED_STALE = 1,   /* below the floor: the client has said that it has the answer */
    REFUSED_WINDOW = 2,  /* too far above it, or the kept replies leave no room for one more */
    REFUSED_SESSION = 3, /* no such session */
    REFUSED_BUSY = 4,    /* before sequencing: full */
    REFUSED_SIZE = 5,
    REFUSED_NO_QUERY = 6,
    REFUSED_NO_SPACE = 7, /* the disk is full */
    REFUSED_DENIED = 8,
    REFUSED_MALFORMED = 9,
    REFUSED_APP = 0x10000, /* the application's code is added, and ends at UINT32_MAX */
};

#define REFUSAL_TEXT_BYTES 100 /* at most, behind the code */
#define REFUSAL_BYTES_MAX  (4 + REFUSAL_TEXT_BYTES)

struct machine_item {
    enum machine_item_kind kind;
    uint32_t index;
    int is_repeat;     /* of REPLY, REFUSED: given before, and given again */
    uint64_t sequence; /* of the record that brought it about: for a repeat an earlier one */
    uint64_t session, request;
    const uint8_t *bytes; /* lent until the next call of the machine */
    uint32_t count;
};

struct machine;

/*
 * Returns 0 and the machine, which is the caller's, or -EINVAL with @error: a field of @config or
 * of the application is outside its bounds, or missing; or -ENOMEM.
 */
int machine_create(
    struct machine **machine, const struct machine_config *config, struct lam_error *error);

void machine_destroy(struct machine *machine);

/*
 * Apply the record behind the last one: its sequence is machine_next. What comes of it is taken by
 * machine_item, item by item, before the next call.
 *
 * Returns 0, or, and then the machine is of no use any more and says so each time:
 *     -EBADMSG  it is no record: a gap, a time that is not later, a kind or data that no writer
 *               makes
 *     -EILSEQ   RECORD_COMPARE: this copy's digest is another one. @error has both
 *     -ENOMEM   a session's replies, or what was published, could not be kept
 */
int machine_apply(
    struct machine *machine, const struct machine_record *record, struct lam_error *error);

/*
 * Answer a query of @session by one item, as machine_apply. @session 0: the node's own, of role 0.
 * Changes nothing that a digest sees.
 */
void machine_query(
    struct machine *machine, uint64_t session, uint64_t request, const void *bytes, size_t count);

/* The @index-th item of the last call. Returns 1, or 0: there are no more. */
int machine_item(const struct machine *machine, uint32_t index, struct machine_item *item);

/* The sequence of the next record, and the time of the last one. */
uint64_t machine_next(const struct machine *machine);
uint64_t machine_time_ns(const struct machine *machine);

/* How many startup events have been applied: the index of the next one; UINT32_MAX after
 * RECORD_STARTED. */
uint32_t machine_started(const struct machine *machine);

/* The epoch of the last RECORD_EPOCH, 0 before. */
uint64_t machine_epoch(const struct machine *machine);

/* Returns 1 where a session is open, and who it is and its floor (each may be NULL), or 0. */
int machine_session(
    const struct machine *machine, uint64_t session, struct record_open *open, uint64_t *floor);

/* Of all that machine_apply can depend on: equal for two machines that have applied the same, also
 * where one of them came from an image. */
void machine_digest(struct machine *machine, uint8_t digest[BLAKE3_BYTES]);

/*
 * The digest that the last RECORD_DIGEST has kept. Returns its sequence, 0: none, or it has been
 * compared.
 */
uint64_t machine_kept_digest(const struct machine *machine, uint8_t digest[BLAKE3_BYTES]);

/* What a snapshot holds, in memory: grown by machine_save, freed by the caller. Zeros: none yet. */
struct machine_image {
    uint8_t *bytes;
    uint64_t count, capacity;
};

/* All of the machine, in place of what @image had. Returns 0, or -ENOMEM, or what the snapshot of
 * the application returned. */
int machine_save(const struct machine *machine, struct machine_image *image);

/*
 * Into a new machine (asserted) of the same configuration and application. @bytes are any bytes:
 * their checksum finds damage, and each field is checked all the same.
 *
 * Returns 0, or -EBADMSG with @error, -ENOMEM: and then the machine can only be destroyed.
 */
int machine_load(
    struct machine *machine, const void *bytes, uint64_t count, struct lam_error *error);

#endif
