/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TYPED_ENVELOPE_H
#define LAM_TYPED_ENVELOPE_H

/*
 * lamina/typed/envelope.h: what travels with a value and is no part of it.
 *
 * Typed, layer 2. Passed by value: it lends nothing.
 */

#include <stddef.h>

#include "lamina/framed/message.h"

struct lam_typed_envelope {
    uint64_t id;                               /* of the message, set on receiving */
    struct lam_framed_correlation correlation; /* where is_correlated is 1 */
    uint16_t is_correlated;
    uint16_t kind; /* the application's, below LAM_EVENT_KIND_RESERVED */
};

/* Take what @message says beside its bytes. */
LAM_INLINE void lam_typed_envelope_fill(
    struct lam_typed_envelope *envelope, const struct lam_framed_message *message)
{
    envelope->id = message->id;
    envelope->kind = message->kind;
    envelope->is_correlated = message->correlation != NULL;
    if (message->correlation != NULL)
        envelope->correlation = *message->correlation;
}

#endif
