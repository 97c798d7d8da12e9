/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SHARED_H
#define LAM_SEQUENCER_SHARED_H

/*
 * shared.h: the words that stages share beside the rings, each with one writer, and what a stage
 * has of a ring.
 *
 *     word             writer       release                      acquire makes visible
 *     durable          journal      after the sync is done       that all before it is on the disk
 *     is_full          journal      (a hint, relaxed)            nothing: the reader only refuses
 *     digest_sequence  application  after the digest's bytes     those bytes, to the reader
 *                      reader       0, after it has taken them   that they may be written again
 *     wants_place      shadow       1: before it stands still    nothing
 *                      journal      0, after the place           the place that it is to stop at
 *     spared           shadow       after the snapshot is there  that it is
 *     control_done     writer       after an entry's work        that its room is free again
 *     is_done          each stage   after its last step          all that it did
 *     place.answered   writer       after the answer was sent    (only counts)
 *     place.verdict    application  with the whole answer        itself
 *     place.is_free    writer       after its last use of it     that the reader may give it away
 *                      reader       (the ring carries it)
 */

#include "hash/blake3.h"
#include "lamina/base/atomic.h"
#include "lamina/framed/receiver.h"
#include "lamina/framed/sender.h"

/* One of the table of connections. */
struct place {
    lam_atomic_u64 answered; /* ordinals up to this one */
    lam_atomic_u64 verdict;  /* of a resume: place_verdict() of the connection */
    lam_atomic_u32 is_free;
    uint8_t apart[44]; /* a place has a line of its own */
};

_Static_assert(sizeof(struct place) == 64, "one line");

/* What a connection may have without an answer, in windows of a session. */
#define UNANSWERED_WINDOWS 2

#define PLACE_BITS 16
#define PLACES_MAX (UINT32_C(1) << PLACE_BITS)

static inline uint32_t place_of(uint64_t connection)
{
    return (uint32_t)connection & (PLACES_MAX - 1);
}

static inline uint64_t place_verdict(uint64_t connection, int is_granted)
{
    return connection << 1 | (uint64_t)is_granted;
}

/* The end of a ring that takes, and the entry in hand. */
struct intake {
    struct lam_framed_receiver receiver;
    struct lam_framed_message message;
    int has_message;
};

/*
 * The entry at hand, which stays so until it is released. Returns 1; 0: there is none yet; -EPIPE:
 * there will be none.
 */
static inline int intake_peek(struct intake *intake)
{
    int result;

    if (intake->has_message)
        return 1;
    result = lam_framed_receiver_try_receive(&intake->receiver, &intake->message);
    intake->has_message = result == 1;
    return result;
}

static inline void intake_release(struct intake *intake)
{
    intake->has_message = 0;
    (void)lam_framed_receiver_release(&intake->receiver, &intake->message);
}

/* What is behind an entry of @head_bytes. */
static inline const uint8_t *intake_data(const struct intake *intake, uint32_t head_bytes)
{
    return (const uint8_t *)intake->message.payload + head_bytes;
}

static inline uint32_t intake_bytes(const struct intake *intake, uint32_t head_bytes)
{
    return (uint32_t)intake->message.payload_bytes - head_bytes;
}

#endif
