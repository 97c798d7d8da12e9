/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "lamina/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void redirect(const char *path, int to)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (file < 0 || dup2(file, to) < 0)
        _exit(120);
}

void run_start(struct run *run, const char *const *arguments)
{
    static int runs;

    (void)snprintf(
        run->out_path, sizeof(run->out_path), "/tmp/lamina-run-%d-%d.out", (int)getpid(), runs);
    (void)snprintf(
        run->err_path, sizeof(run->err_path), "/tmp/lamina-run-%d-%d.err", (int)getpid(), runs++);
    run->started_ns = lam_clock_now_ns();
    run->pid = fork();
    cr_assert(ge(int, run->pid, 0));
    if (run->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it cleans up, also after a test that failed */
        redirect(run->out_path, STDOUT_FILENO);
        redirect(run->err_path, STDERR_FILENO);
        for (int stream = 0; run->closes_streams && stream < 3; stream++)
            (void)close(stream);
        (void)execv(LAMINA_BIN "/lamina", (char *const *)(uintptr_t)arguments);
        _exit(121);
    }
}

void run_numbers(struct run *run, const char *const *more)
{
    static int names;
    char name[64];
    const char *arguments[32] = {"lamina", "up", NUMBERS_YAML, "--set", name, "--set",
        "source.command=" ROLE_PROGRAM, "--set", "sinks.command=" ROLE_PROGRAM};
    size_t count = 9;

    (void)snprintf(run->name, sizeof(run->name), "t%d-%d", (int)getpid(), names++);
    (void)snprintf(name, sizeof(name), "name=%s", run->name);
    for (; more != NULL && *more != NULL; more++) {
        if (strncmp(*more, "--", 2) != 0)
            arguments[count++] = "--set";
        arguments[count++] = *more;
    }
    run_start(run, arguments);
}

static void read_text(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "re");
    size_t used = file != NULL ? fread(text, 1, bytes - 1, file) : 0;

    text[used] = '\0';
    if (file != NULL)
        (void)fclose(file);
    (void)remove(path);
}

int run_wait(struct run *run, double seconds)
{
    uint64_t deadline_ns = lam_deadline_after_ns((uint64_t)(seconds * 1e9));
    int status = 0;

    while (waitpid(run->pid, &status, WNOHANG) == 0) {
        if (lam_clock_now_ns() > deadline_ns) {
            (void)kill(run->pid, SIGTERM);
            (void)usleep(3000000);
            (void)kill(run->pid, SIGKILL);
            (void)waitpid(run->pid, &status, 0);
            read_text(run->err_path, run->err, sizeof(run->err));
            cr_assert(seconds < 0, "still running after %.1f s; it said:\n%s", seconds, run->err);
        }
        (void)usleep(1000);
    }
    run->ended_ns = lam_clock_now_ns();
    read_text(run->out_path, run->out, sizeof(run->out));
    read_text(run->err_path, run->err, sizeof(run->err));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

double run_seconds(const struct run *run)
{
    return (double)(run->ended_ns - run->started_ns) / 1e9;
}

int run_leftovers(const struct run *run)
{
    DIR *directory = opendir("/dev/shm");
    const struct dirent *entry;
    char prefix[64];
    int count = 0;

    cr_assert(directory != NULL);
    (void)snprintf(prefix, sizeof(prefix), "lamina.%s.", run->name);
    while ((entry = readdir(directory)) != NULL)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    (void)closedir(directory);
    return count;
}

static int all_ready(const struct lam_observer *observer)
{
    for (uint32_t i = 0; i < lam_observer_plan(observer)->instance_count; i++) {
        struct lam_topology_peer peer;

        lam_observer_peer(observer, i, &peer);
        if (peer.state != LAM_TOPOLOGY_READY)
            return 0;
    }
    return 1;
}

struct lam_observer *run_observe(const struct run *run)
{
    struct lam_observer *observer = NULL;
    struct lam_error error;

    for (int i = 0; i < 10000; i++, (void)usleep(1000)) {
        if (observer == NULL && lam_observer_attach(&observer, run->name, &error) != 0)
            continue;
        if (all_ready(observer))
            return observer;
    }
    cr_assert(observer != NULL, "not up after 10 s: %s", error.text);
    cr_assert(all_ready(observer), "not ready after 10 s");
    return observer;
}

void run_look(const struct lam_observer *observer, const char *role, uint32_t index,
    struct lam_topology_peer *peer)
{
    const struct lam_plan_role *found = lam_plan_role(lam_observer_plan(observer), role);

    cr_assert(found != NULL);
    lam_observer_peer(observer, found->first_instance + index, peer);
}

pid_t run_pid(const struct lam_observer *observer, const char *role, uint32_t index)
{
    struct lam_topology_peer peer;

    run_look(observer, role, index, &peer);
    cr_assert(lt(int, 0, peer.pid));
    return peer.pid;
}

void run_reach(const struct lam_observer *observer, const char *role, uint32_t index, uint64_t step)
{
    struct lam_topology_peer peer;

    for (int i = 0; i < 10000; i++, (void)usleep(1000)) {
        run_look(observer, role, index, &peer);
        if (peer.step >= step)
            return;
    }
    cr_assert(peer.step >= step, "%s.%u is at step %d only", role, index, (int)peer.step);
}

int run_is_alive(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}
