/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ZEROCOPY_SENDER_H
#define LAM_ZEROCOPY_SENDER_H

/*
 * lamina/zerocopy/sender.h: the end of a channel that builds messages where they are read.
 *
 * Zero-copy, layer 3. Claim by an upper bound, build front to back with the generated functions,
 * commit: the finished size is published and the rest of the claim is room again. The builder never
 * leaves the claim, and after an error nothing was there. Values of fixed layout (pod) are written
 * through a plain pointer in the same way.
 *
 * All calls from one thread at a time; one claim at a time. None allocates once attached; none
 * makes a system call, except to wait, or to wake a receiver that sleeps.
 */

#include "lamina/codecs/codec.h"
#include "lamina/codecs/flatbuffers/build.h"
#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_zerocopy_sender_options {
    struct lam_ring_producer_options producer;
};

struct lam_zerocopy_sender {
    /* Fields are private. */
    struct lam_framed_sender framed;
    const struct lam_codec *codec;
    uint32_t builds; /* the codec is flatbuffers */
};

/*
 * Become the sender of the channel @ring. @ring and @codec are kept until
 * lam_zerocopy_sender_detach(). @options may be NULL.
 *
 * Returns as lam_framed_sender_attach() and lam_typed_channel_check().
 */
int lam_zerocopy_sender_attach(struct lam_zerocopy_sender *sender, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_zerocopy_sender_options *options,
    struct lam_error *error);

/* Close the channel in order. A claim is aborted. */
void lam_zerocopy_sender_close(struct lam_zerocopy_sender *sender);

/* Give the end back. Without a close before, receivers see a sender that died. */
void lam_zerocopy_sender_detach(struct lam_zerocopy_sender *sender);

/* Wait until at least @count receivers have joined. As lam_ring_producer_wait_consumers_until(). */
int lam_zerocopy_sender_wait_receivers_until(
    struct lam_zerocopy_sender *sender, uint32_t count, uint64_t deadline_ns);

/* Who holds the sender back. As lam_ring_producer_blocker(). */
int lam_zerocopy_sender_blocker(
    struct lam_zerocopy_sender *sender, struct lam_ring_blocker *blocker);

/* The longest message: half the ring. 16 bytes less with a correlation. */
LAM_INLINE uint64_t lam_zerocopy_sender_bytes_max(const struct lam_zerocopy_sender *sender)
{
    return lam_framed_sender_claim_bytes_max(&sender->framed);
}

/*
 * Claim room for one message of up to @bytes, without waiting, and start *@builder on it. @builder
 * is the caller's; the memory that it writes to is borrowed until commit or abort. The codec is
 * flatbuffers (asserted).
 *
 * Progress as lam_ring_producer_try_claim(). Returns 1; 0 the ring is full
 * (lam_zerocopy_sender_blocker()); or
 *   -EMSGSIZE larger than lam_zerocopy_sender_bytes_max()
 *   -EPIPE, -ENOTRECOVERABLE as lam_framed_sender_try_claim()
 */
LAM_INLINE int lam_zerocopy_sender_try_claim(
    struct lam_zerocopy_sender *sender, uint64_t bytes, struct lam_fb_builder *builder)
{
    void *payload;
    int rc;

    LAM_ASSERT(sender->builds);
    rc = lam_framed_sender_try_claim(&sender->framed, bytes, &payload);
    if (__builtin_expect(rc == 1, 1))
        lam_fb_builder_init(builder, payload, bytes);
    return rc;
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_zerocopy_sender_try_claim(), or
 *   -ETIMEDOUT still full; lam_zerocopy_sender_blocker() says who and for how long
 */
int lam_zerocopy_sender_claim_until(struct lam_zerocopy_sender *sender, uint64_t bytes,
    uint64_t deadline_ns, struct lam_fb_builder *builder);

/*
 * Claim for a message with *@correlation, which is copied. Otherwise as
 * lam_zerocopy_sender_try_claim() and lam_zerocopy_sender_claim_until().
 */
int lam_zerocopy_sender_try_claim_correlated(struct lam_zerocopy_sender *sender, uint64_t bytes,
    const struct lam_framed_correlation *correlation, struct lam_fb_builder *builder);
int lam_zerocopy_sender_claim_correlated_until(struct lam_zerocopy_sender *sender, uint64_t bytes,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns,
    struct lam_fb_builder *builder);

/*
 * Finish what @builder has built in the claim and publish it, as large as it came out. @kind is the
 * application's, below LAM_EVENT_KIND_RESERVED. Wait-free; one system call if a receiver sleeps.
 *
 * Returns 0, or an error; then the claim was aborted and nobody sees anything:
 *   -ENOSPC  the claimed bytes were too few
 *   -EINVAL  a required part is missing, or the builder's calls came in an impossible order
 */
LAM_INLINE int lam_zerocopy_sender_commit(
    struct lam_zerocopy_sender *sender, struct lam_fb_builder *builder, uint16_t kind)
{
    size_t size;
    int rc = lam_fb_finish(builder, &size);

    if (__builtin_expect(rc != 0, 0)) {
        lam_framed_sender_abort(&sender->framed);
        return rc;
    }
    lam_framed_sender_commit(&sender->framed, size, kind);
    return 0;
}

/* Give the claim back, of whichever kind; nothing becomes visible. Wait-free. */
LAM_INLINE void lam_zerocopy_sender_abort(struct lam_zerocopy_sender *sender)
{
    lam_framed_sender_abort(&sender->framed);
}

/*
 * Claim @bytes to be written without a builder, such as a struct of fixed layout. *@payload is
 * borrowed until commit or abort, 16-byte aligned, with old bytes in it. Otherwise as
 * lam_zerocopy_sender_try_claim() and lam_zerocopy_sender_claim_until().
 */
LAM_INLINE int lam_zerocopy_sender_try_claim_bytes(
    struct lam_zerocopy_sender *sender, uint64_t bytes, void **payload)
{
    return lam_framed_sender_try_claim(&sender->framed, bytes, payload);
}

int lam_zerocopy_sender_claim_bytes_until(
    struct lam_zerocopy_sender *sender, uint64_t bytes, uint64_t deadline_ns, void **payload);

/*
 * Publish @bytes of a claim that was written without a builder. The bytes are not checked here:
 * receivers do that. @kind as lam_zerocopy_sender_commit(). Wait-free.
 */
LAM_INLINE void lam_zerocopy_sender_commit_bytes(
    struct lam_zerocopy_sender *sender, uint64_t bytes, uint16_t kind)
{
    lam_framed_sender_commit(&sender->framed, bytes, kind);
}

/* The way down to layer 1, borrowed until detach: for bytes of one's own, say. */
LAM_INLINE struct lam_framed_sender *lam_zerocopy_sender_framed(struct lam_zerocopy_sender *sender)
{
    return &sender->framed;
}

#ifdef __cplusplus
}
#endif

#endif
