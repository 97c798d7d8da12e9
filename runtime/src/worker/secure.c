/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure.c: the layers of a sandbox, in the order in which none takes from the next what it needs.
 */
#include "worker/secure.h"

#include <errno.h>
#include <string.h>

#include "linux/confine.h"
#include "worker/link.h"

/* Beside what it has now: the room of an answer, twice, and what messages are taken into. */
#define OWN_BYTES (2 * LINK_REPLY_BYTES_MAX + LINK_MESSAGE_BYTES_MAX)

/* The argument of this process. */
static const char *letters = "";

/* Layers so far, by their bits. */
static uint32_t active;

static int limit(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    return confine_limits(wish, OWN_BYTES, active & LAM_SANDBOX_BIT(LAM_SANDBOX_USERS), state);
}

static const struct {
    enum lam_sandbox_layer layer;
    int (*confine)(const struct sandbox_wish *wish, struct lam_sandbox_state *state);
} layers[] = {
    {LAM_SANDBOX_USERS, confine_users},
    {LAM_SANDBOX_NETWORK, confine_network},
    {LAM_SANDBOX_IPC, confine_ipc},
    {LAM_SANDBOX_PIDS, confine_pids},
    {LAM_SANDBOX_MOUNTS, confine_mounts},
    {LAM_SANDBOX_LIMITS, limit},
    {LAM_SANDBOX_PRIVILEGES, confine_privileges},
    {LAM_SANDBOX_FILES, confine_files},
    {LAM_SANDBOX_CALLS, confine_calls},
};

void secure_begin(int socket, int argument_count, char **arguments)
{
    if (argument_count > 1)
        letters = arguments[1];
    if (strchr(letters, WORKER_IN_PIDS) != NULL)
        confine_enter_pids(socket, strchr(letters, WORKER_WITH_USERS) != NULL);
}

void secure_prepare(void)
{
    if (strchr(letters, WORKER_HAS_CALLS) != NULL)
        confine_prepare_calls(
            strchr(letters, WORKER_MAY_FORK) != NULL, strchr(letters, WORKER_HAS_NETWORK) != NULL);
}

int secure_process(const void *wish, uint64_t bytes, struct lam_sandbox_report *report)
{
    const struct sandbox_wish *asked = wish;

    if (bytes < sizeof(*asked) || asked->bytes != bytes)
        return -EPROTO;
    memset(report, 0, sizeof(*report));
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++) {
        report->layers[i].is_asked = asked->layers >> i & 1;
        if (report->layers[i].is_asked)
            report->layers[i].error = -ENOSYS; /* until it is made active */
    }
    for (uint32_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        struct lam_sandbox_state *state = &report->layers[layers[i].layer];

        if (!state->is_asked)
            continue;
        state->error = layers[i].confine(asked, state);
        state->is_active = state->error == 0;
        active |= state->is_active << layers[i].layer;
    }
    return 0;
}
