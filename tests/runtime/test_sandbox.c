/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sandbox.c: a module that tries everything gets what its sandbox allows, and nothing else;
 * what a kernel cannot hold is said, and refused where the sandbox is strict.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules.h"
#include "sandbox_tries.h"

#ifdef WORKER_IS_THIS
#include "linux/spawn.h"
#include "worker/serve.h"

/* With its mutants this program is its own worker. */
__attribute__((constructor)) static void serve_as_worker(void)
{
    if (spawn_is_worker())
        _exit(lam_worker_serve(SPAWN_SOCKET_FD));
}
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1
#else
#define HAS_SHADOW 0
#endif

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static struct lam_reply reply;
static struct lam_sandbox_report report;

static void setup(void)
{
    char program[4096] = "/proc/self/exe";
    struct lam_runtime_options options = {.worker = program};

#ifndef WORKER_IS_THIS
    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
#endif
    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(sandbox, .init = setup, .fini = teardown, .timeout = 120);

static int try_load(const struct lam_sandbox_options *sandbox)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .sandbox = sandbox};

    return lam_runtime_load(runtime, module_file("tries"), &options, &module, &error);
}

static void load(const struct lam_sandbox_options *sandbox)
{
    cr_assert(eq(int, try_load(sandbox), 0), "%s", error.text);
    cr_assert(ge(int, lam_module_sandbox(module, &report), 0));
}

/* With these layers, of which @layer is the one that is tested; without it the test is skipped. */
static void load_with(struct lam_sandbox_options sandbox, enum lam_sandbox_layer layer)
{
    load(&sandbox);
    cr_assert(eq(u32, report.layers[layer].is_asked, 1));
    if (!report.layers[layer].is_active)
        cr_skip_test("the layer %s is not to be had here: %s: %s", lam_sandbox_layer_name(layer),
            report.layers[layer].step, strerror(-report.layers[layer].error));
}

static int ask(const char *method, const void *request, uint64_t bytes, struct tried *tried)
{
    reply = (struct lam_reply){.data = tried, .capacity = sizeof(*tried)};
    return lam_module_call(module, lam_method_id(method), request, bytes, &reply,
        lam_deadline_after_ns(100 * LAM_NS_PER_S));
}

/* What it got: an errno below 0. */
static int64_t try(const char *method, const void *request, uint64_t bytes)
{
    struct tried tried = {0, 0};
    int rc = ask(method, request, bytes, &tried);

    cr_assert(eq(int, rc, 0), "%s: failure %u, %d", method, reply.failure, reply.detail);
    return tried.got < 0 ? -tried.error : tried.got;
}

static void expect_end(const char *method, const void *request, uint64_t bytes, int signal)
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

/* A system call by its number. */
static int64_t try_call(struct try_call call)
{
    return try("call", &call, sizeof(call));
}

static void unload(void)
{
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
}

Test(sandbox, the_report_says_what_was_asked_for_and_what_is_active)
{
    int missing = 0;

    load(NULL);
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++) {
        const struct lam_sandbox_state *state = &report.layers[i];

        cr_assert(eq(u32, state->is_asked, LAM_SANDBOX_DEFAULT >> i & 1));
        cr_assert(eq(u32, state->is_active, state->is_asked && state->error == 0));
        missing += state->is_asked && !state->is_active;
    }
    cr_assert(report.layers[LAM_SANDBOX_PRIVILEGES].is_active);
    cr_assert(report.layers[LAM_SANDBOX_LIMITS].is_active);
    cr_assert(eq(int, lam_module_sandbox(module, &report), missing));
    unload();
    cr_assert(eq(int, lam_module_sandbox(module, &report), -ENODEV));
}

