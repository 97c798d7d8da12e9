/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/runner.h"

#include <errno.h>
#include <string.h>

#include "pipeline/parts.h"

/* Pieces of work of a stage between two looks at the others of its thread. */
#define BUDGET 64

#define TO(stage) (1U << (stage))

/* Whom the progress of a stage may concern. */
static const unsigned concerned[NODE_STAGES] = {
    [NODE_READER] = TO(NODE_JOURNAL) | TO(NODE_APPLICATION) | TO(NODE_RESPONSE),
    [NODE_JOURNAL] = TO(NODE_READER) | TO(NODE_RESPONSE) | TO(NODE_SHADOW),
    [NODE_APPLICATION] = TO(NODE_READER) | TO(NODE_RESPONSE),
    [NODE_RESPONSE] = TO(NODE_READER) | TO(NODE_APPLICATION),
    [NODE_PUBLISHER] = TO(NODE_READER) | TO(NODE_APPLICATION),
    [NODE_SHADOW] = TO(NODE_READER),
};

/*
 * By the number of threads. Those that write to connections are one; those that touch the disk are
 * apart from the others as soon as there are two.
 */
static const uint8_t threads_of[RUNNER_THREADS_MAX][NODE_STAGES] = {
    {0, 0, 0, 0, 0, 0},
    {0, 1, 0, 0, 0, 1},
    {0, 1, 2, 0, 0, 1},
    {0, 1, 2, 0, 0, 3},
    {0, 1, 2, 3, 3, 4},
};

unsigned runner_thread_of(enum node_stage stage, unsigned thread_count)
{
    LAM_ASSERT(thread_count >= 1 && thread_count <= RUNNER_THREADS_MAX);
    return threads_of[thread_count - 1][stage];
}

static void wake_all(struct runner *runner)
{
    for (unsigned i = 0; i < runner->loop_count; i++)
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

    if (runner->spins)
        return;
    lam_fence_seq_cst(); /* W2 */
    for (unsigned i = 0; i < runner->loop_count; i++) {
        struct runner_loop *other = &runner->loops[i];

        /* Relaxed: the fence orders it; what the other one has to see is in its stages' words. */
        if ((loop->concerns & TO(i)) && lam_load_relaxed(&other->is_asleep) &&
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

/* Only clients and time wake a reader alone, unless it has said that it waits for the others. */
static int is_woken_by_others(const struct runner_loop *loop)
{
    return loop->stage_count > 1 || loop->stages[0] != NODE_READER ||
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
    unsigned concerns[RUNNER_THREADS_MAX] = {0};

    for (unsigned i = 0; i < NODE_STAGES; i++) {
        struct runner_loop *loop =
            &runner->loops[runner_thread_of((enum node_stage)i, runner->loop_count)];

        loop->stages[loop->stage_count++] = (enum node_stage)i;
        loop->env = runner->node->config.envs[i];
        concerns[loop - runner->loops] |= concerned[i];
    }
    for (unsigned i = 0; i < runner->loop_count; i++) {
        struct runner_loop *loop = &runner->loops[i];

        loop->runner = runner;
        loop->thread = (struct env_thread){.run = run, .context = loop};
        for (unsigned stage = 0; stage < NODE_STAGES; stage++)
            if ((concerns[i] & TO(stage)) != 0)
                loop->concerns |=
                    TO(runner_thread_of((enum node_stage)stage, runner->loop_count)) & ~TO(i);
    }
}

int runner_start(struct runner *runner, struct node *node, const struct runner_options *options,
    struct lam_error *error)
{
    *runner =
        (struct runner){.node = node, .spins = options->spins, .loop_count = options->thread_count};
    place_stages(runner);
    for (; runner->started < runner->loop_count; runner->started++) {
        struct runner_loop *loop = &runner->loops[runner->started];
        int cpu =
            (unsigned)loop->stages[0] < options->cpu_count ? options->cpus[loop->stages[0]] : -1;
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
