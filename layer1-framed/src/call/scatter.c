/* SPDX-License-Identifier: Apache-2.0 */
/* The asking half of a scatterer: one request to all. */
#include "scatter.h"

#include <errno.h>

#include "lamina/base/crash_point.h"
#include "wire.h"

static uint64_t all_workers(const struct lam_scatter *scatter)
{
    return scatter->worker_count == 64 ? UINT64_MAX : (UINT64_C(1) << scatter->worker_count) - 1;
}

int lam_scatter_init(
    struct lam_scatter *scatter, const struct lam_scatter_options *options, struct lam_error *error)
{
    memset(scatter, 0, sizeof(*scatter));
    if (options->worker_count == 0 || options->worker_count > LAM_SCATTER_WORKER_COUNT_MAX)
        return lam_error_set(error, -EINVAL, "worker_count is %u: 1 to %u",
            (unsigned)options->worker_count, (unsigned)LAM_SCATTER_WORKER_COUNT_MAX);
    if (options->sender_count != 1 && options->sender_count != options->worker_count)
        return lam_error_set(error, -EINVAL,
            "sender_count is %u: one for all %u workers, or one for each",
            (unsigned)options->sender_count, (unsigned)options->worker_count);
    scatter->worker_count = options->worker_count;
    scatter->sender_count = options->sender_count;
    for (uint32_t i = 0; i < options->sender_count; i++)
        scatter->senders[i] = options->senders[i];
    for (uint32_t i = 0; i < options->worker_count; i++) {
        scatter->receivers[i] = options->receivers[i];
        scatter->names[i] = options->names != NULL ? options->names[i] : NULL;
    }
    scatter->scope = call_new_scope(scatter->senders[0], options->number);
    scatter->round = lam_clock_now_ns();
    return 0;
}

void lam_scatter_release(struct lam_scatter *scatter)
{
    for (; scatter->lent != 0; scatter->lent &= scatter->lent - 1) {
        uint32_t worker = (uint32_t)__builtin_ctzll(scatter->lent);

        (void)lam_framed_receiver_release(scatter->receivers[worker], &scatter->messages[worker]);
        scatter->replies[worker].payload = NULL;
    }
}

/* The round before is over, whatever was missing. Returns what the next one goes out with. */
static struct lam_framed_correlation next_round(struct lam_scatter *scatter)
{
    lam_scatter_release(scatter);
    lam_scatter_finish(scatter, -ECANCELED);
    return (struct lam_framed_correlation){.id = scatter->round + 1, .scope = scatter->scope};
}

/* The request of the next round went to @workers. */
static void begin(struct lam_scatter *scatter, uint64_t workers, uint64_t deadline_ns)
{
    scatter->round++;
    scatter->deadline_ns = deadline_ns;
    scatter->waiting = workers;
    scatter->counts.rounds++;
    for (uint32_t i = 0; i < scatter->worker_count; i++) {
        if ((workers >> i & 1) == 0)
            continue;
        scatter->replies[i] =
            (struct lam_reply){.outcome = LAM_SCATTER_WAITING, .ticket.id = scatter->round};
    }
    if (workers != all_workers(scatter))
        scatter->counts.missing += (uint64_t)__builtin_popcountll(all_workers(scatter) & ~workers);
}

static void refuse(struct lam_scatter *scatter, uint32_t worker, int rc)
{
    scatter->replies[worker] = (struct lam_reply){.outcome = rc, .ticket.id = scatter->round + 1};
}

/*
 * A copy for one. One whose channel is full has not taken what came before: it is late already, and
 * nobody waits for it. What goes in frames must wait for room, of course.
 */
static int send_one(struct lam_scatter *scatter, uint32_t worker, const struct call_parts *all,
    uint16_t kind, const struct lam_framed_correlation *correlation, uint64_t deadline_ns)
{
    struct lam_framed_sender *sender = scatter->senders[worker];
    int rc = lam_framed_sender_try_send(sender, all->parts, all->count, kind, correlation);

    if (rc == -EMSGSIZE)
        return lam_framed_sender_send_until(
            sender, all->parts, all->count, kind, correlation, deadline_ns);
    if (rc == 0)
        return -ETIMEDOUT;
    return rc == 1 ? 0 : rc;
}

/* A copy for each. Returns those that got one. */
static uint64_t send_each(struct lam_scatter *scatter, const struct call_parts *all, uint16_t kind,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns)
{
    uint64_t asked = 0;

    for (uint32_t i = 0; i < scatter->worker_count; i++) {
        int rc = send_one(scatter, i, all, kind, correlation, deadline_ns);

        LAM_CRASH_POINT("scatter.sent_to_one");
        if (rc == 0)
            asked |= UINT64_C(1) << i;
        else
            refuse(scatter, i, rc);
    }
    return asked;
}

int lam_scatter_begin_until(struct lam_scatter *scatter, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns)
{
    struct lam_framed_correlation correlation = next_round(scatter);
    uint64_t asked = all_workers(scatter);
    struct call_parts all;
    int rc = 0;

    call_gather(&all, parts, part_count, LAM_CALL_REQUEST, deadline_ns);
    if (scatter->sender_count == 1) {
        rc = lam_framed_sender_send_until(
            scatter->senders[0], all.parts, all.count, kind, &correlation, deadline_ns);
        for (uint32_t i = 0; rc != 0 && i < scatter->worker_count; i++)
            refuse(scatter, i, rc);
        if (rc != 0)
            asked = 0;
    } else {
        asked = send_each(scatter, &all, kind, &correlation, deadline_ns);
    }
    begin(scatter, asked, deadline_ns);
    return asked != 0 ? 0 : scatter->replies[0].outcome;
}

int lam_scatter_try_claim(struct lam_scatter *scatter, uint64_t payload_bytes, void **payload)
{
    struct lam_framed_correlation correlation = next_round(scatter);

    LAM_ASSERT(scatter->sender_count == 1);
    return call_try_claim(scatter->senders[0], &correlation, payload_bytes, payload);
}

int lam_scatter_claim_until(
    struct lam_scatter *scatter, uint64_t payload_bytes, uint64_t deadline_ns, void **payload)
{
    struct lam_framed_correlation correlation = next_round(scatter);

    LAM_ASSERT(scatter->sender_count == 1);
    return call_claim_until(scatter->senders[0], &correlation, payload_bytes, deadline_ns, payload);
}

void lam_scatter_commit(
    struct lam_scatter *scatter, uint64_t payload_bytes, uint16_t kind, uint64_t deadline_ns)
{
    call_commit(scatter->senders[0], payload_bytes, kind, LAM_CALL_REQUEST, deadline_ns);
    LAM_CRASH_POINT("scatter.sent");
    begin(scatter, all_workers(scatter), deadline_ns);
}

void lam_scatter_cancel(struct lam_scatter *scatter)
{
    const struct lam_framed_correlation correlation = {
        .id = scatter->round, .scope = scatter->scope};
    void *nothing = NULL;

    for (uint32_t i = 0; i < scatter->sender_count; i++) {
        if (scatter->sender_count != 1 && (scatter->waiting >> i & 1) == 0)
            continue;
        if (call_try_claim(scatter->senders[i], &correlation, 0, &nothing) == 1)
            call_commit(scatter->senders[i], 0, 0, LAM_CALL_CANCEL, 0);
    }
    lam_scatter_finish(scatter, -ECANCELED);
}
