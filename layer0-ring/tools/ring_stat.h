/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_TOOLS_RING_STAT_H
#define LAM_RING_TOOLS_RING_STAT_H

/*
 * ring_stat.h: lamina stat of single rings. A part of its own, since where there are topologies the
 * same verb shows them.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/ring/stat.h"

/* Whether this command line of `lamina stat` asks for rings, and not for a topology. */
int ring_stat_is_asked(int argc, char **argv);

/* lamina stat --ring, --rings. Returns the exit code. */
int ring_stat_main(int argc, char **argv);

/* A ring at one moment. */
struct ring_sample {
    uint64_t at_ns; /* 0: there is none */
    struct lam_ring_stat stat;
};

/* Print a sample; rates are from @before to it, where there is one. */
void ring_stat_print(
    const struct lam_ring *ring, const struct ring_sample *now, const struct ring_sample *before);
void ring_stat_print_json(
    const struct lam_ring *ring, const struct ring_sample *now, const struct ring_sample *before);

/* Per second, from one sample to the next; less than 0: there is no rate. */
double ring_stat_rate(
    uint64_t now, uint64_t then, const struct ring_sample *to, const struct ring_sample *from);
double ring_stat_consumer_rate(const struct lam_ring_consumer_stat *consumer,
    const struct ring_sample *now, const struct ring_sample *before);

/* Who waits for whom, as "the producer waits for reader" or "2 of 3 consumers wait". */
void ring_stat_waiting(const struct lam_ring_stat *stat, char *text, size_t bytes);

/* In a word: gating, lossy, asleep, dead, evicted ... */
const char *ring_stat_consumer_state(const struct lam_ring_consumer_stat *consumer);

#endif
