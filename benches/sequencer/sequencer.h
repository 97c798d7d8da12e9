/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_SEQUENCER_H
#define LAM_BENCH_SEQUENCER_H

/*
 * sequencer.h: the parts of the bench of the sequencer, one a file, and what they share.
 *
 * A node is a process of its own. What it is compared to is measured in turns with it, in the same
 * seconds, on the same disk: bare pieces that do what a node cannot do without.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lamina/sequencer/client.h"
#include "lamina/sequencer/sequencer.h"

#include "options.h"

struct sequencer_part {
    const char *name; /* chosen by --part */
    /* All its lines. Returns 0, or 1 after a line on standard error. */
    int (*run)(const struct bench_options *options);
};

extern const struct sequencer_part sequencer_trip;
extern const struct sequencer_part sequencer_rate;
extern const struct sequencer_part sequencer_flood;
extern const struct sequencer_part sequencer_recovery;

/* ---- node.c ---- */

#define NODE_PATH_BYTES 96

/* A node of the echo application in a process and a folder of its own. */
struct node_process {
    pid_t pid;
    char folder[NODE_PATH_BYTES];
    char address[NODE_PATH_BYTES + 16];
};

/* @transport: "unix" or "tcp". Ends the program where it does not start. */
void bench_node_start(
    struct node_process *node, const char *transport, enum lam_sequencer_policy policy);

/* In order; the folder stays. */
void bench_node_stop(struct node_process *node);

/* Once more in the same folder. Returns how long it took until it served, ns. */
uint64_t bench_node_restart(struct node_process *node);

void bench_node_remove(const struct node_process *node);

/* A client of it that has its session. */
struct lam_sequencer_client *bench_node_client(const struct node_process *node);

/* One event and its answer, of @bytes; the answer is looked at. Ends the program on any error. */
void bench_node_call(struct lam_sequencer_client *client, const void *request, uint32_t bytes);

/* ---- bare.c: what a node cannot do without ---- */

struct bare_echo {
    pid_t pid;
    int socket;
};

/* A process that answers what it is sent, over @transport. */
void bare_echo_start(struct bare_echo *echo, const char *transport, const char *folder);
void bare_echo_stop(struct bare_echo *echo);
void bare_echo_call(struct bare_echo *echo, const void *request, uint32_t bytes);

/* A file of zeros in @folder: write @bytes at the next place of it and sync. */
struct bare_log {
    int file;
    uint64_t at, size;
    uint8_t *bytes;
};

void bare_log_open(struct bare_log *log, const char *folder);
void bare_log_close(struct bare_log *log);
void bare_log_append(struct bare_log *log, uint32_t bytes);

/* ---- turns.c ---- */

#define TURNS_LANES_MAX  4
#define TURNS_ROUNDS_MAX 64

/* Lanes that take turns, and what each round gave: ns of one, or whatever a lane measures. */
struct turns {
    uint32_t rounds, lanes;
    double figures[TURNS_LANES_MAX][TURNS_ROUNDS_MAX];
};

/* The median of a lane; of the quotients of two, round by round; and their spread. */
double turns_median(const struct turns *turns, uint32_t lane);
double turns_ratio(const struct turns *turns, uint32_t lane, uint32_t probe, double *spread);

/* One JSON line: {"bench":"sequencer-NAME","variant":...,"payload_bytes":...; others may follow. */
void turns_report(const struct turns *turns, const char *name, const char *variant,
    uint32_t payload_bytes, uint32_t lane, uint32_t probe, const char *probe_name);

#endif
