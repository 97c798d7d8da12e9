/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of frames of one of many senders.
 *
 * No cell can be kept free for a cut here: others would take it. So a cut is published in the place
 * of a claimed piece, or if there is room; else it is owed, and paid before the next message.
 */
#include "many.h"

#include "outgoing.h"

int lam_framed_many_open_stream(struct lam_framed_many *sender, uint64_t total_bytes, uint16_t kind,
    const struct lam_framed_correlation *correlation)
{
    int rc;

    LAM_ASSERT(sender->producer.claimed == 0 && !lam_framed_many_is_streaming(sender));
    rc = lam_many_pay_cut(sender);
    /* What receivers are owed they see by the next message's first frame, too. */
    if (rc == 0) {
        sender->owes_cut = 0;
        sender->stream.bytes_total = 0;
    }
    if (rc < 0)
        return rc;
    return lam_outgoing_open(
        &sender->stream, total_bytes, kind, (uint16_t)sender->extensions, correlation);
}

static uint64_t claim_bytes(const struct lam_framed_many *sender)
{
    return lam_outgoing_overhead(&sender->stream) + lam_outgoing_next_piece(&sender->stream);
}

static void lend_piece(
    struct lam_framed_many *sender, void *event, void **piece, uint64_t *piece_bytes)
{
    LAM_CRASH_POINT("many.frame_claimed");
    sender->stream.piece_bytes = lam_outgoing_next_piece(&sender->stream);
    *piece_bytes = sender->stream.piece_bytes;
    *piece = (uint8_t *)event + lam_outgoing_overhead(&sender->stream);
}

int lam_framed_many_try_claim_piece(
    struct lam_framed_many *sender, void **piece, uint64_t *piece_bytes)
{
    void *event = NULL;
    int rc;

    LAM_ASSERT(lam_framed_many_is_streaming(sender) && sender->stream.piece_bytes == 0);
    rc = lam_ring_many_try_claim(&sender->producer, claim_bytes(sender), &event);
    if (rc == 1)
        lend_piece(sender, event, piece, piece_bytes);
    return rc;
}

int lam_framed_many_claim_piece_until(
    struct lam_framed_many *sender, uint64_t deadline_ns, void **piece, uint64_t *piece_bytes)
{
    void *event = NULL;
    int rc;

    LAM_ASSERT(lam_framed_many_is_streaming(sender) && sender->stream.piece_bytes == 0);
    rc = lam_ring_many_claim_until(&sender->producer, claim_bytes(sender), deadline_ns, &event);
    if (rc == 0)
        lend_piece(sender, event, piece, piece_bytes);
    return rc;
}

void lam_framed_many_commit_piece(struct lam_framed_many *sender, uint64_t piece_bytes)
{
    uint64_t event_bytes;
    uint16_t flags = lam_outgoing_seal(&sender->stream, lam_many_claim_at(sender),
        sender->producer.start, piece_bytes, &event_bytes);

    LAM_CRASH_POINT("many.frame_sealed");
    lam_ring_many_commit(&sender->producer, event_bytes, LAM_FRAMED_KIND_FRAME, flags);
    LAM_CRASH_POINT("many.frame_committed");
}

/* Into the claim in hand, which has room for it. */
static void publish_cut(struct lam_framed_many *sender)
{
    uint16_t flags = lam_outgoing_seal_cut(&sender->stream, lam_many_claim_at(sender));

    lam_ring_many_commit(
        &sender->producer, lam_outgoing_cut_bytes(&sender->stream), LAM_FRAMED_KIND_FRAME, flags);
    LAM_CRASH_POINT("many.cut_committed");
    sender->owes_cut = 0;
    sender->stream.bytes_total = 0;
}

int lam_many_pay_cut(struct lam_framed_many *sender)
{
    void *event;
    int rc = 1;

    if (!sender->owes_cut)
        return 1;
    rc =
        lam_ring_many_try_claim(&sender->producer, lam_outgoing_cut_bytes(&sender->stream), &event);
    if (rc == 1)
        publish_cut(sender);
    return rc;
}

int lam_many_pay_cut_until(struct lam_framed_many *sender, uint64_t deadline_ns)
{
    void *event;
    int rc;

    if (!sender->owes_cut)
        return 0;
    rc = lam_ring_many_claim_until(
        &sender->producer, lam_outgoing_cut_bytes(&sender->stream), deadline_ns, &event);
    if (rc == 0)
        publish_cut(sender);
    return rc;
}

void lam_framed_many_cancel_stream(struct lam_framed_many *sender)
{
    struct lam_framed_outgoing *stream = &sender->stream;
    int is_claimed = stream->piece_bytes != 0;

    LAM_ASSERT(lam_framed_many_is_streaming(sender));
    stream->piece_bytes = 0;
    if (stream->bytes_sent == 0) {
        stream->bytes_total = 0;
        if (is_claimed)
            lam_ring_many_abort(&sender->producer);
    } else if (is_claimed) {
        publish_cut(sender); /* a piece has room for a header and more */
    } else {
        sender->owes_cut = 1;
        (void)lam_many_pay_cut(sender);
    }
}
