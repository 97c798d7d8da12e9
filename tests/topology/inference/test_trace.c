/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace.c: the trace reader takes good lines whole, refuses bad ones with file, line and
 * reason, and never hangs or overflows. Method: each case writes a pipe or a small file.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace.h"

TestSuite(trace, .timeout = 10);

static struct trace trace;

/* Open @text as a file; its descriptor stays open until the next one. */
static void open_text(const char *text, size_t length)
{
    char path[64];
    static int fd = -1;

    if (fd >= 0)
        cr_assert_eq(close(fd), 0);
    fd = memfd_create("trace", 0);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, length), (ssize_t)length);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    cr_assert_eq(trace_open(&trace, path, NULL), 0);
}

/* Expect the next line to be refused with a text that ends in @reason and names line @number. */
static void expect_refused(uint64_t number, const char *reason)
{
    struct trace_line line;
    struct lam_error error = {""};
    char where[32];

    (void)snprintf(where, sizeof(where), ":%llu: ", (unsigned long long)number);
    cr_assert_eq(trace_try_next(&trace, &line, &error), -EBADMSG);
    cr_assert_not_null(strstr(error.text, where), "no %s in: %s", where, error.text);
    cr_assert_not_null(strstr(error.text, reason), "no %s in: %s", reason, error.text);
}

static void expect_request(uint32_t context_tokens, uint32_t generated_tokens)
{
    struct trace_line line;
    struct lam_error error = {""};

    cr_assert_eq(trace_try_next(&trace, &line, &error), 1, "%s", error.text);
    cr_assert_eq(line.context_tokens, context_tokens);
    cr_assert_eq(line.generated_tokens, generated_tokens);
}

static void expect_end(void)
{
    struct trace_line line;

    cr_assert_eq(trace_try_next(&trace, &line, NULL), -ENODATA);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), -ENODATA);
    trace_close(&trace);
}

#define OPEN(text) open_text(text, sizeof(text) - 1)

Test(trace, an_empty_file_is_an_empty_trace)
{
    OPEN("");
    cr_assert_eq(trace_request_count(&trace), 0);
    expect_end();
}

Test(trace, a_header_alone_is_an_empty_trace)
{
    OPEN("TIMESTAMP,ContextTokens,GeneratedTokens\r\n");
    cr_assert_eq(trace_request_count(&trace), 0);
    expect_end();
}

Test(trace, crlf_lines_and_a_last_line_without_end_are_read)
{
    OPEN("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
         "2023-11-16 18:15:46.6805900,374,44\r\n"
         "2023-11-16 18:15:50.9951690,396,109");
    cr_assert_eq(trace_request_count(&trace), 2);
    expect_request(374, 44);
    expect_request(396, 109);
    expect_end();
}

Test(trace, the_header_may_be_left_out)
{
    OPEN("2023-11-16 18:15:46,1,0\n");
    cr_assert_eq(trace_request_count(&trace), 1);
    expect_request(1, 0);
    expect_end();
}

Test(trace, fractions_of_a_second_are_kept_to_the_nanosecond)
{
    struct trace_line line;

    OPEN("1970-01-01 00:00:01.000000001,1,1\n1970-01-02 00:00:00.5,1,1\n"
         "2000-03-01 00:00:00,1,1\n2023-11-16 18:15:46.6805900,1,1\n");
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 1);
    cr_assert_eq(line.arrival_ns, 1000000001);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 1);
    cr_assert_eq(line.arrival_ns, 86400500000000);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 1);
    cr_assert_eq(line.arrival_ns, UINT64_C(951868800000000000));
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 1);
    cr_assert_eq(line.arrival_ns, UINT64_C(1700158546680590000));
}

Test(trace, bad_lines_are_refused_by_number_and_reason_and_passed_over)
{
    OPEN("TIMESTAMP,ContextTokens,GeneratedTokens\n"
         "\n"
         "2023-11-16 18:15:46\n"
         "2023-11-16 18:15:46,1,2,3\n"
         "2023-02-29 18:15:46,1,2\n"
         "2023-11-16 18:15:60,1,2\n"
         "2023-11-16 18:15:46.,1,2\n"
         "2023-11-16 18:15:46.1234567890,1,2\n"
         "2023-11-16T18:15:46,1,2\n"
         "2023-11-16 18:15:46,,2\n"
         "2023-11-16 18:15:46, 1,2\n"
         "2023-11-16 18:15:46,-1,2\n"
         "2023-11-16 18:15:46,1.5,2\n"
         "2023-11-16 18:15:46,1000001,2\n"
         "2023-11-16 18:15:46,99999999999999999999999,2\n"
         "2023-11-16 18:15:46,1,2x\n"
         "2023-11-16 18:15:46,1,\n"
         "2023-11-16 18:15:46,7,8\n"
         "2023-11-16 18:15:45,1,2\n"
         "TIMESTAMP,ContextTokens,GeneratedTokens\n");
    expect_refused(2, "the line is empty");
    expect_refused(3, "fewer than 3 fields");
    expect_refused(4, "more than 3 fields");
    for (uint64_t number = 5; number <= 9; number++)
        expect_refused(number, "TIMESTAMP is not a time");
    for (uint64_t number = 10; number <= 15; number++)
        expect_refused(number, "ContextTokens is not a whole number");
    expect_refused(16, "GeneratedTokens is not a whole number");
    expect_refused(17, "GeneratedTokens is not a whole number");
    expect_request(7, 8);
    expect_refused(19, "earlier");
    expect_refused(20, "TIMESTAMP is not a time");
    expect_end();
}

