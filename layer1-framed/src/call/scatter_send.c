/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of one request for each worker. What goes in frames goes to all of them piece by piece, so
 * that one that does not read holds up nobody else; and while room is waited for, answers are taken
 * in: a worker that waits for room for its own would not read, either.
 */
#include <errno.h>

#include "gather.h"
#include "lamina/base/crash_point.h"
#include "lamina/framed/stream.h"
#include "scatter.h"

/* For one worker's room, before all are looked at again. */
#define SLICE_NS (LAM_NS_PER_MS / 4)

/* Before it is the next one's turn: a worker as fast as we are must not keep us. */
#define PIECES_A_TURN 4

struct sending {
    const struct call_parts *all;
    const struct lam_framed_correlation *correlation;
    struct gather *gathers; /* of those who get it in frames */
    uint64_t left;          /* bits of workers that have not got all of it */
    uint32_t moved;         /* some piece has gone */
    uint32_t next;          /* whose room to wait for */
    uint16_t kind;
};

/* As lam_framed_sender_try_send(), or until @until_ns where that is not 0. */
static int send_whole(
    const struct sending *sending, struct lam_framed_sender *sender, uint64_t until_ns)
{
    const struct call_parts *all = sending->all;
    int rc;

    if (until_ns == 0)
        return lam_framed_sender_try_send(
            sender, all->parts, all->count, sending->kind, sending->correlation);
    rc = lam_framed_sender_send_until(
        sender, all->parts, all->count, sending->kind, sending->correlation, until_ns);
    if (rc == -ETIMEDOUT)
        return 0;
    return rc == 0 ? 1 : rc;
}

/* Returns 1, 0 there is no room, or an error. */
static int send_piece(struct lam_framed_sender *sender, struct gather *gather, uint64_t until_ns)
{
    uint64_t piece_bytes;
    void *piece;
    int rc;

    if (until_ns == 0)
        rc = lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes);
    else
        rc = lam_framed_sender_claim_piece_until(sender, until_ns, &piece, &piece_bytes);
    if (rc == -ETIMEDOUT)
        return 0;
    if (rc < 0 || (rc == 0 && until_ns == 0))
        return rc;
    lam_gather_bytes(gather, piece, piece_bytes);
    lam_framed_sender_commit_piece(sender, piece_bytes);
    return 1;
}

/* Begin to send in frames. Returns as lam_framed_sender_open_stream(). */
static int open_frames(
    const struct sending *sending, struct lam_framed_sender *sender, struct gather *gather)
{
    const struct call_parts *all = sending->all;
    uint64_t total_bytes;
    int rc = lam_gather_sum(all->parts, all->count, &total_bytes);

    *gather = (struct gather){.parts = all->parts, .part_count = all->count};
    return rc != 0 ? rc
                   : lam_framed_sender_open_stream(
                         sender, total_bytes, sending->kind, sending->correlation);
}

/* Some of it for @worker. Returns 1 it has all; 0 not yet; or an error: it gets none. */
static int send_some(
    struct sending *sending, struct lam_framed_sender *sender, uint32_t worker, uint64_t until_ns)
{
    int rc = 1;

    if (!lam_framed_sender_is_streaming(sender)) {
        rc = send_whole(sending, sender, until_ns);
        sending->moved |= rc == 1;
        if (rc != -EMSGSIZE)
            return rc;
        rc = open_frames(sending, sender, &sending->gathers[worker]);
        if (rc != 0)
            return rc;
        rc = 1;
    }
    for (int i = 0; rc == 1 && i < PIECES_A_TURN; i++) {
        rc = send_piece(sender, &sending->gathers[worker], until_ns);
        sending->moved |= rc == 1;
        if (rc == 1 && !lam_framed_sender_is_streaming(sender))
            return 1;
        until_ns = 0;
    }
    return rc < 0 ? rc : 0;
}

static void give_up(struct lam_scatter *scatter, struct sending *sending, uint32_t worker, int rc)
{
    if (lam_framed_sender_is_streaming(scatter->senders[worker]))
        lam_framed_sender_cancel_stream(scatter->senders[worker]);
    sending->left &= ~(UINT64_C(1) << worker);
    lam_scatter_refuse(scatter, UINT64_C(1) << worker, rc);
}

/* Returns 1 something went to it. */
static uint32_t serve(
    struct lam_scatter *scatter, struct sending *sending, uint32_t worker, uint64_t until_ns)
{
    int rc;

    sending->moved = 0;
    rc = send_some(sending, scatter->senders[worker], worker, until_ns);
    if (rc < 0)
        give_up(scatter, sending, worker, rc);
    if (rc == 1) {
        sending->left &= ~(UINT64_C(1) << worker);
        lam_scatter_asked(scatter, UINT64_C(1) << worker);
        LAM_CRASH_POINT("scatter.sent_to_one");
    }
    return sending->moved;
}

/* Some of it to each that has room. Returns 1 something went. */
static uint32_t serve_all(struct lam_scatter *scatter, struct sending *sending)
{
    uint32_t moved = 0;

    for (uint64_t left = sending->left; left != 0; left &= left - 1) {
        uint32_t worker = (uint32_t)__builtin_ctzll(left);

        if (!serve(scatter, sending, worker, 0))
            continue;
        moved = 1;
        sending->next = worker; /* it reads: its room is the likeliest to come */
    }
    return moved;
}

/* Those whose channel has no room for the beginning have not taken what came before. */
static void refuse_the_late(struct lam_scatter *scatter, struct sending *sending, uint64_t punctual)
{
    for (uint64_t left = sending->left & ~punctual; left != 0; left &= left - 1) {
        uint32_t worker = (uint32_t)__builtin_ctzll(left);

        if (scatter->senders[worker]->stream.bytes_sent == 0 ||
            !lam_framed_sender_is_streaming(scatter->senders[worker]))
            give_up(scatter, sending, worker, -ETIMEDOUT);
    }
}

/* Wait for a little for the room of one of those that are left; of each in turn, if none comes. */
static void wait_for_one(struct lam_scatter *scatter, struct sending *sending, uint64_t now_ns)
{
    uint64_t behind = sending->left & (UINT64_MAX << sending->next);
    uint32_t worker = (uint32_t)__builtin_ctzll(behind != 0 ? behind : sending->left);
    uint64_t until_ns = now_ns + SLICE_NS;

    if (until_ns > scatter->deadline_ns)
        until_ns = scatter->deadline_ns;
    sending->next = worker;
    if (!serve(scatter, sending, worker, until_ns))
        sending->next = (worker + 1) % LAM_SCATTER_WORKER_COUNT_MAX;
}

void lam_scatter_send_each(struct lam_scatter *scatter, const struct call_parts *all, uint16_t kind,
    const struct lam_framed_correlation *correlation, uint64_t punctual)
{
    struct gather gathers[LAM_SCATTER_WORKER_COUNT_MAX];
    struct sending sending = {.all = all,
        .correlation = correlation,
        .gathers = gathers,
        .left = UINT64_MAX >> (64 - scatter->worker_count),
        .kind = kind};
    uint64_t now_ns;

    (void)serve_all(scatter, &sending);
    refuse_the_late(scatter, &sending, punctual);
    while (sending.left != 0) {
        lam_scatter_take_in(scatter);
        if (serve_all(scatter, &sending) || sending.left == 0)
            continue;
        now_ns = lam_clock_now_ns();
        if (now_ns >= scatter->deadline_ns)
            break;
        wait_for_one(scatter, &sending, now_ns);
    }
    while (sending.left != 0)
        give_up(scatter, &sending, (uint32_t)__builtin_ctzll(sending.left), -ETIMEDOUT);
}
