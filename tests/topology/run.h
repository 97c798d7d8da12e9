/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RUN_H
#define LAM_TEST_RUN_H

/*
 * run.h: the lamina command as a real process, with what it printed and how it ended.
 */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdint.h>
#include <sys/types.h>

#include "lamina/topology/observe.h"

struct run {
    pid_t pid;
    char name[32]; /* of the topology: no two tests have the same */
    char out_path[64];
    char err_path[64];
    int closes_streams; /* set before the start: all three are closed in the process */
    char out[16384];
    char err[16384];
    uint64_t started_ns;
    uint64_t ended_ns;
};

/* Start `lamina ARGUMENTS...`; @arguments is ended by NULL. */
void run_start(struct run *run, const char *const *arguments);

/* Start `lamina up numbers.yaml` under a name of its own with up to 8 more arguments. */
void run_numbers(struct run *run, const char *const *more);

/* Wait at most @seconds. Returns the exit code, or minus the signal; fills out and err. */
int run_wait(struct run *run, double seconds);

double run_seconds(const struct run *run);

/* Names of this topology's objects that are left in /dev/shm, whatever they are. */
int run_leftovers(const struct run *run);

/* Attach to the topology once all of its processes are ready; ends the test after 10 s. */
struct lam_observer *run_observe(const struct run *run);

/* What instance @index of @role is at. */
void run_look(const struct lam_observer *observer, const char *role, uint32_t index,
    struct lam_topology_peer *peer);

/* pid of instance @index of @role. */
pid_t run_pid(const struct lam_observer *observer, const char *role, uint32_t index);

/* Wait until instance @index of @role is at @step or beyond. */
void run_reach(
    const struct lam_observer *observer, const char *role, uint32_t index, uint64_t step);

int run_is_alive(pid_t pid);

#endif
