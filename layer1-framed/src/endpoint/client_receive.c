/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon sends its client of itself: lent where it lies, lane by lane; or put in a queue,
 * when it comes while something else is waited for.
 */
#include "client_held.h"

#include <errno.h>

static void push(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    struct lam_client_push *place = &client->pushes[client->push_next % CLIENT_PUSHES];

    client->push_next++;
    place->message = *message;
    place->message.end = client_keep(client, lane, message);
    place->lane = lane;
}

int lam_client_take_push(struct lam_client *client)
{
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc = lam_lanes_receiver_try_receive(&client->link->receiver, &message, &lane);

    if (rc == 1)
        push(client, lane, &message);
    if (rc < 0)
        lam_client_note_end(client, rc);
    return rc;
}

/* Whether a lane has something that only a release lets in. */
static int is_stuck(const struct lam_client *client)
{
    const struct lam_lanes_receiver *receiver = &client->link->receiver;

    for (uint32_t lane = 0; receiver->paused != 0 && lane < LAM_LANE_COUNT; lane++)
        if ((receiver->paused >> lane & 1) != 0 && lam_lanes_is_there(&receiver->lanes[lane]))
            return 1;
    return 0;
}

void lam_client_note_end(struct lam_client *client, int rc)
{
    client->counts.damaged += rc == -EBADMSG;
    if (rc == -ECANCELED || rc == -EMSGSIZE || rc == -EBADMSG || rc == -EBUSY || rc == -ETIMEDOUT)
        return;
    lam_client_hear(client); /* it may have said why */
    client->ending = lam_client_reason(client, rc);
}

int lam_client_end(struct lam_client *client)
{
    int ending = client->ending;

    while (lam_client_take_answer(client, NULL, NULL) == 1)
        ;
    while (lam_client_take_push(client) == 1)
        ;
    client->lost = ending;
    return ending;
}

/*
 * A receive over the lanes came to @rc. What is there to say: 1 something came; 0 nothing did; the
 * end of the connection, when nothing waits behind what is held; or @rc, which ends nothing.
 */
static int judge(struct lam_client *client, uint32_t hung_up, int rc)
{
    if (rc == 1 || rc == -EBUSY || (rc < 0 && client->ending == 0))
        return rc;
    if (is_stuck(client))
        return -EBUSY;
    if (client->ending == 0 && hung_up)
        lam_client_note_end(client, -EOWNERDEAD);
    return client->ending != 0 ? lam_client_end(client) : 0;
}

/* Take what is there. Returns 1; 0 nothing came; or what lam_client_try_receive() says. */
static int pump(struct lam_client *client)
{
    uint32_t hung_up = client->hung_up;

    if (client->lost != 0) /* of what was held to the brim when it ended, there may be more */
        return client->link->is_open && lam_client_take_push(client) == 1 ? 1 : client->lost;
    return judge(client, hung_up, lam_client_take_push(client));
}

/* The same, waiting until @deadline_ns. */
static int pump_until(struct lam_client *client, uint64_t deadline_ns)
{
    uint32_t hung_up = client->hung_up;
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc =
        lam_lanes_receiver_receive_until(&client->link->receiver, deadline_ns, &message, &lane);

    if (rc == 0)
        push(client, lane, &message);
    else
        lam_client_note_end(client, rc);
    return judge(client, hung_up, rc == 0 ? 1 : rc == -ETIMEDOUT ? 0 : rc);
}

static int pop(struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    const struct lam_client_push *first = &client->pushes[client->push_first % CLIENT_PUSHES];

    if (client->push_first == client->push_next)
        return 0;
    client->push_first++;
    *message = first->message;
    *lane = first->lane;
    return 1;
}

int lam_client_try_receive(
    struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    int rc = 1;

    LAM_ASSERT_CONNECTED(client);
    while (rc == 1) {
        if (pop(client, message, lane))
            return 1;
        rc = pump(client);
    }
    if (rc == 0 || client->lost == 0)
        return rc;
    rc = lam_client_recover(client, 0);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/*
 * The common case: nothing waits to be taken. Looks for about a microsecond, at nothing but what is
 * polled; the look that finds a message takes it. Returns 1; or 0: the long way will find out.
 */
static int receive_quickly(
    struct lam_client *client, struct lam_framed_message *message, enum lam_lane *lane)
{
    uint32_t looks = client->options.wait == LAM_WAIT_FUTEX ? 1 : LAM_RING_QUICK_LOOKS;
    struct lam_lanes_receiver *receiver = &client->link->receiver;

    if (client->push_first != client->push_next || client->lost != 0)
        return 0;
    for (; looks > 0 && !lam_lanes_turns_may_be_due(&receiver->turns); looks--) {
        int rc = lam_lanes_receiver_quickly(receiver, message, lane);

        if (rc < 0)
            return 0;
        if (rc == 1) {
            message->end = client_keep(client, *lane, message);
            return 1;
        }
        lam_pause();
    }
    return 0;
}

int lam_client_receive_until(struct lam_client *client, uint64_t deadline_ns,
    struct lam_framed_message *message, enum lam_lane *lane)
{
    LAM_ASSERT_CONNECTED(client);
    if (__builtin_expect(receive_quickly(client, message, lane), 1))
        return 0;
    for (;;) {
        uint64_t now_ns, slice_ns;
        int rc = 1;

        while (rc == 1) {
            if (pop(client, message, lane))
                return 0;
            rc = pump(client);
        }
        if (rc < 0 && client->lost != 0)
            rc = lam_client_recover(client, deadline_ns);
        if (rc < 0)
            return rc;
        if (client->is_repeating)
            lam_client_repeat(client, deadline_ns);
        now_ns = lam_clock_now_ns();
        if (now_ns >= deadline_ns)
            return -ETIMEDOUT;
        lam_client_tend(client, now_ns);
        slice_ns = now_ns + LAM_WAIT_CHECK_NS;
        rc = pump_until(client, slice_ns < deadline_ns ? slice_ns : deadline_ns);
        if (rc < 0 && client->lost == 0)
            return rc;
    }
}

void lam_client_release(
    struct lam_client *client, enum lam_lane lane, const struct lam_framed_message *message)
{
    LAM_ASSERT_CONNECTED(client);
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    lam_client_give_back(client, message->end, lane);
}
