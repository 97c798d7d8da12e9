/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SPAWN_H
#define LAM_RUNTIME_SPAWN_H

/*
 * spawn.h: a worker's process, from its start to its end.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/error.h"

/* The descriptor that a worker finds its socket at. */
#define SPAWN_SOCKET_FD 3

struct spawn_process {
    pid_t pid;
    int pidfd;
    int socket; /* our end */
};

/* How a process ended. */
struct spawn_end {
    int signal; /* 0: it exited */
    int status;
};

/*
 * Start @program, with @argument or NULL, with nothing but standard output, standard error and its
 * socket, in a process group of its own. Ended by spawn_bury().
 *
 * Returns 0, or -errno of the step that @error names.
 */
int spawn_start(struct spawn_process *process, const char *program, const char *argument,
    struct lam_error *error);

/* Give @fd to the worker. Returns 0 or -errno. */
int spawn_send_fd(int socket, int fd);

/* The worker: whether this process was started as one. */
int spawn_is_worker(void);

/* The worker: behind the loading of the module, give up what its code never needs. */
void spawn_lock_down(void);

/* The program of workers: beside this one, or where Lamina is installed. "" for none. */
void spawn_find_program(char *path, size_t bytes);

/* The worker: take a descriptor. Returns it, or -errno. */
int spawn_receive_fd(int socket);

/*
 * The worker, while none of the module's code runs in it: end by itself when the host's end of the
 * socket is closed, whatever it waits for. SIGIO is its own until spawn_die_with_host().
 *
 * Returns 0 or -errno.
 */
int spawn_end_with_host(int socket);

/* The worker: die when the host's end of the socket is closed, whatever is running. */
int spawn_die_with_host(int socket);

/* Whether it has ended. */
int spawn_is_dead(const struct spawn_process *process);

/*
 * Wait for its end until @deadline_ns, kill it if it has not come, kill what is left of its group,
 * and let go of everything.
 */
struct spawn_end spawn_bury(struct spawn_process *process, uint64_t deadline_ns);

#endif
