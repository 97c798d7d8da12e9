/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_worker.c: modules in workers: every bad end is an answer of its own, the next call finds
 * another worker, and the other modules know nothing of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module, *neighbour;
static struct lam_error error;
static char logged[256];

static void keep_log(void *context, const char *name, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)context;
    (void)snprintf(logged, sizeof(logged), "%s %d %s %u %s=%s", name, (int)level, text, field_count,
        fields[0].name, fields[0].value);
}

static void load(const char *kind, const char *name, struct lam_module **made)
{
    struct lam_sandbox_options sandbox = {.processes = 1}; /* it leaves a child behind */
    struct lam_module_options options = {
        .host = LAM_MODULE_IN_WORKER, .name = name, .sandbox = &sandbox};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), &options, made, &error), 0),
        "%s", error.text);
}

static void setup(void)
{
    char program[4096];
    struct lam_runtime_options options = {.worker = program, .log = keep_log};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    /* Bad ends are what is tested: in the worker a sanitizer lets them be. */
    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    load("bad", "bad", &module);
    load("first", "neighbour", &neighbour);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(worker, .init = setup, .fini = teardown, .timeout = 60);

static int ask(const char *method, const void *request, uint64_t bytes,
    struct lam_module_reply *reply, uint64_t timeout_ns)
{
    return lam_module_call(
        module, lam_method_id(method), request, bytes, reply, lam_deadline_after_ns(timeout_ns));
}

static void expect_well(void)
{
    char room[8];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    cr_assert(eq(int, ask("echo", "well", 5, &reply, 20 * LAM_NS_PER_S), 0), "failure %u %d",
        reply.failure, reply.detail);
    cr_assert(eq(u64, reply.bytes, 5));
    cr_assert(eq(str, room, "well"));
    cr_assert(eq(int, module_kind(neighbour), 1));
}

static void expect_end(const char *method, int rc, enum lam_failure failure, int32_t detail)
{
    char room[21];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};
    int got = ask(method, "abc", 4, &reply,
        failure == LAM_FAILURE_DEADLINE ? 50 * LAM_NS_PER_MS : 20 * LAM_NS_PER_S);

    cr_assert(eq(int, got, rc), "%s: failure %u, %d", method, reply.failure, reply.detail);
    cr_assert(eq(u32, reply.failure, failure), "%s: detail %d", method, reply.detail);
    cr_assert(eq(i32, reply.detail, detail), "%s", method);
    expect_well();
}

Test(worker, a_module_in_a_worker_answers_as_one_in_this_process)
{
    char room[2];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    expect_well();
    cr_assert(eq(u64, module_count(neighbour), 1));
    cr_assert(eq(u64, module_count(neighbour), 2));
    cr_assert(eq(int, ask("echo", "abc", 3, &reply, LAM_NS_PER_S), -ENOSPC));
    cr_assert(eq(u64, reply.bytes, 3));
    cr_assert(eq(int, ask("nothing", NULL, 0, &reply, LAM_NS_PER_S), -ENOENT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NO_METHOD));
}

Test(worker, requests_and_answers_of_any_size_pass)
{
    static const uint64_t sizes[] = {0, 1, 63, 64, 4096, 30000, 65536, 100001, 1 << 20, 20 << 20};
    uint8_t *request = malloc(20 << 20), *answer = malloc(20 << 20);

    for (uint64_t i = 0; i < 20 << 20; i++)
        request[i] = (uint8_t)(i * 7 + (i >> 12));
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct lam_module_reply reply = {.data = answer, .capacity = sizes[i]};

        memset(answer, 0, sizes[i]);
        cr_assert(eq(int, ask("echo", request, sizes[i], &reply, 30 * LAM_NS_PER_S), 0),
            "%lu bytes: failure %u, %d", sizes[i], reply.failure, reply.detail);
        cr_assert(eq(u64, reply.bytes, sizes[i]));
        cr_assert(memcmp(request, answer, sizes[i]) == 0);
    }
    free(request);
    free(answer);
}

Test(worker, what_is_too_large_for_a_channel_is_told_before_anything_is_called)
{
    uint64_t bytes = LAM_WORKER_REQUEST_BYTES_MAX + 1;
    uint8_t *request = calloc(1, bytes);
    struct lam_module_reply reply = {.data = request, .capacity = bytes};

    cr_assert(eq(int, ask("echo", request, bytes, &reply, 30 * LAM_NS_PER_S), -EMSGSIZE));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
    /* Room for more than can come is no fault. */
    cr_assert(eq(int, ask("echo", "abc", 3, &reply, 30 * LAM_NS_PER_S), 0));
    cr_assert(eq(int,
        ask("echo", request, LAM_WORKER_REPLY_BYTES_MAX + 1, &reply, 30 * LAM_NS_PER_S), -ENOSPC));
    cr_assert(eq(u64, reply.bytes, LAM_WORKER_REPLY_BYTES_MAX + 1));
    expect_well();
    free(request);
}

