/* SPDX-License-Identifier: Apache-2.0 */
/* The asking half of a scatterer: one request to all. */
#include "scatter.h"

#include <errno.h>

#include "lamina/base/crash_point.h"
#include "lamina/ring/stat.h"

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
    /* Before it is sent: what a successor has begun to answer is not the dead one's. */
    for (uint32_t i = 0; i < scatter->worker_count; i++)
        scatter->epochs[i] = lam_ring_epoch(scatter->receivers[i]->consumer.ring);
    return (struct lam_framed_correlation){.id = scatter->round + 1, .scope = scatter->scope};
}

/* The next round: nobody has its request yet. */
static void begin(struct lam_scatter *scatter, uint64_t deadline_ns)
{
    scatter->round++;
    scatter->deadline_ns = deadline_ns;
    scatter->asked = 0;
    scatter->counts.rounds++;
    for (uint32_t i = 0; i < scatter->worker_count; i++)
        scatter->replies[i] =
            (struct lam_reply){.outcome = LAM_SCATTER_WAITING, .ticket.id = scatter->round};
}

void lam_scatter_asked(struct lam_scatter *scatter, uint64_t workers)
{
    scatter->asked |= workers;
    scatter->waiting |= workers;
}

void lam_scatter_refuse(struct lam_scatter *scatter, uint64_t workers, int rc)
{
    for (; workers != 0; workers &= workers - 1) {
        scatter->replies[__builtin_ctzll(workers)].outcome = rc;
        scatter->counts.missing++;
    }
}

static uint64_t who_answered(const struct lam_scatter *scatter)
{
    uint64_t workers = 0;

    for (uint32_t i = 0; i < scatter->worker_count; i++)
        workers |= (uint64_t)(scatter->replies[i].outcome == 0) << i;
    return workers;
}

int lam_scatter_begin_until(struct lam_scatter *scatter, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns)
{
    uint64_t punctual = who_answered(scatter);
    struct lam_framed_correlation correlation = next_round(scatter);
    struct call_parts all;
    int rc;

    call_gather(&all, parts, part_count, LAM_CALL_REQUEST, deadline_ns);
    begin(scatter, deadline_ns);
    if (scatter->sender_count != 1) {
        lam_scatter_send_each(scatter, &all, kind, &correlation, punctual);
        return scatter->asked != 0 ? 0 : scatter->replies[0].outcome;
    }
    rc = lam_framed_sender_send_until(
        scatter->senders[0], all.parts, all.count, kind, &correlation, deadline_ns);
    if (rc == 0)
        lam_scatter_asked(scatter, all_workers(scatter));
    else
        lam_scatter_refuse(scatter, all_workers(scatter), rc);
    return rc;
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
    begin(scatter, deadline_ns);
    lam_scatter_asked(scatter, all_workers(scatter));
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