Test(sandbox, a_wish_that_makes_no_sense_is_refused_by_its_field)
{
    static const struct {
        struct lam_sandbox_options options;
        int rc;
        const char *text;
    } wrong[] = {
        {{.layers = 0x80000001}, -EINVAL, "0x80000000 is no layer"},
        {{.strict = 2}, -EINVAL, "sandbox.strict is 2"},
        {{.network = 3}, -EINVAL, "sandbox.network is 3"},
        {{.readable = "tmp"}, -EINVAL, "sandbox.readable: tmp is not"},
        {{.readable = "/:/nowhere"}, -ENOENT, "sandbox.readable: /nowhere: No such"},
        {{.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS), .writable = "/tmp"}, -EINVAL,
            "sandbox.writable is given"},
        {{.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_NETWORK), .network = 1}, -EINVAL,
            "sandbox.network is 1"},
    };
    struct lam_module_options here = {.sandbox = &wrong[0].options};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert(eq(int, try_load(&wrong[i].options), wrong[i].rc), "%s", wrong[i].text);
        cr_assert(strstr(error.text, wrong[i].text) != NULL, "%s", error.text);
    }
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("tries"), &here, &module, &error), -EINVAL));
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("tries"), NULL, &module, &error), 0));
    cr_assert(eq(int, lam_module_sandbox(module, &report), -ENOTSUP));
}

Test(sandbox, strict_refuses_what_is_not_active_by_its_name)
{
    struct lam_sandbox_options all = {.layers = LAM_SANDBOX_ALL};
    int missing;

    load(&all);
    missing = lam_module_sandbox(module, &report);
    unload();
    all.strict = 1;
    if (missing == 0) {
        cr_assert(eq(int, try_load(&all), 0), "%s", error.text);
        return;
    }
    cr_assert(eq(int, try_load(&all), -ENOTSUP));
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++)
        if (!report.layers[i].is_active) {
            cr_assert(strstr(error.text, lam_sandbox_layer_name((enum lam_sandbox_layer)i)) != NULL,
                "%s", error.text);
            break;
        }
}

/* Always to be had: root is not counted, and else it takes a namespace. */
Test(sandbox, a_bound_of_processes_that_the_kernel_does_not_hold_is_said)
{
    struct lam_sandbox_options some = {
        .layers = LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS), .processes = 4};

    load(&some);
    cr_assert(eq(u32, report.layers[LAM_SANDBOX_LIMITS].is_active, 0));
    cr_assert(lt(i32, report.layers[LAM_SANDBOX_LIMITS].error, 0));
    cr_assert(strstr(report.layers[LAM_SANDBOX_LIMITS].step, "processes") != NULL);
    unload();
    some.strict = 1;
    cr_assert(eq(int, try_load(&some), -ENOTSUP));
    cr_assert(
        strstr(error.text, "its layer limits is not active: processes") != NULL, "%s", error.text);
}

Test(sandbox, no_privilege_is_left_and_none_comes_by_exec)
{
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_PRIVILEGES)},
        LAM_SANDBOX_PRIVILEGES);
    cr_assert(eq(i64, try_call((struct try_call){SYS_prctl, {PR_GET_NO_NEW_PRIVS}}), 1));
    /* What takes a capability, whoever runs this. */
    cr_assert(eq(i64, try_call((struct try_call){SYS_sethostname, {0, 0}}), -EPERM));
}

Test(sandbox, memory_past_its_limit_is_not_to_be_had)
{
    uint64_t wanted = UINT64_C(400) << 20;

    load(NULL);
    cr_assert(eq(i64, try("allocate", &wanted, sizeof(wanted)), (int64_t)wanted));
    unload();
    load_with((struct lam_sandbox_options){.memory_bytes = UINT64_C(64) << 20}, LAM_SANDBOX_LIMITS);
    /* Its own, and what its worker does not need at once. */
    cr_assert(lt(i64, try("allocate", &wanted, sizeof(wanted)), INT64_C(200) << 20));
    cr_assert(ge(i64, try("allocate", &wanted, sizeof(wanted)), INT64_C(60) << 20));
}