Test(worker, a_fault_is_an_answer)
{
    expect_end("fault", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGSEGV);
}

Test(worker, an_abort_is_an_answer)
{
    expect_end("abort", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGABRT);
}

Test(worker, an_exit_is_an_answer)
{
    expect_end("exit", -EOWNERDEAD, LAM_FAILURE_EXITED, 7);
}

Test(worker, an_overflow_of_the_stack_is_an_answer)
{
    expect_end("overflow", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGSEGV);
}

Test(worker, an_overrun_of_the_answer_is_an_answer)
{
    expect_end("overrun", -EPROTO, LAM_FAILURE_BAD_REPLY, 0);
    expect_end("overrun-far", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGSEGV);
    expect_end("lie", -EPROTO, LAM_FAILURE_BAD_REPLY, 0);
}

Test(worker, a_loop_without_end_is_an_answer_by_the_deadline)
{
    expect_end("loop", -ETIMEDOUT, LAM_FAILURE_DEADLINE, 0);
}

Test(worker, a_kill_is_an_answer)
{
    expect_end("kill", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGKILL);
}

Test(worker, a_child_that_a_module_leaves_behind_changes_nothing)
{
    expect_end("leave-child", -EOWNERDEAD, LAM_FAILURE_EXITED, 9);
}

Test(worker, what_a_worker_leaves_behind_goes_with_it)
{
    struct lam_module_reply reply = {.data = NULL};
    int ends[2];
    struct pollfd hung_up;

    /* Its child would hold the write end for minutes. */
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, dup2(ends[1], STDERR_FILENO), STDERR_FILENO));
    (void)close(ends[1]);
    lam_runtime_destroy(runtime);
    setup();
    cr_assert(eq(int, ask("leave-child", NULL, 0, &reply, 20 * LAM_NS_PER_S), -EOWNERDEAD));
    lam_runtime_destroy(runtime);
    runtime = NULL;
    (void)close(STDERR_FILENO);
    hung_up = (struct pollfd){.fd = ends[0]};
    cr_assert(eq(int, poll(&hung_up, 1, 30000), 1));
    cr_assert(hung_up.revents == POLLHUP);
}

Test(worker, a_call_that_may_run_twice_is_tried_again)
{
    /* It dies both times; four deaths would be too many for one that tried for ever. */
    expect_end("fault-again", -EOWNERDEAD, LAM_FAILURE_CRASHED, SIGSEGV);
}

Test(worker, a_kill_between_two_calls_is_seen_by_the_next_one_only_if_it_may_not_run_twice)
{
    struct lam_module_reply reply = {.capacity = sizeof(pid_t)};
    pid_t pid;

    reply.data = &pid;
    for (int i = 0; i < 4; i++) {
        cr_assert(eq(int, ask("pid", NULL, 0, &reply, 20 * LAM_NS_PER_S), 0));
        cr_assert(eq(int, kill(pid, SIGKILL), 0));
        expect_well();
    }
    cr_assert(eq(int, ask("pid", NULL, 0, &reply, 20 * LAM_NS_PER_S), 0));
    cr_assert(eq(int, kill(pid, SIGKILL), 0));
    (void)usleep(100000);
    cr_assert(eq(int, ask("pid", NULL, 0, &reply, 20 * LAM_NS_PER_S), -EOWNERDEAD));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_CRASHED));
    expect_well();
}

Test(worker, one_that_dies_too_often_is_left_alone)
{
    struct lam_module_reply reply = {.data = NULL};

    for (int i = 0; i < 9; i++) {
        cr_assert(eq(int, ask("exit", NULL, 0, &reply, 20 * LAM_NS_PER_S), -EOWNERDEAD));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_EXITED));
    }
    cr_assert(eq(int, ask("exit", NULL, 0, &reply, 20 * LAM_NS_PER_S), -EOWNERDEAD));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NO_WORKER));
    cr_assert(eq(int, module_kind(neighbour), 1));
}

Test(worker, its_module_calls_others_and_writes_into_the_log)
{
    char room[16] = "";
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);

    cr_assert(eq(int, ask("relay", "neighbour", 10, &reply, 20 * LAM_NS_PER_S), 0), "%u %d",
        reply.failure, reply.detail);
    cr_assert(room[0] == 1 && strcmp(room + 1, "through") == 0);
    cr_assert(eq(str, logged, "bad 1 relay 1 to=neighbour"));
    cr_assert(eq(int, ask("relay", "nobody", 7, &reply, 20 * LAM_NS_PER_S), -ENODEV));
    cr_assert(eq(int, ask("relay", "bad", 4, &reply, 20 * LAM_NS_PER_S), 0));
    cr_assert(eq(str, room, "through"));
    cr_assert(eq(int, module_ask(module, "nest", "bad", 4, &depth, &size), 0));
    cr_assert(eq(u32, depth, 4));
}

