/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PIN_H
#define LAM_RUNTIME_PIN_H

/*
 * pin.h: to be inside a generation, so that it does not end.
 */

#include "internal.h"

/*
 * Be inside the generation that is current, by the pin at @place. Returns it, NULL where the module
 * is unloaded, or &lam_generation_held, which is not pinned.
 */
static inline void *lam_pin_at(lam_atomic_u64 *place, struct lam_module *module)
{
    /* G2, pairs with G1 in lam_generation_publish(): the generation is complete. */
    uint64_t found = lam_load_acquire(&module->current), seen;

    for (;;) {
        /* Relaxed: ordered before the second look by the barrier. */
        lam_store_relaxed(place, found);
        lam_barrier_light();
        seen = lam_load_acquire(&module->current); /* G2 */
        if (__builtin_expect(seen == found, 1))
            return (void *)(uintptr_t)found;
        found = seen;
    }
}

/* The same by the pin of this depth. */
static inline void *lam_pin(struct lam_seat *seat, struct lam_module *module)
{
    return lam_pin_at(&seat->pins[seat->depth], module);
}

static inline void lam_unpin(struct lam_seat *seat)
{
    /* R2, pairs with S2 in lam_seat_count_pins(): all that the call did is done. */
    lam_store_release(&seat->pins[seat->depth], 0);
}

#endif
