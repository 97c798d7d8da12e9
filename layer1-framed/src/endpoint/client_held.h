/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_CLIENT_HELD_H
#define LAM_ENDPOINT_CLIENT_HELD_H

/*
 * client_held.h: the place of what a client holds, in line for what each message and answer does.
 */

#include "client_internal.h"

/*
 * A place of the application's: which link, which lane or the answers, whose, and where that holds
 * it, which counts on and on: its low bits say it, next to the oldest that is held.
 */
#define PLACE_LANE_SHIFT 61
#define PLACE_TAG_SHIFT  45
#define PLACE_LINK       (UINT64_C(1) << 63)
#define PLACE_MASK       ((UINT64_C(1) << PLACE_TAG_SHIFT) - 1)

/* 16 bits that another client hardly has. */
static inline uint64_t client_tag(const struct lam_client *client)
{
    return client->scope >> 1 & 0xffff; /* bit 0 is always set */
}

/* The place, for lam_client_give_back(), of what @which of the link in use holds at @held. */
static inline uint64_t client_place(const struct lam_client *client, uint32_t which, uint64_t held)
{
    return (held & PLACE_MASK) | client_tag(client) << PLACE_TAG_SHIFT |
           (uint64_t)which << PLACE_LANE_SHIFT |
           (client->link == &client->links[1] ? PLACE_LINK : 0);
}

/*
 * Hold @message of @lane. Who holds as many as may be gets no more of that lane, and only of it.
 * Returns its place.
 */
static inline uint64_t client_keep(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    struct lam_client_link *link = client->link;
    uint64_t held = lam_held_keep(&link->held[lane], message);

    if (__builtin_expect(lam_held_is_full(&link->held[lane]), 0))
        lam_lanes_receiver_pause(&link->receiver, lane);
    return client_place(client, lane, held);
}

#endif
