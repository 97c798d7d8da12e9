/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader accepts, and what it says of what it refuses: the whole message, with line and
 * column, is compared, because the message is the feature.
 */
#include "config_table.h"

#include <errno.h>
#include <string.h>

TestSuite(config, .timeout = 10);

/* The first line of the report, which is the message without the source line. */
static void expect(const char *text, const char *message)
{
    struct lam_config *config = demo_read(text, strlen(text));
    const char *report = lam_config_report(config);
    size_t length = strcspn(report, "\n");

    cr_expect(length == strlen(message) && strncmp(report, message, length) == 0,
        "for:\n%s\nexpected: %s\nfound:    %s", text, message, report);
    lam_config_destroy(config);
}

static void expect_report(const char *text, const char *whole)
{
    struct lam_config *config = demo_read(text, strlen(text));

    cr_expect(eq(str, (char *)lam_config_report(config), (char *)whole));
    lam_config_destroy(config);
}

static struct lam_config *accepted(const char *text)
{
    struct lam_config *config = demo_read(text, strlen(text));

    cr_assert(eq(str, (char *)lam_config_report(config), ""));
    return config;
}

static uint64_t number_of(const char *text, const char *key)
{
    struct lam_config *config = accepted(text);
    uint64_t number = lam_config_number(lam_config_at(lam_config_root(config), key));

    lam_config_destroy(config);
    return number;
}

Test(config, values_are_typed_by_the_table)
{
    cr_expect(eq(u64, number_of("count: 7\n", "count"), 7));
    cr_expect(eq(u64, number_of("size: 64\n", "size"), 64));
    cr_expect(eq(u64, number_of("size: 64B\n", "size"), 64));
    cr_expect(eq(u64, number_of("size: 3KiB\n", "size"), 3072));
    cr_expect(eq(u64, number_of("size: 1 MiB\n", "size"), 1048576));
    cr_expect(eq(u64, number_of("pause: 3ns\n", "pause"), 3));
    cr_expect(eq(u64, number_of("pause: 3us\n", "pause"), 3000));
    cr_expect(eq(u64, number_of("pause: 2s\n", "pause"), 2000000000));
    cr_expect(eq(u64, number_of("pause: 1min\n", "pause"), 60000000000));
    cr_expect(eq(u64, number_of("quick: true\n", "quick"), 1));
}

Test(config, defaults_fill_what_is_missing)
{
    struct lam_config *config = accepted("name: x\n");
    struct lam_config_node *root = lam_config_root(config);

    cr_expect(eq(u64, lam_config_number(lam_config_at(root, "size")), 4096));
    cr_expect(eq(int, lam_config_word(lam_config_at(root, "count")), 0));
    cr_expect(eq(int, lam_config_in_file(lam_config_at(root, "size")), 0));
    cr_expect(eq(int, lam_config_in_file(lam_config_at(root, "name")), 1));
    cr_expect(lam_config_at(root, "colour") == NULL);
    lam_config_destroy(config);
}

Test(config, maps_and_lists_keep_the_order_of_the_file)
{
    struct lam_config *config = accepted("boxes:\n  zeta: {owner: ann}\n  alpha: {owner: bob, "
                                         "depth: 4}\ncommand: [a, b]\n");
    struct lam_config_node *boxes = lam_config_at(lam_config_root(config), "boxes");
    struct lam_config_node *first = lam_config_first(boxes);
    struct lam_config_node *command = lam_config_at(lam_config_root(config), "command");

    cr_expect(eq(str, (char *)lam_config_key(first), "zeta"));
    cr_expect(eq(u64, lam_config_number(lam_config_at(first, "depth")), 16));
    cr_expect(eq(str, (char *)lam_config_key(lam_config_next(first)), "alpha"));
    cr_expect(eq(u32, lam_config_length(command), 2));
    cr_expect(eq(str, (char *)lam_config_text(lam_config_next(lam_config_first(command))), "b"));
    lam_config_destroy(config);
}

Test(config, json_is_read_too)
{
    struct lam_config *config =
        accepted("{\"name\": \"x\", \"size\": \"1MiB\", \"boxes\": {\"a\": {\"owner\": \"o\"}}}");

    cr_expect(eq(u64, lam_config_number(lam_config_at(lam_config_root(config), "size")), 1 << 20));
    lam_config_destroy(config);
}

