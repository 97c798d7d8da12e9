/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_PID_SPACES_H
#define LAM_TEST_PID_SPACES_H

/*
 * For programs that ask what is known of an end in another PID namespace: a process that is the
 * init of one of its own.
 */

#include <sched.h>
#include <sys/mount.h>

#include "processes.h"

static inline int test_enter_pid_space(void)
{
    return unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* End with 77 where this process may make none. */
static inline void test_need_pid_spaces(void)
{
    pid_t probe = test_fork();

    if (probe == 0)
        _exit(test_enter_pid_space() ? 0 : 1);
    if (test_wait(probe) != 0)
        test_skip("no PID namespace with a /proc of its own can be had here");
}

/*
 * A process of its own PID namespace that has done @work and lives until test_kill(): that kills
 * its parent, which is returned, and so, by the kernel's hand, the init that this made. @own_proc:
 * with the /proc of that namespace, or else with the one of before.
 */
static inline pid_t test_elsewhere(void (*work)(void), int own_proc)
{
    int ready[2];
    pid_t child;
    char byte = 0;

    TEST_CHECK(pipe(ready) == 0);
    child = test_fork();
    if (child == 0) {
        pid_t inner;

        TEST_CHECK(test_enter_pid_space());
        inner = fork();
        TEST_CHECK(inner >= 0);
        if (inner != 0)
            _exit(test_wait(inner) == 128 + SIGKILL ? 0 : 1);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        TEST_CHECK(getpid() == 1);
        if (own_proc)
            TEST_CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
        work();
        TEST_CHECK(write(ready[1], "r", 1) == 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    TEST_CHECK(read(ready[0], &byte, 1) == 1);
    (void)close(ready[0]);
    return child;
}

#endif
