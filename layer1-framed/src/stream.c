/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of frames, on the sender's side.
 *
 * Each frame is claimed with one cell more than it needs and committed without it. So while a
 * stream is open at least one cell is free for the frame that cuts it: giving up never waits.
 */
#include "lamina/framed/stream.h"

#include <errno.h>
#include <string.h>

int lam_framed_sender_open_stream(struct lam_framed_sender *sender, uint64_t total_bytes,
    uint16_t kind, const struct lam_framed_correlation *correlation)
{
    LAM_ASSERT(sender->stream_bytes_total == 0);
    LAM_ASSERT(sender->producer.claimed_end == sender->producer.next);
    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    if (total_bytes == 0)
        return -EINVAL;
    if (total_bytes > sender->message_bytes_max || sender->frame_bytes_max == 0)
        return -EMSGSIZE;
    sender->stream_bytes_total = total_bytes;
    sender->stream_bytes_sent = 0;
    sender->stream_kind = kind;
    sender->stream_correlated = correlation != NULL;
    if (correlation != NULL)
        sender->stream_correlation = *correlation;
    return 0;
}

/* What lies between an event's header and the piece of the next frame. */
static uint64_t overhead_bytes(const struct lam_framed_sender *sender)
{
    int first = sender->stream_bytes_sent == 0;

    return LAM_FRAME_HEADER_BYTES +
           (first && sender->stream_correlated ? LAM_FRAMED_EXTENSION_BYTES : 0);
}

static uint64_t next_piece_bytes(const struct lam_framed_sender *sender)
{
    uint64_t room = sender->frame_bytes_max - overhead_bytes(sender);
    uint64_t left = sender->stream_bytes_total - sender->stream_bytes_sent;

    return left < room ? left : room;
}

static uint64_t claim_bytes(const struct lam_framed_sender *sender)
{
    uint64_t spare_cell = UINT64_C(1) << sender->producer.cell_shift;

    return overhead_bytes(sender) + next_piece_bytes(sender) + spare_cell;
}

/* The claim begins at @event: lend the piece's place in it. */
static void lend_piece(
    struct lam_framed_sender *sender, void *event, void **piece, uint64_t *piece_bytes)
{
    sender->piece_bytes = next_piece_bytes(sender);
    *piece_bytes = sender->piece_bytes;
    *piece = (uint8_t *)event + overhead_bytes(sender);
}

int lam_framed_sender_try_claim_piece(
    struct lam_framed_sender *sender, void **piece, uint64_t *piece_bytes)
{
    void *event = NULL;
    int rc;

    LAM_ASSERT(sender->stream_bytes_total != 0 && sender->piece_bytes == 0);
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

    LAM_ASSERT(sender->stream_bytes_total != 0 && sender->piece_bytes == 0);
    rc = lam_ring_producer_claim_until(&sender->producer, claim_bytes(sender), deadline_ns, &event);
    if (rc == 0)
        lend_piece(sender, event, piece, piece_bytes);
    return rc;
}

static void write_header(
    struct lam_framed_sender *sender, struct lam_frame_header *header, uint16_t cut)
{
    /* Relaxed, all four: the stamp that is stored last carries them (R1 of the ring). */
    lam_store_relaxed(&header->message, sender->stream_id);
    lam_store_relaxed(&header->total, sender->stream_bytes_total);
    lam_store_relaxed(&header->offset, sender->stream_bytes_sent);
    lam_store_relaxed(&header->shape, (uint64_t)sender->stream_kind | (uint64_t)cut << 16);
}

void lam_framed_sender_commit_piece(struct lam_framed_sender *sender, uint64_t piece_bytes)
{
    struct lam_ring_producer *producer = &sender->producer;
    uint8_t *event = (uint8_t *)(lam_ring_producer_cell(producer, producer->next) + 1);
    uint64_t overhead = overhead_bytes(sender);
    uint16_t flags = 0;

    LAM_ASSERT(piece_bytes > 0 && piece_bytes <= sender->piece_bytes);
    if (sender->stream_bytes_sent == 0) {
        sender->stream_id = producer->next;
        flags = LAM_EVENT_FIRST_FRAME;
        if (sender->stream_correlated) {
            memcpy(event, &sender->stream_correlation, LAM_FRAMED_EXTENSION_BYTES);
            flags |= LAM_EVENT_CORRELATION;
        }
    }
    write_header(
        sender, (struct lam_frame_header *)(void *)(event + overhead - LAM_FRAME_HEADER_BYTES), 0);
    sender->stream_bytes_sent += piece_bytes;
    if (sender->stream_bytes_sent == sender->stream_bytes_total) {
        flags |= LAM_EVENT_LAST_FRAME;
        sender->stream_bytes_total = 0;
    }
    sender->piece_bytes = 0;
    lam_ring_producer_commit(producer, overhead + piece_bytes, LAM_FRAMED_KIND_FRAME, flags);
}

void lam_framed_sender_cancel_stream(struct lam_framed_sender *sender)
{
    void *header = NULL;

    LAM_ASSERT(sender->stream_bytes_total != 0);
    if (sender->piece_bytes != 0)
        lam_ring_producer_abort(&sender->producer);
    sender->piece_bytes = 0;
    /*
     * There is room: each frame left a cell free. What can be in the way is a channel that is
     * closed or poisoned, and then receivers hear of that.
     */
    if (sender->stream_bytes_sent != 0 &&
        lam_ring_producer_try_claim(&sender->producer, LAM_FRAME_HEADER_BYTES, &header) == 1) {
        write_header(sender, header, 1);
        lam_ring_producer_commit(
            &sender->producer, LAM_FRAME_HEADER_BYTES, LAM_FRAMED_KIND_FRAME, LAM_EVENT_LAST_FRAME);
    }
    sender->stream_bytes_total = 0;
}
