/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_CALL_MESSAGE_H
#define LAM_FRAMED_CALL_MESSAGE_H

/*
 * lamina/framed/call_message.h: what a request, a reply and a cancel look like on a channel.
 *
 * Framed, layer 1. Each is a message with a correlation, of any length, with the application's own
 * kind: a tool that looks at the channel sees those. The payload begins with 16 bytes:
 *
 *     byte 0   word    64 bits  of a request: its deadline, monotonic ns, UINT64_MAX for never;
 *                               of a reply: the status, in the low 32 bits; of a cancel: 0
 *     byte 8   type    32 bits  1 request, 2 reply, 3 cancel
 *     byte 12  zero    32 bits
 *     byte 16  the application's payload, 16-byte aligned where the message lies in place
 *
 * The correlation of all three is the request's. Its id is the caller's slot (low 32 bits) and that
 * slot's generation (high 32 bits, never 0); its scope is the caller's number (high 32 bits), which
 * says where replies go, and a word that differs from one caller to the next (low 32 bits).
 */

#include <stdint.h>

#include "lamina/framed/message.h"

#define LAM_CALL_HEADER_BYTES 16

/* What a call's message is longer than its payload by, event header not counted. */
#define LAM_CALL_OVERHEAD_BYTES (LAM_CALL_HEADER_BYTES + LAM_FRAMED_EXTENSION_BYTES)

/* The most parts that one request or reply is sent from. */
#define LAM_CALL_PART_COUNT_MAX 16

enum lam_call_type {
    LAM_CALL_REQUEST = 1,
    LAM_CALL_REPLY = 2,
    LAM_CALL_CANCEL = 3,
};

/* In shared memory: loaded word by word, once, and checked. */
struct lam_call_header {
    lam_atomic_u64 word;
    lam_atomic_u64 type; /* and zero */
};

LAM_STATIC_ASSERT(
    sizeof(struct lam_call_header) == LAM_CALL_HEADER_BYTES, "a call's header is 16 bytes");

/* Names one request of one caller, until its end was taken. Never 0. */
struct lam_ticket {
    uint64_t id;
};

/* Which slot of its caller a ticket is for: below pending_max, for tables of the application's. */
static inline uint32_t lam_ticket_slot(struct lam_ticket ticket)
{
    return (uint32_t)ticket.id;
}

/*
 * How a request came to its end. The payload is lent, until the reply is released; nothing is lent
 * where @outcome is not 0.
 */
struct lam_reply {
    const void *payload;
    uint64_t payload_bytes;
    struct lam_ticket ticket;
    /*
     * 0 it was answered; else the caller's own finding, told as soon as it is known:
     *   -ETIMEDOUT       no answer by its deadline
     *   -ECANCELED       cancelled by this side; or else the responder gave the answer up midway
     *   -EOWNERDEAD      the responder died; or another took its place before the caller looked,
     *                    whether it had died, left or closed
     *   -EPIPE           the responder closed its channel
     *   -EMSGSIZE        the answer was larger than the receiver takes
     *   -EBADMSG         the answer is not what was sent: its CRC32C is wrong
     *   -ESTALE          the caller was evicted from its channel of replies: attach again
     *   -EOVERFLOW       the caller was lapped there: its receiver is lossy
     *   -ENOTRECOVERABLE the channel of replies is poisoned
     */
    int32_t outcome;
    int32_t status; /* the responder's, where it answered: 0, or a negative errno of its own */
    uint64_t place; /* private: what a release gives back */
    uint64_t published_ns; /* monotonic; 0 where the answer carries no time */
    uint16_t kind;         /* of the answer */
    uint16_t flags;        /* of LAM_EVENT_CORRELATION, LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C */
};

#endif
