/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_ASSEMBLE_H
#define LAM_FRAMED_SRC_ASSEMBLE_H

/*
 * assemble.h: from events to messages, one event at a time. Never waits.
 */

#include "lamina/framed/receiver.h"

/* What a receiver's calls have to mind. 0: nothing, and each event is a message. */
enum receiver_state {
    STATE_JOINING = 1 << 0,     /* no message has begun since it joined */
    STATE_AHEAD = 1 << 1,       /* an event is peeked and not used yet */
    STATE_ASSEMBLING = 1 << 2,  /* a message is partly in the buffer */
    STATE_SKIPPING = 1 << 3,    /* a message's frames are dropped as they come */
    STATE_BUFFER_HELD = 1 << 4, /* the buffer is lent */
    STATE_LOSS = 1 << 5,        /* the last call cut a message short */
    STATE_POISONED = 1 << 6,
};

/*
 * Use one event.
 *
 * Returns 1 a message is complete; 0 go on with the next event; or an error of
 * lam_framed_receiver_try_receive(), with the event kept ahead where it was not used
 */
int lam_framed_receiver_use(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message);

/* No event came, because of @rc. Returns the code that the caller gets to see. */
int lam_framed_receiver_ended(struct lam_framed_receiver *receiver, int rc);

#endif
