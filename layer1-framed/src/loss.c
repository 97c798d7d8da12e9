/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver does not get: told once, by a code and a loss. */
#include "assemble.h"

#include <errno.h>
#include <string.h>

#include "frame.h"
#include "lamina/ring/many.h"

/* Between two looks whether senders are there. */
#define PROBE_NS (8 * LAM_NS_PER_MS)

void lam_framed_receiver_update(struct lam_framed_receiver *receiver)
{
    static const uint32_t flag_of[] = {0, STATE_ASSEMBLING, STATE_LENT, STATE_CUT};

    receiver->state &= ~(uint32_t)(STATE_ASSEMBLING | STATE_LENT | STATE_CUT);
    for (uint32_t i = 0; i < receiver->streams_max; i++)
        receiver->state |= flag_of[receiver->assemblies[i].phase];
}

static void note(struct lam_framed_receiver *receiver, const struct lam_framed_assembly *assembly)
{
    receiver->loss.id = assembly->id;
    receiver->loss.total_bytes = assembly->bytes_total;
    receiver->loss.received_bytes = assembly->bytes_received;
    receiver->loss.kind = assembly->kind;
    receiver->loss.flags = assembly->flags & LAM_EVENT_CORRELATION;
    if (receiver->loss.flags != 0)
        receiver->loss.correlation = assembly->correlation;
    receiver->state |= STATE_LOSS;
}

int lam_framed_receiver_lose(
    struct lam_framed_receiver *receiver, struct lam_framed_assembly *assembly, int rc)
{
    memset(&receiver->loss, 0, sizeof(receiver->loss));
    note(receiver, assembly);
    receiver->has_told = 1;
    receiver->told_id = assembly->id;
    assembly->phase = PHASE_FREE;
    lam_framed_receiver_update(receiver);
    return rc;
}

int lam_framed_receiver_lose_active(struct lam_framed_receiver *receiver, int rc)
{
    for (uint32_t i = 0; i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_ASSEMBLING)
            return lam_framed_receiver_lose(receiver, &receiver->assemblies[i], rc);
    return rc;
}

/*
 * Nothing that it says is believed: where it is a frame, the message that is on its way is the one
 * that it must be of (of several, nobody knows: theirs tells by a gap), and later frames of that
 * are dropped as those of a message that is joined midway.
 */
int lam_framed_receiver_damaged(struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    struct lam_framed_assembly lost = {.id = event->sequence, .kind = event->kind};
    uint32_t extension_bytes = lam_event_extension_bytes(event->flags);

    if (lam_framed_receiver_holds_older(receiver, event))
        return lam_framed_receiver_keep(receiver, event, -EBUSY);
    if ((receiver->state & STATE_COPIES) == 0) {
        receiver->released = event->end;
        if (lam_ring_consumer_release_to(&receiver->consumer, event->end) != 0)
            return lam_framed_receiver_ended(receiver, -ESTALE); /* overwritten, not damaged */
    }
    receiver->state |= STATE_JOINING;
    receiver->state &= ~(uint32_t)STATE_SKIPPING;
    if ((receiver->state & STATE_ASSEMBLING) != 0 && !receiver->is_many)
        return lam_framed_receiver_lose_active(receiver, -EBADMSG);
    if (event->kind != LAM_FRAMED_KIND_FRAME && event->payload_bytes > extension_bytes)
        lost.bytes_total = event->payload_bytes - extension_bytes; /* as it says */
    return lam_framed_receiver_lose(receiver, &lost, -EBADMSG);
}

static void look_for(struct lam_framed_receiver *receiver, struct lam_framed_assembly *assembly)
{
    const struct lam_ring *ring = receiver->consumer.ring;
    uint64_t tail;
    int rc = lam_ring_many_whereabouts(
        ring, (assembly->sender & 0xff) - 1, assembly->sender >> 8, &tail);

    if (rc == 1)
        return;
    assembly->orphan_rc = rc == 0 ? -ECANCELED : rc;
    assembly->orphan_at = tail;
}

