/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_OPTIONS_H
#define LAM_BENCH_OPTIONS_H

/*
 * options.h: the arguments that all benches share.
 */

#include <stdint.h>

#include "cpus.h"

#define BENCH_CPUS_MAX BENCH_CPU_ENDS_MAX

struct bench_options {
    int quick;                /* a few short windows: is it alive, not how fast */
    uint32_t windows;         /* clean rounds wanted; 0: the default */
    int layer;                /* one layer alone; -1: all */
    uint32_t payload_bytes;   /* one size alone; 0: the bench's own list */
    uint32_t batch;           /* one batch alone; 0: the bench's own list */
    uint32_t depth;           /* cells of the ring, a power of two; 0: what fits */
    uint32_t cell_bytes;      /* of a cell, a power of two; 0: the bench's own choice, mostly 64 */
    const char *part;         /* one part of a bench that has several; NULL: all */
    const char *folder;       /* where a picture goes; NULL: the bench's own choice */
    int cpus[BENCH_CPUS_MAX]; /* as asked for */
    uint32_t cpu_count;       /* 0: the first ones allowed */
};

/* Reads the arguments; ends the program on --help (0) and on nonsense (2). */
void bench_options_read(struct bench_options *options, int argc, char **argv, const char *about);

/* Ends the program with 77, and says why, where two processes have no two CPUs. */
void bench_options_need_two_cpus(void);

/* The CPUs as bench_campaign_run() takes them: NULL where none were asked for. */
const int *bench_options_cpus(const struct bench_options *options, uint32_t ends);

#endif
