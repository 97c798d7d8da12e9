/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_PROCESSES_H
#define LAM_TEST_PROCESSES_H

/*
 * For plain test programs of several processes: checks that end the program with a line that says
 * where, and children that never outlive their parent.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(                                                                         \
                stderr, "%s:%d: pid %d: %s\n", __FILE__, __LINE__, (int)getpid(), #condition);     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* A call that returns 0 or -errno, with the sentence of a struct lam_error beside it. */
#define TEST_OK(call, error)                                                                       \
    do {                                                                                           \
        int test_rc = (call);                                                                      \
        if (test_rc != 0) {                                                                        \
            (void)fprintf(stderr, "%s:%d: pid %d: %s: %s: %s\n", __FILE__, __LINE__,               \
                (int)getpid(), #call, strerror(-test_rc), (error).text);                           \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* End with 77: not run here, and why. Counted and shown by the summary. */
static inline void test_skip(const char *why)
{
    (void)printf("skipped: %s\n", why);
    exit(77);
}

/* fork(), with the child killed when its parent dies. 0 in the child. */
static inline pid_t test_fork(void)
{
    pid_t parent = getpid();
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    TEST_CHECK(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return child;
}

/* Wait for @child. Returns its exit code, or 128 and the signal that ended it. */
static inline int test_wait(pid_t child)
{
    int status = 0;

    TEST_CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void test_kill(pid_t child)
{
    TEST_CHECK(kill(child, SIGKILL) == 0);
    TEST_CHECK(test_wait(child) == 128 + SIGKILL);
}

#endif
