/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FRAMED_LANES_H
#define LAM_TEST_FRAMED_LANES_H

/*
 * lanes.h: three lanes of one process for the tests, and short messages that say who they are.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/framed.h"

struct three {
    struct lam_lanes lanes;
    struct lam_lanes_sender sender;
    struct lam_lanes_receiver receiver;
    uint64_t sent[LAM_LANE_COUNT];
    uint64_t received[LAM_LANE_COUNT];
};

struct three_message {
    uint64_t lane;
    uint64_t number; /* within its lane */
};

struct three_options {
    uint64_t depth; /* of all together */
    uint64_t first_sequence;
    struct lam_lanes_sender_options sender;
    struct lam_lanes_receiver_options receiver;
};

static inline uint64_t three_soon(void)
{
    return lam_deadline_after_ns(20 * LAM_NS_PER_S);
}

static inline uint64_t three_effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static inline void three_must(int rc, const struct lam_error *error)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "%d: %s\n", rc, error->text);
    abort();
}

static inline void three_open(struct three *three, const struct three_options *options)
{
    struct lam_lanes_options lanes = {
        .ring = {
            .name = "three", .depth = options->depth, .first_sequence = options->first_sequence}};
    struct lam_error error = {""};

    memset(three, 0, sizeof(*three));
    three_must(lam_lanes_create(&three->lanes, &lanes, &error), &error);
    three_must(
        lam_lanes_sender_attach(&three->sender, &three->lanes, &options->sender, &error), &error);
    three_must(
        lam_lanes_receiver_attach(&three->receiver, &three->lanes, &options->receiver, &error),
        &error);
}

static inline void three_close(struct three *three)
{
    lam_lanes_receiver_detach(&three->receiver);
    lam_lanes_sender_detach(&three->sender);
    (void)lam_lanes_destroy(&three->lanes);
}

/* Send the next message of @lane. Returns as lam_lanes_sender_try_claim(). */
static inline int three_send(struct three *three, enum lam_lane lane)
{
    struct three_message what = {.lane = lane, .number = three->sent[lane]};
    void *payload;
    int rc = lam_lanes_sender_try_claim(&three->sender, lane, sizeof(what), &payload);

    if (rc != 1)
        return rc;
    memcpy(payload, &what, sizeof(what));
    lam_lanes_sender_commit(&three->sender, lane, sizeof(what), 1);
    three->sent[lane]++;
    return 1;
}

/* It is the next of @lane: count and release it. Returns the lane, or -EBADMSG. */
static inline int three_take(
    struct three *three, const struct lam_framed_message *message, enum lam_lane lane)
{
    struct three_message what;

    if (message->payload_bytes != sizeof(what))
        return -EBADMSG;
    memcpy(&what, message->payload, sizeof(what));
    if (what.lane != (uint64_t)lane || what.number != three->received[lane])
        return -EBADMSG;
    three->received[lane]++;
    if (lam_lanes_receiver_release(&three->receiver, lane, message) != 0)
        return -EBADMSG;
    return (int)lane;
}

/* Receive one. Returns its lane, LAM_LANE_COUNT none is there, or -errno with @three's lane. */
static inline int three_receive(struct three *three)
{
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane;
    int rc = lam_lanes_receiver_try_receive(&three->receiver, &message, &lane);

    if (rc <= 0)
        return rc == 0 ? LAM_LANE_COUNT : rc;
    return three_take(three, &message, lane);
}

#endif
