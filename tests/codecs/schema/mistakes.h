/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCHEMA_MISTAKES_H
#define TEST_SCHEMA_MISTAKES_H

/*
 * mistakes.h: schemas with one mistake each, and the message that it must give, word for word.
 */

#include "sources.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct mistake {
    const char *schema;
    const char *message; /* behind "t.fbs:" */
};

/* The first message of @text is @expected, and no other error comes after it. */
static inline bool is_only_message(const char *text, const char *expected)
{
    size_t bytes = strlen(expected);

    return strncmp(text, "t.fbs:", 6) == 0 && strncmp(text + 6, expected, bytes) == 0 &&
           text[6 + bytes] == '\n' && strstr(text + 6 + bytes, ": error: ") == NULL;
}

static inline void check_all(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct schema_diagnostics diagnostics;
        struct schema *schema = NULL;
        int result = text_load(mistakes[i].schema, &diagnostics, &schema);

        cr_expect(result == -EINVAL, "accepted: %s", mistakes[i].schema);
        cr_expect(is_only_message(schema_diagnostics_text(&diagnostics), mistakes[i].message),
            "\n  schema:   %s\n  expected: t.fbs:%s\n  found:    %s", mistakes[i].schema,
            mistakes[i].message, schema_diagnostics_text(&diagnostics));
        schema_destroy(schema);
        schema_diagnostics_fini(&diagnostics);
    }
}

#define CHECK_ALL(mistakes) check_all(mistakes, sizeof(mistakes) / sizeof((mistakes)[0]))

#endif
