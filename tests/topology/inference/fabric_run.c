/* SPDX-License-Identifier: Apache-2.0 */
#include "fabric_run.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lamina/base/clock.h"
#include "lamina/topology/observe.h"
#include "tokens.h"

#define SETS_MAX 12

static void nap(void)
{
    struct timespec span = {.tv_nsec = 2000000};

    (void)nanosleep(&span, NULL);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    cr_assert_not_null(value, "%s is not set: run this test by ctest", name);
    return value;
}

const char *fabric_file(const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof(path), "%s/topology/examples/inference/%s",
        environment("LAMINA_SOURCE"), name);
    return path;
}

__attribute__((noreturn)) static void become_lamina(
    const struct fabric_run *run, const char *const *sets, int json, int input)
{
    const char *arguments[8 + 2 * SETS_MAX] = {"lamina", "up", fabric_file("fabric.yaml")};
    char program[4096];
    char name[48];
    unsigned count = 3;

    (void)snprintf(name, sizeof(name), "name=%s", run->name);
    arguments[count++] = "--set";
    arguments[count++] = name;
    for (; *sets != NULL && count < 4 + 2 * SETS_MAX; sets++) {
        arguments[count++] = "--set";
        arguments[count++] = *sets;
    }
    if (json)
        arguments[count++] = "--json";
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it cleans up, also after a test that failed */
    (void)snprintf(program, sizeof(program), "%s/lamina", environment("LAMINA_BIN"));
    if (dup2(run->out, STDOUT_FILENO) < 0 || dup2(run->err, STDERR_FILENO) < 0 ||
        (input >= 0 && dup2(input, STDIN_FILENO) < 0))
        _exit(126);
    (void)execv(program, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* Many processes write to it at once: only by appending does none overwrite another's line. */
static int open_output(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    cr_assert(fd >= 0);
    cr_assert_eq(fcntl(fd, F_SETFL, O_APPEND), 0);
    return fd;
}

void fabric_start(struct fabric_run *run, const char *const *sets, int json, int input)
{
    (void)snprintf(run->name, sizeof(run->name), "fabric-test-%ld", (long)getpid());
    run->out = run->full ? open("/dev/full", O_WRONLY | O_CLOEXEC) : open_output("out");
    run->err = open_output("err");
    run->pid = fork();
    cr_assert(run->pid >= 0);
    if (run->pid == 0)
        become_lamina(run, sets, json, input);
}

static const char *read_all(struct fabric_run *run, int fd)
{
    ssize_t got = pread(fd, run->text, sizeof(run->text) - 1, 0);

    cr_assert(got >= 0);
    run->text[got] = '\0';
    return run->text;
}

const char *fabric_stdout(struct fabric_run *run)
{
    return read_all(run, run->out);
}

const char *fabric_stderr(struct fabric_run *run)
{
    return read_all(run, run->err);
}

int fabric_wait(struct fabric_run *run, unsigned seconds)
{
    uint64_t deadline_ns = lam_deadline_after_ns(seconds * LAM_NS_PER_S);
    int status;

    while (waitpid(run->pid, &status, WNOHANG) == 0) {
        if (lam_clock_now_ns() > deadline_ns) {
            (void)kill(run->pid, SIGTERM);
            (void)usleep(3000000);
            (void)kill(run->pid, SIGKILL);
            cr_assert_fail("still running after %u s; it said: %s", seconds, fabric_stderr(run));
        }
        nap();
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int fabric_says(struct fabric_run *run, const char *words, unsigned milliseconds)
{
    uint64_t deadline_ns = lam_deadline_after_ns(milliseconds * LAM_NS_PER_MS);

    while (strstr(fabric_stderr(run), words) == NULL) {
        if (lam_clock_now_ns() > deadline_ns)
            return 0;
        nap();
    }
    return 1;
}

/* Its pid if it is at @step or further, else 0. */
static pid_t look(const char *name, const char *role, uint32_t index, uint64_t step)
{
    struct lam_observer *observer;
    const struct lam_plan_role *found;
    struct lam_topology_peer peer = {.pid = 0};

    if (lam_observer_attach(&observer, name, NULL) != 0)
        return 0;
    found = lam_plan_role(lam_observer_plan(observer), role);
    if (found != NULL)
        lam_observer_peer(observer, found->first_instance + index, &peer);
    lam_observer_detach(observer);
    return peer.state == LAM_TOPOLOGY_READY && peer.step >= step ? peer.pid : 0;
}

pid_t fabric_at_step(struct fabric_run *run, const char *role, uint32_t index, uint64_t step)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    pid_t pid;

    while ((pid = look(run->name, role, index, step)) == 0) {
        cr_assert(lam_clock_now_ns() < deadline_ns, "%s is not at step %" PRIu64 ": %s", role, step,
            fabric_stderr(run));
        nap();
    }
    return pid;
}

static uint64_t request_digest(uint64_t id, uint32_t context, uint32_t generated)
{
    uint32_t latest = token_first(id);

    for (uint32_t i = 0; i < context; i++)
        latest = token_after_prompt(latest, token_prompt(id, i));
    for (uint32_t i = context > 0; i < generated; i++)
        latest = token_after(latest, id);
    return digest_of(id, generated, latest);
}

void fabric_oracle(const char *path, struct fabric_oracle *oracle)
{
    FILE *file = fopen(path, "re");
    char line[256];
    uint64_t digest = 0;

    cr_assert_not_null(file, "%s", path);
    memset(oracle, 0, sizeof(*oracle));
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *comma = strchr(line, ',');
        uint32_t context, generated;

        if (comma == NULL || sscanf(comma, ",%" SCNu32 ",%" SCNu32, &context, &generated) != 2)
            continue; /* the header */
        oracle->requests++;
        oracle->prompt_tokens += context;
        oracle->generated_tokens += generated;
        digest += request_digest(oracle->requests, context, generated);
    }
    (void)fclose(file);
    (void)snprintf(oracle->digest, sizeof(oracle->digest), "%016" PRIx64, digest);
}
