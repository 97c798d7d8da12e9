/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_APP_H
#define LAM_SEQUENCER_APP_H

/*
 * lamina/sequencer/app.h: an application of the sequencer: a deterministic state machine.
 *
 * Floor 6. An application is a table of functions over a state of its own. It is told of one event
 * after another, in the one order that all copies see: the live one, the shadow that snapshots are
 * taken of, and each that is made again from the journal. What it answers may depend on nothing
 * but its state and its arguments: no clock, no random numbers, no addresses, no environment, no
 * order of a hash table that depends on them, no floating point whose rounding a compiler may
 * choose. Time is lam_app_context.time_ns. Digests of all copies are compared, and the first
 * difference stops the node.
 *
 * A function is called from one thread at a time for one state; two states of one application may
 * be used by two threads. None may wait or call the system. Memory that a state needs it allocates
 * in create, or within bounds that it knows: an event may be refused, never be half applied.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the event or query at hand. The same on every copy. */
struct lam_app_context {
    uint64_t sequence; /* of the event; for a query that of the last event before it */
    uint64_t time_ns;  /* sequencer time: strictly increasing from event to event */
    uint64_t session;  /* of the client; 0 for a tick and a startup event */
    uint32_t role;     /* what the session was admitted as; 0 for those */
    uint32_t reserved;
};

/* Where what an event brings about is gathered. The sequencer's, lent for one call. */
struct lam_app_output;

/*
 * Append @count bytes to the reply to the event or query at hand; an event that appends nothing is
 * answered with an empty reply. Ticks and startup events have nobody to reply to: asserted.
 *
 * Returns 0, or -EMSGSIZE: past lam_app.reply_bytes_max, and nothing was appended.
 */
int lam_app_reply(struct lam_app_output *output, const void *bytes, size_t count);

/*
 * Refuse the event at hand, with a code of the application's: the client gets a refusal instead of
 * a reply, as often as it asks again, and the state must be as it was before. What was appended
 * before is dropped, what was published too, and so is what comes afterwards. @text is copied, up
 * to 100 bytes. Of a startup event and a tick nobody hears: what it published is dropped.
 */
void lam_app_refuse(struct lam_app_output *output, uint32_t code, const char *text);

/*
 * Publish @count bytes to all subscribers, once the event is durable. Not in a query: asserted. An
 * empty piece counts as one byte.
 *
 * Returns 0, or -EMSGSIZE: past lam_app.publish_bytes_max for this event, and nothing was added.
 */
int lam_app_publish(struct lam_app_output *output, const void *bytes, size_t count);

/* Where a snapshot goes, where it comes from, and what a digest is made of. Lent for one call. */
struct lam_app_writer;
struct lam_app_reader;
struct lam_app_digest;

/* Returns 0, or -ENOMEM, which the function of the application then returns too. */
int lam_app_write(struct lam_app_writer *writer, const void *bytes, size_t count);

/* Exactly @count bytes. Returns 0, or -EBADMSG: the snapshot has no more. */
int lam_app_read(struct lam_app_reader *reader, void *bytes, size_t count);

/* How many bytes are left. */
uint64_t lam_app_left(const struct lam_app_reader *reader);

void lam_app_digest_add(struct lam_app_digest *digest, const void *bytes, size_t count);

/* How a client's bytes are to be taken: what a decoder says of them. */
enum lam_app_request_kind {
    LAM_APP_EVENT = 1,   /* to be sequenced, journaled and applied */
    LAM_APP_QUERY = 2,   /* to be answered in its place in the order, and not journaled */
    LAM_APP_REFUSED = 3, /* neither: @code and @text are the answer */
};

struct lam_app_request {
    enum lam_app_request_kind kind;
    const void *bytes; /* what apply or query will see: within the request, or memory of the
                          decoder's that lasts until its next call */
    size_t count;
    uint32_t code;    /* REFUSED */
    const char *text; /* likewise; lasts as @bytes */
};

struct lam_app {
    const char *name; /* 1 to 31 bytes; part of every snapshot */
    uint32_t version; /* likewise: a snapshot of another version is not restored */
    /* Bounds, in bytes: of an event, of a reply, and of all that one event publishes. */
    uint32_t event_bytes_max;
    uint32_t reply_bytes_max;
    uint32_t publish_bytes_max;
    const void *config; /* handed to create; the same on every copy, kept by the caller */

    /* An empty state. Returns it, or NULL: no memory. */
    void *(*create)(const void *config);
    void (*destroy)(void *state);

    /*
     * Apply one event. @bytes: 8-byte aligned, lent for the call. An event was admitted by the
     * decoder of this version, but may be of an earlier one where the journal is: what cannot be
     * read is refused.
     */
    void (*apply)(void *state, const struct lam_app_context *context, const void *bytes,
        size_t count, struct lam_app_output *output);
    /* Time has come to context->time_ns. NULL: nothing happens by time. */
    void (*tick)(void *state, const struct lam_app_context *context, struct lam_app_output *output);
    /* Answer without changing anything. NULL: every query is refused. */
    void (*query)(const void *state, const struct lam_app_context *context, const void *bytes,
        size_t count, struct lam_app_output *output);

    /* All of the state. Returns 0, or an error of a writer. */
    int (*snapshot)(const void *state, struct lam_app_writer *writer);
    /* Into an empty state. Returns 0, or -EBADMSG, -ENOMEM: the state is then destroyed. */
    int (*restore)(void *state, struct lam_app_reader *reader);
    /* All that apply, tick and query may depend on, in an order that every copy has. */
    void (*digest)(const void *state, struct lam_app_digest *digest);

    /*
     * The @index-th of the events that come before all others, once in the life of a journal.
     * Returns 1 with *@bytes and *@count, lent until the next call; 0 behind the last one. NULL:
     * there are none.
     */
    int (*startup)(const void *config, uint32_t index, const void **bytes, size_t *count);

    /*
     * Before sequencing: what @bytes of a client of @role are. Any bytes, 8-byte aligned: they are
     * a client's. On the reader's thread, with no state. NULL: all are events, as they are; queries
     * are told from them by the client's own word.
     */
    void (*decode)(const void *config, uint32_t role, int is_query, const void *bytes, size_t count,
        struct lam_app_request *request);
};

#ifdef __cplusplus
}
#endif

#endif
