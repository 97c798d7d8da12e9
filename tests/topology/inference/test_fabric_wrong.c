/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fabric_wrong.c: a worker that is wrong in one bit is found, named, and the run fails. These
 * are the mutants that the checks of the main job kill. Method: worker.c built with one of its
 * functions replaced (wrong_worker.h), run by the same file.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fabric_run.h"
#include "json.h"

TestSuite(fabric_wrong, .timeout = 60);

static struct fabric_run run;

static void expect_found(const char *program, const char *words)
{
    char command[4096];
    const char *text;

    (void)snprintf(command, sizeof(command), "workers.command=%s/%s", PROGRAMS, program);
    fabric_start(&run, (const char *const[]){"workers.count=3", command, NULL}, 1, -1);
    cr_assert_eq(fabric_wait(&run, 30), 1, "%s", fabric_stderr(&run));
    text = fabric_stderr(&run);
    cr_assert_not_null(strstr(text, words), "%s", text);
    cr_assert_null(strstr(text, "MISMATCH: workers.0"), "%s", text);
    cr_assert_null(strstr(text, "MISMATCH: workers.2"), "%s", text);
    text = fabric_stdout(&run);
    cr_assert(json_is_one_object(text), "%s", text);
    cr_assert_gt(json_count(text, "mismatches"), 0);
    cr_assert_neq(json_count(text, "mismatches"), UINT64_MAX);
}

Test(fabric_wrong, one_wrong_bit_of_one_token_is_a_mismatch)
{
    expect_found("wrong_worker_token", "MISMATCH: workers.1 at step 10: it produced other tokens");
}

Test(fabric_wrong, one_byte_read_wrongly_is_a_mismatch_though_all_tokens_are_right)
{
    expect_found("wrong_worker_byte", "MISMATCH: workers.1 at step 10: it saw other bytes");
}

Test(fabric_wrong, a_reply_to_a_step_that_was_not_asked_ends_the_run)
{
    expect_found("wrong_worker_step",
        "MISMATCH: workers.1 at step 10: the reply is to a step that is still to come");
    cr_assert_not_null(strstr(fabric_stderr(&run), "cannot go on with workers.1"), "%s", run.text);
}
