/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c: the stage that lets nobody in to a module that is not ready, and the task that finds
 * out.
 */
#include "health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/breaker_state.h"
#include "path/health_ask.h"
#include "path/path.h"
#include "pin.h"

#define FAILURES_DEFAULT  3
#define SUCCESSES_DEFAULT 2
#define INTERVAL_DEFAULT  (10 * LAM_NS_PER_S)
#define TIMEOUT_DEFAULT   (5 * LAM_NS_PER_S)

/* How often an answer that has not come is looked for. */
#define PENDING_NS (2 * LAM_NS_PER_MS)

/* A probe of the module in this process; the keeper's. */
struct here {
    struct lam_asker *asker; /* who is inside, or NULL */
    uint64_t number;         /* of the generation that is asked */
    uint64_t due_ns;
    uint32_t is_late; /* it was judged for that already */
};

struct health {
    struct lam_task task; /* the keeper's */
    struct lam_askers askers;
    struct here here;
    struct lam_module *module;
    struct breaker *breaker; /* that follows, or NULL */
    struct lam_health_options options;
    lam_atomic_u32 state;      /* enum lam_health_state */
    lam_atomic_u64 generation; /* that was judged */
    lam_atomic_u32 calls_well; /* nothing is to be noted of a call that went well */
    lam_atomic_u64 refused;
    uint64_t round_ns; /* the keeper's: when the next one begins */
    pthread_mutex_t lock;
    /* Guarded by it. */
    struct health_row probes, calls;
    uint64_t unready_ns; /* since when, by calls */
    struct health_count count;
};

static int fill_in(struct lam_health_options *options, struct lam_error *error)
{
    if (options->by == 0)
        options->by = LAM_HEALTH_BY_PROBES;
    if (options->failures == 0)
        options->failures = FAILURES_DEFAULT;
    if (options->successes == 0)
        options->successes = SUCCESSES_DEFAULT;
    if (options->interval_ns == 0)
        options->interval_ns = INTERVAL_DEFAULT;
    if (options->timeout_ns == 0)
        options->timeout_ns = TIMEOUT_DEFAULT;
    if ((options->by & ~(LAM_HEALTH_BY_PROBES | LAM_HEALTH_BY_CALLS)) != 0)
        return lam_error_set(error, -EINVAL, "health: by is %#x, and has other bits than %#x",
            options->by, LAM_HEALTH_BY_PROBES | LAM_HEALTH_BY_CALLS);
    if (options->reserved != 0)
        return lam_error_set(
            error, -EINVAL, "health: reserved is %u, and must be 0", options->reserved);
    if (options->interval_ns < LAM_NS_PER_MS)
        return lam_error_set(error, -EINVAL, "health: interval_ns is %llu, at least %llu",
            (unsigned long long)options->interval_ns, (unsigned long long)LAM_NS_PER_MS);
    return 0;
}

/* Under the lock, so that the breaker hears of all states in their order. */
static void tell_breaker(struct health *health, uint32_t state, struct breaker_news *news)
{
    if (health->breaker == NULL)
        return;
    lam_breaker_lock(health->breaker);
    lam_breaker_follow(health->breaker, (enum lam_health_state)state, news);
    LAM_ASSERT(pthread_mutex_unlock(&health->breaker->lock) == 0);
}

/* What both rows come to. Told if it is another one. Without the lock. */
static void publish(struct health *health)
{
    struct breaker_news news = {.is_new = 0};
    uint32_t state, before;

    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    state = (health->options.by & LAM_HEALTH_BY_PROBES) != 0 ? health->probes.state
                                                             : health->calls.state;
    if (health->calls.state == LAM_HEALTH_UNREADY && state != LAM_HEALTH_DOWN)
        state = LAM_HEALTH_UNREADY;
    /* Relaxed, all: stored under the lock, and each stands for itself. */
    lam_store_relaxed(&health->calls_well,
        health->calls.state == LAM_HEALTH_READY && health->calls.failures == 0);
    before = lam_load_relaxed(&health->state);
    if (state != before)
        tell_breaker(health, state, &news);
    lam_store_relaxed(&health->state, state);
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
    if (state != before)
        lam_event_tell(health->module, LAM_EVENT_HEALTH, state, NULL);
    if (news.is_new)
        lam_event_tell(health->module, LAM_EVENT_BREAKER, news.state, news.text);
}

