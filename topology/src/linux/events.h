/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_EVENTS_H
#define LAM_TOPOLOGY_EVENTS_H

/* events.h: what a supervisor waits for, in one place: signals, ends of processes, a deadline. */

#include <signal.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "linux/process.h"

struct events {
    int signal_fd;
    sigset_t old_mask;
};

/* Take SIGINT, SIGTERM and SIGHUP as events from now on. 0 or -errno. */
int events_open(struct events *events, struct lam_error *error);
void events_close(struct events *events);

/*
 * Sleep until one of the @count @processes (at most 256) has ended, a signal
 * came, or @deadline_ns has passed. Returns the signal, or 0.
 */
int events_wait(struct events *events, const struct process *const *processes, uint32_t count,
    uint64_t deadline_ns);

#endif
