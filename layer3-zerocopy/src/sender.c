/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lamina/typed/channel.h"
#include "lamina/zerocopy/sender.h"

int lam_zerocopy_sender_attach(struct lam_zerocopy_sender *sender, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_zerocopy_sender_options *options,
    struct lam_error *error)
{
    struct lam_framed_sender_options framed = {.message_bytes_max = 0};
    int rc = lam_typed_channel_check(ring, codec, error);

    if (rc != 0)
        return rc;
    if (options != NULL)
        framed.producer = options->producer;
    sender->codec = codec;
    sender->builds = strcmp(codec->name, "flatbuffers") == 0;
    return lam_framed_sender_attach(&sender->framed, ring, &framed, error);
}

void lam_zerocopy_sender_close(struct lam_zerocopy_sender *sender)
{
    lam_framed_sender_close(&sender->framed);
}

void lam_zerocopy_sender_detach(struct lam_zerocopy_sender *sender)
{
    lam_framed_sender_detach(&sender->framed);
}

int lam_zerocopy_sender_wait_receivers_until(
    struct lam_zerocopy_sender *sender, uint32_t count, uint64_t deadline_ns)
{
    return lam_framed_sender_wait_receivers_until(&sender->framed, count, deadline_ns);
}

int lam_zerocopy_sender_blocker(
    struct lam_zerocopy_sender *sender, struct lam_ring_blocker *blocker)
{
    return lam_framed_sender_blocker(&sender->framed, blocker);
}

int lam_zerocopy_sender_claim_until(struct lam_zerocopy_sender *sender, uint64_t bytes,
    uint64_t deadline_ns, struct lam_fb_builder *builder)
{
    void *payload;
    int rc;

    LAM_ASSERT(sender->builds);
    rc = lam_framed_sender_claim_until(&sender->framed, bytes, deadline_ns, &payload);
    if (rc == 0)
        lam_fb_builder_init(builder, payload, bytes);
    return rc;
}

int lam_zerocopy_sender_try_claim_correlated(struct lam_zerocopy_sender *sender, uint64_t bytes,
    const struct lam_framed_correlation *correlation, struct lam_fb_builder *builder)
{
    void *payload;
    int rc;

    LAM_ASSERT(sender->builds);
    rc = lam_framed_sender_try_claim_correlated(&sender->framed, bytes, correlation, &payload);
    if (rc == 1)
        lam_fb_builder_init(builder, payload, bytes);
    return rc;
}

int lam_zerocopy_sender_claim_correlated_until(struct lam_zerocopy_sender *sender, uint64_t bytes,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns,
    struct lam_fb_builder *builder)
{
    void *payload;
    int rc;

    LAM_ASSERT(sender->builds);
    rc = lam_framed_sender_claim_correlated_until(
        &sender->framed, bytes, correlation, deadline_ns, &payload);
    if (rc == 0)
        lam_fb_builder_init(builder, payload, bytes);
    return rc;
}

int lam_zerocopy_sender_claim_bytes_until(
    struct lam_zerocopy_sender *sender, uint64_t bytes, uint64_t deadline_ns, void **payload)
{
    return lam_framed_sender_claim_until(&sender->framed, bytes, deadline_ns, payload);
}
