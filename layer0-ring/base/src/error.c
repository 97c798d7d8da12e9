/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/error.h"
#include "lamina/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Here are the functions themselves, not what static analysis is told of them. */
#undef lam_error_set
#undef lam_error_prefix

void lam_assert_failed(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}

int lam_error_set(struct lam_error *error, int code, const char *format, ...)
{
    va_list arguments;

    LAM_ASSERT(code < 0);
    if (error == NULL)
        return code;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return code;
}

int lam_error_prefix(struct lam_error *error, int code, const char *format, ...)
{
    char old[LAM_ERROR_TEXT_BYTES];
    va_list arguments;
    size_t used;

    LAM_ASSERT(code < 0);
    if (error == NULL)
        return code;
    memcpy(old, error->text, sizeof(old));
    old[sizeof(old) - 1] = '\0';
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    used = strlen(error->text);
    (void)snprintf(error->text + used, sizeof(error->text) - used, "%s", old);
    return code;
}
