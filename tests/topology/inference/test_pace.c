/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pace.c: when requests are due, and which speeds are refused.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "pace.h"

TestSuite(pace, .timeout = 10);

static struct pace pace;

Test(pace, max_is_due_at_once)
{
    cr_assert_eq(pace_init(&pace, "max", NULL), 0);
    cr_assert_eq(pace_due_ns(&pace, 1000, 7), 7);
    cr_assert_eq(pace_due_ns(&pace, 5000000000, 8), 8);
}

Test(pace, recorded_keeps_the_distances_of_the_trace)
{
    cr_assert_eq(pace_init(&pace, "recorded", NULL), 0);
    cr_assert_eq(pace_due_ns(&pace, 1000, 7), 7);
    cr_assert_eq(pace_due_ns(&pace, 3000, 100), 2007);
}

Test(pace, a_factor_divides_them)
{
    cr_assert_eq(pace_init(&pace, "2.5", NULL), 0);
    cr_assert_eq(pace_due_ns(&pace, 1000, 0), 0);
    cr_assert_eq(pace_due_ns(&pace, 6000, 0), 2000);
}

Test(pace, other_words_are_refused_with_what_would_do)
{
    static const char *const wrong[] = {
        "", "0", "-1", "fast", "1e3", "inf", "nan", "0x10", "1.2.3", ".", "1 ", "10000000"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lam_error error = {""};

        cr_assert_eq(pace_init(&pace, wrong[i], &error), -EINVAL, "%s", wrong[i]);
        cr_assert_not_null(strstr(error.text, "max, recorded, or a factor"));
    }
}
