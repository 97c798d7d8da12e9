/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of frames, on the sender's side.
 *
 * Each frame is claimed with one cell more than it needs and committed without it. So while a
 * stream is open at least one cell is free for the frame that cuts it: giving up never waits.
 */
#include "lamina/framed/stream.h"

#include "outgoing.h"

int lam_framed_sender_open_stream(struct lam_framed_sender *sender, uint64_t total_bytes,
    uint16_t kind, const struct lam_framed_correlation *correlation)
{
    LAM_ASSERT(sender->producer.claimed_end == sender->producer.next);
    return lam_outgoing_open(
        &sender->stream, total_bytes, kind, (uint16_t)sender->extensions, correlation);
}

static uint64_t claim_bytes(const struct lam_framed_sender *sender)
{
    uint64_t spare_cell = UINT64_C(1) << sender->producer.cell_shift;

    return lam_outgoing_overhead(&sender->stream) + lam_outgoing_next_piece(&sender->stream) +
           spare_cell;
}

/* The claim begins at @event: lend the piece's place in it. */
static void lend_piece(
    struct lam_framed_sender *sender, void *event, void **piece, uint64_t *piece_bytes)
{
    LAM_CRASH_POINT("frame.claimed");
    sender->stream.piece_bytes = lam_outgoing_next_piece(&sender->stream);
    *piece_bytes = sender->stream.piece_bytes;
    *piece = (uint8_t *)event + lam_outgoing_overhead(&sender->stream);
}

int lam_framed_sender_try_claim_piece(
    struct lam_framed_sender *sender, void **piece, uint64_t *piece_bytes)
{
    void *event = NULL;
    int rc;

    LAM_ASSERT(sender->stream.bytes_total != 0 && sender->stream.piece_bytes == 0);
    rc = lam_ring_producer_try_claim(&sender->producer, claim_bytes(sender), &event);
    if (rc == 1)
        lend_piece(sender, event, piece, piece_bytes);
    return rc;
}

int lam_framed_sender_claim_piece_until(
    struct lam_framed_sender *sender, uint64_t deadline_ns, void **piece, uint64_t *piece_bytes)
{
    void *event = NULL;
    int rc;

    LAM_ASSERT(sender->stream.bytes_total != 0 && sender->stream.piece_bytes == 0);
    rc = lam_ring_producer_claim_until(&sender->producer, claim_bytes(sender), deadline_ns, &event);
    if (rc == 0)
        lend_piece(sender, event, piece, piece_bytes);
    return rc;
}

void lam_framed_sender_commit_piece(struct lam_framed_sender *sender, uint64_t piece_bytes)
{
    struct lam_ring_producer *producer = &sender->producer;
    uint8_t *event = (uint8_t *)(lam_ring_producer_cell(producer, producer->next) + 1);
    uint64_t event_bytes;
    uint16_t flags =
        lam_outgoing_seal(&sender->stream, event, producer->next, piece_bytes, &event_bytes);

    LAM_CRASH_POINT("frame.sealed");
    lam_ring_producer_commit(producer, event_bytes, LAM_FRAMED_KIND_FRAME, flags);
    LAM_CRASH_POINT("frame.committed");
}

void lam_framed_sender_cancel_stream(struct lam_framed_sender *sender)
{
    struct lam_framed_outgoing *stream = &sender->stream;
    uint64_t cut_bytes = lam_outgoing_cut_bytes(stream);
    void *event = NULL;

    LAM_ASSERT(stream->bytes_total != 0);
    if (stream->piece_bytes != 0)
        lam_ring_producer_abort(&sender->producer);
    stream->piece_bytes = 0;
    LAM_CRASH_POINT("cut.begun");
    /*
     * There is room: each frame left a cell free. What can be in the way is a channel that is
     * closed, failed or poisoned, and then receivers hear of that.
     */
    if (stream->bytes_sent != 0 &&
        lam_ring_producer_try_claim(&sender->producer, cut_bytes, &event) == 1) {
        uint16_t flags = lam_outgoing_seal_cut(stream, event);

        lam_ring_producer_commit(&sender->producer, cut_bytes, LAM_FRAMED_KIND_FRAME, flags);
        LAM_CRASH_POINT("cut.committed");
    }
    stream->bytes_total = 0;
}
