/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/framed/held.h"

void lam_held_init(struct lam_held *held, struct lam_framed_receiver *receiver,
    struct lam_held_message *messages, uint32_t count)
{
    LAM_ASSERT(count > 0 && (count & (count - 1)) == 0);
    held->receiver = receiver;
    held->messages = messages;
    held->mask = count - 1;
    held->oldest = 0;
    held->next = 0;
}

int lam_held_finish_all(struct lam_held *held)
{
    if (held->oldest == held->next)
        return 0;
    held->oldest = held->next;
    return lam_held_release_to(held, held->messages[(held->next - 1) & held->mask].end);
}

int lam_held_pass(struct lam_held *held, const struct lam_framed_message *message)
{
    if (held->oldest == held->next)
        return lam_held_release_to(held, message->end);
    /* Given back together with the one before it. */
    held->messages[(held->next - 1) & held->mask].end = message->end;
    return 0;
}
