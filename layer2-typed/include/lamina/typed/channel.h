/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TYPED_CHANNEL_H
#define LAM_TYPED_CHANNEL_H

/*
 * lamina/typed/channel.h: a ring that says what type its messages have.
 *
 * Typed, layer 2. The codec's hash, the type's name and the schema are written into the ring when
 * it is made; whoever joins with another type is refused then and there, and never decodes garbage
 * later. Adds no memory of its own: a channel is a ring, and every layer-0 tool can look at it.
 *
 * Control plane: not for the data path.
 */

#include "lamina/base/error.h"
#include "lamina/codecs/codec.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Messages begin at a multiple of this; a codec that asks for more is refused. */
#define LAM_TYPED_PAYLOAD_ALIGN 16

/*
 * Write the type of @codec into @options, which stays the caller's to complete and to pass to
 * lam_ring_create(). @options borrows the codec's texts until then.
 *
 * Returns 0, or
 *   -EINVAL the codec asks for more alignment than a message has; @error says how much
 */
int lam_typed_channel_describe(
    struct lam_ring_options *options, const struct lam_codec *codec, struct lam_error *error);

/*
 * Make a ring of @options whose messages are of @codec's type: the type fields of @options are not
 * read. Nothing is kept of @options and @codec.
 *
 * Returns as lam_ring_create() and lam_typed_channel_describe().
 */
int lam_typed_channel_create(struct lam_ring *ring, const struct lam_ring_options *options,
    const struct lam_codec *codec, struct lam_error *error);

/*
 * Join a named ring whose messages are of @codec's type: the hash in @options is not read.
 *
 * Returns as lam_ring_attach() and lam_typed_channel_check(). On error nothing stays mapped.
 */
int lam_typed_channel_attach(struct lam_ring *ring, const struct lam_ring_attach_options *options,
    const struct lam_codec *codec, struct lam_error *error);

/*
 * Compare the type that the mapped @ring carries with @codec's. Every end of layers 2 and 3 does
 * so when it attaches.
 *
 * Returns 0, or
 *   -EPROTOTYPE the ring carries another type, or none; @error has both names and hashes, and the
 *               first line in which the schemas differ
 *   -EINVAL     as lam_typed_channel_describe()
 */
int lam_typed_channel_check(
    const struct lam_ring *ring, const struct lam_codec *codec, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
