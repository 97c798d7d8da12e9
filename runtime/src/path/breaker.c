/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaker.c: the circuit breaker on the way of a call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "path/breaker_state.h"
#include "path/path.h"

#define WINDOW_DEFAULT_NS (10 * LAM_NS_PER_S)
#define OPEN_DEFAULT_NS   (5 * LAM_NS_PER_S)
#define CALLS_MIN_DEFAULT 20
#define FAILURE_DEFAULT   50

static int32_t ms_until_probes(const struct breaker *breaker)
{
    uint64_t now_ns = lam_clock_now_ns(), until_ns = lam_load_relaxed(&breaker->until_ns), ms;

    switch (lam_load_relaxed(&breaker->state)) {
    case LAM_BREAKER_FORCED_OPEN:
        return INT32_MAX;
    case LAM_BREAKER_OPEN:
        ms = until_ns > now_ns ? (until_ns - now_ns + LAM_NS_PER_MS - 1) / LAM_NS_PER_MS : 0;
        return ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
    default:
        return 0; /* they are on their way */
    }
}

/* It was not closed. Returns as lam_breaker_ask_in(). */
static __attribute__((noinline)) int ask_in_slowly(struct breaker *breaker, uint64_t *round)
{
    struct breaker_news news = {.is_new = 0};
    int is_in = 0;

    /* While it is open nobody needs the lock to be refused. */
    if (lam_load_relaxed(&breaker->state) != LAM_BREAKER_OPEN ||
        lam_clock_now_ns() >= lam_load_relaxed(&breaker->until_ns)) {
        lam_breaker_lock(breaker);
        is_in = lam_breaker_ask_in(breaker, round, &news);
        lam_breaker_unlock_and_tell(breaker, &news);
    }
    return is_in;
}

static int refuse(struct breaker *breaker, struct lam_module_reply *reply)
{
    struct breaker_counts *counts = lam_blocks_own(&breaker->blocks);

    if (counts != NULL)
        lam_blocks_add(&counts->refused, 1);
    return lam_reply_fail(reply, LAM_FAILURE_OPEN, ms_until_probes(breaker), -ECANCELED);
}

static __attribute__((noinline)) void greet(struct breaker *breaker, uint64_t number)
{
    struct breaker_news news = {.is_new = 0};

    lam_breaker_lock(breaker);
    if (number > lam_load_relaxed(&breaker->generation)) {
        lam_store_relaxed(&breaker->generation, number);
        if (lam_load_relaxed(&breaker->state) < LAM_BREAKER_FORCED_OPEN)
            lam_breaker_become(breaker, LAM_BREAKER_CLOSED, &news);
    }
    if (news.is_new)
        (void)snprintf(news.text, sizeof(news.text), "it was reloaded");
    lam_breaker_unlock_and_tell(breaker, &news);
}

/* Does a call that ended so say that the module does not work? */
static int is_failure(const struct breaker *breaker, int rc, const struct lam_module_reply *reply)
{
    switch (reply->failure) {
    case LAM_FAILURE_NONE:
        return breaker->options.counts_results && rc < 0 && rc != -ENOSPC;
    case LAM_FAILURE_OPEN:
    case LAM_FAILURE_LIMITED:
    case LAM_FAILURE_VETOED:
    case LAM_FAILURE_UNREADY:
        return 0; /* it was not called */
    default:
        return 1;
    }
}

static __attribute__((noinline)) void note_bad(struct breaker *breaker, struct breaker_sums own)
{
    struct breaker_news news = {.is_new = 0};

    lam_breaker_lock(breaker);
    lam_breaker_judge(breaker, own, &news);
    lam_breaker_unlock_and_tell(breaker, &news);
}

static __attribute__((noinline)) void note_probe(
    struct breaker *breaker, uint64_t round, int is_bad)
{
    struct breaker_news news = {.is_new = 0};

    lam_breaker_lock(breaker);
    lam_breaker_end_probe(breaker, round, is_bad, &news);
    lam_breaker_unlock_and_tell(breaker, &news);
}

static void note(struct breaker *breaker, uint64_t round, uint64_t is_failure, uint64_t is_slow)
{
    struct breaker_counts *counts = lam_blocks_own(&breaker->blocks);

    if (__builtin_expect(round != 0, 0)) {
        note_probe(breaker, round, is_failure || is_slow);
        return;
    }
    if (counts == NULL)
        return;
    lam_blocks_add(&counts->calls, 1);
    if (__builtin_expect(is_failure || is_slow, 0)) {
        lam_blocks_add(&counts->failures, is_failure);
        lam_blocks_add(&counts->slow, is_slow);
        note_bad(breaker, (struct breaker_sums){1, is_failure, is_slow});
    }
}

