/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_ASSEMBLE_H
#define LAM_FRAMED_SRC_ASSEMBLE_H

/*
 * assemble.h: from events to messages, one event at a time. Never waits.
 */

#include "lamina/framed/receiver.h"

/* What a receiver's calls have to mind. 0: nothing, and each event is a message. */
enum receiver_state {
    STATE_JOINING = 1 << 0,    /* no message has begun since it joined, or since a gap */
    STATE_AHEAD = 1 << 1,      /* an event is peeked and not used yet */
    STATE_ASSEMBLING = 1 << 2, /* a message is partly in a buffer */
    STATE_SKIPPING = 1 << 3,   /* a message's frames are dropped as they come */
    STATE_LENT = 1 << 4,       /* a buffer is lent */
    STATE_LOSS = 1 << 5,       /* the last call lost something */
    STATE_POISONED = 1 << 6,   /* by its own finding */
    STATE_COPIES = 1 << 7,     /* it lends copies alone */
    STATE_SCRATCH = 1 << 8,    /* the copy of a message in place is lent */
    STATE_KEPT = 1 << 9,       /* a message is received and not handed over yet */
    STATE_DEFERRED = 1 << 10,  /* an error is found and not told yet */
    STATE_CUT = 1 << 11,       /* messages are cut short that were not told yet */
    STATE_CHECKED = 1 << 12,   /* what has no checksum is damaged, too */
    STATE_MANY = 1 << 13,      /* the ring has many producers: what is lent is remembered */
};

enum assembly_phase {
    PHASE_FREE = 0,
    PHASE_ASSEMBLING,
    PHASE_LENT,
    PHASE_CUT, /* to be told with its orphan_rc */
};

/*
 * Use one event.
 *
 * Returns 1 a message is complete; 0 go on with the next event; or an error of
 * lam_framed_receiver_try_receive(), with the event kept ahead where it was not used
 */
int lam_framed_receiver_use(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message);

/*
 * fetch.c: the next event, where it lies or copied. Returns as lam_ring_consumer_try_peek() or
 * lam_ring_consumer_try_read(), a loss noted.
 */
int lam_framed_receiver_fetch(struct lam_framed_receiver *receiver, struct lam_event *event);

/* The event stays for the next call. Returns @rc. */
int lam_framed_receiver_keep(
    struct lam_framed_receiver *receiver, const struct lam_event *event, int rc);

/* loss.c: @assembly will not be complete: told now. Returns @rc. */
int lam_framed_receiver_lose(
    struct lam_framed_receiver *receiver, struct lam_framed_assembly *assembly, int rc);

/* The same of the one that is on its way; one producer. */
int lam_framed_receiver_lose_active(struct lam_framed_receiver *receiver, int rc);

/* An event is not what was sent. Returns -EBADMSG, or -EBUSY with the event kept. */
int lam_framed_receiver_damaged(
    struct lam_framed_receiver *receiver, const struct lam_event *event);

/* Behind a gap of @count events from @from on: it cuts all that was on its way. Returns @rc. */
int lam_framed_receiver_gap(
    struct lam_framed_receiver *receiver, uint64_t from, uint64_t count, int rc);

/* No event came, because of @rc. Returns the code that the caller gets to see. */
int lam_framed_receiver_ended(struct lam_framed_receiver *receiver, int rc);

/* What is cut and was not told: one of it. Returns its code, or 0: there is none. */
int lam_framed_receiver_tell_cut(struct lam_framed_receiver *receiver);

/* Many producers: whether the senders of what is on its way are still there. As the one above. */
int lam_framed_receiver_look_for_orphans(struct lam_framed_receiver *receiver);

/* See which of ASSEMBLING, LENT and CUT hold. */
void lam_framed_receiver_update(struct lam_framed_receiver *receiver);

/*
 * Whether a message older than @event is held where it lies. With many producers there may be
 * padding between what was released and @event.
 */
static inline int lam_framed_receiver_holds_older(
    const struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    if ((receiver->state & STATE_COPIES) != 0)
        return 0;
    return receiver->is_many ? (int64_t)(receiver->lent_end - receiver->released) > 0
                             : event->sequence != receiver->released;
}

#endif
