/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox_help.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1
#else
#define HAS_SHADOW 0
#endif
#ifdef LAM_WITH_SECCOMP
#define HAS_SECCOMP 1
#else
#define HAS_SECCOMP 0
#endif

#ifdef WORKER_IS_THIS
#include "linux/spawn.h"
#include "worker/secure.h"
#include "worker/serve.h"

/* With its mutants this program is its own worker. */
__attribute__((constructor)) static void serve_as_worker(int argc, char **argv)
{
    if (!spawn_is_worker())
        return;
    secure_begin(SPAWN_SOCKET_FD, argc, argv);
    _exit(lam_worker_serve(SPAWN_SOCKET_FD));
}
#endif

struct lam_runtime *runtime;
struct lam_module *module;
struct lam_error error;
struct lam_module_reply reply;
struct lam_sandbox_report report;

static void make_runtime(uint64_t memory_bytes)
{
    char program[4096] = "/proc/self/exe";
    struct lam_runtime_options options = {.worker = program, .worker_memory_bytes = memory_bytes};

#ifndef WORKER_IS_THIS
    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
#endif
    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void setup(void)
{
    make_runtime(0);
}

void bound_all_workers(uint64_t memory_bytes)
{
    lam_runtime_destroy(runtime);
    make_runtime(memory_bytes);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(sandbox, .init = setup, .fini = teardown, .timeout = 120);

int try_load(const struct lam_sandbox_options *sandbox)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .sandbox = sandbox};

    return lam_runtime_load(runtime, module_file("tries"), &options, &module, &error);
}

void load(const struct lam_sandbox_options *sandbox)
{
    cr_assert(eq(int, try_load(sandbox), 0), "%s", error.text);
    cr_assert(ge(int, lam_module_sandbox(module, &report), 0));
}

static int can_unshare(int flags)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(unshare(flags) != 0);
    cr_assert(eq(int, waitpid(pid, &status, 0), pid));
    return status == 0;
}

/* Asked of the kernel itself: a layer that is not put on is not one that is not to be had. */
static int is_to_be_had(enum lam_sandbox_layer layer)
{
    switch (layer) {
    case LAM_SANDBOX_LIMITS:
        return !HAS_SHADOW; /* of memory: a sanitizer takes terabytes of addresses */
    case LAM_SANDBOX_CALLS:
        return HAS_SECCOMP && prctl(PR_GET_SECCOMP) >= 0;
    case LAM_SANDBOX_FILES:
        return syscall(444, NULL, 0, 1) > 0; /* the ABI of Landlock */
    case LAM_SANDBOX_USERS:
        return can_unshare(CLONE_NEWUSER);
    case LAM_SANDBOX_NETWORK:
        return can_unshare(CLONE_NEWUSER | CLONE_NEWNET);
    case LAM_SANDBOX_IPC:
        return can_unshare(CLONE_NEWUSER | CLONE_NEWIPC);
    case LAM_SANDBOX_MOUNTS:
        return can_unshare(CLONE_NEWUSER | CLONE_NEWNS);
    case LAM_SANDBOX_PIDS:
        return can_unshare(CLONE_NEWUSER | CLONE_NEWPID);
    default:
        return 1;
    }
}

void load_with(struct lam_sandbox_options sandbox, enum lam_sandbox_layer layer)
{
    load(&sandbox);
    cr_assert(eq(u32, report.layers[layer].is_asked, 1));
    cr_assert(report.layers[layer].is_active || !is_to_be_had(layer), "%s: %s",
        report.layers[layer].step, strerror(-report.layers[layer].error));
    if (!report.layers[layer].is_active)
        cr_skip_test("the layer %s is not to be had here: %s: %s", lam_sandbox_layer_name(layer),
            report.layers[layer].step, strerror(-report.layers[layer].error));
}

int ask(const char *method, const void *request, uint64_t bytes, struct tried *tried)
{
    reply = (struct lam_module_reply){.data = tried, .capacity = sizeof(*tried)};
    return lam_module_call(module, lam_method_id(method), request, bytes, &reply,
        lam_deadline_after_ns(100 * LAM_NS_PER_S));
}

int64_t try(const char *method, const void *request, uint64_t bytes)
{
    struct tried tried = {0, 0};
    int rc = ask(method, request, bytes, &tried);

    cr_assert(eq(int, rc, 0), "%s: failure %u, %d", method, reply.failure, reply.detail);
    return tried.got < 0 ? -tried.error : tried.got;
}

void expect_end(const char *method, const void *request, uint64_t bytes, int signal)
{
    struct tried tried = {0, 0};
    int rc = ask(method, request, bytes, &tried);

    cr_assert(eq(int, rc, -EOWNERDEAD), "%s: got %ld", method, (long)tried.got);
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_CRASHED));
    cr_assert(eq(i32, reply.detail, signal), "%s", method);
    /* The next one is held as this one was. */
    cr_assert(
        eq(int, ask("echo", "well", 5, &tried), 0), "failure %u, %d", reply.failure, reply.detail);
}

int64_t try_call(struct try_call call)
{
    return try("call", &call, sizeof(call));
}

void unload(void)
{
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
}
