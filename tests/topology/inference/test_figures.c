/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_figures.c: the report is one JSON object whatever was counted and whatever names are, and
 * the live line tells the window, not the whole run.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "json.h"
#include "lamina/base/clock.h"

TestSuite(figures, .timeout = 10);

static struct figures figures;

static void setup(void)
{
    figures.topology = "fabric";
    figures.input = "trace.csv";
    figures.speed = "max";
    figures.step_edge.name = "steps";
    figures.reply_edge.name = "replies";
    figures.start_ns = 1000 * LAM_NS_PER_S;
    figures.window_start_ns = figures.start_ns;
    figures.end_ns = figures.start_ns + 2 * LAM_NS_PER_S;
}

/* What @print writes, for the caller to free. */
static char *written_by(void (*print)(const struct figures *figures, FILE *out))
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    cr_assert_not_null(out);
    print(&figures, out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static void add_workers(uint32_t count)
{
    figures.worker_count = count;
    figures.ring_count = count + 1;
    for (uint32_t i = 0; i < count; i++)
        (void)snprintf(figures.workers[i].name, sizeof(figures.workers[i].name), "workers.%u", i);
    for (uint32_t i = 0; i <= count; i++)
        figures.rings[i].waiting = "futex";
}

Test(figures, nothing_counted_is_one_object_of_zeros, .init = setup)
{
    char *text = written_by(figures_print_json);

    cr_assert(json_is_one_object(text), "%s", text);
    cr_assert_eq(json_count(text, "requests"), 0);
    cr_assert_eq(json_count(text, "edges.steps.p50_ns"), 0);
    cr_assert_eq(json_count(text, "edges.replies.p99_ns"), 0);
    free(text);
}

Test(figures, names_with_quotes_and_control_bytes_stay_one_object, .init = setup)
{
    char *text;

    add_workers(1);
    figures.input = "a \"quoted\\ name\n\x01 of a file";
    (void)snprintf(figures.workers[0].name, sizeof(figures.workers[0].name), "w\"0");
    text = written_by(figures_print_json);
    cr_assert(json_is_one_object(text), "%s", text);
    cr_assert(
        json_is_text(text, "input", "a \\\"quoted\\\\ name\\u000a\\u0001 of a file"), "%s", text);
    free(text);
}

Test(figures, counts_and_quantiles_come_out_as_they_went_in, .init = setup)
{
    char *text;

    add_workers(FIGURES_WORKERS_MAX);
    figures.requests = UINT64_C(12345678901234);
    figures.step_edge.messages = 7;
    figures.workers[63].deaths = 5;
    for (uint64_t i = 1; i <= 100; i++)
        lam_histogram_record(&figures.reply_edge.latency, i <= 98 ? 20 : 40);
    text = written_by(figures_print_json);
    cr_assert(json_is_one_object(text), "%s", text);
    cr_assert_eq(json_count(text, "requests"), UINT64_C(12345678901234));
    cr_assert_eq(json_count(text, "edges.steps.messages"), 7);
    cr_assert_eq(json_count(text, "edges.replies.p50_ns"), 20);
    cr_assert_eq(json_count(text, "edges.replies.p99_ns"), 40);
    cr_assert_eq(json_count(text, "workers.63.deaths"), 5);
    cr_assert_eq(json_count(text, "workers.64.deaths"), UINT64_MAX);
    free(text);
    text = written_by(figures_print_table);
    cr_assert_not_null(strstr(text, "12345678901234 requests"), "%s", text);
    free(text);
}

/* The live line at @now_ns, for the caller to free. */
static char *live_line(const struct waiting_for *waiting, uint64_t now_ns)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    cr_assert_not_null(out);
    figures_print_live(&figures, waiting, now_ns, out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(figures, the_live_line_tells_rates_lags_and_who_was_last_in_its_second, .init = setup)
{
    struct waiting_for nobody = {0};
    char *text;

    add_workers(2);
    figures.requests_total = 10;
    figures.requests = 3;
    figures.window_steps = 200;
    figures.window_tokens = 30000;
    figures.workers[1].window_replies = 200;
    figures.workers[1].window_lag_ns = 200 * 7000;
    figures.workers[1].window_last = 150;
    text = live_line(&nobody, figures.start_ns + LAM_NS_PER_S / 2);
    for (int i = 0; i < 5; i++) {
        const char *const words[] = {" 3/10 requests", " 400 steps/s", " 60.0k tokens/s",
            "lag us - 7.0", "workers.1 (75 %)"};

        cr_expect_not_null(strstr(text, words[i]), "no \"%s\" in: %s", words[i], text);
    }
    free(text);
    text = live_line(&nobody, figures.start_ns + LAM_NS_PER_S);
    cr_expect_not_null(strstr(text, " 0 steps/s"), "%s", text);
    cr_expect_not_null(strstr(text, "waiting for requests"), "%s", text);
    free(text);
}

Test(figures, a_long_wait_is_told_with_name_step_and_duration, .init = setup)
{
    struct waiting_for waiting = {"workers.1", 77, figures.start_ns};
    char *text;

    add_workers(2);
    waiting.since_ns = figures.start_ns;
    text = live_line(&waiting, figures.start_ns + 3 * LAM_NS_PER_S);
    cr_expect_not_null(strstr(text, "waiting for workers.1 at step 77, 3.0 s already"), "%s", text);
    free(text);
}
