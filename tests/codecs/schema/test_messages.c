/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What surrounds a message: the excerpt with its caret, notes, the order and number of messages,
 * and limits. Method: whole texts compared.
 */

#include "sources.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(schema_messages, .timeout = 30);

static void expect_text(const struct source *sources, size_t count, const char *expected)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;
    int result = sources_load(sources, count, &diagnostics, &schema);

    cr_expect(result == -EINVAL);
    cr_expect(strcmp(schema_diagnostics_text(&diagnostics), expected) == 0,
        "expected:\n%sfound:\n%s", expected, schema_diagnostics_text(&diagnostics));
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
}

static void expect_one(const char *schema, const char *expected)
{
    struct source source = {"t.fbs", schema};

    expect_text(&source, 1, expected);
}

/* @format with its one %s replaced by the text that repeats @part @count times. */
static char *repeated(const char *format, const char *part, size_t count)
{
    size_t part_bytes = strlen(part);
    char *many = malloc(count * part_bytes + 1);
    char *text = NULL;

    cr_assert(many != NULL);
    for (size_t i = 0; i < count; i++)
        memcpy(many + i * part_bytes, part, part_bytes);
    many[count * part_bytes] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    cr_assert(asprintf(&text, format, many) >= 0);
#pragma GCC diagnostic pop
    free(many);
    return text;
}

static void expect_first_line(const char *schema, const char *expected)
{
    struct schema_diagnostics diagnostics;
    struct schema *result = NULL;
    const char *text;

    cr_expect(text_load(schema, &diagnostics, &result) == -EINVAL);
    text = schema_diagnostics_text(&diagnostics);
    cr_expect(strncmp(text, expected, strlen(expected)) == 0 && text[strlen(expected)] == '\n',
        "expected: %s\nfound: %s", expected, text);
    schema_destroy(result);
    schema_diagnostics_fini(&diagnostics);
}

Test(schema_messages, the_line_and_a_caret_under_the_mistake_follow)
{
    expect_one("table A {\n  price: Prise;\n}\ntable Price {}\n",
        "t.fbs:2:10: error: undefined type \"Prise\"; did you mean \"Price\"?\n"
        "      price: Prise;\n"
        "             ^~~~~\n");
}

Test(schema_messages, the_caret_follows_tabs_and_long_characters)
{
    expect_one("table A {\n\tb: /* \303\244\342\202\254 */ int = x;\n}",
        "t.fbs:2:23: error: expected an integer\n"
        "    \tb: /* \303\244\342\202\254 */ int = x;\n"
        "    \t                  ^\n");
}

Test(schema_messages, a_long_line_is_shown_around_the_mistake)
{
    char *schema = repeated("/* %s */ table A { a:Nowhere; }", "0123456789", 40);
    struct schema_diagnostics diagnostics;
    struct schema *result = NULL;

    cr_expect(text_load(schema, &diagnostics, &result) == -EINVAL);
    cr_expect(strstr(schema_diagnostics_text(&diagnostics), "table A { a:Nowhere; }\n") != NULL);
    cr_expect(strlen(schema_diagnostics_text(&diagnostics)) < 400);
    schema_diagnostics_fini(&diagnostics);
    free(schema);
}

Test(schema_messages, control_characters_do_not_reach_the_terminal)
{
    expect_one("table A { /* \033[2J */ a:X; }", "t.fbs:1:24: error: undefined type \"X\"\n"
                                                 "    table A { /* ?[2J */ a:X; }\n"
                                                 "                           ^\n");
}

Test(schema_messages, a_duplicate_says_where_the_first_one_is)
{
    expect_one("table A {\n  a:int;\n  a:long;\n}",
        "t.fbs:3:3: error: field \"a\" is declared a second time\n"
        "      a:long;\n"
        "      ^\n"
        "t.fbs:2:3: note: first declared here\n"
        "      a:int;\n"
        "      ^\n");
}

Test(schema_messages, a_table_that_is_not_closed_says_where_it_was_opened)
{
    expect_one("table A {\n  a:int;\n\ntable B { b:int; }\n",
        "t.fbs:2:9: error: expected '}' here, behind the fields of \"A\"\n"
        "      a:int;\n"
        "            ^\n"
        "t.fbs:1:9: note: the '{' is here\n"
        "    table A {\n"
        "            ^\n");
}

Test(schema_messages, one_run_finds_every_undefined_type)
{
    expect_one("table A {\n  a:X1;\n  b:[X2];\n}\nroot_type X3;",
        "t.fbs:2:5: error: undefined type \"X1\"\n"
        "      a:X1;\n"
        "        ^~\n"
        "t.fbs:3:6: error: undefined type \"X2\"\n"
        "      b:[X2];\n"
        "         ^~\n"
        "t.fbs:5:11: error: undefined type \"X3\"\n"
        "    root_type X3;\n"
        "              ^~\n");
}

