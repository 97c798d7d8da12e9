/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that lie elsewhere, sent as one message by one of many senders. */
#include "many.h"

#include "gather.h"
#include "outgoing.h"

int lam_framed_many_try_send(struct lam_framed_many *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation)
{
    uint64_t total_bytes;
    void *payload = NULL;
    int rc = lam_gather_sum(parts, part_count, &total_bytes);

    if (rc == 0)
        rc = lam_framed_many_try_claim(sender, total_bytes, correlation, &payload);
    if (rc == 1) {
        lam_gather_all(parts, part_count, payload, total_bytes);
        lam_framed_many_commit(sender, total_bytes, kind);
    }
    return rc;
}

static int send_frames_until(
    struct lam_framed_many *sender, struct gather *gather, uint64_t deadline_ns)
{
    while (lam_framed_many_is_streaming(sender)) {
        uint64_t piece_bytes;
        void *piece;
        int rc = lam_framed_many_claim_piece_until(sender, deadline_ns, &piece, &piece_bytes);

        if (rc != 0) {
            lam_framed_many_cancel_stream(sender);
            return rc;
        }
        lam_gather_bytes(gather, piece, piece_bytes);
        lam_framed_many_commit_piece(sender, piece_bytes);
    }
    return 0;
}

int lam_framed_many_send_until(struct lam_framed_many *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation,
    uint64_t deadline_ns)
{
    struct gather gather = {.parts = parts, .part_count = part_count};
    uint64_t bytes_max = sender->producer.payload_bytes_max -
                         lam_event_extension_bytes((uint16_t)sender->extensions) -
                         (correlation != NULL ? LAM_FRAMED_EXTENSION_BYTES : 0);
    uint64_t total_bytes;
    void *payload = NULL;
    int rc = lam_gather_sum(parts, part_count, &total_bytes);

    if (rc != 0)
        return rc;
    if (total_bytes > bytes_max) {
        rc = lam_framed_many_open_stream(sender, total_bytes, kind, correlation);
        return rc != 0 ? rc : send_frames_until(sender, &gather, deadline_ns);
    }
    rc = lam_framed_many_claim_until(sender, total_bytes, correlation, deadline_ns, &payload);
    if (rc == 0) {
        lam_gather_all(parts, part_count, payload, total_bytes);
        lam_framed_many_commit(sender, total_bytes, kind);
    }
    return rc;
}
