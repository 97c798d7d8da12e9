/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that lie elsewhere, sent as one message: in place where they fit, or else in frames. */
#include <errno.h>
#include <string.h>

#include "lamina/framed/stream.h"

#include "outgoing.h"

/* How far the parts of a message have been copied. */
struct gather {
    const struct iovec *parts;
    uint32_t part_count;
    uint32_t part_index;
    size_t part_offset;
};

/* The next @bytes of the message, to @to. The caller knows that there are as many. */
static void gather_bytes(struct gather *gather, uint8_t *to, uint64_t bytes)
{
    while (bytes > 0) {
        const struct iovec *part = &gather->parts[gather->part_index];
        size_t chunk = part->iov_len - gather->part_offset;

        if (chunk > bytes)
            chunk = bytes;
        if (chunk > 0)
            memcpy(to, (const uint8_t *)part->iov_base + gather->part_offset, chunk);
        to += chunk;
        bytes -= chunk;
        gather->part_offset += chunk;
        if (gather->part_offset == part->iov_len) {
            gather->part_index++;
            gather->part_offset = 0;
        }
    }
}

/* Returns 0, or -EMSGSIZE: a sum that no 64 bits hold. */
static int sum_parts(const struct iovec *parts, uint32_t part_count, uint64_t *total_bytes)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < part_count; i++)
        if (__builtin_add_overflow(sum, parts[i].iov_len, &sum))
            return -EMSGSIZE;
    *total_bytes = sum;
    return 0;
}

static void commit_parts(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint64_t total_bytes, uint16_t kind, void *payload)
{
    struct gather gather = {.parts = parts, .part_count = part_count};

    gather_bytes(&gather, payload, total_bytes);
    lam_framed_sender_commit(sender, total_bytes, kind);
}

int lam_framed_sender_try_send(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation)
{
    uint64_t total_bytes;
    void *payload;
    int rc = sum_parts(parts, part_count, &total_bytes);

    if (rc != 0)
        return rc;
    if (correlation != NULL || sender->extensions != 0)
        rc = lam_framed_sender_try_claim_extended(
            sender, total_bytes, correlation, (uint16_t)sender->extensions, &payload);
    else
        rc = lam_framed_sender_try_claim(sender, total_bytes, &payload);
    if (rc == 1)
        commit_parts(sender, parts, part_count, total_bytes, kind, payload);
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
        gather_bytes(gather, piece, piece_bytes);
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
    int rc = sum_parts(parts, part_count, &total_bytes);

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
    if (rc == 0)
        commit_parts(sender, parts, part_count, total_bytes, kind, payload);
    return rc;
}
