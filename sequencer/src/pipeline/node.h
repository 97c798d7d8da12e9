/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_NODE_H
#define LAM_SEQUENCER_NODE_H

/*
 * node.h: the pipeline put together: rings, machines, journal and stages. Who runs the stages is
 * somebody else: runner.h with threads, or a test with one loop.
 *
 *     clients -> reader -> [input ring] -> journal    -> disk; says how far all is durable
 *                   |                  -> application -> [output ring] -> response  -> clients
 *                   |                  -> shadow      -> snapshots     -> publisher -> subscribers
 *                   +-> [control ring] -> response, publisher
 *
 * Journal and application read side by side. The response stage and the publisher let nothing out
 * before the gate is open for it: the sequence up to which the policy holds. The shadow applies
 * what is durable, and nothing else.
 */

#include "env/env.h"
#include "lamina/sequencer/sequencer.h"
#include "pipeline/stage.h"
#include "protocol/keys.h"
#include "transport/transport.h"

enum node_stage {
    NODE_READER,
    NODE_JOURNAL,
    NODE_APPLICATION,
    NODE_RESPONSE,
    NODE_PUBLISHER,
    NODE_SHADOW,
    NODE_STAGES
};

struct node_config {
    const struct lam_sequencer_config *sequencer; /* its defaults filled in */
    const struct lam_app *app;
    struct lam_env *envs[NODE_STAGES]; /* one thread each; in simulation all the same */
    struct transport *transports[LAM_SEQUENCER_LISTEN_MAX];
    unsigned transport_count;
    const struct keys *keys; /* who is let in; NULL: whom the transports let in */
};

struct node;

/*
 * Recover, and be ready to be run. Waits for the disk, through envs[NODE_JOURNAL].
 *
 * Returns 0 and the node, which is the caller's, or as lam_sequencer_start.
 */
int node_open(struct node **node, const struct node_config *config, struct lam_error *error);

struct stage *node_stage(struct node *node, enum node_stage which);

/* Take no more input; end when all of it is journaled and answered. Any thread, signal handlers. */
void node_stop(struct node *node);

/* 1 where that has come. */
int node_is_done(const struct node *node);

/* The sequence of the next record, as the reader sees it: the reader's thread, or none runs. */
uint64_t node_next(const struct node *node);

/* No stage is run any more. What was not durable may be lost. */
void node_close(struct node *node);

#endif