static int run(void *state, struct lam_passage *passage)
{
    struct breaker *breaker = state;
    uint64_t number = passage->generation->number, slow_ns = breaker->options.slow_ns;
    uint64_t round = 0, began_ns, is_slow = 0;
    uint32_t seen;
    int rc;

    /* Relaxed, both: they stand for themselves. */
    if (breaker->options.resets_on_reload && number > lam_load_relaxed(&breaker->generation))
        greet(breaker, number);
    seen = lam_load_relaxed(&breaker->state);
    if (__builtin_expect(seen != LAM_BREAKER_CLOSED && seen != LAM_BREAKER_FORCED_CLOSED, 0) &&
        !ask_in_slowly(breaker, &round))
        return refuse(breaker, passage->reply);
    began_ns = slow_ns != 0 ? lam_clock_now_ns() : 0;
    rc = lam_path_go_on(passage);
    if (slow_ns != 0)
        is_slow = lam_clock_now_ns() - began_ns > slow_ns;
    /* Of a code that was replaced nothing is said any more. */
    if (!breaker->options.resets_on_reload || number == lam_load_relaxed(&breaker->generation))
        note(breaker, round, (uint64_t)is_failure(breaker, rc, passage->reply), is_slow);
    return rc;
}

/* ---- open and close ---- */

static int check(const struct lam_breaker_options *given, const char *name, struct lam_error *error)
{
    const struct {
        const char *name;
        uint32_t value, most;
    } fields[] = {
        {"failure_percent", given->failure_percent, 100},
        {"slow_percent", given->slow_percent, 100},
        {"probes", given->probes, LAM_BREAKER_PROBES_MAX},
        {"counts_results", given->counts_results, 1},
        {"resets_on_reload", given->resets_on_reload, 1},
        {"follows_health", given->follows_health, 1},
    };
    uint32_t calls_min = given->calls_min != 0 ? given->calls_min : CALLS_MIN_DEFAULT;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].value > fields[i].most)
            return lam_error_set(error, -EINVAL, "module %s: breaker: %s is %u, at most %u", name,
                fields[i].name, fields[i].value, fields[i].most);
    if (given->slow_percent != 0 && given->slow_ns == 0)
        return lam_error_set(error, -EINVAL,
            "module %s: breaker: slow_percent is %u, but slow_ns does not say what is slow", name,
            given->slow_percent);
    if (given->window_calls != 0 && given->window_calls / 2 < calls_min)
        return lam_error_set(error, -EINVAL,
            "module %s: breaker: window_calls is %u, at least twice calls_min, which is %u", name,
            given->window_calls, calls_min);
    return 0;
}

static void fill_in(struct lam_breaker_options *options)
{
    if (options->window_ns == 0)
        options->window_ns = WINDOW_DEFAULT_NS;
    if (options->open_ns == 0)
        options->open_ns = OPEN_DEFAULT_NS;
    if (options->calls_min == 0)
        options->calls_min = CALLS_MIN_DEFAULT;
    if (options->failure_percent == 0)
        options->failure_percent = FAILURE_DEFAULT;
    if (options->slow_percent == 0)
        options->slow_percent = 100;
    if (options->probes == 0)
        options->probes = 1;
}

static void close_breaker(void *state)
{
    struct breaker *breaker = state;

    lam_blocks_close(&breaker->blocks);
    (void)pthread_mutex_destroy(&breaker->lock);
    free(breaker);
}

static int open_breaker(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    struct breaker *breaker;
    int rc;

    if (options->breaker == NULL)
        return 0;
    rc = check(options->breaker, module->name, error);
    if (rc == 0 && options->breaker->follows_health && options->health == NULL)
        rc = lam_error_set(error, -EINVAL,
            "module %s: breaker: follows_health is 1, but the module has no health options",
            module->name);
    if (rc != 0)
        return rc;
    breaker = aligned_alloc(128, sizeof(*breaker));
    if (breaker == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    *breaker = (struct breaker){.options = *options->breaker, .module = module};
    fill_in(&breaker->options);
    LAM_ASSERT(pthread_mutex_init(&breaker->lock, NULL) == 0);
    if (lam_blocks_open(&breaker->blocks, sizeof(struct breaker_counts)) != 0) {
        close_breaker(breaker);
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    }
    *state = breaker;
    return 1;
}

const struct lam_stage_kind lam_stage_breaker = {
    .name = "breaker", .open = open_breaker, .run = run, .close = close_breaker};
