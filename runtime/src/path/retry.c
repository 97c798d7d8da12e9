/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.c: calls that failed, once more, on the way of a call.
 */
#include "path/retry_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/sleep.h"

static const struct retry_method *find_method(const struct lam_retry *retry, uint32_t id)
{
    for (uint32_t i = 0; i < retry->named.count; i++)
        if (retry->named.ids[i] == id)
            return &retry->methods[i];
    return NULL;
}

/* May the call that ended so be made again? Its deadline and the budget aside. */
static int may_repeat(
    const struct lam_retry *retry, const struct lam_passage *passage, int rc, uint32_t failure)
{
    int is_idempotent = (passage->method->flags & LAM_METHOD_IDEMPOTENT) != 0;

    switch (failure) {
    case LAM_FAILURE_NONE:
        return is_idempotent && retry->options.retries_results && rc < 0 && rc != -ENOSPC;
    case LAM_FAILURE_NO_WORKER:
        return is_idempotent || retry->options.retries_unreached;
    case LAM_FAILURE_CRASHED:
    case LAM_FAILURE_EXITED:
    case LAM_FAILURE_POISONED:
    case LAM_FAILURE_BAD_REPLY:
        return is_idempotent;
    default:
        return 0;
    }
}

static uint32_t draw(struct retry_block *block)
{
    if (block->random == 0)
        block->random = lam_clock_now_ns() ^ (uint64_t)(uintptr_t)block;
    block->random ^= block->random << 13;
    block->random ^= block->random >> 7;
    block->random ^= block->random << 17;
    return (uint32_t)(block->random >> 32);
}

/* Pause behind the @tries-th try. Returns 1: go on; 0: there is no time or no budget. */
static int pause_for(
    struct lam_retry *retry, struct retry_block *block, uint32_t tries, uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint64_t pause_ns = lam_retry_pause_ns(&retry->options, tries, draw(block));

    if (block->spent + 100 > (uint64_t)retry->options.budget_min * 100) {
        lam_blocks_add(&block->no_budget, 1);
        return 0;
    }
    if (now_ns >= deadline_ns || pause_ns >= deadline_ns - now_ns) {
        lam_blocks_add(&block->no_time, 1);
        return 0;
    }
    block->spent += 100;
    lam_blocks_add(&block->again, 1);
    lam_sleep_until(now_ns + pause_ns);
    return 1;
}

static void earn(const struct lam_retry *retry, struct retry_block *block)
{
    if (__builtin_expect(block->spent != 0, 0))
        block->spent = block->spent > retry->options.budget_percent
                           ? block->spent - retry->options.budget_percent
                           : 0;
}

/* Within a call the outer one's turn and pins are this thread's: it stays here. */
static int try_once(struct lam_retry *retry, struct lam_passage *passage)
{
    int rc;

    if (__builtin_expect(retry->hedge != NULL, 0) && passage->frame->outer == NULL &&
        (passage->method->flags & LAM_METHOD_IDEMPOTENT) != 0 && !passage->generation->is_serial &&
        lam_hedge_run(retry->hedge, passage, &rc))
        return rc;
    return lam_path_go_on(passage);
}

static __attribute__((noinline)) int repeat(
    struct lam_retry *retry, struct lam_passage *passage, uint32_t tries_max, int rc)
{
    struct retry_block *block = lam_blocks_own(&retry->blocks);

    for (uint32_t tries = 1; block != NULL && tries < tries_max &&
                             may_repeat(retry, passage, rc, passage->reply->failure);
         tries++) {
        if (!pause_for(retry, block, tries, passage->frame->call.deadline_ns))
            break;
        passage->frame->call.reply_bytes = 0;
        rc = try_once(retry, passage);
    }
    return rc;
}

static int run(void *state, struct lam_passage *passage)
{
    struct lam_retry *retry = state;
    struct lam_call *call = &passage->frame->call;
    const struct retry_method *own = find_method(retry, call->method);
    uint64_t given_ns = call->deadline_ns, default_ns = retry->options.deadline_ns;
    uint32_t tries_max = retry->options.tries_max;
    struct retry_block *block = lam_blocks_own(&retry->blocks);
    int rc;

    if (own == NULL && call->method != passage->method->id) /* it is served as any other */
        own = find_method(retry, passage->method->id);
    if (own != NULL && own->tries_max != 0)
        tries_max = own->tries_max;
    if (own != NULL && own->deadline_ns != 0)
        default_ns = own->deadline_ns;
    if (default_ns != 0 && (given_ns == LAM_DEADLINE_NEVER || passage->frame->has_default_deadline))
        call->deadline_ns = lam_deadline_after_ns(default_ns);
    if (block != NULL)
        earn(retry, block);
    rc = try_once(retry, passage);
    if (__builtin_expect(rc < 0, 0))
        rc = repeat(retry, passage, tries_max, rc);
    call->deadline_ns = given_ns;
    return rc;
}

static void close_retry(void *state)
{
    struct lam_retry *retry = state;

    lam_hedge_close(retry->hedge);
    lam_blocks_close(&retry->blocks);
    lam_method_set_free(&retry->named);
    free(retry);
}

static int admit_retry(
    void *state, const struct lam_generation *generation, struct lam_error *error)
{
    const struct lam_retry *retry = state;

    return lam_method_set_admit(&retry->named, "retry", generation, error);
}

static int open_retry(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    struct lam_retry *retry;
    int rc;

    if (options->retry == NULL)
        return 0;
    retry = calloc(1, sizeof(*retry));
    if (retry == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    rc = lam_retry_read(retry, options->retry, module, error);
    if (rc == 0 && lam_blocks_open(&retry->blocks, sizeof(struct retry_block)) != 0)
        rc = lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    if (rc == 0 && retry->options.hedge_ns != 0) {
        rc = lam_hedge_open(&retry->hedge, &retry->options);
        if (rc != 0)
            rc = lam_error_set(error, rc, "module %s: no threads for hedging", module->name);
    }
    if (rc != 0) {
        close_retry(retry);
        return rc;
    }
    *state = retry;
    return 1;
}

const struct lam_stage_kind lam_stage_retry = {
    .name = "retry", .open = open_retry, .admit = admit_retry, .run = run, .close = close_retry};

int lam_retry_look(struct lam_module *module, struct lam_retry_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    const struct lam_retry *retry = lam_path_find(path, &lam_stage_retry);

    *stat = (struct lam_retry_stat){.again = 0};
    for (uint32_t i = 0; retry != NULL && i < lam_blocks_count(&retry->blocks); i++) {
        const struct retry_block *block = lam_blocks_at(&retry->blocks, i);

        if (block == NULL)
            continue;
        /* Relaxed: each stands for itself. */
        stat->again += lam_load_relaxed(&block->again);
        stat->no_budget += lam_load_relaxed(&block->no_budget);
        stat->no_time += lam_load_relaxed(&block->no_time);
    }
    if (retry != NULL && retry->hedge != NULL) {
        struct lam_hedge_counts counts = lam_hedge_look(retry->hedge);

        stat->raced = counts.raced;
        stat->hedged = counts.begun;
        stat->hedges_won = counts.won;
        stat->hedging = counts.running;
        stat->hedge_delay_ns = counts.delay_ns;
    }
    lam_path_close(path);
    return retry != NULL ? 0 : -ENOENT;
}