Test(worker, a_call_of_another_module_that_is_too_large_is_told_to_the_module)
{
    struct lam_module_reply reply = {.data = NULL};

    cr_assert(eq(int, ask("ask-too-much", "neighbour", 10, &reply, 20 * LAM_NS_PER_S), 0), "%u %d",
        reply.failure, reply.detail);
}

Test(worker, a_line_of_the_log_with_an_odd_level_and_many_fields_is_an_error_line)
{
    struct lam_module_reply reply = {.data = NULL};

    cr_assert(eq(int, ask("log-oddly", "value", 6, &reply, 20 * LAM_NS_PER_S), 0), "%u %d",
        reply.failure, reply.detail);
    cr_assert(eq(str, logged, "bad 3 odd 16 field=value"));
}

/* What is written to standard error while @method runs in a runtime without a log of its own. */
static void catch_errors(const char *method, const char *request, char *text, size_t room)
{
    int kept = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    struct lam_module_reply reply = {.data = NULL};
    struct lam_runtime *plain;
    struct lam_module *talker;
    int rc;

    cr_assert(file != NULL && kept >= 0);
    cr_assert(eq(int, lam_runtime_create(&plain, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_load(plain, module_file("bad"), NULL, &talker, &error), 0));
    cr_assert(eq(int, dup2(fileno(file), STDERR_FILENO), STDERR_FILENO));
    rc = lam_module_call(
        talker, lam_method_id(method), request, strlen(request) + 1, &reply, LAM_DEADLINE_NEVER);
    cr_assert(eq(int, dup2(kept, STDERR_FILENO), STDERR_FILENO));
    cr_assert(eq(int, rc, 0));
    rewind(file);
    text[fread(text, 1, room - 1, file)] = '\0';
    (void)fclose(file);
    (void)close(kept);
    lam_runtime_destroy(plain);
}

Test(worker, what_a_module_says_stays_in_its_line)
{
    static const char expected[] = "bad: error: odd field=a\\x0aroot: b\\x1b[2Jc field=x";
    char text[512];

    catch_errors("log-oddly", "a\nroot: b\033[2Jc", text, sizeof(text));
    cr_assert(strncmp(text, expected, sizeof(expected) - 1) == 0, "%s", text);
    cr_assert(eq(u64, strcspn(text, "\n"), strlen(text) - 1));
}

Test(worker, a_reload_moves_the_state_from_worker_to_worker)
{
    struct lam_reload_options options = {.keep_state = 1};

    for (uint64_t i = 1; i <= 5; i++)
        cr_assert(eq(u64, module_count(module), i));
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 0), "%s", error.text);
    cr_assert(eq(u64, module_count(module), 6));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(u64, module_count(module), 1));
}

Test(worker, what_is_no_module_is_refused_by_its_worker_with_the_reason)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .name = "other"};
    struct lam_module *other;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("stranger"), &options, &other, &error),
        -ENOEXEC));
    cr_assert(strstr(error.text, LAM_ABI_SYMBOL) != NULL, "%s", error.text);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("old"), &options, &other, &error), -EPROTO));
    cr_assert(strstr(error.text, "the ABI is 0, expected 1") != NULL, "%s", error.text);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("wrong_init"), &options, &other, &error),
            -ECANCELED));
    cr_assert(strstr(error.text, "init returned 42") != NULL, "%s", error.text);
    expect_well();
}

/* A host of its own, with workers that serve and spares, until it is killed. */
static _Noreturn void be_a_host(int told)
{
    setup();
    if (write(told, "x", 1) != 1)
        _exit(1);
    for (;;)
        (void)pause();
}

Test(worker, none_outlives_a_host_that_is_killed, .timeout = 60)
{
    /* Killed before the spare has its channel, and behind it. */
    for (useconds_t after_us = 0; after_us <= 300000; after_us += 300000) {
        int told[2];
        char byte;
        pid_t host;

        cr_assert(eq(int, pipe(told), 0));
        cr_assert(eq(int, prctl(PR_SET_CHILD_SUBREAPER, 1), 0)); /* orphans are ours to see */
        host = fork();
        if (host == 0)
            be_a_host(told[1]);
        cr_assert(eq(int, (int)read(told[0], &byte, 1), 1));
        (void)usleep(after_us);
        cr_assert(eq(int, kill(host, SIGKILL), 0));
        lam_runtime_destroy(runtime); /* our own workers are children, too */
        while (waitpid(-1, NULL, 0) > 0)
            ;
        cr_assert(eq(int, errno, ECHILD));
        setup();
    }
}
