/* SPDX-License-Identifier: Apache-2.0 */
/* A responder's ends of life: its table of requests in hand, and its callers. */
#include "lamina/framed/responder.h"

#include <stdlib.h>

#include "responder.h"
#include "wire.h"

/* Requests that were answered before older ones have places, too: as many again. */
static uint32_t place_count(uint32_t pending_max)
{
    uint32_t count = 2;

    while (count < 2 * pending_max)
        count *= 2;
    return count;
}

int lam_responder_attach(struct lam_responder *responder, struct lam_framed_receiver *receiver,
    const struct lam_responder_options *options, struct lam_error *error)
{
    uint32_t pending_max = options != NULL ? options->pending_max : 0;
    size_t slot_bytes, place_bytes;

    LAM_ASSERT(responder != NULL && receiver != NULL);
    memset(responder, 0, sizeof(*responder));
    if (pending_max > LAM_RESPONDER_PENDING_MAX)
        return lam_error_set(error, -EINVAL, "pending_max is %u: at most %u requests",
            (unsigned)pending_max, (unsigned)LAM_RESPONDER_PENDING_MAX);
    if (pending_max == 0)
        pending_max = LAM_RESPONDER_PENDING_DEFAULT;
    slot_bytes = pending_max * sizeof(struct lam_responder_slot);
    place_bytes = place_count(pending_max) * sizeof(struct lam_held_message);
    responder->memory = calloc(1, slot_bytes + place_bytes);
    if (responder->memory == NULL)
        return lam_error_set(error, -ENOMEM,
            "no memory for pending_max = %u requests: ask for less", (unsigned)pending_max);
    responder->receiver = receiver;
    responder->slots = responder->memory;
    responder->slot_count = pending_max;
    for (uint32_t i = 0; i < pending_max; i++)
        responder->slots[i].next = i + 1 < pending_max ? i + 1 : RESPONDER_NONE;
    responder->queue_first = RESPONDER_NONE;
    responder->queue_last = RESPONDER_NONE;
    lam_held_init(&responder->held, receiver,
        (struct lam_held_message *)(void *)(responder->slots + pending_max),
        place_count(pending_max));
    return 0;
}

void lam_responder_detach(struct lam_responder *responder)
{
    if (responder->memory == NULL)
        return;
    (void)lam_held_finish_all(&responder->held);
    free(responder->memory);
    responder->memory = NULL;
}

int lam_responder_add(
    struct lam_responder *responder, uint32_t number, struct lam_framed_sender *sender)
{
    if (number >= LAM_RESPONDER_CALLER_COUNT_MAX)
        return -EINVAL;
    responder->senders[number] = sender;
    return 0;
}
