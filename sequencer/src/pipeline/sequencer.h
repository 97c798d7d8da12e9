/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_PIPELINE_SEQUENCER_H
#define LAM_SEQUENCER_PIPELINE_SEQUENCER_H

/*
 * sequencer.h: a node of production.
 */

#include "env/linux.h"
#include "lamina/sequencer/sequencer.h"
#include "pipeline/runner.h"
#include "protocol/keys.h"

struct lam_sequencer {
    struct lam_sequencer_config settings;
    struct lam_env_linux worlds[RUNNER_THREADS_MAX]; /* of each thread */
    unsigned world_count;
    struct node_config config;
    struct keys keys;
    struct node *node;
    uint64_t first_sequence; /* of this process */
    unsigned looks;          /* for a predecessor to be gone */
    struct runner runner;
};

/* As lam_sequencer_join, and nothing is freed. */
int sequencer_wait(struct lam_sequencer *sequencer, struct lam_error *error);

#endif
