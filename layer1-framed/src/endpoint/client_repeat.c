/* SPDX-License-Identifier: Apache-2.0 */
/* What has no answer is sent again, from copies; each lane's in the order of their begin. */
#include "call/wire.h"
#include "client_internal.h"
#include "gather.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <string.h>

#define REPEAT_NS     LAM_NS_PER_MS
#define FRAMES_MAX_NS LAM_NS_PER_S

int lam_client_check_copy(
    const struct lam_client *client, const struct iovec *parts, uint32_t part_count)
{
    uint64_t bytes;

    if (!client->options.reconnect)
        return 0;
    if (lam_gather_sum(parts, part_count, &bytes) != 0)
        return -EMSGSIZE;
    return bytes > client->options.request_bytes_max ? -EMSGSIZE : 0;
}

static uint8_t *bytes_of(const struct lam_client *client, const struct lam_client_copy *copy)
{
    return client->copy_bytes +
           (uint64_t)(copy - client->copies) * client->options.request_bytes_max;
}

void lam_client_keep_copy(struct lam_client *client, uint64_t id, const struct iovec *parts,
    uint32_t part_count, enum lam_lane lane, uint16_t kind, uint64_t deadline_ns)
{
    struct lam_ticket ticket = {.id = id};
    struct lam_client_copy *copy;
    uint64_t bytes = 0;

    if (!client->options.reconnect)
        return;
    (void)lam_gather_sum(parts, part_count, &bytes); /* lam_client_check_copy() bounded it */
    copy = &client->copies[lam_ticket_slot(ticket)];
    *copy = (struct lam_client_copy){.id = id,
        .order = client->began++,
        .deadline_ns = deadline_ns,
        .bytes = (uint32_t)bytes,
        .kind = kind,
        .lane = (uint16_t)lane};
    lam_gather_all(parts, part_count, bytes_of(client, copy), bytes);
}

/* Of those of @lane that wait, the first that was begun at @order or later, or NULL. */
static const struct lam_client_copy *next_copy(
    struct lam_client *client, enum lam_lane lane, uint64_t order)
{
    const struct lam_client_copy *next = NULL;

    for (uint32_t i = 0; i < client->options.requests_max; i++) {
        const struct lam_client_copy *copy = &client->copies[i];

        if (copy->id != 0 && copy->lane == lane && copy->order >= order &&
            (next == NULL || copy->order < next->order) &&
            lam_call_table_waiting(&client->table, copy->id) != NULL)
            next = copy;
    }
    return next;
}

static uint64_t earliest(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/*
 * Send one in frames, until @deadline_ns, but no longer than a while: the daemon may be waiting to
 * be read by us. One that was cut is sent anew with more time.
 */
static int repeat_in_frames(struct lam_client *client, const struct lam_client_copy *copy,
    const struct call_parts *all, const struct lam_framed_correlation *correlation,
    uint64_t deadline_ns)
{
    uint64_t end_ns = lam_deadline_after_ns(client->frames_ns);
    int rc = lam_framed_sender_send_until(&client->link->sender.lanes[copy->lane], all->parts,
        all->count, copy->kind, correlation,
        earliest(end_ns, earliest(deadline_ns, copy->deadline_ns)));

    client->frames_ns =
        rc == 0 ? LAM_WAIT_CHECK_NS : earliest(2 * client->frames_ns, FRAMES_MAX_NS);
    return rc == -ETIMEDOUT ? 0 : rc == 0 ? 1 : rc;
}

/*
 * Send one again, whatever the lane's pressure is: it was let in once. @deadline_ns as
 * lam_client_repeat(). Returns 1, 0 there is no room, or -errno.
 */
static int repeat(
    struct lam_client *client, const struct lam_client_copy *copy, uint64_t deadline_ns)
{
    struct lam_framed_correlation correlation = {.id = copy->id, .scope = client->scope};
    struct iovec part = {.iov_base = bytes_of(client, copy), .iov_len = copy->bytes};
    struct call_parts all;
    int rc;

    call_gather(&all, &part, 1, LAM_ENDPOINT_CALL_AGAIN, copy->deadline_ns);
    rc = lam_framed_sender_try_send(
        &client->link->sender.lanes[copy->lane], all.parts, all.count, copy->kind, &correlation);
    if (rc == -EMSGSIZE)
        rc = deadline_ns == 0 ? 0 : repeat_in_frames(client, copy, &all, &correlation, deadline_ns);
    client->counts.repeated += rc == 1;
    lam_client_note_lane(client, copy->id, (enum lam_lane)copy->lane);
    LAM_CRASH_POINT("endpoint.repeated");
    return rc;
}

/* What @lane has room for. Returns 0 that was all, -ETIMEDOUT, or an error of the send. */
static int repeat_lane(struct lam_client *client, enum lam_lane lane, uint64_t deadline_ns)
{
    const struct lam_client_copy *copy;

    while ((copy = next_copy(client, lane, client->repeat_from[lane])) != NULL) {
        int rc = repeat(client, copy, deadline_ns);

        if (rc == 0 && lam_clock_now_ns() < copy->deadline_ns)
            return -ETIMEDOUT; /* else it is too late for this one, and not for the next */
        if (rc == -EMSGSIZE)   /* this daemon takes less than the one before */
            (void)lam_call_table_finish(
                &client->table, lam_call_table_waiting(&client->table, copy->id), rc);
        else if (rc < 0)
            return rc;
        client->repeat_from[lane] = copy->order + 1;
    }
    client->is_repeating &= ~(1U << lane);
    return 0;
}

int lam_client_repeat_lane(struct lam_client *client, enum lam_lane lane, uint64_t deadline_ns)
{
    int rc = 0;

    while ((client->is_repeating >> lane & 1) != 0) {
        uint64_t now_ns = lam_clock_now_ns();

        rc = repeat_lane(client, lane, deadline_ns);
        if (rc != -ETIMEDOUT || now_ns >= deadline_ns)
            return rc;
        /* As long as there is no room, what comes in is taken: the daemon may wait for that. */
        rc = lam_client_pump_answers(client, NULL, NULL);
        if (client->lost != 0)
            return client->lost;
        if (rc == 0)
            lam_client_await_answer(client, earliest(deadline_ns, now_ns + REPEAT_NS));
        if (rc < 0)
            return rc;
    }
    return 0;
}

void lam_client_repeat(struct lam_client *client, uint64_t deadline_ns)
{
    for (enum lam_lane lane = 0; lane < LAM_LANE_COUNT; lane++)
        if ((client->is_repeating >> lane & 1) != 0)
            (void)repeat_lane(client, lane, deadline_ns);
}
