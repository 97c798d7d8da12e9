/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ZEROCOPY_HELD_H
#define LAM_ZEROCOPY_HELD_H

/*
 * lamina/zerocopy/held.h: which messages a receiver still holds.
 *
 * Zero-copy, layer 3. A ring takes messages back in order; a receiver may be done with them in any
 * order. This is the table between: the held ones, each knowing the next older and newer one that
 * is held, and how far everything behind it was released already. Each call is a few loads and
 * stores, whatever is held. It knows no ring and never waits.
 */

#include <stdint.h>

#include "lamina/base/assert.h"
#include "lamina/base/inline.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_ZEROCOPY_HELD_MAX 64

/* Fields are private. */
struct lam_zerocopy_held_message {
    uint64_t id;  /* so that a stale view is known */
    uint64_t end; /* behind it, and behind all released ones up to the next that is held */
    uint32_t older;
    uint32_t newer;
};

struct lam_zerocopy_held {
    uint64_t used; /* bit i: messages[i] is held */
    uint32_t oldest;
    uint32_t latest;
    struct lam_zerocopy_held_message messages[LAM_ZEROCOPY_HELD_MAX];
};

LAM_INLINE void lam_zerocopy_held_init(struct lam_zerocopy_held *held)
{
    held->used = 0;
    held->oldest = 0;
    held->latest = 0;
}

LAM_INLINE int lam_zerocopy_held_is_full(const struct lam_zerocopy_held *held)
{
    return held->used == UINT64_MAX;
}

LAM_INLINE uint32_t lam_zerocopy_held_count(const struct lam_zerocopy_held *held)
{
    return (uint32_t)__builtin_popcountll(held->used);
}

/* Hold message @id, newer than all others, which ends at @end. Not when full. Returns its place. */
LAM_INLINE uint32_t lam_zerocopy_held_add(struct lam_zerocopy_held *held, uint64_t id, uint64_t end)
{
    struct lam_zerocopy_held_message *message;
    uint32_t place;

    LAM_ASSERT(!lam_zerocopy_held_is_full(held));
    place = (uint32_t)__builtin_ctzll(~held->used);
    message = &held->messages[place];
    message->id = id;
    message->end = end;
    message->older = held->latest;
    message->newer = place;
    if (held->used == 0)
        held->oldest = place;
    else
        held->messages[held->latest].newer = place;
    held->latest = place;
    held->used |= UINT64_C(1) << place;
    return place;
}

/*
 * Release message @id at @place, which is held: anything else is a programmer's error and aborts.
 *
 * Returns 1 and in *@end how far messages can be handed back, or 0: an older one is still held.
 */
LAM_INLINE int lam_zerocopy_held_drop(
    struct lam_zerocopy_held *held, uint32_t place, uint64_t id, uint64_t *end)
{
    const struct lam_zerocopy_held_message *message = &held->messages[place];

    LAM_ASSERT(
        place < LAM_ZEROCOPY_HELD_MAX && (held->used >> place & 1) != 0 && message->id == id);
    held->used &= ~(UINT64_C(1) << place);
    if (place == held->latest)
        held->latest = message->older;
    else
        held->messages[message->newer].older = message->older;
    if (place == held->oldest) {
        held->oldest = message->newer;
        *end = message->end;
        return 1;
    }
    held->messages[message->older].newer = message->newer;
    held->messages[message->older].end = message->end;
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
