/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_RUNS_H
#define LAM_BENCH_RUNS_H

/*
 * runs.h: what the benches of the layers do alike: sizes, windows, which lanes take part.
 */

#include "campaign.h"
#include "options.h"

/*
 * A shape whose ring has 4096 cells of 64 bytes, or as many as @options say, and always enough for
 * three messages.
 */
void bench_run_shape(struct bench_shape *shape, const struct bench_options *options,
    uint32_t payload_bytes, uint32_t batch, uint32_t readers);

/* An empty campaign with the windows that @options ask for. */
void bench_run_init(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options);

/* Whether the subject bench_layers[@index] is measured: the layer asked for, and the one below. */
int bench_run_wants(const struct bench_options *options, uint32_t index);

/* Whether it moves messages in batches of @batch. */
int bench_run_batches(uint32_t index, uint32_t batch);

/*
 * The opponent of a stream: the bare stamped ring; for batches of 8 and more the better of it and
 * the bare cursor ring.
 */
uint32_t bench_run_stream_probe(
    const struct bench_campaign *campaign, uint32_t stamped, uint32_t cursor);

/* Whether its line is printed. */
int bench_run_prints(const struct bench_options *options, uint32_t index);

/*
 * Report how lane bench_layers[@index] compares to the layer below, and for layers 2 and 3 to
 * framed, where these took part.
 */
void bench_run_compare(
    const struct bench_campaign *campaign, uint32_t index, const uint32_t *layer_lanes);

#endif