/* Of a newer one than before nothing is known. Returns whether it is the newest. */
static int meet(struct health *health, const struct lam_generation *generation)
{
    /* Relaxed, all: stored under the lock, and it stands for itself. */
    uint64_t met = lam_load_relaxed(&health->generation);

    if (__builtin_expect(met >= generation->number, 1))
        return met == generation->number;
    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    if (lam_load_relaxed(&health->generation) < generation->number) {
        memset(&health->probes, 0, sizeof(health->probes));
        memset(&health->calls, 0, sizeof(health->calls));
        lam_store_relaxed(&health->generation, generation->number);
    }
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
    publish(health);
    return 1;
}

/* ---- by calls ---- */

static int is_failure(uint32_t failure)
{
    return failure == LAM_FAILURE_DEADLINE || failure == LAM_FAILURE_BAD_REPLY ||
           failure == LAM_FAILURE_CRASHED || failure == LAM_FAILURE_EXITED ||
           failure == LAM_FAILURE_NO_WORKER || failure == LAM_FAILURE_POISONED;
}

static void note(struct health *health, uint32_t failure)
{
    int is_bad = is_failure(failure);

    if (!is_bad && lam_load_relaxed(&health->calls_well)) /* relaxed: see publish() */
        return;
    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    if (health_judge(&health->calls, &health->options, is_bad ? -1 : 0)) {
        health->calls.state = LAM_HEALTH_UNREADY;
        health->unready_ns = lam_clock_now_ns();
    }
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
    publish(health);
}

/* Let it be tried again: one failure more, and it is unready again. */
static void forgive(struct health *health)
{
    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    if (health->calls.state == LAM_HEALTH_UNREADY &&
        lam_clock_now_ns() - health->unready_ns >= health->options.interval_ns)
        health->calls = (struct health_row){.failures = health->options.failures - 1};
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
}

/* ---- by probes ---- */

static void judge_here(struct health *health, int status)
{
    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    health->count.probes++;
    health->count.failures += status < 0;
    (void)health_judge(&health->probes, &health->options, status);
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
}

/* One that has not answered has its time again: it cannot be asked anything else. */
static int await_answer(struct health *health)
{
    struct here *here = &health->here;
    struct lam_answer answer;
    uint64_t now_ns = lam_clock_now_ns();

    if (lam_ask_take(&health->askers, here->asker, &answer)) {
        here->asker = NULL;
        if (!answer.is_busy && !here->is_late)
            judge_here(health, answer.at_ns <= here->due_ns ? answer.status : -ETIMEDOUT);
        return 0;
    }
    if (now_ns >= here->due_ns) {
        here->is_late = 1;
        here->due_ns = lam_deadline_after_ns(health->options.timeout_ns);
        judge_here(health, -ETIMEDOUT);
    }
    return 1;
}

/* In this process. Returns whether an answer is to come. */
static int probe_here(struct health *health, struct lam_generation *generation, int is_round)
{
    struct here *here = &health->here;

    /* What another code says is nothing to this one. */
    if (here->asker != NULL && here->number != generation->number) {
        lam_ask_leave(&health->askers, here->asker);
        here->asker = NULL;
    }
    if (here->asker != NULL && await_answer(health))
        return 1;
    if (!is_round)
        return 0;
    if (generation->descriptor->health == NULL) {
        judge_here(health, 0);
        return 0;
    }
    here->number = generation->number;
    here->is_late = 0;
    here->due_ns = lam_deadline_after_ns(health->options.timeout_ns);
    here->asker = lam_ask(&health->askers, generation, here->due_ns);
    return here->asker != NULL;
}

static int probe_workers(struct health *health, struct lam_generation *generation, int is_round)
{
    struct health_count count = {0, 0, 0};
    int is_pending = 0;
    uint32_t state =
        lam_crew_probe(generation->crew, &health->options, is_round, &count, &is_pending);

    LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
    health->probes.state = state;
    health->count.probes += count.probes;
    health->count.failures += count.failures;
    health->count.replaced += count.replaced;
    LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
    return is_pending;
}

/* Inside the module's generation, if it is of this path. Returns whether an answer is to come. */
static int probe(struct health *health, int is_round)
{
    struct lam_seat *seat = lam_seat_mine();
    struct lam_generation *generation;
    int is_pending = 0;

    if (seat == NULL)
        return 0;
    generation = lam_pin(seat, health->module);
    if (generation != NULL && (void *)generation != (void *)&lam_generation_held &&
        lam_path_find(generation->path, &lam_stage_health) == health) {
        (void)meet(health, generation);
        if ((health->options.by & LAM_HEALTH_BY_PROBES) == 0)
            is_pending = 0;
        else if (generation->crew != NULL)
            is_pending = probe_workers(health, generation, is_round);
        else
            is_pending = probe_here(health, generation, is_round);
    }
    lam_unpin(seat);
    return is_pending;
}

