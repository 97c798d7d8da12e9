/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CONFINE_H
#define LAM_RUNTIME_CONFINE_H

/*
 * confine.h: what the kernel offers to hold a process, one function for each layer.
 *
 * Each returns 0: active; or a negative errno, with the step that failed in state->step: what of it
 * was done before holds all the same. There is no way back from any of them.
 */

#include <errno.h>
#include <stdio.h>

#include "wish.h"

/* The step that failed, and its errno as it is returned. */
static inline int confine_fail(struct lam_sandbox_state *state, const char *step, int rc)
{
    (void)snprintf(state->step, sizeof(state->step), "%s", step);
    return rc < 0 ? rc : -rc;
}

/*
 * At the start of the process, which takes its @socket along: go on in a PID namespace, in a user
 * namespace of its own @with_users. confine_pids() tells what came of it.
 */
void confine_enter_pids(int socket, int with_users);

/* A user namespace and what else @flags say. Returns 0, or -1 with errno and *@step. */
int confine_make_users(int flags, const char **step);

/* Namespaces. The later ones take root, or the first. Of a process with one thread. */
int confine_users(const struct sandbox_wish *wish, struct lam_sandbox_state *state);
int confine_network(const struct sandbox_wish *wish, struct lam_sandbox_state *state);
int confine_ipc(const struct sandbox_wish *wish, struct lam_sandbox_state *state);
int confine_pids(const struct sandbox_wish *wish, struct lam_sandbox_state *state);
int confine_mounts(const struct sandbox_wish *wish, struct lam_sandbox_state *state);

/*
 * rlimits. @own_bytes: address space that the process will need for itself. @has_users: it is in a
 * user namespace of its own.
 */
int confine_limits(const struct sandbox_wish *wish, uint64_t own_bytes, uint32_t has_users,
    struct lam_sandbox_state *state);

/* The files beneath the paths of the wish, and those that the loader needs. */
int confine_files(const struct sandbox_wish *wish, struct lam_sandbox_state *state);

/* Make ready what confine_calls() will need, if its wish will be like that. */
void confine_prepare_calls(int may_fork, int has_network);

/* The listed system calls alone. Nothing is done that another layer needs behind it: the last. */
int confine_calls(const struct sandbox_wish *wish, struct lam_sandbox_state *state);

/* No capability, and no exec that gives one. */
int confine_privileges(const struct sandbox_wish *wish, struct lam_sandbox_state *state);

#endif
