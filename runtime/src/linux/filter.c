/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c: the system calls of a worker, by seccomp; its programs are libseccomp's to write. What
 * a filter sees is numbers and plain arguments: what hides its arguments in memory (clone3,
 * io_uring) is not there.
 */
#include "linux/confine.h"

#ifdef LAM_WITH_SECCOMP

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux/calls.h"

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
        CLONE_NEWNET)
#define REFUSED   SCMP_ACT_ERRNO(EPERM)
#define COUNT(of) (sizeof(of) / sizeof((of)[0]))
#define LOW_WORD  UINT64_C(0xffffffff) /* all that the kernel looks at of an int */

/* The first error stays, and nothing is added behind it. */
struct filter {
    scmp_filter_ctx context;
    int rc;
};

static void add(struct filter *filter, uint32_t action, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count && filter->rc == 0; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        if (number >= 0) /* else it is another machine's */
            filter->rc = seccomp_rule_add_array(filter->context, action, number, 0, NULL);
    }
}

static void add_if(struct filter *filter, uint32_t action, int number, struct scmp_arg_cmp compare)
{
    if (filter->rc == 0)
        filter->rc = seccomp_rule_add_array(filter->context, action, number, 1, &compare);
}

static struct scmp_arg_cmp masked(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/* Threads are its own; a process is what options.processes allows; a namespace is not there. */
static void add_processes(struct filter *filter, uint32_t processes)
{
    add(filter, processes != 0 ? SCMP_ACT_ALLOW : REFUSED, calls_of_processes,
        COUNT(calls_of_processes));
    if (processes != 0) {
        add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), masked(0, NAMESPACES, 0));
        return;
    }
    add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
        masked(0, NAMESPACES | CLONE_THREAD, CLONE_THREAD));
    add_if(filter, REFUSED, SCMP_SYS(clone), masked(0, NAMESPACES | CLONE_THREAD, 0));
}

/* Signals to itself; to its children, too, where it may have any. */
static void add_signals(struct filter *filter, uint32_t processes)
{
    static const char *const names[] = {"kill", "tgkill"};
    const uint64_t itself = (uint64_t)getpid();

    if (processes != 0) {
        add(filter, SCMP_ACT_ALLOW, names, COUNT(names));
        return;
    }
    for (uint32_t i = 0; i < COUNT(names); i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        add_if(filter, SCMP_ACT_ALLOW, number, (struct scmp_arg_cmp){0, SCMP_CMP_EQ, itself, 0});
        add_if(filter, REFUSED, number, (struct scmp_arg_cmp){0, SCMP_CMP_NE, itself, 0});
    }
}

static void add_sockets(struct filter *filter, uint32_t network)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    static const char *const all[] = {"socket"};

    add(filter, network ? SCMP_ACT_ALLOW : REFUSED, calls_of_network, COUNT(calls_of_network));
    if (!network)
        add(filter, REFUSED, all, 1);
    for (uint32_t i = 0; network && i < COUNT(families); i++)
        add_if(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), masked(0, LOW_WORD, (uint64_t)families[i]));
}

/* Of a terminal what tells of it, not what types into it; limits of its own. */
static void add_rest(struct filter *filter)
{
    static const uint64_t requests[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};

    for (uint32_t i = 0; i < COUNT(requests); i++)
        add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), masked(1, LOW_WORD, requests[i]));
    add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), masked(0, LOW_WORD, 0));
}

static int set_up(struct filter *filter)
{
    /* A foreign architecture's call has other numbers: not even looked at. */
    int rc = seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (rc == 0)
        rc = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_TSYNC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter->context, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return rc;
}

int confine_calls(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    struct filter filter = {seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), 0};

    if (filter.context == NULL)
        return confine_fail(state, "seccomp_init", ENOMEM);
    filter.rc = set_up(&filter);
    add(&filter, SCMP_ACT_ALLOW, calls_allowed, COUNT(calls_allowed));
    add(&filter, REFUSED, calls_refused, COUNT(calls_refused));
    add(&filter, SCMP_ACT_KILL_PROCESS, calls_fatal, COUNT(calls_fatal));
    add_processes(&filter, wish->processes);
    add_signals(&filter, wish->processes);
    add_sockets(&filter, wish->network);
    add_rest(&filter);
    if (filter.rc != 0) {
        seccomp_release(filter.context);
        return confine_fail(state, "a rule of seccomp", filter.rc);
    }
    filter.rc = seccomp_load(filter.context);
    seccomp_release(filter.context);
    return filter.rc == 0 ? 0 : confine_fail(state, "seccomp_load", filter.rc);
}

#else

int confine_calls(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    (void)wish;
    return confine_fail(state, "this build has no libseccomp", ENOSYS);
}

#endif
