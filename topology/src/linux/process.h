/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_PROCESS_H
#define LAM_TOPOLOGY_PROCESS_H

/*
 * process.h: a process that cannot outlive or be mistaken: it has its own session, dies with its
 * parent, and is signalled and waited for through a pidfd.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/error.h"

struct process {
    pid_t pid;
    int pidfd; /* -1: none */
};

struct process_options {
    const char *path;
    const char *const *arguments;   /* ended by NULL; [0] is what it sees as its name */
    const char *const *environment; /* pairs NAME, VALUE, ended by NULL, added to ours */
    const uint32_t *cpus;           /* it may run on these; cpu_count 0: any */
    uint32_t cpu_count;
    uint32_t node_cpus[1024]; /* room for those of a node */
    int keeps_stdin;          /* else /dev/null */
    int stdout_to_stderr;     /* what it prints goes to standard error */
};

/*
 * Start a process. Returns when exec has succeeded or failed: 0, or -errno of what failed, with
 * the text in @error.
 */
int process_start(
    struct process *process, const struct process_options *options, struct lam_error *error);

/* Signal it and all that it started in its session's first group. Nothing happens once reaped. */
void process_signal(const struct process *process, int signal);

/*
 * 1 once it has ended, with its exit code or minus its signal in *@cause; its group is killed and
 * the pidfd closed. 0 while it runs. Does not wait.
 */
int process_reap(struct process *process, int *cause);

#endif
