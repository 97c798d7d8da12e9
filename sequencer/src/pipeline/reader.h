/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_READER_H
#define LAM_SEQUENCER_READER_H

/*
 * reader.h: what the files of the reader call of each other. It alone puts anything into the input
 * ring and the control ring, so the order in which it does so is the order.
 */

#include <stddef.h>

#include "pipeline/parts.h"

/* What goes into the input ring. */
struct put {
    uint16_t kind;
    struct client *client; /* who waits for an answer, at @ordinal; NULL: nobody */
    uint64_t ordinal;
    uint64_t session, request; /* as in struct input_entry */
    const void *head;          /* the data: these bytes and those */
    uint32_t head_bytes;
    const void *data;
    uint32_t bytes;
};

/*
 * Put it. A record gets the next sequence, and a time behind that of the last one. put.c
 *
 * Returns 1, or 0: the ring is full.
 */
int reader_try_put(struct reader *reader, const struct put *put);

/* Tell the writer. Returns 1, or 0: it has too much to tell already. */
int reader_try_tell(
    struct reader *reader, const struct control_entry *entry, const void *data, uint32_t bytes);

/* Likewise, a refusal or the end of the connection, at the client's next ordinal. */
int reader_try_refuse(struct reader *reader, struct client *client, uint64_t request, uint32_t code,
    const char *text);
int reader_try_close(struct reader *reader, struct client *client, uint32_t code, const char *text);

/*
 * The reader's own records, where one is due. own.c
 *
 * Returns how many were put; no client is served before reader->phase is READER_SERVING.
 */
unsigned reader_put_own(struct reader *reader);

/* When the next one is due, but for room. */
uint64_t reader_own_due_ns(const struct reader *reader);

/* What a transport tells. Returns 1, or 0: there is no room for what follows from it. clients.c */
int reader_handle(struct reader *reader, const struct transport_event *event);

/* Clients that were held, and go on. Returns how many. */
unsigned reader_let_go(struct reader *reader);

/* Those who say nothing for too long, and beats for all others. Returns how much was done. */
unsigned reader_beat(struct reader *reader);

/* No frames of it, until reader_let_go finds that it may go on. */
void reader_hold(struct reader *reader, struct client *client);

/* A whole frame of a client's. As reader_handle. requests.c */
int reader_take_frame(
    struct reader *reader, struct client *client, const uint8_t *bytes, uint32_t count);

#endif
