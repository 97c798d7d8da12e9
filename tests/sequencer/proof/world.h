/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_WORLD_H
#define LAM_TESTS_SEQUENCER_PROOF_WORLD_H

/*
 * world.h: a whole node, its disk and its clients in one thread, from one seed: it lives, dies of
 * what the seed says, comes back, and at last has peace; then everything that anybody was told is
 * laid beside its journal.
 */

#include "lamina/sequencer/sequencer.h"
#include "pipeline/node.h"
#include "proof/crowd.h"
#include "proof/reading.h"
#include "simulation/sim.h"

/* Why a life ended, or what it had to bear. */
enum world_fault {
    WORLD_PEACE = 0,
    WORLD_POWER,     /* goes at some call */
    WORLD_KILL,      /* the process, at some time */
    WORLD_FAILURE,   /* a call fails */
    WORLD_SHORT,     /* a write does half */
    WORLD_FULL_DISK, /* there is no room for another segment */
    WORLD_LEAP,      /* the clock leaps */
    WORLD_STALL,     /* one stage does not run for a while */
    WORLD_NO_OPEN,   /* power goes while it recovers */
    WORLD_LIAR,      /* a write is lost or goes astray: beyond what one disk can bear */
    WORLD_FAULTS
};

struct world_totals {
    uint64_t seeds, simulated_ns, lives, steps;
    uint64_t answers, repeats, refusals, sessions, publications, records, digests, stopped;
    uint64_t faults[WORLD_FAULTS];
    int is_canary; /* one seed in a hundred loses something that was acknowledged */
    struct workload_histogram workload;
};

struct world {
    uint64_t seed;
    struct sim sim;
    struct net net;
    struct crowd crowd;
    struct random random;
    struct book_config book;
    struct lam_app app;
    struct lam_sequencer_config config;
    struct node *node;
    struct lam_error error;
    struct world_totals *totals;
    enum world_fault fault;
    uint64_t trace;   /* a hash of all that has happened */
    int is_stopped;   /* beyond its faults it does not open any more */
    int lies;         /* the disk has lied once: what was acknowledged may be gone */
    unsigned stalled; /* 0, or a stage and one */
    uint64_t until_ns;
    uint64_t steps;
    const char *broken; /* the invariant, or NULL */
    char detail[LAM_ERROR_TEXT_BYTES + 128];
};

/*
 * All of it, for one seed. Returns 1, or 0: world->broken says which invariant is. What is counted
 * is added to @totals.
 */
int world_run(struct world *world, uint64_t seed, struct world_totals *totals);

/* The first seed from @first on that loses something where totals->is_canary. */
uint64_t world_canary_seed(uint64_t first);

/* For messages. Never NULL. */
const char *world_fault_text(enum world_fault fault);

#endif
