/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fabric.c: the main job does all of its trace, right, whatever its input. Method: `lamina up`
 * as a user starts it; its report is compared with an oracle that knows no batches and no rings.
 */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fabric_run.h"
#include "json.h"
#include "lamina/base/clock.h"

TestSuite(fabric, .timeout = 60);

static struct fabric_run run;

static void expect_report(const char *text, const struct fabric_oracle *oracle, uint64_t workers)
{
    uint64_t steps = json_count(text, "steps");

    cr_assert(json_is_one_object(text), "not one JSON object: %s", text);
    cr_expect_eq(json_count(text, "requests"), oracle->requests);
    cr_expect_eq(json_count(text, "prompt_tokens"), oracle->prompt_tokens);
    cr_expect_eq(json_count(text, "generated_tokens"), oracle->generated_tokens);
    cr_expect(json_is_text(text, "digest", oracle->digest), "%s in: %s", oracle->digest, text);
    cr_expect_eq(json_count(text, "mismatches"), 0);
    cr_expect_eq(json_count(text, "worker_count"), workers);
    cr_expect_eq(json_count(text, "edges.steps.messages"),
        steps + json_count(text, "steps_repeated"), "%s", text);
    cr_expect_eq(json_count(text, "edges.replies.messages"),
        steps * workers + json_count(text, "duplicate_replies"), "%s", text);
    if (steps == 0)
        return;
    cr_expect_geq(json_count(text, "edges.steps.bytes"), 4 * oracle->prompt_tokens);
    cr_expect_geq(
        json_count(text, "edges.replies.bytes"), workers * 4 * oracle->generated_tokens / 2);
    for (int i = 0; i < 2; i++) {
        const char *const p50[] = {"edges.steps.p50_ns", "edges.replies.p50_ns"};
        const char *const p99[] = {"edges.steps.p99_ns", "edges.replies.p99_ns"};

        cr_expect_gt(json_count(text, p50[i]), 0);
        cr_expect_leq(json_count(text, p50[i]), json_count(text, p99[i]));
        cr_expect_neq(json_count(text, p99[i]), UINT64_MAX);
    }
}

static void run_sample(uint64_t workers)
{
    struct fabric_oracle oracle;
    char count[32];

    (void)snprintf(count, sizeof(count), "workers.count=%llu", (unsigned long long)workers);
    fabric_oracle(fabric_file("trace.csv"), &oracle);
    cr_assert_eq(oracle.requests, 1000);
    fabric_start(&run, (const char *const[]){count, NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 30), 0, "%s", fabric_stderr(&run));
    expect_report(fabric_stdout(&run), &oracle, workers);
}

Test(fabric, one_worker_does_all_of_the_sample_trace)
{
    run_sample(1);
}

Test(fabric, two_workers_do_all_of_the_sample_trace)
{
    run_sample(2);
}

Test(fabric, four_workers_do_all_of_the_sample_trace)
{
    run_sample(4);
}

Test(fabric, four_workers_do_all_of_the_real_trace, .timeout = 120)
{
    const char *folder = getenv("LAMINA_TEST_DATA");
    struct fabric_oracle oracle;
    char input[4096] = "input=";

    if (folder == NULL)
        cr_skip_test("LAMINA_TEST_DATA is not set: the real trace was NOT run");
    (void)snprintf(input, sizeof(input), "input=%s/llm-inference-trace.csv", folder);
    if (access(input + 6, R_OK) != 0)
        cr_skip_test("no llm-inference-trace.csv in LAMINA_TEST_DATA: the real trace was NOT run");
    fabric_oracle(input + 6, &oracle);
    cr_assert_eq(oracle.requests, 19366);
    fabric_start(&run, (const char *const[]){"workers.count=4", input, NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 110), 0, "%s", fabric_stderr(&run));
    expect_report(fabric_stdout(&run), &oracle, 4);
}

Test(fabric, people_get_a_table_and_a_live_line_each_second)
{
    const char *text;

    fabric_start(&run, (const char *const[]){"workers.count=2", "speed=40", NULL}, 0, -1);
    cr_assert(fabric_says(&run, "/1000 requests", 1900), "%s", fabric_stderr(&run));
    text = fabric_stderr(&run);
    for (int i = 0; i < 6; i++) {
        const char *const words[] = {"steps/s", "tokens/s", "p50", "p99", "lag us", "wait"};

        cr_expect_not_null(strstr(text, words[i]), "no %s in: %s", words[i], text);
    }
    cr_assert_eq(fabric_wait(&run, 30), 0);
    text = fabric_stdout(&run);
    for (int i = 0; i < 8; i++) {
        const char *const words[] = {"1000 requests finished", "0 mismatches", "steps  ",
            "replies  ", "4 KiB", "named, /dev/shm", "waiting", "placement"};

        cr_expect_not_null(strstr(text, words[i]), "no %s in: %s", words[i], text);
    }
}

/* A trace of our own in memory; its path for --set, in a buffer of the callee's. */
static const char *input_of(const char *text)
{
    static char word[64];
    int fd = memfd_create("trace", 0);

    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)snprintf(word, sizeof(word), "input=/proc/%ld/fd/%d", (long)getpid(), fd);
    return word;
}

