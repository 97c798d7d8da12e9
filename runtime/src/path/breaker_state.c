/* SPDX-License-Identifier: Apache-2.0 */
#include "path/breaker_state.h"

#include <errno.h>
#include <stdio.h>

#include "path/path.h"

/* ---- the window ---- */

static struct breaker_sums sum_up(const struct breaker *breaker)
{
    struct breaker_sums sums = {0, 0, 0};

    for (uint32_t i = 0; i < lam_blocks_count(&breaker->blocks); i++) {
        const struct breaker_counts *counts = lam_blocks_at(&breaker->blocks, i);

        if (counts == NULL)
            continue;
        /* Relaxed: each stands for itself. Calls last: they are counted first. */
        sums.failures += lam_load_relaxed(&counts->failures);
        sums.slow += lam_load_relaxed(&counts->slow);
        sums.calls += lam_load_relaxed(&counts->calls);
    }
    return sums;
}

static struct breaker_sums since(struct breaker_sums now, const struct breaker_mark *mark)
{
    return (struct breaker_sums){now.calls - mark->sums.calls, now.failures - mark->sums.failures,
        now.slow - mark->sums.slow};
}

static int is_too_old(const struct breaker *breaker, const struct breaker_mark *mark,
    struct breaker_sums sums, uint64_t now_ns)
{
    const struct lam_breaker_options *options = &breaker->options;

    return now_ns - mark->at_ns > options->window_ns ||
           (options->window_calls != 0 && sums.calls - mark->sums.calls > options->window_calls);
}

/* Far enough behind the newest mark for another one. */
static int is_slice(const struct breaker *breaker, const struct breaker_mark *newest,
    struct breaker_sums sums, uint64_t now_ns)
{
    const struct lam_breaker_options *options = &breaker->options;

    return now_ns - newest->at_ns >= options->window_ns / BREAKER_SLICES ||
           (options->window_calls != 0 &&
               sums.calls - newest->sums.calls >= options->window_calls / BREAKER_SLICES);
}

static void drop_oldest(struct breaker *breaker)
{
    breaker->mark_count--;
    for (uint32_t i = 0; i < breaker->mark_count; i++)
        breaker->marks[i] = breaker->marks[i + 1];
}

/* What is in the window now; @own is the bad call that asks. */
static struct breaker_sums slide(struct breaker *breaker, struct breaker_sums own)
{
    uint64_t now_ns = lam_clock_now_ns();
    struct breaker_sums sums = sum_up(breaker);

    while (breaker->mark_count > 0 && is_too_old(breaker, &breaker->marks[0], sums, now_ns))
        drop_oldest(breaker);
    if (breaker->mark_count == 0) {
        /* What went well before the first bad call says nothing: nobody saw when that was. */
        breaker->marks[breaker->mark_count++] = (struct breaker_mark){
            now_ns, {sums.calls - own.calls, sums.failures - own.failures, sums.slow - own.slow}};
    } else if (is_slice(breaker, &breaker->marks[breaker->mark_count - 1], sums, now_ns)) {
        if (breaker->mark_count == BREAKER_MARKS_MAX)
            drop_oldest(breaker);
        breaker->marks[breaker->mark_count++] = (struct breaker_mark){now_ns, sums};
    }
    return since(sums, &breaker->marks[0]);
}

/* ---- states, under the lock ---- */

void lam_breaker_become(
    struct breaker *breaker, enum lam_breaker_state state, struct breaker_news *news)
{
    /* Relaxed: a call that sees the old one is a call of before. */
    if (lam_load_relaxed(&breaker->state) != (uint32_t)state)
        *news = (struct breaker_news){.is_new = 1, .state = state};
    lam_store_relaxed(&breaker->state, (uint32_t)state);
    breaker->mark_count = 0;
}

static void open_up(struct breaker *breaker, struct breaker_news *news)
{
    lam_store_relaxed(&breaker->until_ns,
        breaker->is_held ? LAM_DEADLINE_NEVER : lam_deadline_after_ns(breaker->options.open_ns));
    lam_breaker_become(breaker, LAM_BREAKER_OPEN, news);
    breaker->opened++;
}

void lam_breaker_follow(
    struct breaker *breaker, enum lam_health_state health, struct breaker_news *news)
{
    uint32_t state = lam_load_relaxed(&breaker->state), was_held = breaker->is_held;

    breaker->is_held = health == LAM_HEALTH_UNREADY || health == LAM_HEALTH_DOWN;
    if (state >= LAM_BREAKER_FORCED_OPEN)
        return;
    if (!breaker->is_held) {
        /* What calls have opened is not well for a new worker that nobody has judged. */
        if (was_held && state == LAM_BREAKER_OPEN)
            lam_store_relaxed(&breaker->until_ns, 0);
        return;
    }
    if (state == LAM_BREAKER_OPEN)
        lam_store_relaxed(&breaker->until_ns, LAM_DEADLINE_NEVER);
    else
        open_up(breaker, news);
    if (news->is_new)
        (void)snprintf(news->text, sizeof(news->text), "its health is %s",
            health == LAM_HEALTH_DOWN ? "down" : "unready");
}

static void begin_round(struct breaker *breaker)
{
    lam_store_relaxed(&breaker->until_ns, lam_deadline_after_ns(breaker->options.open_ns));
    breaker->round++;
    breaker->probes_begun = 0;
    breaker->probes_well = 0;
}

