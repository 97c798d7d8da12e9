/* SPDX-License-Identifier: Apache-2.0 */
/* Criterion tests that end in each way; run by summary.sh, which expects the failures. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

Test(endings, passes, .timeout = 5)
{
    cr_assert(1);
}

Test(endings, fails, .timeout = 5)
{
    cr_assert(0);
}

Test(endings, crashes, .timeout = 5)
{
    abort();
}

Test(endings, aborts_as_it_should, .timeout = 5, .signal = SIGABRT)
{
    abort();
}

Test(endings, skips, .timeout = 5)
{
    cr_skip_test("no data: set LAMINA_TEST_DATA");
}

Test(endings, disabled, .timeout = 5, .disabled = true)
{
    cr_assert(0);
}
