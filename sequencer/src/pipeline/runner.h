/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_RUNNER_H
#define LAM_SEQUENCER_RUNNER_H

/*
 * runner.h: runs the stages of a node, on as many threads as there are CPUs for them. Response and
 * publisher always share one, since both write to connections, and a transport has one writer.
 *
 * A thread whose stages have nothing to do spins, or waits in its env. It says so before it looks
 * a last time, and whoever has made progress looks who says so: one of the two sees the other.
 *
 *     W1 the sleeper stores is_asleep, fence, steps once more     pairs with     W2
 *     W2 the other one's step has stored, fence, loads is_asleep
 */

#include "env/thread.h"
#include "lamina/base/atomic.h"
#include "pipeline/node.h"

#define RUNNER_THREADS_MAX 5

struct runner;

struct runner_loop {
    struct runner *runner;
    struct lam_env *env;
    enum node_stage stages[NODE_STAGES];
    unsigned stage_count;
    unsigned concerns; /* bit i: thread i may have to go on when this one has */
    struct env_thread thread;
    uint8_t apart[64];
    lam_atomic_u32 is_asleep; /* by itself; 0 by who wakes it */
    uint8_t apart_too[60];
};

struct runner {
    struct node *node;
    int spins;
    unsigned loop_count, started;
    struct runner_loop loops[RUNNER_THREADS_MAX];
    lam_atomic_u32 has_failed;
    int failure; /* of the first stage that failed; its error */
    struct lam_error error;
};

struct runner_options {
    int spins;
    unsigned thread_count; /* 1 to RUNNER_THREADS_MAX */
    /* Of a thread that of the first stage it has, by their order in enum node_stage; -1, or behind
       @cpu_count: any. */
    const int *cpus;
    unsigned cpu_count;
};

/* Which of @thread_count threads runs @stage. Stages of one thread have one env. */
unsigned runner_thread_of(enum node_stage stage, unsigned thread_count);

/*
 * Starts the threads. @runner stays where it is until runner_join.
 *
 * Returns 0, or negative errno with @error, and nothing runs.
 */
int runner_start(struct runner *runner, struct node *node, const struct runner_options *options,
    struct lam_error *error);

/* Waits until all stages are done, or one has failed. Returns 0, or its error. */
int runner_join(struct runner *runner, struct lam_error *error);

#endif
