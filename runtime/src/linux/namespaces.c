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

/* Returns 0, or -1 with errno. */
static int write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
    int why = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = why;
    return rc;
}

/* It stays who it is, and knows nobody else. */
static int map(const char *path, unsigned id)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "%u %u 1\n", id, id);
    return write_to(path, line);
}

static int has_users;

int confine_make_users(int flags, const char **step)
{
    unsigned user = geteuid(), group = getegid();

    *step = "unshare(CLONE_NEWUSER)";
    if (unshare(CLONE_NEWUSER | flags) != 0)
        return -1;
    /* Who may not drop groups may not gain by dropping them: the kernel asks for it. */
    *step = "the maps of a user namespace";
    if (write_to("/proc/self/setgroups", "deny") != 0 || map("/proc/self/uid_map", user) != 0 ||
        map("/proc/self/gid_map", group) != 0)
        return -1;
    has_users = 1;
    return 0;
}

int confine_users(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    const char *step;

    (void)wish;
    if (has_users || confine_make_users(0, &step) == 0)
        return 0;
    return confine_fail(state, step, errno);
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
