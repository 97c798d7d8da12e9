/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c: the system calls of a worker, by seccomp; its programs are libseccomp's to write. What
 * a filter sees is numbers and plain arguments: what hides its arguments in memory (clone3,
 * io_uring) is not there.
 */
#include "linux/confine.h"

#ifdef LAM_WITH_SECCOMP

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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
static void add_processes(struct filter *filter, int may_fork)
{
    add(filter, may_fork ? SCMP_ACT_ALLOW : REFUSED, calls_of_processes, COUNT(calls_of_processes));
    if (may_fork) {
        add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), masked(0, NAMESPACES, 0));
        return;
    }
    add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
        masked(0, NAMESPACES | CLONE_THREAD, CLONE_THREAD));
    add_if(filter, REFUSED, SCMP_SYS(clone), masked(0, NAMESPACES | CLONE_THREAD, 0));
}

/* Signals to itself; to its children, too, where it may have any. */
static void add_signals(struct filter *filter, int may_fork)
{
    static const char *const names[] = {"kill", "tgkill"};
    const uint64_t itself = (uint64_t)getpid();

    if (may_fork) {
        add(filter, SCMP_ACT_ALLOW, names, COUNT(names));
        return;
    }
    for (uint32_t i = 0; i < COUNT(names); i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        add_if(filter, SCMP_ACT_ALLOW, number, (struct scmp_arg_cmp){0, SCMP_CMP_EQ, itself, 0});
        add_if(filter, REFUSED, number, (struct scmp_arg_cmp){0, SCMP_CMP_NE, itself, 0});
    }
}

static void add_sockets(struct filter *filter, int has_network)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    static const char *const all[] = {"socket"};

    add(filter, has_network ? SCMP_ACT_ALLOW : REFUSED, calls_of_network, COUNT(calls_of_network));
    if (!has_network)
        add(filter, REFUSED, all, 1);
    for (uint32_t i = 0; has_network && i < COUNT(families); i++)
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

    return rc != 0 ? rc : seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

/* The filter's program, as the kernel takes it. */
static struct {
    struct sock_fprog code;
    int may_fork, has_network;
} made;

/* libseccomp writes it into a file. Returns 0 or a negative errno. */
static int read_code(scmp_filter_ctx context)
{
    int fd = memfd_create("lamina-filter", MFD_CLOEXEC);
    int rc = fd < 0 ? -errno : seccomp_export_bpf(context, fd);
    off_t bytes = rc == 0 ? lseek(fd, 0, SEEK_END) : 0;
    struct sock_filter *code = bytes > 0 ? malloc((size_t)bytes) : NULL;

    if (rc == 0 && (code == NULL || pread(fd, code, (size_t)bytes, 0) != bytes))
        rc = -ENOMEM;
    if (fd >= 0)
        (void)close(fd);
    free(made.code.filter);
    made.code = (struct sock_fprog){0, NULL};
    if (rc == 0)
        made.code = (struct sock_fprog){(unsigned short)((size_t)bytes / sizeof(*code)), code};
    else
        free(code);
    return rc;
}

static int make(int may_fork, int has_network)
{
    struct filter filter = {seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), 0};

    if (filter.context == NULL)
        return -ENOMEM;
    filter.rc = set_up(&filter);
    add(&filter, SCMP_ACT_ALLOW, calls_allowed, COUNT(calls_allowed));
    add(&filter, REFUSED, calls_refused, COUNT(calls_refused));
    add(&filter, SCMP_ACT_KILL_PROCESS, calls_fatal, COUNT(calls_fatal));
    add_processes(&filter, may_fork);
    add_signals(&filter, may_fork);
    add_sockets(&filter, has_network);
    add_rest(&filter);
    if (filter.rc == 0)
        filter.rc = read_code(filter.context);
    seccomp_release(filter.context);
    made.may_fork = may_fork;
    made.has_network = has_network;
    return filter.rc;
}

void confine_prepare_calls(int may_fork, int has_network)
{
    (void)make(may_fork, has_network); /* confine_calls() tries again, and tells */
}

int confine_calls(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    int may_fork = wish->processes != 0, has_network = wish->network != 0;
    int rc = 0;

    if (made.code.filter == NULL || made.may_fork != may_fork || made.has_network != has_network)
        rc = make(may_fork, has_network);
    if (rc != 0)
        return confine_fail(state, "a filter by libseccomp", rc);
    rc = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &made.code);
    if (rc == 0)
        return 0;
    return confine_fail(state, "seccomp", rc > 0 ? ESRCH : errno); /* a thread that has another */
}

#else

void confine_prepare_calls(int may_fork, int has_network)
{
    (void)may_fork;
    (void)has_network;
}

int confine_calls(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    (void)wish;
    return confine_fail(state, "this build has no libseccomp", ENOSYS);
}

#endif
