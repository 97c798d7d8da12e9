/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c: the stage of a split: to which of the two a call goes.
 */
#include "path/split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/path.h"

/* FNV-1a, and the last step of a mixer: all bits of it decide. */
static uint64_t hash(const void *bytes, uint64_t count)
{
    const uint8_t *byte = bytes;
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (uint64_t i = 0; i < count; i++)
        value = (value ^ byte[i]) * UINT64_C(0x100000001b3);
    value = (value ^ (value >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    return value ^ (value >> 33);
}

/* Whose key goes at 10 percent goes at 20, too. */
static int is_chosen(
    struct split *split, struct split_counts *counts, uint32_t percent, const struct lam_call *call)
{
    /* Relaxed, both: stored before the percentage, which was read with acquire. */
    uint64_t bytes = lam_load_relaxed(&split->key_bytes);

    switch (lam_load_relaxed(&split->by)) {
    case LAM_SPLIT_BY_CALLER:
        return hash(call->caller, strlen(call->caller)) % 100 < percent;
    case LAM_SPLIT_BY_REQUEST:
        bytes = call->request_bytes < bytes ? call->request_bytes : bytes;
        return hash(call->request, bytes) % 100 < percent;
    default:
        counts->turn += percent;
        if (counts->turn < 100)
            return 0;
        counts->turn -= 100;
        return 1;
    }
}

static __attribute__((noinline)) int run_either(
    struct split *split, uint32_t percent, struct lam_passage *passage)
{
    struct split_counts *counts = lam_blocks_own(&split->blocks);
    struct lam_module *candidate =
        (struct lam_module *)(uintptr_t)lam_load_relaxed(&split->candidate);
    int rc, is_failed;

    if (counts == NULL)
        return lam_path_go_on(passage);
    if (is_chosen(split, counts, percent, &passage->frame->call) &&
        lam_call_detour(candidate, passage->frame, passage->reply, &rc)) {
        is_failed = rc < 0 && rc != -ENOSPC;
        lam_blocks_add(&counts->candidate_calls, 1);
        lam_blocks_add(&counts->candidate_failures, (uint64_t)is_failed);
        return rc;
    }
    rc = lam_path_go_on(passage);
    is_failed = rc < 0 && rc != -ENOSPC;
    lam_blocks_add(&counts->calls, 1);
    lam_blocks_add(&counts->failures, (uint64_t)is_failed);
    return rc;
}

static int run(void *state, struct lam_passage *passage)
{
    struct split *split = state;
    /* P2, pairs with P1 in lam_module_split_start(): the candidate and what decides. */
    uint32_t percent = lam_load_acquire(&split->percent);

    return __builtin_expect(percent == 0, 1) ? lam_path_go_on(passage)
                                             : run_either(split, percent, passage);
}

static void close_split(void *state)
{
    struct split *split = state;

    lam_keeper_remove(&split->module->runtime->keeper, &split->task);
    lam_blocks_close(&split->blocks);
    (void)pthread_mutex_destroy(&split->lock);
    (void)pthread_mutex_destroy(&split->changing);
    free(split);
}

static int open_split(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    struct split *split;

    if (options->can_split == 0)
        return 0;
    if (options->can_split > 1)
        return lam_error_set(error, -EINVAL, "module %s: can_split is %u, not 0 or 1", module->name,
            options->can_split);
    split = aligned_alloc(128, sizeof(*split));
    if (split == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    *split = (struct split){.module = module, .task = {.run = lam_split_keep}};
    LAM_ASSERT(pthread_mutex_init(&split->lock, NULL) == 0);
    LAM_ASSERT(pthread_mutex_init(&split->changing, NULL) == 0);
    if (lam_blocks_open(&split->blocks, sizeof(struct split_counts)) != 0) {
        close_split(split);
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    }
    *state = split;
    return 1;
}

const struct lam_stage_kind lam_stage_split = {
    .name = "can_split", .open = open_split, .run = run, .close = close_split};
