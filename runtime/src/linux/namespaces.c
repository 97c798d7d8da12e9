/* SPDX-License-Identifier: Apache-2.0 */
/*
 * namespaces.c: users, network and IPC of a worker's own. In a user namespace whoever makes it may
 * make the others; without one it takes root. Capabilities are dropped behind them all.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "linux/confine.h"

static int write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t got;
    int rc;

    if (fd < 0)
        return -errno;
    got = write(fd, text, strlen(text));
    rc = got == (ssize_t)strlen(text) ? 0 : -errno;
    (void)close(fd);
    return rc;
}

/* It stays who it is, and knows nobody else. */
static int map(const char *path, unsigned id)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "%u %u 1\n", id, id);
    return write_to(path, line);
}

int confine_users(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    unsigned user = geteuid(), group = getegid();
    int rc;

    (void)wish;
    if (unshare(CLONE_NEWUSER) != 0)
        return confine_fail(state, "unshare(CLONE_NEWUSER)", errno);
    /* Who may not drop groups may not gain by dropping them: the kernel asks for it. */
    rc = write_to("/proc/self/setgroups", "deny");
    if (rc == 0)
        rc = map("/proc/self/uid_map", user);
    if (rc == 0)
        rc = map("/proc/self/gid_map", group);
    return rc == 0 ? 0 : confine_fail(state, "the maps of a user namespace", rc);
}

int confine_network(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    (void)wish;
    return unshare(CLONE_NEWNET) == 0 ? 0 : confine_fail(state, "unshare(CLONE_NEWNET)", errno);
}

int confine_ipc(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    (void)wish;
    return unshare(CLONE_NEWIPC) == 0 ? 0 : confine_fail(state, "unshare(CLONE_NEWIPC)", errno);
}
