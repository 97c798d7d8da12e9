/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FAILED 127

static int set_cpus(const struct process_options *options)
{
    cpu_set_t set;

    if (options->cpu_count == 0)
        return 0;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < options->cpu_count; i++)
        CPU_SET(options->cpus[i], &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

static int set_streams(const struct process_options *options)
{
    if (!options->keeps_stdin) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0)
            return -1;
        if (null != STDIN_FILENO)
            (void)close(null);
    }
    return options->stdout_to_stderr && dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ? -1 : 0;
}

static int set_environment(const struct process_options *options)
{
    for (const char *const *pair = options->environment; *pair != NULL; pair += 2)
        if (setenv(pair[0], pair[1], 1) != 0)
            return -1;
    return 0;
}

/* In the child, whose parent has one thread: all of libc may be used. */
__attribute__((noreturn)) static void become(
    const struct process_options *options, pid_t parent, int report)
{
    sigset_t none;
    int failure;

    /* A session of its own: Ctrl-C is for us alone, and reading a terminal does not stop it. */
    (void)setsid();
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() != parent)
        _exit(CHILD_FAILED); /* the parent died before the kernel would have told us */
    if (set_cpus(options) == 0 && set_streams(options) == 0 && set_environment(options) == 0)
        (void)execv(options->path, (char *const *)(uintptr_t)options->arguments);
    failure = errno;
    /* Nobody is left to hear of a failure to report the failure. */
    if (write(report, &failure, sizeof(failure)) < 0)
        _exit(CHILD_FAILED);
    _exit(CHILD_FAILED);
}

/* The child's errno from the pipe that exec closes: 0 when exec succeeded. */
static int read_report(int pipe_end)
{
    int failure = 0;
    ssize_t got;

    do
        got = read(pipe_end, &failure, sizeof(failure));
    while (got < 0 && errno == EINTR);
    (void)close(pipe_end);
    return got == (ssize_t)sizeof(failure) ? failure : 0;
}

int process_start(
    struct process *process, const struct process_options *options, struct lam_error *error)
{
    pid_t parent = getpid();
    int report[2];
    int failure;

    process->pidfd = -1;
    if (pipe2(report, O_CLOEXEC) != 0)
        return lam_error_set(error, -errno, "pipe: %s", strerror(errno));
    process->pid = fork();
    if (process->pid == 0)
        become(options, parent, report[1]);
    failure = errno;
    (void)close(report[1]);
    if (process->pid < 0) {
        (void)close(report[0]);
        return lam_error_set(error, -failure, "fork: %s", strerror(failure));
    }
    failure = read_report(report[0]);
    if (failure == 0) {
        process->pidfd = pidfd_open(process->pid, 0);
        failure = process->pidfd < 0 ? errno : 0;
    }
    if (failure == 0)
        return 0;
    (void)kill(process->pid, SIGKILL);
    (void)waitpid(process->pid, NULL, 0);
    return lam_error_set(error, -failure, "%s: %s", options->path, strerror(failure));
}

void process_signal(const struct process *process, int signal)
{
    if (process->pidfd < 0)
        return;
    /* Not reaped yet, so the number of its group cannot have been given to another. */
    if (kill(-process->pid, signal) != 0)
        (void)pidfd_send_signal(process->pidfd, signal, NULL, 0);
}

int process_reap(struct process *process, int *cause)
{
    siginfo_t info = {0};

    if (process->pidfd < 0 ||
        waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return 0;
    (void)kill(-process->pid, SIGKILL); /* what it left behind, while the number is still its own */
    (void)waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED);
    *cause = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    (void)close(process->pidfd);
    process->pidfd = -1;
    return 1;
}