static void cut_all(struct lam_framed_receiver *receiver, int rc)
{
    for (uint32_t i = 0; i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_ASSEMBLING) {
            receiver->assemblies[i].phase = PHASE_CUT;
            if (receiver->assemblies[i].orphan_rc == 0 || rc == -EOVERFLOW || rc == -ESTALE)
                receiver->assemblies[i].orphan_rc = rc; /* whose sender is gone says how */
        }
    lam_framed_receiver_update(receiver);
}

int lam_framed_receiver_tell_cut(struct lam_framed_receiver *receiver)
{
    if ((receiver->state & STATE_CUT) == 0)
        return 0;
    for (uint32_t i = 0; i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_CUT)
            return lam_framed_receiver_lose(
                receiver, &receiver->assemblies[i], receiver->assemblies[i].orphan_rc);
    return 0;
}

int lam_framed_receiver_gap(
    struct lam_framed_receiver *receiver, uint64_t from, uint64_t count, int rc)
{
    receiver->state |= STATE_JOINING;
    receiver->state &= ~(uint32_t)STATE_SKIPPING;
    cut_all(receiver, rc);
    memset(&receiver->loss, 0, sizeof(receiver->loss));
    (void)lam_framed_receiver_tell_cut(receiver);
    receiver->loss.event_count = count;
    receiver->loss.from = from;
    receiver->loss.to = receiver->consumer.next;
    receiver->state |= STATE_LOSS;
    return rc;
}

int lam_framed_receiver_ended(struct lam_framed_receiver *receiver, int rc)
{
    if ((receiver->state & STATE_ASSEMBLING) == 0)
        return rc;
    if (rc == -ESTALE) {
        /* What was on its way is lost; all else that is, a readmit tells. */
        memset(&receiver->loss, 0, sizeof(receiver->loss));
        for (uint32_t i = 0; i < receiver->streams_max; i++)
            if (receiver->assemblies[i].phase == PHASE_ASSEMBLING)
                note(receiver, &receiver->assemblies[i]);
        return rc;
    }
    if (rc != -EPIPE && rc != -EOWNERDEAD && rc != -ECANCELED)
        return rc;
    /* A channel that ends inside a message: the message first, then the end. */
    for (uint32_t i = 0; receiver->is_many && i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_ASSEMBLING &&
            receiver->assemblies[i].orphan_rc == 0)
            look_for(receiver, &receiver->assemblies[i]);
    cut_all(receiver, rc == -EPIPE ? -ECANCELED : rc);
    return lam_framed_receiver_tell_cut(receiver);
}

/* Gone, and all that it had claimed is behind us: what is not complete now never will be. */
static int is_over(
    const struct lam_framed_receiver *receiver, const struct lam_framed_assembly *assembly)
{
    return assembly->phase == PHASE_ASSEMBLING && assembly->orphan_rc != 0 &&
           (int64_t)(receiver->consumer.next - assembly->orphan_at) >= 0;
}

int lam_framed_receiver_look_for_orphans(struct lam_framed_receiver *receiver)
{
    uint64_t now_ns;

    if (!receiver->is_many || (receiver->state & STATE_ASSEMBLING) == 0)
        return 0;
    now_ns = lam_clock_now_ns();
    if ((int64_t)(now_ns - receiver->probe_at_ns) >= 0) {
        receiver->probe_at_ns = now_ns + PROBE_NS;
        for (uint32_t i = 0; i < receiver->streams_max; i++)
            if (receiver->assemblies[i].phase == PHASE_ASSEMBLING &&
                receiver->assemblies[i].orphan_rc == 0)
                look_for(receiver, &receiver->assemblies[i]);
    }
    /* An event that waits to be used may be one of theirs. */
    for (uint32_t i = 0; (receiver->state & STATE_AHEAD) == 0 && i < receiver->streams_max; i++)
        if (is_over(receiver, &receiver->assemblies[i]))
            return lam_framed_receiver_lose(
                receiver, &receiver->assemblies[i], receiver->assemblies[i].orphan_rc);
    return 0;
}

int lam_framed_receiver_loss(
    const struct lam_framed_receiver *receiver, struct lam_framed_loss *loss)
{
    if ((receiver->state & STATE_LOSS) == 0)
        return 0;
    *loss = receiver->loss;
    return 1;
}
