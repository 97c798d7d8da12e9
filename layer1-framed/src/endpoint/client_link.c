/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a client: the ends of its rings, what is held of them, and how it is left. */
#include "client_internal.h"
#include "lamina/base/crash_point.h"

#include <unistd.h>

void lam_client_close_link(struct lam_client_link *link)
{
    if (!link->is_open)
        return;
    lam_lanes_receiver_detach(&link->receiver);
    lam_framed_receiver_detach(&link->answers);
    lam_lanes_sender_detach(&link->sender);
    lam_lanes_detach(&link->in);
    lam_lanes_detach(&link->out);
    lam_ring_detach(&link->answers_ring);
    link->is_open = 0;
}

uint64_t lam_client_held_count(const struct lam_client_link *link)
{
    uint64_t count = lam_held_count(&link->answers_held);

    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        count += lam_held_count(&link->held[lane]);
    return count;
}

void lam_client_close(struct lam_client *client)
{
    if (client->socket >= 0)
        (void)close(client->socket);
    client->socket = -1;
    client->link->is_over = 1;
    if (lam_client_held_count(client->link) == 0)
        lam_client_close_link(client->link);
}

int lam_client_attach_ends(
    struct lam_client *client, struct lam_client_link *link, struct lam_error *error)
{
    struct lam_lanes_receiver_options receiver = {
        .receiver = {.consumer = {.name = "client",
                         .wait = client->options.wait,
                         .spin_ns = client->options.spin_ns},
            .message_bytes_max = client->welcome.message_bytes_max,
            .streams_max = client->options.streams_max,
            .is_checked = (client->welcome.extensions & LAM_EVENT_CRC32C) != 0},
        .turns_max = client->options.turns_max};
    struct lam_lanes_sender_options sender = {
        .sender = {.producer = {.wait = client->options.wait, .spin_ns = client->options.spin_ns},
            .message_bytes_max = client->welcome.message_bytes_max,
            .extensions = client->welcome.extensions},
        .answer = client->options.pressure_answer,
        .pressure_max = client->options.pressure_max,
        .counts = &client->counts.pressure};
    int rc = lam_lanes_receiver_attach(&link->receiver, &link->in, &receiver, error);

    if (rc != 0)
        return rc;
    LAM_CRASH_POINT("endpoint.half_attached");
    rc = lam_framed_receiver_attach(&link->answers, &link->answers_ring, &receiver.receiver, error);
    if (rc == 0) {
        rc = lam_lanes_sender_attach(&link->sender, &link->out, &sender, error);
        if (rc != 0)
            lam_framed_receiver_detach(&link->answers);
    }
    if (rc != 0)
        lam_lanes_receiver_detach(&link->receiver);
    return rc;
}

void lam_client_begin_link(struct lam_client *client, struct lam_client_link *link)
{
    client->link = link;
    link->is_over = 0;
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_held_init(&link->held[lane], &link->receiver.lanes[lane], link->held_messages[lane],
            LAM_CLIENT_HELD_MAX);
    lam_held_init(
        &link->answers_held, &link->answers, link->answer_messages, LAM_CLIENT_ANSWERS_MAX);
    client->lost = 0;
    client->ending = 0;
    client->owed_count = 0; /* to the daemon before */
    client->hung_up = 0;
    client->said_goodbye = 0;
    client->sent_away = 0;
    client->asked_ns = 0;
    client->heard_ns = lam_clock_now_ns();
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        if (client->demands[lane] != 0)
            (void)lam_lanes_receiver_demand(
                &link->receiver, (enum lam_lane)lane, client->demands[lane]);
    client->hello.session = client->welcome.session;
    client->hello.flags |= LAM_ENDPOINT_RESUMES;
}
