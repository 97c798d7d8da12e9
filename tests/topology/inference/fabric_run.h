/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FABRIC_RUN_H
#define LAM_TEST_FABRIC_RUN_H

/*
 * fabric_run.h: the main job as a user starts it, with its output in hand. For Criterion tests.
 *
 * Each run has a topology's name of its own, so that tests may run beside each other. All of it
 * dies with the test.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fabric_run {
    pid_t pid;
    int out; /* memory files */
    int err;
    int full; /* set before the start: standard output is a full disk */
    char name[32];
    char text[1 << 16]; /* what was read last */
};

/*
 * Start `lamina up` on the fabric's file with the settings @sets (ended by NULL, each a word for
 * --set) and with --json if @json. @input is its standard input, -1 for none.
 */
void fabric_start(struct fabric_run *run, const char *const *sets, int json, int input);

/* Wait for the end. Returns the exit code, or minus the signal; a hang fails the test. */
int fabric_wait(struct fabric_run *run, unsigned seconds);

/* The output so far, in @run->text. */
const char *fabric_stdout(struct fabric_run *run);
const char *fabric_stderr(struct fabric_run *run);

/* Wait until standard error has @words. Returns 1, or 0 after @milliseconds. */
int fabric_says(struct fabric_run *run, const char *words, unsigned milliseconds);

/*
 * Wait until process @index of the role is at step @step or further. Returns its pid; fails the
 * test after ten seconds.
 */
pid_t fabric_at_step(struct fabric_run *run, const char *role, uint32_t index, uint64_t step);

/* What a trace asks for, and what its requests must end with: by a loop without batches. */
struct fabric_oracle {
    uint64_t requests;
    uint64_t prompt_tokens;
    uint64_t generated_tokens;
    char digest[17];
};

void fabric_oracle(const char *path, struct fabric_oracle *oracle);

/* Path of a file of the example's folder, in a buffer of the callee's. */
const char *fabric_file(const char *name);

#endif
