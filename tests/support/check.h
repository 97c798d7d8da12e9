/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SUPPORT_CHECK_H
#define LAM_TESTS_SUPPORT_CHECK_H

/*
 * check.h: for plain test programs: say what is not so, and end the process with 1.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Run @child with @argument in a process that dies with this one. Its result is its exit code. */
static inline pid_t check_fork(int (*child)(void *argument), void *argument)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    _exit(child(argument));
}

/* Wait for @pid to end. Returns its exit code, or -SIGNAL. */
static inline int check_wait(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif
