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
