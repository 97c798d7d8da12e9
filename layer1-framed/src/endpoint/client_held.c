/* SPDX-License-Identifier: Apache-2.0 */
/* What a client has lent: held by its place, lane by lane, until given back. */
#include "client_held.h"

/* A link that is no longer the connection is closed when nothing of it is lent or unread. */
static void close_over(struct lam_client *client, struct lam_client_link *link)
{
    while (link == client->link && lam_client_take_push(client) == 1)
        ;
    if (lam_client_held_count(link) == 0)
        lam_client_close_link(link);
}

void lam_client_give_back(struct lam_client *client, uint64_t place, uint32_t which)
{
    struct lam_client_link *link = &client->links[(place & PLACE_LINK) != 0];
    struct lam_held *held = which == CLIENT_ANSWERS ? &link->answers_held : &link->held[which];

    LAM_ASSERT(link->is_open && (place >> PLACE_LANE_SHIFT & 3) == which &&
               (place >> PLACE_TAG_SHIFT & 0xffff) == client_tag(client) &&
               "lent by this client, by this lane, and not released yet");
    (void)lam_held_finish(held, held->oldest + ((place - held->oldest) & PLACE_MASK));
    if (which != CLIENT_ANSWERS && !lam_held_is_full(&link->held[which]))
        lam_lanes_receiver_resume(&link->receiver, (enum lam_lane)which);
    if (__builtin_expect(link->is_over != 0, 0) && lam_client_held_count(link) == 0)
        close_over(client, link);
}
