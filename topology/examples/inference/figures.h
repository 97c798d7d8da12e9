/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_FIGURES_H
#define LAM_INFERENCE_FIGURES_H

/*
 * figures.h: what a run has done so far, and how it is told: a line a second while it runs, a table
 * or one JSON object at its end.
 *
 * Only the scheduler writes figures, in fixed memory. Telling them changes nothing but the window
 * of the live line.
 */

#include <stdint.h>
#include <stdio.h>

#include "facts.h"
#include "lamina/base/histogram.h"

#define FIGURES_WORKERS_MAX 64
#define FIGURES_RINGS_MAX   (1 + FIGURES_WORKERS_MAX)

/* One edge, all its rings together. */
struct edge_figures {
    const char *name;
    uint64_t messages;
    uint64_t bytes;
    struct lam_histogram latency; /* from one end's clock to the other's: one machine, one clock */
};

struct worker_figures {
    char name[64];
    uint64_t replies;
    uint64_t deaths;
    uint64_t lag_ns; /* all steps: how much later than the first worker it was done */
    uint64_t last;   /* steps that it was the last to answer */
    /* The same, in the window of the live line. */
    uint64_t window_replies;
    uint64_t window_lag_ns;
    uint64_t window_last;
};

/* Whom the scheduler waits for just now. */
struct waiting_for {
    const char *name; /* NULL: nobody */
    uint64_t step;
    uint64_t since_ns;
};

struct figures {
    const char *topology;
    const char *input;
    const char *speed;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t requests; /* finished */
    uint64_t requests_read;
    uint64_t requests_total; /* 0: not known, the input is a pipe */
    uint64_t malformed;
    uint64_t steps;
    uint64_t steps_repeated;
    uint64_t prompt_tokens;
    uint64_t generated_tokens;
    uint64_t digest;
    uint64_t mismatches;
    uint64_t duplicates;
    uint32_t complete; /* the trace was finished */
    uint32_t worker_count;
    uint32_t ring_count;
    struct edge_figures step_edge;
    struct edge_figures reply_edge;
    struct lam_histogram step_time; /* broadcast to the last reply */
    struct worker_figures workers[FIGURES_WORKERS_MAX];
    struct ring_facts rings[FIGURES_RINGS_MAX];

    /* The window of the live line. */
    uint64_t window_start_ns;
    uint64_t window_steps;
    uint64_t window_tokens;
    struct lam_histogram window_step_time;
};

/* The value that @per_mille thousandths do not exceed; 0 where nothing was counted. */
uint64_t figures_quantile(const struct lam_histogram *histogram, uint32_t per_mille);

/*
 * Print the live line of the window that ends at @now_ns, and begin the next one.
 */
void figures_print_live(
    struct figures *figures, const struct waiting_for *waiting, uint64_t now_ns, FILE *out);

/* Print the table of the whole run, for people. */
void figures_print_table(const struct figures *figures, FILE *out);

/* Print the whole run as one JSON object and a line end. */
void figures_print_json(const struct figures *figures, FILE *out);

#endif