Test(sandbox, cpu_time_past_its_limit_is_an_end_with_its_signal)
{
    load_with((struct lam_sandbox_options){.cpu_s = 1}, LAM_SANDBOX_LIMITS);
    expect_end("burn", NULL, 0, SIGXCPU);
}

Test(sandbox, a_file_past_its_limit_is_an_end_with_its_signal)
{
    uint64_t allowed = 8192, more = 8193;

    load_with((struct lam_sandbox_options){.file_bytes = 8192}, LAM_SANDBOX_LIMITS);
    cr_assert(eq(i64, try("fill", &allowed, sizeof(allowed)), 1));
    expect_end("fill", &more, sizeof(more), SIGXFSZ);
}

Test(sandbox, descriptors_past_their_limit_are_not_to_be_had)
{
    load_with((struct lam_sandbox_options){.files = 40}, LAM_SANDBOX_LIMITS);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 40));
    unload();
    load(NULL);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 1024));
    cr_assert(ge(i64, try("descriptors", NULL, 0), 40));
}

Test(sandbox, an_answer_past_its_limit_finds_no_room)
{
    char room[64];

    load(&(struct lam_sandbox_options){.reply_bytes = 16});
    reply = (struct lam_reply){.data = room, .capacity = sizeof(room)};
    cr_assert(eq(int,
        lam_module_call(
            module, lam_method_id("echo"), "0123456789abcdef", 16, &reply, LAM_DEADLINE_NEVER),
        0));
    cr_assert(eq(int,
        lam_module_call(
            module, lam_method_id("echo"), "0123456789abcdefg", 17, &reply, LAM_DEADLINE_NEVER),
        -ENOSPC));
    cr_assert(eq(u64, reply.bytes, 17));
}

Test(sandbox, a_successor_of_a_reload_is_held_as_well)
{
    load_with((struct lam_sandbox_options){.files = 40}, LAM_SANDBOX_LIMITS);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 40));
    cr_assert(ge(int, lam_module_sandbox(module, &report), 0));
    cr_assert(report.layers[LAM_SANDBOX_LIMITS].is_active);
}

Test(sandbox, a_call_that_no_module_has_any_business_with_is_an_end_by_sigsys)
{
    static const long fatal[] = {SYS_ptrace, 425, 426, 427, SYS_process_vm_readv, SYS_bpf,
        SYS_unshare, SYS_keyctl, SYS_mount, SYS_chroot, SYS_perf_event_open, SYS_userfaultfd,
        SYS_setns, SYS_init_module};

    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        struct try_call call = {fatal[i], {0}};

        load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
        expect_end("call", &call, sizeof(call), SIGSYS);
        unload();
    }
}

Test(sandbox, a_call_that_reaches_others_is_refused_and_the_module_goes_on)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call((struct try_call){SYS_setsid, {0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_setpgid, {0, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_kill, {getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_tgkill, {getpid(), getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_shmget, {0, 4096, 0600}}), -EPERM));
    /* Its arguments lie in memory, or it types into a terminal. */
    cr_assert(eq(i64, try_call((struct try_call){435, {0, 0}}), -ENOSYS));
    cr_assert(eq(i64, try_call((struct try_call){SYS_ioctl, {0, TIOCSTI, 0}}), -ENOSYS));
    cr_assert(eq(
        i64, try_call((struct try_call){SYS_ioctl, {0, TIOCSTI | INT64_C(1) << 32, 0}}), -ENOSYS));
    cr_assert(eq(i64, try("thread", NULL, 0), 0));
}

Test(sandbox, a_call_that_nobody_knows_is_not_there)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call((struct try_call){SYS_personality, {0xffffffff}}), -ENOSYS));
    cr_assert(eq(i64, try_call((struct try_call){1000000, {0}}), -ENOSYS));
}