void lam_breaker_judge(struct breaker *breaker, struct breaker_sums own, struct breaker_news *news)
{
    const struct lam_breaker_options *options = &breaker->options;
    struct breaker_sums sums;

    if (lam_load_relaxed(&breaker->state) != LAM_BREAKER_CLOSED)
        return;
    sums = slide(breaker, own);
    if (sums.calls < options->calls_min ||
        (sums.failures * 100 < sums.calls * options->failure_percent &&
            (options->slow_ns == 0 || sums.slow * 100 < sums.calls * options->slow_percent)))
        return;
    open_up(breaker, news);
    (void)snprintf(news->text, sizeof(news->text), "of %llu calls %llu failed, %llu were slow",
        (unsigned long long)sums.calls, (unsigned long long)sums.failures,
        (unsigned long long)sums.slow);
}

void lam_breaker_end_probe(
    struct breaker *breaker, uint64_t round, int is_bad, struct breaker_news *news)
{
    if (lam_load_relaxed(&breaker->state) != LAM_BREAKER_HALF_OPEN || round != breaker->round)
        return;
    if (is_bad)
        open_up(breaker, news);
    else if (++breaker->probes_well == breaker->options.probes)
        lam_breaker_become(breaker, LAM_BREAKER_CLOSED, news);
    if (news->is_new)
        (void)snprintf(
            news->text, sizeof(news->text), is_bad ? "a probe did not do well" : "probes do well");
}

int lam_breaker_ask_in(struct breaker *breaker, uint64_t *round, struct breaker_news *news)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint32_t state = lam_load_relaxed(&breaker->state);

    if (state == LAM_BREAKER_CLOSED || state == LAM_BREAKER_FORCED_CLOSED)
        return 1;
    if (state == LAM_BREAKER_FORCED_OPEN)
        return 0;
    if (state == LAM_BREAKER_OPEN) {
        if (now_ns < lam_load_relaxed(&breaker->until_ns))
            return 0;
        lam_breaker_become(breaker, LAM_BREAKER_HALF_OPEN, news);
        begin_round(breaker);
    } else if (breaker->probes_begun == breaker->options.probes) {
        /* Probes that do not come back must not keep it so for ever. */
        if (now_ns < lam_load_relaxed(&breaker->until_ns))
            return 0;
        begin_round(breaker);
    }
    breaker->probes_begun++;
    *round = breaker->round;
    return 1;
}

void lam_breaker_lock(struct breaker *breaker)
{
    LAM_ASSERT(pthread_mutex_lock(&breaker->lock) == 0);
}

void lam_breaker_unlock_and_tell(struct breaker *breaker, const struct breaker_news *news)
{
    LAM_ASSERT(pthread_mutex_unlock(&breaker->lock) == 0);
    if (news->is_new)
        lam_event_tell(breaker->module, LAM_EVENT_BREAKER, news->state, news->text);
}

/* ---- for those who look and force ---- */

int lam_breaker_look(struct lam_module *module, struct lam_breaker_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    struct breaker *breaker = lam_path_find(path, &lam_stage_breaker);
    struct breaker_sums sums;

    *stat = (struct lam_breaker_stat){.calls = 0};
    if (breaker != NULL) {
        lam_breaker_lock(breaker);
        stat->state = (enum lam_breaker_state)lam_load_relaxed(&breaker->state);
        stat->opened = breaker->opened;
        if (stat->state == LAM_BREAKER_OPEN)
            stat->until_ns = lam_load_relaxed(&breaker->until_ns);
        if (stat->state == LAM_BREAKER_HALF_OPEN)
            stat->probes = breaker->probes_begun;
        if (breaker->mark_count > 0) {
            sums = since(sum_up(breaker), &breaker->marks[0]);
            stat->calls = sums.calls;
            stat->failures = sums.failures;
            stat->slow = sums.slow;
        }
        LAM_ASSERT(pthread_mutex_unlock(&breaker->lock) == 0);
        for (uint32_t i = 0; i < lam_blocks_count(&breaker->blocks); i++) {
            const struct breaker_counts *counts = lam_blocks_at(&breaker->blocks, i);

            stat->refused += counts != NULL ? lam_load_relaxed(&counts->refused) : 0;
        }
    }
    lam_path_close(path);
    return breaker != NULL ? 0 : -ENOENT;
}

int lam_breaker_force(struct lam_module *module, enum lam_breaker_state state)
{
    struct lam_path *path;
    struct breaker *breaker;
    struct breaker_news news = {.is_new = 0};

    if (state != LAM_BREAKER_CLOSED && state != LAM_BREAKER_FORCED_OPEN &&
        state != LAM_BREAKER_FORCED_CLOSED)
        return -EINVAL;
    path = lam_path_of(module);
    breaker = lam_path_find(path, &lam_stage_breaker);
    if (breaker != NULL) {
        lam_breaker_lock(breaker);
        lam_breaker_become(breaker, state, &news);
        if (news.is_new)
            (void)snprintf(news.text, sizeof(news.text), "by the program");
        lam_breaker_unlock_and_tell(breaker, &news);
    }
    lam_path_close(path);
    return breaker != NULL ? 0 : -ENOENT;
}
