/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/runner.h"

#include <errno.h>
#include <string.h>

#include "pipeline/parts.h"

/* Pieces of work of a stage between two looks at the others of its thread. */
#define BUDGET 64

enum { READER, JOURNAL, APPLICATION, WRITER, SHADOW };

#define TO(loop) (1U << (loop))

/* Whom the progress of a loop may concern. */
static const unsigned concerned[RUNNER_LOOPS] = {
    [READER] = TO(JOURNAL) | TO(APPLICATION) | TO(WRITER),
    [JOURNAL] = TO(READER) | TO(WRITER) | TO(SHADOW),
    [APPLICATION] = TO(READER) | TO(WRITER),
    [WRITER] = TO(READER) | TO(APPLICATION),
    [SHADOW] = TO(READER) | TO(JOURNAL),
};

static void wake_all(struct runner *runner)
{
    for (unsigned i = 0; i < RUNNER_LOOPS; i++)
        runner->loops[i].env->ops->wake(runner->loops[i].env);
}

static void fail(struct runner *runner, int failure, const struct lam_error *error)
{
    uint32_t none = 0;

    /* Read by who has joined all threads. */
    if (lam_cas_acq_rel(&runner->has_failed, &none, 1)) {
        runner->failure = failure;
        runner->error = *error;
    }
    wake_all(runner);
}

/* A step of each stage. Returns how much was done, or -1: one has failed. */
static int step_all(struct runner_loop *loop)
{
    int worked = 0;

    for (unsigned i = 0; i < loop->stage_count; i++) {
        struct stage *stage = node_stage(loop->runner->node, loop->stages[i]);
        int result = stage->step(stage, BUDGET);

        stage->steps++;
        if (result < 0) {
            fail(loop->runner, result, &stage->error);
            return -1;
        }
        stage->worked += (uint64_t)result;
        worked += result;
    }
    return worked;
}

static void wake_others(struct runner_loop *loop)
{
    struct runner *runner = loop->runner;
    unsigned whom = concerned[loop - runner->loops];

    if (runner->spins)
        return;
    lam_fence_seq_cst(); /* W2 */
    for (unsigned i = 0; i < RUNNER_LOOPS; i++) {
        struct runner_loop *other = &runner->loops[i];

        /* Relaxed: the fence orders it; what the other one has to see is in its stages' words. */
        if ((whom & TO(i)) && lam_load_relaxed(&other->is_asleep) &&
            lam_exchange_acq_rel(&other->is_asleep, 0))
            other->env->ops->wake(other->env);
    }
}

static int is_done(const struct runner_loop *loop)
{
    for (unsigned i = 0; i < loop->stage_count; i++)
        if (!stage_is_done(loop->runner->node, loop->stages[i]))
            return 0;
    return 1;
}

static uint64_t due_ns(const struct runner_loop *loop)
{
    uint64_t due = UINT64_MAX;

    for (unsigned i = 0; i < loop->stage_count; i++) {
        uint64_t of_stage = node_stage(loop->runner->node, loop->stages[i])->due_ns;

        due = of_stage < due ? of_stage : due;
    }
    return due;
}

/* Only clients and time wake the reader, unless it has said that it waits for the others. */
static int is_woken_by_others(const struct runner_loop *loop)
{
    return loop->stages[0] != NODE_READER ||
           node_stage(loop->runner->node, NODE_READER)->blocked_on != NULL;
}

/* Returns as step_all, after it has slept, or because there is something to do. */
static int sleep_or_step(struct runner_loop *loop)
{
    int worked;

    lam_store_relaxed(&loop->is_asleep, 1);
    lam_fence_seq_cst(); /* W1 */
    worked = step_all(loop);
    if (worked == 0 && !lam_load_acquire(&loop->runner->has_failed) && !is_done(loop)) {
        if (!is_woken_by_others(loop))
            lam_store_relaxed(&loop->is_asleep, 0);
        loop->env->ops->wait(loop->env, due_ns(loop));
    }
    lam_store_relaxed(&loop->is_asleep, 0);
    return worked;
}

static void run(void *context)
{
    struct runner_loop *loop = context;
    struct runner *runner = loop->runner;

    while (!lam_load_acquire(&runner->has_failed) && !is_done(loop)) {
        int worked = step_all(loop);

        if (worked == 0 && runner->spins)
            lam_pause();
        else if (worked == 0)
            worked = sleep_or_step(loop);
        if (worked > 0)
            wake_others(loop);
    }
    wake_others(loop);
}

static void place_stages(struct runner *runner)
{
    static const enum node_stage stages[RUNNER_LOOPS] = {[READER] = NODE_READER,
        [JOURNAL] = NODE_JOURNAL,
        [APPLICATION] = NODE_APPLICATION,
        [WRITER] = NODE_RESPONSE,
        [SHADOW] = NODE_SHADOW};

    for (unsigned i = 0; i < RUNNER_LOOPS; i++) {
        struct runner_loop *loop = &runner->loops[i];

        *loop = (struct runner_loop){.runner = runner,
            .env = runner->node->config.envs[stages[i]],
            .stages = {stages[i], NODE_PUBLISHER},
            .stage_count = i == WRITER ? 2 : 1,
            .thread = {.run = run, .context = loop}};
    }
}

int runner_start(struct runner *runner, struct node *node, int spins, const int *cpus,
    unsigned cpu_count, struct lam_error *error)
{
    *runner = (struct runner){.node = node, .spins = spins};
    place_stages(runner);
    for (; runner->started < RUNNER_LOOPS; runner->started++) {
        struct runner_loop *loop = &runner->loops[runner->started];
        int cpu = (unsigned)loop->stages[0] < cpu_count ? cpus[loop->stages[0]] : -1;
        int result = env_thread_start(&loop->thread, cpu);
        struct lam_error text;

        if (result == 0)
            continue;
        (void)lam_error_set(&text, result, "a thread for %s, on CPU %d: %s",
            node_stage(node, loop->stages[0])->name, cpu, strerrordesc_np(-result));
        fail(runner, result, &text);
        return runner_join(runner, error);
    }
    return 0;
}

int runner_join(struct runner *runner, struct lam_error *error)
{
    for (unsigned i = 0; i < runner->started; i++)
        env_thread_join(&runner->loops[i].thread);
    runner->started = 0;
    if (!lam_load_acquire(&runner->has_failed))
        return 0;
    return lam_error_set(error, runner->failure, "%s", runner->error.text);
}