Test(sandbox, it_makes_no_process_unless_it_may)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try("bomb", NULL, 0), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_execve, {0, 0, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_clone, {CLONE_NEWUSER | SIGCHLD}}), -ENOSYS));
    unload();
    load_with((struct lam_sandbox_options){.processes = 40}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try("bomb", NULL, 0), 32));
    cr_assert(eq(i64, try_call((struct try_call){SYS_execve, {0, 0, 0}}), -EFAULT));
    cr_assert(eq(i64, try_call((struct try_call){SYS_clone, {CLONE_NEWUSER | SIGCHLD}}), -ENOSYS));
}

Test(sandbox, it_has_no_socket_of_its_own_unless_it_may)
{
    struct try_call inet = {SYS_socket, {AF_INET, SOCK_STREAM, 0}};

    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call(inet), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_socket, {AF_UNIX, SOCK_STREAM, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_connect, {0, 0, 0}}), -EPERM));
    unload();
    load_with((struct lam_sandbox_options){.network = 1}, LAM_SANDBOX_CALLS);
    cr_assert(ge(i64, try_call(inet), 0));
    cr_assert(eq(i64, try_call((struct try_call){SYS_connect, {0, 0, 0}}), -ENOTSOCK));
    /* The wire itself, and the kernel's own ciphers. */
    cr_assert(eq(i64, try_call((struct try_call){SYS_socket, {AF_PACKET, SOCK_RAW, 0}}), -ENOSYS));
    cr_assert(
        eq(i64, try_call((struct try_call){SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}}), -ENOSYS));
}

/* Files and folders of this test's own, beneath @folder. */
static void make_files(char folder[64])
{
    char path[128];
    FILE *file;

    (void)snprintf(folder, 64, "/tmp/lamina-sandbox-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, i == 0 ? "open" : "secret");
        cr_assert(eq(int, mkdir(path, 0700), 0));
        (void)snprintf(path, sizeof(path), "%s/%s/file", folder, i == 0 ? "open" : "secret");
        file = fopen(path, "w");
        cr_assert(file != NULL);
        (void)fputs("x", file);
        (void)fclose(file);
    }
}

static void remove_files(const char *folder)
{
    static const char *const names[] = {
        "open/file", "open/new", "open", "secret/file", "secret/new", "secret", ""};
    char path[128];

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path);
    }
}

static int64_t try_file(const char *method, const char *folder, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return try(method, path, strlen(path) + 1);
}

Test(sandbox, it_reads_and_writes_beneath_the_paths_that_it_may_and_nowhere_else)
{
    char folder[64], open[128];

    make_files(folder);
    (void)snprintf(open, sizeof(open), "%s/open", folder);
    load_with((struct lam_sandbox_options){.readable = open}, LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("read", folder, "open/file"), 1));
    cr_assert(eq(i64, try_file("read", folder, "secret/file"), -EACCES));
    cr_assert(eq(i64, try_file("read", "/etc", "passwd"), -EACCES));
    cr_assert(eq(i64, try_file("write", folder, "open/file"), -EACCES));
    cr_assert(eq(i64, try_file("write", folder, "open/new"), -EACCES));
    unload();
    load_with((struct lam_sandbox_options){.writable = open}, LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("write", folder, "open/new"), 1));
    cr_assert(eq(i64, try_file("read", folder, "open/new"), 1));
    cr_assert(eq(i64, try_file("write", folder, "secret/new"), -EACCES));
    unload();
    /* None of either, by the layer alone. */
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_FILES)},
        LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("read", folder, "open/file"), -EACCES));
    cr_assert(eq(i64, try("read", "/dev/zero", 10), 1));
    remove_files(folder);
}

/* What comes with a newer Landlock; seccomp would refuse it first. */
Test(sandbox, where_landlock_can_it_has_no_tcp_and_signals_nobody)
{
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_FILES)},
        LAM_SANDBOX_FILES);
    if (report.layers[LAM_SANDBOX_FILES].level < 6)
        cr_skip_test("Landlock has ABI %u here, signals came with 6",
            report.layers[LAM_SANDBOX_FILES].level);
    cr_assert(eq(i64, try_call((struct try_call){SYS_kill, {getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, try("listen", NULL, 0), -EACCES));
}
