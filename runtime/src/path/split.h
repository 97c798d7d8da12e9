/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SRC_SPLIT_H
#define LAM_RUNTIME_SRC_SPLIT_H

/*
 * split.h: the state of a split: what calls read, what they count, and who makes the steps.
 *
 * A call reads one line that is written at a step, and counts in a block of its own thread. The
 * keeper adds the blocks up and judges. Two locks: @changing lets one start or stop happen at a
 * time, and is held over the keeper; @lock guards the state, and never over code of others.
 */

#include "lamina/runtime/split.h"
#include "path/blocks.h"

/* A thread's own. */
struct split_counts {
    lam_atomic_u64 calls, failures; /* that stayed */
    lam_atomic_u64 candidate_calls, candidate_failures;
    uint64_t turn; /* BY_CALL: hundredths that are due */
    uint64_t unused[3];
};

struct split_sums {
    uint64_t calls, failures, candidate_calls, candidate_failures;
};

struct split {
    /* Read by every call. 0: the rest is not looked at. */
    _Alignas(128) lam_atomic_u32 percent;
    lam_atomic_u32 by;
    lam_atomic_u32 key_bytes;
    lam_atomic_u64 candidate; /* struct lam_module */
    struct lam_module *module;
    struct lam_blocks blocks;
    _Alignas(128) pthread_mutex_t changing;
    struct lam_task task;
    pthread_mutex_t lock;
    /* Guarded by it, as are changes of the above. */
    struct lam_split_options options;
    enum lam_split_phase phase;
    uint32_t step;
    uint64_t step_ns;                  /* when it began */
    uint64_t window_ns;                /* when it began */
    struct split_sums started, window; /* what had been counted then */
    char reason[256];
};

struct split_sums lam_split_sum(const struct split *split);

/* The keeper's task: judges, and makes the steps. */
uint64_t lam_split_keep(struct lam_task *task);

struct lam_path;

/* Its split, if it has one, is over: its module, or the runtime, goes. */
void lam_split_end(const struct lam_path *path);

#endif