Test(trace, a_byte_of_zero_is_refused)
{
    OPEN("2023-11-16 18:15:46,1,2\0\n2023-11-16 18:15:46,1,2\n");
    expect_refused(1, "GeneratedTokens");
    expect_request(1, 2);
    expect_end();
}

Test(trace, a_line_without_end_is_refused_once_and_passed_over)
{
    size_t length = 1 << 20;
    char *text = malloc(length);
    const char *good = "\n2023-11-16 18:15:46,5,6\n";

    cr_assert_not_null(text);
    memset(text, 'x', length);
    memcpy(text + length - strlen(good), good, strlen(good));
    open_text(text, length);
    expect_refused(1, "longer than 256 bytes");
    expect_request(5, 6);
    expect_end();
    free(text);
}

Test(trace, every_line_is_read_wherever_the_block_ends)
{
    enum { LINES = 10000 };
    char *text = malloc(LINES * 48);
    size_t length = 0;

    cr_assert_not_null(text);
    for (unsigned i = 0; i < LINES; i++)
        length += (size_t)sprintf(text + length, "2023-11-16 18:15:46.%0*u,%u,%u\r\n",
            (int)(1 + i % 9), 0U, i, i * 7 % 1000);
    open_text(text, length);
    cr_assert_eq(trace_request_count(&trace), LINES);
    for (unsigned i = 0; i < LINES; i++)
        expect_request(i, i * 7 % 1000);
    expect_end();
    free(text);
}

Test(trace, a_slow_pipe_gives_nothing_yet_and_then_the_line)
{
    struct trace_line line;
    int ends[2];
    char path[64];

    cr_assert_eq(pipe(ends), 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    cr_assert_eq(trace_open(&trace, path, NULL), 0);
    cr_assert_eq(trace_request_count(&trace), 0);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 0);
    cr_assert_eq(write(ends[1], "2023-11-16 18:15:46,5", 21), 21);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 0);
    cr_assert_eq(write(ends[1], ",6\n2023-11-16 18:15:46,7,8", 26), 26);
    expect_request(5, 6);
    cr_assert_eq(trace_try_next(&trace, &line, NULL), 0);
    cr_assert_eq(close(ends[1]), 0);
    expect_request(7, 8);
    expect_end();
}

Test(trace, a_file_that_is_missing_or_a_folder_is_an_error_with_its_name)
{
    struct trace_line line;
    struct lam_error error = {""};

    cr_assert_eq(trace_open(&trace, "/nowhere/trace.csv", &error), -ENOENT);
    cr_assert_not_null(strstr(error.text, "/nowhere/trace.csv"));
    cr_assert_eq(trace_open(&trace, "/", &error), 0);
    cr_assert_eq(trace_try_next(&trace, &line, &error), -EISDIR);
    trace_close(&trace);
}

/* A byte that a trace may hold, most often: so that random text is nearly right. */
static char draw_byte(uint64_t *state)
{
    static const char likely[] = "2023-11-16 18:15:46.6805900,374,44\r\n,,\n";
    uint32_t draw;

    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    draw = (uint32_t)(*state >> 33);
    return draw % 16 == 0 ? (char)(draw >> 8) : likely[(draw >> 8) % (sizeof(likely) - 1)];
}

Test(trace, whatever_the_bytes_each_line_is_taken_or_refused_once, .timeout = 30)
{
    static char text[20000];
    uint64_t state = 1;

    for (int round = 0; round < 200; round++) {
        size_t length = 1 + (size_t)round * 97 % sizeof(text);
        uint64_t lines = 0, answers = 0;
        struct trace_line line;
        int rc;

        for (size_t i = 0; i < length; i++) {
            text[i] = draw_byte(&state);
            lines += text[i] == '\n';
        }
        lines += text[length - 1] != '\n';
        open_text(text, length);
        cr_assert_eq(trace_request_count(&trace), lines);
        while ((rc = trace_try_next(&trace, &line, NULL)) != -ENODATA) {
            cr_assert(rc == 1 || rc == -EBADMSG, "%d", rc);
            cr_assert_leq(++answers, lines);
        }
        cr_assert_eq(answers, lines);
        trace_close(&trace);
    }
}
