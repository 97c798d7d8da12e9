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

static int release_to(struct lam_held *held, uint64_t end)
{
    const struct lam_framed_message message = {.end = end};

    /* The receiver was readmitted behind it: whatever was held has been released. */
    if ((int64_t)(end - held->receiver->released) < 0)
        return 0;
    return lam_framed_receiver_release(held->receiver, &message);
}

uint64_t lam_held_keep(struct lam_held *held, const struct lam_framed_message *message)
{
    struct lam_held_message *place = &held->messages[held->next & held->mask];

    LAM_ASSERT(!lam_held_is_full(held));
    place->end = message->end;
    place->finished = 0;
    return held->next++;
}

int lam_held_finish(struct lam_held *held, uint64_t place)
{
    uint64_t end = 0;

    /* One that is held: neither given back already nor never kept. */
    LAM_ASSERT(place - held->oldest < held->next - held->oldest);
    LAM_ASSERT(!held->messages[place & held->mask].finished);
    held->messages[place & held->mask].finished = 1;
    if (place != held->oldest)
        return 0;
    do {
        end = held->messages[held->oldest++ & held->mask].end;
    } while (held->oldest != held->next && held->messages[held->oldest & held->mask].finished);
    return release_to(held, end);
}

int lam_held_finish_all(struct lam_held *held)
{
    if (held->oldest == held->next)
        return 0;
    held->oldest = held->next;
    return release_to(held, held->messages[(held->next - 1) & held->mask].end);
}

int lam_held_pass(struct lam_held *held, const struct lam_framed_message *message)
{
    if (held->oldest == held->next)
        return release_to(held, message->end);
    /* Given back together with the one before it. */
    held->messages[(held->next - 1) & held->mask].end = message->end;
    return 0;
}
