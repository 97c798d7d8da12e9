/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split_steps.c: how a split begins, grows, is taken back, and ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/path.h"
#include "path/split.h"

#define LOOK_NS           (20 * LAM_NS_PER_MS)
#define NEVER_NS          (3600 * LAM_NS_PER_S)
#define WINDOW_DEFAULT_NS (10 * LAM_NS_PER_S)
#define CALLS_MIN_DEFAULT 20
#define FAILURE_DEFAULT   10

struct split_sums lam_split_sum(const struct split *split)
{
    uint32_t count = lam_blocks_count(&split->blocks);
    struct split_sums sums = {0, 0, 0, 0};

    for (uint32_t i = 0; i < count; i++) {
        const struct split_counts *counts = lam_blocks_at(&split->blocks, i);

        if (counts == NULL)
            continue;
        /* Relaxed: each stands for itself. Failures first: never more than there were calls. */
        sums.failures += lam_load_relaxed(&counts->failures);
        sums.calls += lam_load_relaxed(&counts->calls);
        sums.candidate_failures += lam_load_relaxed(&counts->candidate_failures);
        sums.candidate_calls += lam_load_relaxed(&counts->candidate_calls);
    }
    return sums;
}

static struct lam_module *candidate_of(const struct split *split)
{
    /* Relaxed: changed under the lock. */
    return (struct lam_module *)(uintptr_t)lam_load_relaxed(&split->candidate);
}

/* Under the lock. */
static void set(struct split *split, enum lam_split_phase phase, uint32_t percent)
{
    split->phase = phase;
    /* P1, pairs with P2 in run() of split.c: the candidate and what decides. */
    lam_store_release(&split->percent, percent);
}

static void tell(struct split *split, uint32_t percent, const char *reason)
{
    lam_event_tell(split->module, LAM_EVENT_SPLIT, percent, reason);
}

/* Under the lock. */
static void begin_step(struct split *split, uint32_t step)
{
    split->step = step;
    split->step_ns = lam_clock_now_ns();
    (void)snprintf(
        split->reason, sizeof(split->reason), "step %u of %u", step + 1, split->options.step_count);
    set(split, LAM_SPLIT_RUNNING, split->options.steps[step].percent);
}

static int is_gone(const struct lam_module *module)
{
    return lam_load_relaxed(&module->current) == 0; /* relaxed: it stands for itself */
}

/* Has it failed too often? Under the lock. */
static int is_bad(struct split *split)
{
    struct split_sums sums = lam_split_sum(split);
    uint64_t calls = sums.candidate_calls - split->window.candidate_calls;
    uint64_t failures = sums.candidate_failures - split->window.candidate_failures;

    if (calls >= split->options.calls_min &&
        failures * 100 >= (uint64_t)split->options.failure_percent * calls) {
        (void)snprintf(split->reason, sizeof(split->reason),
            "taken back: %llu of %llu calls of %s failed, %u %% are too many",
            (unsigned long long)failures, (unsigned long long)calls, candidate_of(split)->name,
            split->options.failure_percent);
        return 1;
    }
    if (lam_clock_now_ns() - split->window_ns >= split->options.window_ns) {
        split->window_ns = lam_clock_now_ns();
        split->window = sums;
    }
    return 0;
}

/* Under the lock. Returns 1 the share has changed, 2 it is time to promote, 0 neither. */
static int move_on(struct split *split)
{
    const struct lam_split_options *options = &split->options;

    if (is_gone(split->module) || is_gone(candidate_of(split))) {
        (void)snprintf(split->reason, sizeof(split->reason), "stopped: %s is not loaded",
            is_gone(split->module) ? split->module->name : candidate_of(split)->name);
        set(split, LAM_SPLIT_STOPPED, 0);
        return 1;
    }
    if (is_bad(split)) {
        set(split, LAM_SPLIT_ROLLED_BACK, 0);
        return 1;
    }
    if (lam_clock_now_ns() - split->step_ns < options->steps[split->step].ns)
        return 0;
    if (split->step + 1 < options->step_count) {
        begin_step(split, split->step + 1);
        return 1;
    }
    return options->promotes ? 2 : 0;
}

/* The reference by which it was loaded, or reloaded last; to be freed. */
static char *reference_of(struct lam_module *module)
{
    char *copy;

    LAM_ASSERT(pthread_mutex_lock(&module->change) == 0);
    copy = strdup(module->reference);
    LAM_ASSERT(pthread_mutex_unlock(&module->change) == 0);
    return copy;
}

