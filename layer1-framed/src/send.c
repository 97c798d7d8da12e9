/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that lie elsewhere, sent as one message: in place where they fit, or else in frames. */
#include "lamina/framed/stream.h"

#include "gather.h"
#include "outgoing.h"

int lam_framed_sender_try_send(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation)
{
    uint64_t total_bytes;
    void *payload;
    int rc = lam_gather_sum(parts, part_count, &total_bytes);

    if (rc != 0)
        return rc;
    if (correlation != NULL || sender->extensions != 0)
        rc = lam_framed_sender_try_claim_extended(
            sender, total_bytes, correlation, (uint16_t)sender->extensions, &payload);
    else
        rc = lam_framed_sender_try_claim(sender, total_bytes, &payload);
    if (rc == 1) {
        lam_gather_all(parts, part_count, payload, total_bytes);
        lam_framed_sender_commit(sender, total_bytes, kind);
    }
    return rc;
}

static int send_frames_until(
    struct lam_framed_sender *sender, struct gather *gather, uint64_t deadline_ns)
{
    while (lam_framed_sender_is_streaming(sender)) {
        uint64_t piece_bytes;
        void *piece;
        int rc = lam_framed_sender_claim_piece_until(sender, deadline_ns, &piece, &piece_bytes);

        if (rc != 0) {
            lam_framed_sender_cancel_stream(sender);
            return rc;
        }
        lam_gather_bytes(gather, piece, piece_bytes);
        lam_framed_sender_commit_piece(sender, piece_bytes);
    }
    return 0;
}

static int fits_in_place(
    const struct lam_framed_sender *sender, uint64_t total_bytes, uint64_t extension_bytes)
{
    uint64_t bytes_max = lam_framed_sender_claim_bytes_max(sender);

    return total_bytes <= bytes_max && extension_bytes <= bytes_max - total_bytes;
}

int lam_framed_sender_send_until(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation,
    uint64_t deadline_ns)
{
    struct gather gather = {.parts = parts, .part_count = part_count};
    uint64_t extension_bytes = lam_event_extension_bytes((uint16_t)sender->extensions) +
                               (correlation != NULL ? LAM_FRAMED_EXTENSION_BYTES : 0);
    uint64_t total_bytes;
    void *payload;
    int rc = lam_gather_sum(parts, part_count, &total_bytes);

    if (rc != 0)
        return rc;
    if (!fits_in_place(sender, total_bytes, extension_bytes)) {
        rc = lam_framed_sender_open_stream(sender, total_bytes, kind, correlation);
        return rc != 0 ? rc : send_frames_until(sender, &gather, deadline_ns);
    }
    if (extension_bytes != 0)
        rc = lam_framed_sender_claim_extended_until(
            sender, total_bytes, correlation, (uint16_t)sender->extensions, deadline_ns, &payload);
    else
        rc = lam_framed_sender_claim_until(sender, total_bytes, deadline_ns, &payload);
    if (rc == 0) {
        lam_gather_all(parts, part_count, payload, total_bytes);
        lam_framed_sender_commit(sender, total_bytes, kind);
    }
    return rc;
}