Test(fabric, a_malformed_line_is_fatal_by_default_and_told_with_file_line_and_reason)
{
    const char *input = input_of("2024-01-01 00:00:00,5,5\n2024-01-01 00:00:00,five,5\n");
    char where[128];

    fabric_start(&run, (const char *const[]){input, NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 20), 1);
    (void)snprintf(where, sizeof(where), "%s:2: ContextTokens is not", input + strlen("input="));
    cr_assert_not_null(strstr(fabric_stderr(&run), where), "%s", fabric_stderr(&run));
}

Test(fabric, a_malformed_line_is_skipped_and_told_where_that_is_asked_for)
{
    const char *input = input_of("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                 "2024-01-01 00:00:00,5,5\r\nnonsense\r\n"
                                 "2024-01-01 00:00:01,50,7\r\n");
    const char *text;

    fabric_start(&run, (const char *const[]){input, "malformed=skip", NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 20), 0, "%s", fabric_stderr(&run));
    cr_assert_not_null(strstr(fabric_stderr(&run), ":3: fewer than 3 fields"));
    text = fabric_stdout(&run);
    cr_assert_eq(json_count(text, "requests"), 2, "%s", text);
    cr_assert_eq(json_count(text, "malformed"), 1);
    cr_assert_eq(json_count(text, "prompt_tokens"), 55);
    cr_assert_eq(json_count(text, "generated_tokens"), 12);
}

Test(fabric, an_empty_trace_ends_at_once_with_a_report_of_nothing)
{
    struct fabric_oracle oracle = {.digest = "0000000000000000"};

    fabric_start(&run, (const char *const[]){"input=/dev/null", "workers.count=2", NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 20), 0, "%s", fabric_stderr(&run));
    expect_report(fabric_stdout(&run), &oracle, 2);
}

Test(fabric, a_report_that_cannot_be_written_fails_the_run)
{
    for (int json = 0; json < 2; json++) {
        run.full = 1;
        fabric_start(&run, (const char *const[]){"input=/dev/null", NULL}, json, -1);
        cr_expect_eq(fabric_wait(&run, 20), 1, "%s", fabric_stderr(&run));
        cr_expect_not_null(strstr(fabric_stderr(&run), "cannot write the report"), "%s", run.text);
    }
}

Test(fabric, standard_input_is_read_as_it_comes)
{
    const char *first = "2024-01-01 00:00:00,300,50\n2024-01-01 00:00:00,2";
    const char *rest = "0000,60\n2024-01-01 00:00:00,4,3";
    struct timespec pause = {.tv_nsec = 300000000};
    int ends[2];
    const char *text;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0); /* or the job would hold its own input open */
    fabric_start(&run, (const char *const[]){"input=-", NULL}, 1, ends[0]);
    cr_assert_eq(close(ends[0]), 0);
    cr_assert_eq(write(ends[1], first, strlen(first)), (ssize_t)strlen(first));
    (void)nanosleep(&pause, NULL);
    /* The first request is done before the second has come. */
    (void)fabric_at_step(&run, "scheduler", 0, 50);
    cr_assert_eq(write(ends[1], rest, strlen(rest)), (ssize_t)strlen(rest));
    cr_assert_eq(close(ends[1]), 0);
    cr_assert_eq(fabric_wait(&run, 20), 0, "%s", fabric_stderr(&run));
    text = fabric_stdout(&run);
    cr_assert_eq(json_count(text, "requests"), 3, "%s", text);
    cr_assert_eq(json_count(text, "prompt_tokens"), 20304);
    cr_assert_eq(json_count(text, "generated_tokens"), 113);
}

Test(fabric, a_factor_of_speed_sets_the_pace)
{
    uint64_t start_ns = lam_clock_now_ns();

    /* The sample takes 73.4 s as recorded. */
    fabric_start(&run, (const char *const[]){"workers.count=1", "speed=50", NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 30), 0, "%s", fabric_stderr(&run));
    cr_assert_geq(lam_clock_now_ns() - start_ns, UINT64_C(73400000000) / 50);
    cr_assert_eq(json_count(fabric_stdout(&run), "requests"), 1000);
}

Test(fabric, a_wrong_setting_is_refused_with_what_would_do)
{
    static const struct {
        const char *set;
        int code;
        const char *words;
    } cases[] = {
        {"inptu=x", 2, "did you mean \"input\""},
        {"speed=fast", 1, "max, recorded, or a factor"},
        {"malformed=maybe", 1, "skip or fatal"},
        {"input=/nowhere.csv", 1, "/nowhere.csv: No such file"},
        {"steps.depth=1024", 1, "make its depth larger"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fabric_start(&run, (const char *const[]){cases[i].set, NULL}, 0, -1);
        cr_expect_eq(
            fabric_wait(&run, 20), cases[i].code, "%s: %s", cases[i].set, fabric_stderr(&run));
        cr_expect_not_null(strstr(fabric_stderr(&run), cases[i].words), "%s", fabric_stderr(&run));
    }
}
