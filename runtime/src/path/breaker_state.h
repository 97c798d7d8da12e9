/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_BREAKER_STATE_H
#define LAM_RUNTIME_BREAKER_STATE_H

/*
 * breaker_state.h: what a breaker counts, and when it opens, half opens and closes.
 *
 * Who runs a call counts it in a block of its own. A bad call adds the blocks up and looks how much
 * that is more than at a mark: marks are sums of before, an eighth of a window apart, and the
 * oldest that is within the window is where it begins. Everything but counting, and but refusing
 * while it is open, is under the lock.
 */

#include "lamina/runtime/breaker.h"
#include "lamina/runtime/health.h"
#include "path/blocks.h"

#define BREAKER_SLICES    8
#define BREAKER_MARKS_MAX (2 * BREAKER_SLICES)

/* A thread's own. */
struct breaker_counts {
    lam_atomic_u64 calls, failures, slow, refused;
    uint64_t unused[4];
};

struct breaker_sums {
    uint64_t calls, failures, slow;
};

struct breaker_mark {
    uint64_t at_ns;
    struct breaker_sums sums;
};

struct breaker {
    /* Read by every call, written when the state changes. */
    _Alignas(128) lam_atomic_u32 state;
    lam_atomic_u64 until_ns;   /* OPEN: no probes before; HALF_OPEN: the end of the round */
    lam_atomic_u64 generation; /* the newest that called; with resets_on_reload */
    struct lam_breaker_options options;
    struct lam_module *module;
    struct lam_blocks blocks;
    /* Guarded by it, as all changes of the above. */
    _Alignas(128) pthread_mutex_t lock;
    struct breaker_mark marks[BREAKER_MARKS_MAX]; /* the oldest first */
    uint32_t mark_count;
    uint32_t opened;
    uint32_t is_held; /* with follows_health: its module is not well */
    uint64_t round;   /* of probes */
    uint32_t probes_begun, probes_well;
};

/* A change to tell of, when the lock is free again. */
struct breaker_news {
    uint32_t is_new;
    enum lam_breaker_state state;
    char text[128];
};

/* A bad call while it was closed, which counted @own: are these too many? Under the lock. */
void lam_breaker_judge(struct breaker *breaker, struct breaker_sums own, struct breaker_news *news);

/* A probe of @round has ended. Under the lock. */
void lam_breaker_end_probe(
    struct breaker *breaker, uint64_t round, int is_bad, struct breaker_news *news);

/* May a call go in that did not find it closed? Sets *@round of a probe. Under the lock. */
int lam_breaker_ask_in(struct breaker *breaker, uint64_t *round, struct breaker_news *news);

/* With a new window. Under the lock. */
void lam_breaker_become(
    struct breaker *breaker, enum lam_breaker_state state, struct breaker_news *news);

/* Its module's health is now @health: hold it open, or let probes in. Under the lock. */
void lam_breaker_follow(
    struct breaker *breaker, enum lam_health_state health, struct breaker_news *news);

void lam_breaker_lock(struct breaker *breaker);
void lam_breaker_unlock_and_tell(struct breaker *breaker, const struct breaker_news *news);

#endif