Test(config, a_problem_shows_the_line_and_a_caret)
{
    expect_report("name: x\nboxes:\n  a:\n    depth: 12\n    owner: o\n",
        "t.yaml:4:12: boxes.a.depth: 12 is not a power of two (next: 16)\n"
        "      depth: 12\n"
        "             ^\n");
}

Test(config, problems_come_in_the_order_of_the_file)
{
    expect_report("boxes:\n  a: {depth: 1}\nsize: many\n",
        "t.yaml:2:3: boxes.a: owner is missing: who has it\n"
        "    a: {depth: 1}\n"
        "    ^\n"
        "t.yaml:2:14: boxes.a.depth: 1 is too small: at least 2\n"
        "    a: {depth: 1}\n"
        "               ^\n"
        "t.yaml:3:7: size: \"many\" is not a size: digits, then B, KiB, MiB or GiB, as in 64KiB\n"
        "  size: many\n"
        "        ^\n");
}

Test(config, a_caret_stands_below_the_right_letter_after_tabs_and_accents)
{
    expect_report("name: x\n\"command\": [\"h\xc3\xa9h\xc3\xa9\", {}]\n",
        "t.yaml:2:21: command[1]: one value is expected here: any text\n"
        "  \"command\": [\"h\xc3\xa9h\xc3\xa9\", {}]\n"
        "                      ^\n");
}

Test(config, a_long_line_is_cut_around_the_caret)
{
    char text[400] = "command: [";
    struct lam_config *config;

    memset(text + 10, ' ', 300);
    memcpy(text + 310, "{}]\n", 5);
    config = demo_read(text, strlen(text));
    cr_expect(strncmp(lam_config_report(config), "t.yaml:1:311: command[0]: ", 26) == 0);
    cr_expect(strlen(lam_config_report(config)) < 300);
    lam_config_destroy(config);
}

Test(config, unknown_keys_are_refused_with_the_nearest_known)
{
    expect("nmae: x\n", "t.yaml:1:1: nmae: unknown key (did you mean \"name\"?)");
    expect("name: x\ncolor: red\n", "t.yaml:2:1: color: unknown key (did you mean \"colour\"?)");
    expect("elephant: 1\n", "t.yaml:1:1: elephant: unknown key");
    expect("boxes:\n  a:\n    owner: o\n    dept: 4\n",
        "t.yaml:4:5: boxes.a.dept: unknown key (did you mean \"depth\"?)");
}

Test(config, numbers_are_decimal_digits_and_nothing_else)
{
    expect("count: 0x10\n", "t.yaml:1:8: count: \"0x10\" is not a whole number (decimal digits "
                            "only), nor auto");
    expect("count: 1_000\n", "t.yaml:1:8: count: \"1_000\" is not a whole number (decimal digits "
                             "only), nor auto");
    expect("count: -1\n", "t.yaml:1:8: count: \"-1\" is not a whole number (decimal digits "
                          "only), nor auto");
    expect("count: 1.5\n", "t.yaml:1:8: count: \"1.5\" is not a whole number (decimal digits "
                           "only), nor auto");
    expect("count: 0\n", "t.yaml:1:8: count: 0 is too small: at least 1");
    expect("count: 65\n", "t.yaml:1:8: count: 65 is too large: at most 64");
    expect("count: 99999999999999999999\n",
        "t.yaml:1:8: count: 99999999999999999999 does not fit in 64 bits");
}

Test(config, sizes_and_durations_say_their_unit)
{
    expect("size: 64k\n", "t.yaml:1:7: size: \"64k\" is not a size: digits, then B, KiB, MiB or "
                          "GiB, as in 64KiB");
    expect("size: 2MiB\n", "t.yaml:1:7: size: 2MiB is too large: at most 1MiB");
    expect("size: 99999999999GiB\n", "t.yaml:1:7: size: 99999999999GiB does not fit in 64 bits");
    expect("pause: 10\n", "t.yaml:1:8: pause: \"10\" is not a duration: digits, then ns, us, ms, "
                          "s or min, as in 10ms");
    expect("pause: 10 minutes\n", "t.yaml:1:8: pause: \"10 minutes\" is not a duration: digits, "
                                  "then ns, us, ms, s or min, as in 10ms");
}

Test(config, flags_and_words_are_exact)
{
    expect("quick: yes\n", "t.yaml:1:8: quick: \"yes\" is neither true nor false");
    expect("quick: True\n", "t.yaml:1:8: quick: \"True\" is neither true nor false");
    expect("colour: gren\n", "t.yaml:1:9: colour: \"gren\" is not one of red, green or blue (did "
                             "you mean \"green\"?)");
    expect("colour: 7\n", "t.yaml:1:9: colour: \"7\" is not one of red, green or blue");
}

