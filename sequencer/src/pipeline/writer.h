/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_WRITER_H
#define LAM_SEQUENCER_WRITER_H

/*
 * writer.h: the writer's side of all connections: what each has been answered, what of the reader's
 * waits for its turn, and who is subscribed. Response and publisher both write, so one thread has
 * them both: that of a transport's writer (transport/transport.h).
 */

#include "pipeline/parts.h"
#include "protocol/frame.h"

/* Returns 0, or -ENOMEM. */
int writer_create(struct writer *writer, struct node *node);

void writer_destroy(struct writer *writer);

/* The one of that number. NULL: it is gone. */
struct peer *writer_find(struct writer *writer, uint64_t connection);

/* Whoever has no room for it is cut off. */
void writer_send(struct writer *writer, struct peer *peer, const struct frame *frame);

/* The same, where it has room. Returns 1, 0: it has none, or -ENOTCONN. */
int writer_try_send(struct peer *peer, const struct frame *frame);

/* Its last frame has been sent. */
void writer_close(struct writer *writer, struct peer *peer);

/* The next ordinal is answered: what waited for that is done. */
void writer_answered(struct writer *writer, struct peer *peer);

/* A control entry of the reader's: done, or kept for its turn. */
void writer_take(
    struct writer *writer, const struct control_entry *entry, const void *data, uint32_t bytes);

/* What was copied goes out. Returns how much was done. */
unsigned writer_flush(struct writer *writer);

/* When to flush again, all the same: a transport has connections to end. UINT64_MAX: never. */
uint64_t writer_due_ns(const struct writer *writer);

#endif
