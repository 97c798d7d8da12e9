/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's ends of life: its table of requests, and the places of the replies that it holds. */
#include "lamina/framed/caller.h"

#include <stdlib.h>

#include "lamina/ring/stat.h"
#include "wire.h"

/* Replies that were taken and not released have places, too: as many again, and a power of two. */
static uint32_t place_count(uint32_t pending_max)
{
    uint32_t count = 2;

    while (count < 2 * pending_max)
        count *= 2;
    return count;
}

int lam_caller_attach(struct lam_caller *caller, struct lam_framed_sender *sender,
    struct lam_framed_receiver *receiver, const struct lam_caller_options *options,
    struct lam_error *error)
{
    uint32_t pending_max = options != NULL ? options->pending_max : 0;
    struct lam_call_slot *slots;
    size_t slot_bytes, place_bytes;

    LAM_ASSERT(caller != NULL && sender != NULL && receiver != NULL);
    memset(caller, 0, sizeof(*caller));
    if (pending_max > LAM_CALL_PENDING_MAX)
        return lam_error_set(error, -EINVAL, "pending_max is %u: at most %u requests",
            (unsigned)pending_max, (unsigned)LAM_CALL_PENDING_MAX);
    if (pending_max == 0)
        pending_max = LAM_CALL_PENDING_DEFAULT;
    slot_bytes = pending_max * sizeof(struct lam_call_slot);
    place_bytes = place_count(pending_max) * sizeof(struct lam_held_message);
    caller->memory = calloc(1, slot_bytes + place_bytes);
    if (caller->memory == NULL)
        return lam_error_set(error, -ENOMEM,
            "no memory for pending_max = %u requests: ask for less", (unsigned)pending_max);
    caller->sender = sender;
    caller->receiver = receiver;
    caller->scope = call_new_scope(sender, options != NULL ? options->number : 0);
    caller->epoch = lam_ring_epoch(receiver->consumer.ring);
    slots = caller->memory;
    /* Also where scopes should ever be the same, ids of one before are none of ours. */
    for (uint32_t i = 0; i < pending_max; i++)
        slots[i].generation = (uint32_t)lam_clock_now_ns();
    lam_call_table_init(&caller->table, slots, pending_max);
    lam_held_init(&caller->held, receiver, (struct lam_held_message *)(void *)(slots + pending_max),
        place_count(pending_max));
    return 0;
}

void lam_caller_detach(struct lam_caller *caller)
{
    if (caller->memory == NULL)
        return;
    if (caller->claimed_id != 0)
        lam_caller_abort(caller);
    (void)lam_held_finish_all(&caller->held);
    free(caller->memory);
    caller->memory = NULL;
}