Test(schema_messages, after_twenty_messages_it_says_that_there_are_more)
{
    char *schema = repeated("table A { %s }", "a:Nowhere;", 30);
    struct schema_diagnostics diagnostics;
    struct schema *result = NULL;
    const char *text;
    unsigned shown = 0;

    cr_expect(text_load(schema, &diagnostics, &result) == -EINVAL);
    text = schema_diagnostics_text(&diagnostics);
    for (const char *at = text; (at = strstr(at, ": error: ")) != NULL; at++)
        shown++;
    cr_expect(shown == 20, "%u messages", shown);
    cr_expect(strstr(text, "\nfurther errors are not shown\n") != NULL);
    schema_diagnostics_fini(&diagnostics);
    free(schema);
}

Test(schema_messages, an_error_in_an_include_is_placed_there)
{
    static const struct source sources[] = {
        {"dir/main.fbs", "include \"part.fbs\";\ntable A { p:Part; }"},
        {"dir/part.fbs", "table Part {\n  a:int = \"\";\n}"},
    };

    expect_text(sources, 2,
        "dir/part.fbs:2:11: error: expected an integer\n"
        "      a:int = \"\";\n"
        "              ^~\n");
}

Test(schema_messages, a_missing_include_names_every_path_that_was_tried)
{
    static const struct source sources[] = {{"dir/main.fbs", "include \"none.fbs\";"}};

    expect_text(sources, 1,
        "dir/main.fbs:1:9: error: cannot find \"none.fbs\"; looked for dir/none.fbs, "
        "lib/none.fbs\n"
        "    include \"none.fbs\";\n"
        "            ^~~~~~~~~~\n");
}

Test(schema_messages, a_missing_schema_is_named)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    schema_diagnostics_init(&diagnostics);
    cr_expect(schema_load("/nowhere/a.fbs", NULL, &diagnostics, &schema) == -EINVAL);
    cr_expect(strcmp(schema_diagnostics_text(&diagnostics),
                  "error: /nowhere/a.fbs: No such file or directory\n") == 0);
    schema_diagnostics_fini(&diagnostics);
    schema_diagnostics_init(&diagnostics);
    cr_expect(schema_load("/dev/null", NULL, &diagnostics, &schema) == -EINVAL);
    cr_expect(strcmp(schema_diagnostics_text(&diagnostics),
                  "error: /dev/null: not a regular file\n") == 0);
    schema_diagnostics_fini(&diagnostics);
}

Test(schema_messages, every_limit_has_its_message)
{
    static const struct {
        const char *format;
        const char *part;
        size_t count;
        const char *message;
    } limits[] = {
        {"%s", " ", SCHEMA_FILE_BYTES_MAX + 1,
            "error: t.fbs: a schema file may have at most 1048576 bytes"},
        {"table %s {}", "N", 129, "t.fbs:1:7: error: name of 129 bytes; at most 128 are allowed"},
        {"file_extension \"%s\";", "x", 5000,
            "t.fbs:1:16: error: string of 5002 bytes; at most 4096 are allowed"},
        {"namespace a%s;", ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20,
            "t.fbs:1:11: error: a name with its namespace may have at most 512 bytes"},
        {"table A { %s }", "a:int;", SCHEMA_FIELD_COUNT_MAX + 1,
            "t.fbs:1:24587: error: more than 4096 fields in \"A\""},
        {"enum E : int { %s }", "A,", SCHEMA_VALUE_COUNT_MAX + 1,
            "t.fbs:1:32784: error: more than 16384 values in one enum"},
        {"%s", "struct S{a:[ulong:65535];}", SCHEMA_TYPE_COUNT_MAX + 1,
            "t.fbs:1:34: error: \"S\" is declared a second time"},
    };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char *schema = repeated(limits[i].format, limits[i].part, limits[i].count);

        expect_first_line(schema, limits[i].message);
        free(schema);
    }
}

Test(schema_messages, structs_nest_to_the_limit_and_no_deeper)
{
    for (unsigned depth = SCHEMA_STRUCT_DEPTH_MAX; depth <= SCHEMA_STRUCT_DEPTH_MAX + 1; depth++)
        for (int outermost_first = 0; outermost_first < 2; outermost_first++) {
            struct schema_diagnostics diagnostics;
            struct schema *schema = NULL;
            char text[16384];
            size_t bytes = (size_t)snprintf(text, sizeof(text), "struct S0 { a:int; }\n");

            for (unsigned i = 1; i < depth; i++) {
                unsigned at = outermost_first ? depth - i : i;

                bytes += (size_t)snprintf(
                    text + bytes, sizeof(text) - bytes, "struct S%u { s:S%u; }\n", at, at - 1);
            }
            cr_expect(
                (text_load(text, &diagnostics, &schema) == 0) == (depth == SCHEMA_STRUCT_DEPTH_MAX),
                "%u deep: %s", depth, schema_diagnostics_text(&diagnostics));
            cr_expect(schema != NULL || strstr(schema_diagnostics_text(&diagnostics),
                                            "structs within structs more than 64 deep") != NULL);
            schema_destroy(schema);
            schema_diagnostics_fini(&diagnostics);
        }
}
