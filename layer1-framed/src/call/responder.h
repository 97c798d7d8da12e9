/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_RESPONDER_H
#define LAM_FRAMED_SRC_CALL_RESPONDER_H

/*
 * responder.h: the slots of a responder's requests, shared by its own files alone.
 */

#include "lamina/framed/responder.h"

#define RESPONDER_NONE UINT32_MAX

enum responder_state {
    RESPONDER_FREE = 0,
    RESPONDER_QUEUED = 1,   /* received ahead */
    RESPONDER_IN_WORK = 2,  /* the application has it, its payload lent */
    RESPONDER_RELEASED = 3, /* likewise, its payload given back */
};

/* The slot of a request in hand. A request that is not is a programmer's error. */
struct lam_responder_slot *lam_responder_slot_of(
    const struct lam_responder *responder, const struct lam_request *request);

/* Done with the slot: its payload is given back, where it is still lent. Returns as that. */
int lam_responder_free_slot(struct lam_responder *responder, struct lam_responder_slot *slot);

#endif