/*
 * Without the lock: it takes as long as a reload. Calls go to the candidate until it is done. The
 * keeper has other modules to look after: it does not wait for calls that run, but looks again.
 */
static void promote(struct split *split, struct lam_module *candidate)
{
    struct lam_reload_options options = {.reference = reference_of(candidate), .drain_ns = 1};
    struct lam_error error = {"out of memory"};
    char reason[sizeof(split->reason)];
    int rc =
        options.reference == NULL ? -ENOMEM : lam_runtime_reload(split->module, &options, &error);

    if (rc < 0)
        (void)snprintf(reason, sizeof(reason), "not promoted: %.200s", error.text);
    else
        (void)snprintf(reason, sizeof(reason), "promoted: %s is now what %s is",
            split->module->name, candidate->name);
    free((char *)options.reference);
    LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
    memcpy(split->reason, reason, sizeof(reason));
    set(split, rc < 0 ? LAM_SPLIT_STUCK : LAM_SPLIT_PROMOTED, rc < 0 ? 100 : 0);
    LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
    tell(split, 100, reason);
    if (rc >= 0)
        (void)lam_runtime_unload(candidate, 0, NULL);
}

uint64_t lam_split_keep(struct lam_task *task)
{
    struct split *split = (struct split *)(void *)((char *)task - offsetof(struct split, task));
    struct lam_module *candidate;
    char reason[sizeof(split->reason)];
    uint32_t percent;
    int news = 0, is_running, has_promoted;

    LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
    is_running = split->phase == LAM_SPLIT_RUNNING;
    has_promoted = split->phase == LAM_SPLIT_PROMOTED;
    if (is_running)
        news = move_on(split);
    memcpy(reason, split->reason, sizeof(reason));
    percent = lam_load_relaxed(&split->percent); /* relaxed: changed under the lock */
    candidate = candidate_of(split);
    LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
    if (news == 1)
        tell(split, percent, reason);
    else if (news == 2)
        promote(split, candidate);
    if (has_promoted && lam_runtime_collect(split->module->runtime) > 0)
        return LOOK_NS;
    return is_running ? LOOK_NS : NEVER_NS;
}

static int check(const struct lam_split_options *options, struct lam_error *error)
{
    if (options->step_count == 0 || options->step_count > LAM_SPLIT_STEPS_MAX)
        return lam_error_set(error, -EINVAL, "split: step_count is %u, 1 to %d",
            options->step_count, LAM_SPLIT_STEPS_MAX);
    for (uint32_t i = 0; i < options->step_count; i++)
        if (options->steps[i].percent > 100)
            return lam_error_set(error, -EINVAL, "split: step %u has %u percent, at most 100", i,
                options->steps[i].percent);
    if (options->promotes && options->steps[options->step_count - 1].percent != 100)
        return lam_error_set(
            error, -EINVAL, "split: with promotes the last step has to be of 100 percent");
    if ((unsigned)options->by > LAM_SPLIT_BY_REQUEST)
        return lam_error_set(error, -EINVAL, "split: there is no by %d", (int)options->by);
    if ((options->by == LAM_SPLIT_BY_REQUEST) != (options->key_bytes != 0) ||
        options->key_bytes > LAM_SPLIT_KEY_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "split: key_bytes is %u: 1 to %d where it is by request, 0 elsewhere",
            options->key_bytes, LAM_SPLIT_KEY_BYTES_MAX);
    if (options->failure_percent > 100)
        return lam_error_set(
            error, -EINVAL, "split: failure_percent is %u, at most 100", options->failure_percent);
    return 0;
}

/* Under both locks. */
static void begin(
    struct split *split, struct lam_module *candidate, const struct lam_split_options *options)
{
    split->options = *options;
    if (split->options.window_ns == 0)
        split->options.window_ns = WINDOW_DEFAULT_NS;
    if (split->options.calls_min == 0)
        split->options.calls_min = CALLS_MIN_DEFAULT;
    if (split->options.failure_percent == 0)
        split->options.failure_percent = FAILURE_DEFAULT;
    /* Relaxed, all: the percentage comes last. */
    lam_store_relaxed(&split->by, (uint32_t)options->by);
    lam_store_relaxed(&split->key_bytes, options->key_bytes);
    lam_store_relaxed(&split->candidate, (uint64_t)(uintptr_t)candidate);
    split->started = split->window = lam_split_sum(split);
    split->window_ns = lam_clock_now_ns();
    begin_step(split, 0);
}

