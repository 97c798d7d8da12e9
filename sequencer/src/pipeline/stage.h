/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_STAGE_H
#define LAM_SEQUENCER_STAGE_H

/*
 * stage.h: a piece of the pipeline: a function that does what it can and never waits. It makes only
 * try_ calls on rings and starts only asynchronous calls of its env. Who waits is the runner: a
 * thread for each stage, or the simulator, with one thread for all.
 */

#include <stdint.h>

#include "lamina/base/error.h"

struct stage {
    const char *name;
    /*
     * Up to @budget pieces of work. Returns how many were done; 0: nothing to do before @due_ns,
     * a completion of its env, or another stage's progress; or negative errno: it has failed, and
     * the node ends with @error.
     */
    int (*step)(struct stage *stage, unsigned budget);
    uint64_t due_ns;        /* absolute, of the env's clock; UINT64_MAX: none */
    const char *blocked_on; /* what step waited for when it returned 0; NULL: input */
    struct lam_error error;
    uint64_t steps, worked; /* counted by the runner */
};

#endif
