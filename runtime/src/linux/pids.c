/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pids.c: a worker in a PID namespace. Three processes stand in a row: the one that the host has
 * started, which stays outside and ends as the worker ended; the namespace's first one, with whose
 * end all others in it end, wherever they have gone; and the worker. It is not the first one
 * itself, because to that one no signal means an end.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/confine.h"

/* How long the first one may take to say how the worker ended. */
#define LAST_WORD_MS 3000

static const char *failed = "not started in one";
static int why = ENOSYS;

/*
 * As the worker ended, of which the first one says how; or as that one, of which nobody does. And
 * when the host is gone: the worker may have let go of its end of the @socket, this one has not. A
 * host that lives lets go, too, when it sees that the worker is dead, at times before the first one
 * has said how: so that one is waited for.
 */
static _Noreturn void end_as_told(int from, int socket)
{
    struct pollfd looks[] = {{.fd = from, .events = POLLIN}, {.fd = socket}};
    struct rlimit none = {0, 0};
    int status = SIGKILL;

    while (poll(looks, 2, -1) < 0 && errno == EINTR)
        ;
    if (looks[0].revents == 0 && poll(looks, 1, LAST_WORD_MS) != 1)
        _exit(0); /* the first one ends with this one, and all others with it */
    if (read(from, &status, sizeof(status)) != (ssize_t)sizeof(status))
        status = SIGKILL;
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(WTERMSIG(status), SIG_DFL);
    (void)raise(WTERMSIG(status));
    _exit(127);
}

/* The first one: it reaps, and goes with the worker. */
static _Noreturn void be_first(pid_t worker, int to)
{
    int status;
    pid_t pid;

    do
        pid = wait(&status);
    while (pid != worker && (pid > 0 || errno == EINTR));
    (void)!write(to, &status, sizeof(status));
    _exit(0);
}

void confine_enter_pids(int socket, int with_users)
{
    int said[2];
    pid_t pid = -1;

    failed = "unshare(CLONE_NEWPID)";
    if ((with_users ? confine_make_users(CLONE_NEWPID, &failed) : unshare(CLONE_NEWPID)) == 0) {
        failed = "fork in a PID namespace";
        pid = pipe2(said, O_CLOEXEC) == 0 ? fork() : -1;
    }
    why = errno;
    if (pid < 0)
        return; /* it goes on where it is, and confine_pids() says so */
    if (pid > 0) {
        (void)close(said[1]);
        end_as_told(said[0], socket);
    }
    (void)close(said[0]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid = fork();
    if (pid < 0)
        _exit(1);
    if (pid > 0) {
        (void)close(socket);
        be_first(pid, said[1]);
    }
    (void)close(said[1]);
    why = 0;
}

int confine_pids(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    (void)wish;
    return why == 0 ? 0 : confine_fail(state, failed, why);
}