static int start(struct split *split, struct lam_module *candidate,
    const struct lam_split_options *options, struct lam_error *error)
{
    struct lam_keeper *keeper = &split->module->runtime->keeper;
    char reason[sizeof(split->reason)];
    int rc = 0;

    LAM_ASSERT(pthread_mutex_lock(&split->changing) == 0);
    LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
    if (split->phase == LAM_SPLIT_RUNNING)
        rc = lam_error_set(error, -EBUSY, "module %s: a split runs", split->module->name);
    LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
    if (rc == 0) {
        lam_keeper_remove(keeper, &split->task); /* of the last one */
        LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
        begin(split, candidate, options);
        memcpy(reason, split->reason, sizeof(reason));
        LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
        rc = lam_keeper_add(keeper, &split->task, LOOK_NS);
        if (rc != 0) {
            LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
            set(split, LAM_SPLIT_STOPPED, 0);
            LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
            (void)lam_error_set(error, rc, "split: no thread to make its steps");
        }
    }
    LAM_ASSERT(pthread_mutex_unlock(&split->changing) == 0);
    if (rc == 0)
        tell(split, options->steps[0].percent, reason);
    return rc;
}

int lam_module_split_start(struct lam_module *module, struct lam_module *candidate,
    const struct lam_split_options *options, struct lam_error *error)
{
    struct lam_path *path = lam_path_of(module);
    struct split *split = lam_path_find(path, &lam_stage_split);
    int rc = check(options, error);

    if (rc == 0 && split == NULL)
        rc = lam_error_set(
            error, -ENOENT, "module %s: it was loaded without can_split", module->name);
    if (rc == 0 && (candidate == module || candidate->runtime != module->runtime))
        rc = lam_error_set(error, -EINVAL,
            "module %s: its candidate is itself, or of another runtime", module->name);
    if (rc == 0 && (is_gone(module) || is_gone(candidate)))
        rc = lam_error_set(error, -ENODEV, "module %s is not loaded",
            is_gone(module) ? module->name : candidate->name);
    if (rc == 0)
        rc = start(split, candidate, options, error);
    lam_path_close(path);
    return rc;
}

int lam_module_split_stop(struct lam_module *module)
{
    struct lam_path *path = lam_path_of(module);
    struct split *split = lam_path_find(path, &lam_stage_split);
    int rc = -ENOENT;

    if (split != NULL) {
        LAM_ASSERT(pthread_mutex_lock(&split->changing) == 0);
        lam_keeper_remove(&module->runtime->keeper, &split->task);
        LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
        if (split->phase == LAM_SPLIT_RUNNING || split->phase == LAM_SPLIT_STUCK) {
            (void)snprintf(split->reason, sizeof(split->reason), "stopped");
            set(split, LAM_SPLIT_STOPPED, 0);
            rc = 0;
        }
        LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
        LAM_ASSERT(pthread_mutex_unlock(&split->changing) == 0);
    }
    if (rc == 0)
        tell(split, 0, "stopped");
    lam_path_close(path);
    return rc;
}

int lam_module_split_look(struct lam_module *module, struct lam_split_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    struct split *split = lam_path_find(path, &lam_stage_split);
    struct split_sums sums;

    if (split == NULL) {
        lam_path_close(path);
        return -ENOENT;
    }
    sums = lam_split_sum(split);
    LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
    *stat = (struct lam_split_stat){.phase = split->phase,
        .percent = lam_load_relaxed(&split->percent), /* relaxed: changed under the lock */
        .step = split->step,
        .calls = sums.calls - split->started.calls,
        .failures = sums.failures - split->started.failures,
        .candidate_calls = sums.candidate_calls - split->started.candidate_calls,
        .candidate_failures = sums.candidate_failures - split->started.candidate_failures};
    memcpy(stat->reason, split->reason, sizeof(stat->reason));
    LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
    lam_path_close(path);
    return 0;
}

void lam_split_end(const struct lam_path *path)
{
    struct split *split = lam_path_find(path, &lam_stage_split);

    if (split == NULL)
        return;
    lam_keeper_remove(&split->module->runtime->keeper, &split->task);
    LAM_ASSERT(pthread_mutex_lock(&split->lock) == 0);
    if (split->phase == LAM_SPLIT_RUNNING)
        set(split, LAM_SPLIT_STOPPED, 0);
    LAM_ASSERT(pthread_mutex_unlock(&split->lock) == 0);
}
