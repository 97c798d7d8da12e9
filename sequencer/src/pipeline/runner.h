/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_RUNNER_H
#define LAM_SEQUENCER_RUNNER_H

/*
 * runner.h: runs the stages of a node, a thread each; response and publisher share one, since both
 * write to connections, and a transport has one writer.
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

#define RUNNER_LOOPS 5

struct runner;

struct runner_loop {
    struct runner *runner;
    struct lam_env *env;
    enum node_stage stages[2];
    unsigned stage_count;
    struct env_thread thread;
    uint8_t apart[64];
    lam_atomic_u32 is_asleep; /* by itself; 0 by who wakes it */
    uint8_t apart_too[60];
};

struct runner {
    struct node *node;
    int spins;
    unsigned started;
    struct runner_loop loops[RUNNER_LOOPS];
    lam_atomic_u32 has_failed;
    int failure; /* of the first stage that failed; its error */
    struct lam_error error;
};

/*
 * Starts the threads. @runner stays where it is until runner_join. @cpus: of the stages, by their
 * order in enum node_stage; -1, or behind @cpu_count: any.
 *
 * Returns 0, or negative errno with @error, and nothing runs.
 */
int runner_start(struct runner *runner, struct node *node, int spins, const int *cpus,
    unsigned cpu_count, struct lam_error *error);

/* Waits until all stages are done, or one has failed. Returns 0, or its error. */
int runner_join(struct runner *runner, struct lam_error *error);

#endif