Test(config, names_are_checked)
{
    expect("name: 7up\n", "t.yaml:1:7: name: \"7up\" is not a name: a letter, then letters, "
                          "digits, - or _, at most 31 in all");
    expect("name: a/b\n", "t.yaml:1:7: name: \"a/b\" is not a name: a letter, then letters, "
                          "digits, - or _, at most 31 in all");
    expect("boxes: {a b: {owner: o}}\n", "t.yaml:1:9: \"a b\" is not a name: a letter, then "
                                         "letters, digits, - or _, at most 31 in all");
}

Test(config, a_missing_value_is_not_a_value)
{
    expect("name:\n", "t.yaml:1:6: name: has no value: give one, or leave the key out");
    expect("count: ~\n", "t.yaml:1:8: count: has no value: give one, or leave the key out");
    expect("command: [null]\n", "t.yaml:1:11: command[0]: has no value: give one, or leave the "
                                "key out; an empty text is \"\"");
    expect("boxes:\n", "t.yaml:1:7: boxes: a map of keys is expected here: by name");
}

Test(config, shapes_are_checked)
{
    expect("name: [x]\n", "t.yaml:1:7: name: one value is expected here: a name");
    expect("command: ls\n", "t.yaml:1:10: command: a list is expected here: what to run");
    expect("boxes: [a]\n", "t.yaml:1:8: boxes: a map of keys is expected here: by name");
    expect("- name\n", "t.yaml:1:1: a map of keys is expected here");
    expect("command: []\n", "t.yaml:1:10: command: 0 given: at least 1 needed");
    expect("command: [a, b, c, d]\n", "t.yaml:1:10: command: 4 given: at most 3 allowed");
    expect("command: [a, long-long-long]\n", "t.yaml:1:14: command[1]: 14 bytes long: at most 8");
}

Test(config, a_key_given_twice_is_refused_at_the_second)
{
    expect("name: x\nsize: 1\nname: y\n", "t.yaml:3:1: name is given twice (first on line 1)");
    expect("boxes: {a: {owner: x}, a: {owner: y}}\n",
        "t.yaml:1:24: a is given twice (first on line 1)");
}

Test(config, the_rest_of_yaml_is_refused)
{
    expect("name: &x y\n", "t.yaml:1:7: anchors (&) are not allowed here");
    expect("name: *x\n", "t.yaml:1:7: aliases (*) are not allowed here");
    expect("name: !!str x\n",
        "t.yaml:1:7: tags (!) are not allowed here: the kind follows from the key");
    expect("boxes: !x {}\n",
        "t.yaml:1:8: tags (!) are not allowed here: the kind follows from the key");
    expect("boxes: &x {}\n", "t.yaml:1:8: anchors (&) are not allowed here");
    expect("<<: {}\n", "t.yaml:1:1: merge keys (<<) are not allowed here");
    expect("[a]: b\n", "t.yaml:1:1: a key must be a word, not a list or a map");
    expect("\"\": b\n", "t.yaml:1:1: a key is empty");
    expect("name: x\n---\nname: y\n",
        "t.yaml:2:1: a second document begins: one file is one document");
    expect("name: \"a\\0b\"\n", "t.yaml:1:7: the value holds a zero character");
}

Test(config, syntax_errors_have_a_place)
{
    expect("name: x\n\tsize: 1\n", "t.yaml:2:1: while scanning a plain scalar: found a "
                                   "tab character that violates indentation (indent with "
                                   "spaces, not with tabs)");
    expect("name: [x\n", "t.yaml:2:1: while parsing a flow sequence: did not find expected ',' or "
                         "']'");
    expect("", "t.yaml: the file is empty");
    expect("# nothing\n", "t.yaml: the file is empty");
}

Test(config, at_most_twenty_problems_are_listed_and_the_rest_counted)
{
    char text[2048] = "";
    struct lam_config *config;
    const char *report;
    size_t lines = 0;

    for (int i = 0; i < 30; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "unknown%d: 1\n", i);
    config = demo_read(text, strlen(text));
    cr_expect(eq(u32, lam_config_problem_count(config), 30));
    report = lam_config_report(config);
    for (const char *at = report; *at != '\0'; at++)
        lines += *at == '\n';
    cr_expect(eq(sz, lines, 61));
    cr_expect(strstr(report, "t.yaml: and 10 more\n") != NULL);
    lam_config_destroy(config);
}

