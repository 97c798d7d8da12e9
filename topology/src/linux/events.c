/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/events.h"

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"
#include "lamina/topology/topology.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int events_open(struct events *events, struct lam_error *error)
{
    sigset_t mask;

    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGINT);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigaddset(&mask, SIGHUP);
    (void)sigaddset(&mask, SIGQUIT); /* Ctrl-\: the rings are to be removed then, too */
    if (sigprocmask(SIG_BLOCK, &mask, &events->old_mask) != 0)
        return lam_error_set(error, -errno, "sigprocmask: %s", strerror(errno));
    events->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (events->signal_fd < 0) {
        int failure = errno;

        (void)sigprocmask(SIG_SETMASK, &events->old_mask, NULL);
        return lam_error_set(error, -failure, "signalfd: %s", strerror(failure));
    }
    return 0;
}

void events_close(struct events *events)
{
    (void)close(events->signal_fd);
    (void)sigprocmask(SIG_SETMASK, &events->old_mask, NULL);
}

/* Milliseconds to @deadline_ns, rounded up, so that what is due is due after the sleep. */
static int milliseconds_to(uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint64_t left_ms;

    if (deadline_ns == LAM_DEADLINE_NEVER)
        return -1;
    if (deadline_ns <= now_ns)
        return 0;
    left_ms = (deadline_ns - now_ns + LAM_NS_PER_MS - 1) / LAM_NS_PER_MS;
    return left_ms > 3600000 ? 3600000 : (int)left_ms;
}

int events_wait(struct events *events, const struct process *const *processes, uint32_t count,
    uint64_t deadline_ns)
{
    struct pollfd fds[LAM_TOPOLOGY_INSTANCES_MAX + 1];
    struct signalfd_siginfo info;

    LAM_ASSERT(count <= LAM_TOPOLOGY_INSTANCES_MAX);
    for (uint32_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = processes[i]->pidfd, .events = POLLIN};
    fds[count] = (struct pollfd){.fd = events->signal_fd, .events = POLLIN};
    if (poll(fds, count + 1, milliseconds_to(deadline_ns)) <= 0)
        return 0;
    if (read(events->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}