static void hurry(void *context)
{
    struct health *health = context;

    lam_keeper_hurry(&health->module->runtime->keeper, &health->task);
}

static uint64_t look_after(struct lam_task *task)
{
    struct health *health = (struct health *)(void *)((char *)task - offsetof(struct health, task));
    uint64_t now_ns = lam_clock_now_ns(), due_ns;
    int is_round = now_ns >= health->round_ns, is_pending;

    if (is_round)
        health->round_ns = now_ns + health->options.interval_ns;
    if ((health->options.by & LAM_HEALTH_BY_CALLS) != 0)
        forgive(health);
    is_pending = probe(health, is_round);
    publish(health);
    if (is_pending && health->here.asker == NULL)
        return PENDING_NS;
    if (lam_load_relaxed(&health->generation) == 0) { /* relaxed; it is being loaded */
        health->round_ns = now_ns;
        return PENDING_NS;
    }
    now_ns = lam_clock_now_ns();
    due_ns = health->round_ns;
    /* An answer comes by itself; so it is time for the next round, or too late for the answer. */
    if (is_pending && health->here.due_ns < due_ns)
        due_ns = health->here.due_ns;
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

/* ---- the stage ---- */

static void close_health(void *state)
{
    struct health *health = state;

    lam_askers_fini(&health->askers);
    (void)pthread_mutex_destroy(&health->lock);
    free(health);
}

static int open_health(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    struct health *health;
    int rc;

    if (options->health == NULL)
        return 0;
    health = calloc(1, sizeof(*health));
    if (health == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    health->options = *options->health;
    health->module = module;
    health->task.run = look_after;
    lam_askers_init(&health->askers, hurry, health);
    LAM_ASSERT(pthread_mutex_init(&health->lock, NULL) == 0);
    rc = fill_in(&health->options, error);
    if (rc != 0) {
        close_health(health);
        return rc;
    }
    *state = health;
    return 1;
}

/* From here on it is looked after. */
static int begin_health(void *state, const struct lam_path *path, struct lam_error *error)
{
    struct health *health = state;
    struct breaker *breaker = lam_path_find(path, &lam_stage_breaker);
    int rc;

    if (breaker != NULL && breaker->options.follows_health)
        health->breaker = breaker;
    health->round_ns = lam_clock_now_ns();
    rc = lam_keeper_add(&health->module->runtime->keeper, &health->task, LAM_NS_PER_MS);
    return rc == 0 ? 0
                   : lam_error_set(error, rc, "module %s: health: no thread for its probes",
                         health->module->name);
}

static void end_health(void *state)
{
    struct health *health = state;

    lam_keeper_remove(&health->module->runtime->keeper, &health->task);
}

static int run_health(void *state, struct lam_passage *passage)
{
    struct health *health = state;
    int is_newest = meet(health, passage->generation);
    uint32_t now = lam_load_relaxed(&health->state); /* relaxed: it stands for itself */
    int rc;

    if (__builtin_expect(now >= LAM_HEALTH_UNREADY, 0) && is_newest) {
        (void)lam_add_acq_rel(&health->refused, 1);
        return lam_reply_fail(passage->reply, LAM_FAILURE_UNREADY, (int32_t)now, -ECANCELED);
    }
    rc = lam_path_go_on(passage);
    if ((health->options.by & LAM_HEALTH_BY_CALLS) != 0 && is_newest)
        note(health, passage->reply->failure);
    return rc;
}

const struct lam_stage_kind lam_stage_health = {.name = "health",
    .open = open_health,
    .begin = begin_health,
    .run = run_health,
    .end = end_health,
    .close = close_health};

int lam_health_look(struct lam_module *module, struct lam_health_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    struct health *health = lam_path_find(path, &lam_stage_health);

    memset(stat, 0, sizeof(*stat));
    if (health != NULL) {
        LAM_ASSERT(pthread_mutex_lock(&health->lock) == 0);
        stat->state =
            (enum lam_health_state)lam_load_relaxed(&health->state); /* relaxed: as above */
        stat->probes = health->count.probes;
        stat->failures = health->count.failures;
        stat->replaced = health->count.replaced;
        LAM_ASSERT(pthread_mutex_unlock(&health->lock) == 0);
        stat->refused = lam_load_relaxed(&health->refused); /* relaxed: it stands for itself */
    }
    lam_path_close(path);
    return health != NULL ? 0 : -ENOENT;
}
