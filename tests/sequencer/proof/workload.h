/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_WORKLOAD_H
#define LAM_TESTS_SEQUENCER_PROOF_WORKLOAD_H

/*
 * workload.h: what clients do next, from a seed. Every seed has weights of its own, some of them
 * zero, so that there are runs of nothing but retries, and some without any. What was really made
 * is counted, and printed as a histogram.
 */

#include <stdint.h>
#include <stdio.h>

#include "proof/model.h"
#include "proof/random.h"

enum workload_act {
    WORKLOAD_EVENT = 0, /* one event */
    WORKLOAD_PIPELINE,  /* several, one behind the other */
    WORKLOAD_FLOOD,     /* as many as there is room for, and nothing is read for a while */
    WORKLOAD_QUERY,
    WORKLOAD_REPEAT,    /* a request that was answered comes again, with its number */
    WORKLOAD_STALE,     /* a number below the floor */
    WORKLOAD_FAR,       /* a number beyond the window */
    WORKLOAD_OVERSIZED, /* more than an event may have */
    WORKLOAD_NONSENSE,  /* bytes that are no event */
    WORKLOAD_CUT,       /* the connection breaks, with what is under way */
    WORKLOAD_DEAF,      /* nothing is read for a while */
    WORKLOAD_BYE,       /* the session ends, a new one begins */
    WORKLOAD_GARBAGE,   /* of a stranger: frames of any kind, any bytes */
    WORKLOAD_ACTS
};

struct workload {
    struct random random;
    uint32_t weights[WORKLOAD_ACTS];
    uint32_t total;
    uint64_t gap_ns;       /* between two acts of one client, at most, while it is busy */
    uint64_t quiet_ns;     /* how long it may rest */
    uint32_t padding;      /* bytes behind an event, at most */
    uint32_t pipeline_max; /* events of one PIPELINE */
};

/* Counted over all seeds of a process. */
struct workload_histogram {
    uint64_t acts[WORKLOAD_ACTS];
    uint64_t verbs[MODEL_VERBS];
    uint64_t bytes[10];  /* of events, by powers of two */
    uint64_t depths[10]; /* of requests under way when one is sent, likewise */
};

void workload_begin(struct workload *workload, uint64_t seed);

/* Never GARBAGE, which is for strangers alone. */
enum workload_act workload_next(struct workload *workload, struct workload_histogram *histogram);

/* An event or a query with the id @id. */
struct model_op workload_op(struct workload *workload, int is_query, uint64_t id);

/* The power of two that @value is below, at most 9. */
unsigned workload_bucket(uint64_t value);

void workload_print(const struct workload_histogram *histogram, FILE *out);

#endif
