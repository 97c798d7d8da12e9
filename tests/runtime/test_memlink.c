/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memlink.c: modules that were built to memlink's C interface run unmodified, in a worker, and
 * whatever they do wrong is an answer.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "modules.h"

#ifdef WORKER_IS_THIS
#include "linux/spawn.h"
#include "worker/serve.h"

/* With a mutant in it the worker is this program. */
static __attribute__((constructor)) void serve_as_worker(void)
{
    if (spawn_is_worker())
        _exit(lam_worker_serve(SPAWN_SOCKET_FD));
}
#endif

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static _Alignas(8) uint8_t room[4096];

static int load(const char *kind, const char *config)
{
    struct lam_module_options options = {
        .host = LAM_MODULE_IN_WORKER, .config = config, .config_bytes = strlen(config)};

    return lam_runtime_load(runtime, module_file(kind), &options, &module, &error);
}

static void setup(void)
{
    char program[4096];
    struct lam_runtime_options options = {.worker = program};

#ifdef WORKER_IS_THIS
    (void)snprintf(program, sizeof(program), "/proc/%d/exe", (int)getpid());
#else
    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
#endif
    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void setup_and_load(void)
{
    setup();
    cr_assert(eq(int, load("memlink", "hello"), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(memlink, .init = setup_and_load, .fini = teardown, .timeout = 60);
TestSuite(memlink_load, .init = setup, .fini = teardown, .timeout = 60);

static int ask(
    const char *method, const void *request, uint64_t bytes, struct lam_module_reply *reply)
{
    *reply = (struct lam_module_reply){.data = room, .capacity = sizeof(room)};
    return lam_module_call(module, lam_method_id(method), request, bytes, reply,
        lam_deadline_after_ns(20 * LAM_NS_PER_S));
}

static unsigned increment(void)
{
    struct lam_module_reply reply;
    unsigned count;

    cr_assert(eq(int, ask("increment", NULL, 0, &reply), 0));
    memcpy(&count, room, sizeof(count));
    return count;
}

Test(memlink, an_unmodified_module_answers_with_4096_bytes)
{
    struct lam_module_reply reply;

    cr_assert(eq(int, ask("echo", "hello", 5, &reply), 0));
    cr_assert(eq(u64, reply.bytes, 4096));
    cr_assert(memcmp(room, "hello", 6) == 0);
    for (unsigned i = 5; i < sizeof(room); i++)
        cr_assert(room[i] == 0);
    cr_assert(eq(int, ask("add", "\x02\x05", 2, &reply), 0));
    cr_assert(room[0] == 7 && room[1] == 0); /* nothing of the call before */
    memset(room, 0xee, sizeof(room));
    cr_assert(eq(int, ask("add", room, sizeof(room), &reply), 0));
    cr_assert(eq(int, ask("echo", room, sizeof(room), &reply), 0));        /* all of it */
    cr_assert(lam_runtime_find(runtime, "test_module_memlink") == module); /* the file's name */
}

Test(memlink, a_call_of_any_id_goes_to_memlink_call)
{
    static const char *const names[] = {"", "no such method", "*", "memlink_call"};
    struct lam_module_reply reply;
    uint32_t id;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert(eq(int, ask(names[i], NULL, 0, &reply), 0), "%s", names[i]);
        memcpy(&id, room, sizeof(id));
        cr_assert(eq(u32, id, lam_method_id(names[i])));
        cr_assert(room[4] == 'h'); /* its configuration */
        cr_assert(room[5] == 1);   /* its init, once */
    }
}

Test(memlink, what_it_returns_is_what_the_call_returns)
{
    static const signed char codes[] = {-1, -2, -3, 1, 42, -28};
    struct lam_module_reply reply;

    for (unsigned i = 0; i < sizeof(codes); i++) {
        uint8_t how[2] = {'r', (uint8_t)codes[i]};

        cr_assert(eq(int, ask("process", how, 2, &reply), codes[i]));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
        cr_assert(eq(u64, reply.bytes, 0));
    }
}

Test(memlink, too_little_room_is_said_before_anything_runs)
{
    struct lam_module_reply reply = {.data = room, .capacity = 4095};

    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("increment"), NULL, 0, &reply, LAM_DEADLINE_NEVER),
        -ENOSPC));
    cr_assert(eq(u64, reply.bytes, 4096));
    cr_assert(eq(u32, increment(), 1));
}

static void expect_end(const char *how, enum lam_failure failure, int32_t detail)
{
    struct lam_module_reply reply;

    cr_assert(eq(u32, increment(), 1));
    cr_assert(eq(int, ask("process", how, 2, &reply), -EOWNERDEAD), "%s", how);
    cr_assert(eq(u32, reply.failure, failure), "%s", how);
    cr_assert(eq(i32, reply.detail, detail), "%s", how);
    cr_assert(eq(u32, increment(), 1)); /* another worker */
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
}

Test(memlink, an_answer_of_more_than_4096_bytes_ends_at_a_guard_page)
{
    struct lam_module_reply reply;
    uint8_t large[4097] = {0};

    expect_end("o.", LAM_FAILURE_CRASHED, SIGSEGV);
    expect_end("u.", LAM_FAILURE_CRASHED, SIGSEGV);
    /* The echo that memlink's own examples have. */
    cr_assert(eq(int, ask("echo", large, sizeof(large), &reply), -EOWNERDEAD));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_CRASHED));
    cr_assert(eq(i32, reply.detail, SIGSEGV));
    cr_assert(eq(u32, increment(), 1));
}

