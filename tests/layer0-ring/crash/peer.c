/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who dies: a child of the round's, which holds ends itself, so the peer is a holder's forked
 * child. In every second round it forks one of its own at the very place of its death: that one
 * lives on with the mappings, and must keep nobody alive.
 */
#include "crash.h"

#include <time.h>

static const char *armed;
static uint64_t armed_visit;

void crash_nap_us(uint64_t microseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)(microseconds * 1000)}, NULL);
}

/* Not killed with its parent: it ends when the round lets go of the leash. */
static void leave_bystander(void)
{
    pid_t child = fork();
    char byte;

    TEST_CHECK(child >= 0);
    if (child == 0) {
        lam_store_release(&crash.board->bystander, 1);
        _exit(read(crash.leash[0], &byte, 1) == 0 ? 0 : 1);
    }
    while (lam_load_acquire(&crash.board->bystander) == 0)
        crash_nap_us(20);
}

void crash_die(void)
{
    (void)kill(getpid(), SIGKILL);
}

void lam_crash_point(const char *label)
{
    if (armed == NULL || strcmp(label, armed) != 0)
        return;
    if (armed == crash.of->label)
        lam_store_relaxed(&crash.board->visits, lam_load_relaxed(&crash.board->visits) + 1);
    if (--armed_visit != 0)
        return;
    if (armed == crash.of->label) {
        if ((crash.random >> 20) % 2 == 0)
            leave_bystander();
        lam_store_release(&crash.board->killed, 1);
    }
    crash_die();
}

static pid_t start(void (*work)(void), const char *label, uint64_t visit)
{
    pid_t child = test_fork();

    if (child != 0)
        return child;
    (void)close(crash.leash[1]);
    armed = label;
    armed_visit = visit;
    work();
    _exit(0);
}

pid_t crash_start_peer(void (*work)(void))
{
    return start(work, crash.of->label, crash.visit);
}

pid_t crash_start_armed(void (*work)(void), const char *label, uint64_t visit)
{
    return start(work, label, visit);
}

pid_t crash_start_other(void (*work)(void))
{
    return start(work, NULL, 0);
}

int crash_has_ended(pid_t child, int *how)
{
    int status;

    if (waitpid(child, &status, WNOHANG) != child)
        return 0;
    *how = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 1;
}

void crash_check_end(int how)
{
    TEST_CHECK(how == (lam_load_acquire(&crash.board->killed) != 0 ? 128 + SIGKILL : 0));
}

void crash_begin_round(void)
{
    memset(crash.board, 0, sizeof(*crash.board));
    /* So that bystanders are ours to wait for when their parent is dead; else they just end. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* an emulator does not know it */
    TEST_CHECK(pipe(crash.leash) == 0);
}

void crash_end_round(void)
{
    int status;

    (void)close(crash.leash[1]);
    while (waitpid(-1, &status, 0) > 0)
        TEST_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(crash.leash[0]);
}