/* Overrides */

static void expect_override(
    const char *text, const char *path, const char *value, const char *message)
{
    struct lam_config *config;
    char origin[128];

    (void)snprintf(origin, sizeof(origin), "--set %s=%s", path, value);
    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_assert(eq(int, lam_config_read_text(config, "t.yaml", text, strlen(text)), 0));
    (void)lam_config_override(config, path, value, origin);
    (void)lam_config_check(config);
    cr_expect(eq(str, (char *)lam_config_report(config), (char *)message));
    lam_config_destroy(config);
}

Test(config, an_override_replaces_what_the_file_says)
{
    struct lam_config *config;
    struct lam_config_node *node;

    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_assert(eq(int,
        lam_config_read_text(config, "t", "boxes: {a: {owner: o, depth: 4}}\ncommand: [x]", 45),
        0));
    cr_assert(eq(int, lam_config_override(config, "boxes.a.depth", "8", "--set"), 0));
    cr_assert(eq(int, lam_config_override(config, "command", "[run, me]", "--set"), 0));
    cr_assert(eq(int, lam_config_override(config, "size", "1KiB", "--set"), 0));
    cr_assert(eq(int, lam_config_check(config), 0));
    node = lam_config_first(lam_config_at(lam_config_root(config), "boxes"));
    cr_expect(eq(u64, lam_config_number(lam_config_at(node, "depth")), 8));
    cr_expect(eq(str, (char *)lam_config_origin(lam_config_at(node, "depth")), "--set"));
    node = lam_config_at(lam_config_root(config), "command");
    cr_expect(eq(u32, lam_config_length(node), 2));
    cr_expect(eq(str, (char *)lam_config_text(lam_config_next(lam_config_first(node))), "me"));
    cr_expect(eq(u64, lam_config_number(lam_config_at(lam_config_root(config), "size")), 1024));
    lam_config_destroy(config);
}

Test(config, an_override_is_checked_as_the_file_is_and_named_in_the_message)
{
    expect_override("boxes: {a: {owner: o}}\n", "boxes.a.depth", "12",
        "--set boxes.a.depth=12: boxes.a.depth: 12 is not a power of two (next: 16)\n");
    expect_override("name: x\n", "command", "a,b,c,d",
        "--set command=a,b,c,d: command: 4 given: at most 3 allowed\n");
    expect_override("name: x\n", "sice", "1",
        "--set sice=1: t.yaml: sice: there is no such key (did you mean \"size\"?)\n");
    expect_override("boxes: {left: {owner: o}}\n", "boxes.lefft.depth", "1",
        "--set boxes.lefft.depth=1: t.yaml: boxes.lefft: there is no such key (did you mean "
        "\"left\"?)\n");
    expect_override("name: x\n", "boxes", "1", "--set boxes=1: names a group of keys: add .KEY\n");
    expect_override(
        "name: x\n", "name.x", "1", "--set name.x=1: t.yaml: name.x: there is no such key\n");
}

Test(config, a_file_that_cannot_be_read_says_why)
{
    struct lam_config *config;

    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_expect(eq(int, lam_config_read_file(config, "/nowhere/t.yaml"), -ENOENT));
    cr_expect(
        eq(str, (char *)lam_config_report(config), "/nowhere/t.yaml: No such file or directory\n"));
    lam_config_destroy(config);
    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_expect(eq(int, lam_config_read_file(config, "/"), -EISDIR));
    lam_config_destroy(config);
}

Test(config, the_table_explains_itself)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    lam_config_explain(&demo, out);
    cr_assert(eq(int, fclose(out), 0));
    cr_expect(strstr(text, "depth: number, a power of two, 2 to 1024; default 16\n") != NULL);
    cr_expect(strstr(text, "colour: one of red, green, blue\n") != NULL);
    cr_expect(strstr(text, "owner: name; required\n") != NULL);
    free(text);
}

Test(config, the_nearest_word_counts_swaps_and_ignores_case)
{
    const char *const words[] = {"check", "up", "stat"};

    cr_expect(eq(str, (char *)lam_config_nearest("chekc", words, 3), "check"));
    cr_expect(eq(str, (char *)lam_config_nearest("STAT", words, 3), "stat"));
    cr_expect(lam_config_nearest("zz", words, 3) == NULL);
    cr_expect(lam_config_nearest("", words, 3) == NULL);
}