Test(memlink, a_crash_and_an_exit_are_answers)
{
    expect_end("f\x08", LAM_FAILURE_CRASHED, SIGSEGV);
    expect_end("a.", LAM_FAILURE_CRASHED, SIGABRT);
    expect_end("x.", LAM_FAILURE_EXITED, 9);
}

Test(memlink, a_loop_without_end_is_an_answer_by_the_deadline)
{
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("process"), "l.", 2, &reply,
            lam_deadline_after_ns(50 * LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_DEADLINE));
    cr_assert(eq(u32, increment(), 1));
}

Test(memlink, a_reload_moves_its_state)
{
    struct lam_reload_options options = {.keep_state = 1};

    for (unsigned i = 1; i <= 3; i++)
        cr_assert(eq(u32, increment(), i));
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 0), "%s", error.text);
    cr_assert(eq(u32, increment(), 4));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(u32, increment(), 1));
}

Test(memlink_load, without_a_required_symbol_it_is_refused_by_that_symbols_name)
{
    static const char *const lacks[][2] = {{"memlink_no_init", "has no memlink_init"},
        {"memlink_no_call", "has no memlink_call"},
        {"memlink_no_shutdown", "has no memlink_shutdown"},
        {"memlink_nearly_none", "has no memlink_init memlink_shutdown"}};

    for (unsigned i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
        size_t length;

        cr_assert(eq(int, load(lacks[i][0], ""), -ENOEXEC), "%s", lacks[i][0]);
        length = strlen(error.text) - strlen(lacks[i][1]);
        cr_assert(eq(str, error.text + length, (char *)(uintptr_t)lacks[i][1]));
    }
}

Test(memlink_load, its_state_symbols_are_optional)
{
    struct lam_reload_options options = {.keep_state = 1};

    cr_assert(eq(int, load("memlink_no_state", ""), 0), "%s", error.text);
    cr_assert(eq(u32, increment(), 1));
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), -ENOTSUP));
    cr_assert(eq(u32, increment(), 2)); /* the old one serves on */
}

Test(memlink_load, a_state_that_cannot_come_is_refused_and_the_old_code_serves_on)
{
    struct lam_reload_options options = {.keep_state = 1};

    cr_assert(eq(int, load("memlink_huge_state", ""), 0), "%s", error.text);
    cr_assert(eq(u32, increment(), 1));
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), -ECANCELED));
    cr_assert(strstr(error.text, "save returned -90") != NULL, "%s", error.text);
    cr_assert(eq(u32, increment(), 2));
}

Test(memlink_load, an_init_that_fails_fails_the_load)
{
    cr_assert(eq(int, load("memlink", "bad"), -ECANCELED));
    cr_assert(strstr(error.text, "init returned -2") != NULL, "%s", error.text);
}

Test(memlink_load, its_shutdown_runs_once_and_what_it_returns_is_not_looked_at)
{
    char said[64] = "";
    int ends[2], kept = dup(STDERR_FILENO);

    cr_assert(eq(int, load("memlink", ""), 0), "%s", error.text);
    lam_runtime_destroy(runtime);
    cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
    cr_assert(eq(int, dup2(ends[1], STDERR_FILENO), STDERR_FILENO));
    setup();
    cr_assert(eq(int, load("memlink", ""), 0), "%s", error.text);
    cr_assert(eq(u32, increment(), 1));
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
    cr_assert(eq(int, dup2(kept, STDERR_FILENO), STDERR_FILENO));
    (void)close(ends[1]);
    cr_assert(read(ends[0], said, sizeof(said) - 1) > 0);
    cr_assert(eq(str, said, "memlink_shutdown\n"));
}

Test(memlink_load, in_this_process_it_is_refused_with_the_way_out)
{
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("memlink"), NULL, &module, &error), -ENOEXEC));
    cr_assert(
        strstr(error.text, "in a worker only: set options.host to LAM_MODULE_IN_WORKER") != NULL,
        "%s", error.text);
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("stranger"), NULL, &module, &error), -ENOEXEC));
    cr_assert(strstr(error.text, "memlink's interface") == NULL, "%s", error.text);
}

static void expect_any(enum lam_module_host host, const char *name)
{
    struct lam_module_options options = {.host = host, .name = name, .counts_calls = 1};
    struct lam_module_reply reply;
    char text[65536];

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("any"), &options, &module, &error), 0),
        "%s", error.text);
    cr_assert(eq(int, ask("known", "x", 1, &reply), 0));
    cr_assert(eq(u64, reply.bytes, 0));
    cr_assert(eq(int, ask("unknown", "x", 1, &reply), 0));
    cr_assert(eq(u64, reply.bytes, 4));
    cr_assert(eq(u32, *(uint32_t *)(void *)room, LAM_METHOD_ID("unknown")));
    (void)lam_runtime_prometheus(runtime, text, sizeof(text));
    cr_assert(strstr(text, "method=\"*\"") != NULL, "%s", text);
}

Test(memlink_load, any_module_may_have_a_method_for_every_id_that_no_other_has)
{
    expect_any(LAM_MODULE_IN_PROCESS, "here");
    expect_any(LAM_MODULE_IN_WORKER, "there");
}
