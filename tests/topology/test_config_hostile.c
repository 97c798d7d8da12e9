/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that were made to hurt: each must be refused, at the right place, in bounded time.
 *
 * The time limit is that of the suite and stands far above what is measured (milliseconds).
 */
#include "config_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(config_hostile, .timeout = 5);

static void refused(const char *text, size_t bytes, const char *message)
{
    struct lam_config *config = demo_read(text, bytes);
    const char *report = lam_config_report(config);
    size_t length = strcspn(report, "\n");

    cr_expect(length >= strlen(message) && strncmp(report, message, strlen(message)) == 0,
        "expected: %s\nfound: %.300s", message, report);
    for (const char *at = report; *at != '\0'; at++)
        cr_assert(ge(int, (unsigned char)*at, *at == '\n' ? 0 : ' '));
    lam_config_destroy(config);
}

/* @text repeated to just under the largest file, with @head before it. */
static void refused_flood(const char *head, const char *text, const char *message)
{
    size_t length = strlen(text);
    size_t used = strlen(head);
    char *flood = malloc(LAM_CONFIG_FILE_BYTES_MAX);

    memcpy(flood, head, used);
    for (; used + length < LAM_CONFIG_FILE_BYTES_MAX; used += length)
        memcpy(flood + used, text, length);
    refused(flood, used, message);
    free(flood);
}

Test(config_hostile, deep_nesting_ends_at_the_limit)
{
    refused_flood("", "[", "t.yaml:1:17: nested deeper than 16 levels");
    refused_flood("", "{a: ", "t.yaml:1:65: nested deeper than 16 levels");
    refused_flood("", "- ", "t.yaml:1:33: nested deeper than 16 levels");
    refused_flood("name: ", "[", "t.yaml:1:22: nested deeper than 16 levels");
    refused_flood("", "? ", "t.yaml:1:3: a key must be a word, not a list or a map");
}

Test(config_hostile, an_alias_bomb_ends_at_the_first_anchor)
{
    const char *bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                       "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";

    refused(bomb, strlen(bomb), "t.yaml:1:4: anchors (&) are not allowed here");
    refused_flood("a: [", "*x,", "t.yaml:1:5: aliases (*) are not allowed here");
}

Test(config_hostile, bad_utf_8_has_a_line_and_a_column)
{
    refused("name: x\nsize: \xff\xfe\n", 16, "t.yaml:2:7: not UTF-8 text: ");
    refused("name: \xc0\x80\n", 9, "t.yaml:1:7: not UTF-8 text: ");
    refused("name: \xed\xa0\x80\n", 10, "t.yaml:1:7: not UTF-8 text: ");
    refused("name: \xf4\x90\x80\x80\n", 11, "t.yaml:1:7: not UTF-8 text: ");
    refused("name: x\xc3", 8, "t.yaml:1:8: not UTF-8 text: ");
}

Test(config_hostile, control_characters_are_refused_and_never_printed)
{
    refused("name: \x1b[31m\n", 12, "t.yaml:1:7: not UTF-8 text: control characters");
    refused("name: a\0b\n", 10, "t.yaml:1:8: not UTF-8 text: control characters");
    refused("\"\\e[31m\": 1\n", 12, "t.yaml:1:1: ?[31m: unknown key");
}

Test(config_hostile, utf_16_is_no_text_here)
{
    refused("\xff\xfen\0a\0m\0e\0", 10, "t.yaml:1:1: not UTF-8 text: ");
}

Test(config_hostile, a_byte_order_mark_of_utf_8_is_skipped)
{
    struct lam_config *config = demo_read("\xef\xbb\xbfname: x\n", 11);

    cr_expect(eq(str, (char *)lam_config_report(config), ""));
    lam_config_destroy(config);
}

Test(config_hostile, too_many_values_end_the_reading)
{
    refused_flood("command: [", "a,", "t.yaml:1:");
    refused_flood("command:\n", "- a\n", "t.yaml:2:1: command: 16381 given: at most 3 allowed");
}

Test(config_hostile, too_large_a_file_is_not_parsed)
{
    char *text = calloc(1, LAM_CONFIG_FILE_BYTES_MAX + 1);
    struct lam_config *config;

    memset(text, ' ', LAM_CONFIG_FILE_BYTES_MAX + 1);
    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_expect(eq(
        int, lam_config_read_text(config, "t.yaml", text, LAM_CONFIG_FILE_BYTES_MAX + 1), -EFBIG));
    cr_expect(eq(str, (char *)lam_config_report(config),
        "t.yaml: larger than the 65536 bytes that such a file may have\n"));
    lam_config_destroy(config);
    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    cr_expect(eq(int, lam_config_read_file(config, "/dev/zero"), -EFBIG));
    lam_config_destroy(config);
    free(text);
}

Test(config_hostile, thousands_of_keys_take_bounded_time)
{
    char *text = malloc(LAM_CONFIG_FILE_BYTES_MAX);
    size_t used = 0;

    for (int i = 0; used + 8 < LAM_CONFIG_FILE_BYTES_MAX; i++)
        used += (size_t)sprintf(text + used, "%x: \n", i);
    refused(text, used, "t.yaml:1:1: 0: unknown key");
    free(text);
    refused_flood("", "a:\n", "t.yaml:2:1: a is given twice (first on line 1)");
}

Test(config_hostile, long_scalars_and_comments_take_bounded_time)
{
    refused_flood("name: ", "x", "t.yaml:1:7: name: \"xxx");
    refused_flood("#", "x", "t.yaml: the file is empty");
    refused_flood("name: \"", "\\x41", "t.yaml:1:");
    refused_flood("name: >\n", " x\n", "t.yaml:1:7: name: \"x x x");
    refused_flood("%", "Y", "t.yaml:1:");
    refused_flood("", ":", "t.yaml:1:");
    refused_flood("", "\n", "t.yaml: the file is empty");
}

/* Every byte of a good file, changed to each of a few bad ones: refused or read, never worse. */
Test(config_hostile, no_changed_byte_does_harm, .timeout = 20)
{
    const char good[] = "name: x\nsize: 4KiB\nboxes:\n  a: {owner: o, depth: 4}\ncommand: [a, b]\n";
    const char bad[] = {0, '\t', '\n', '&', '*', '!', '[', '}', ':', '"', '\xff', '\x80', '%', '|'};

    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        for (size_t i = 0; i < sizeof(bad); i++) {
            char text[sizeof(good)];
            struct lam_config *config;

            memcpy(text, good, sizeof(good));
            text[at] = bad[i];
            config = demo_read(text, sizeof(good) - 1);
            (void)lam_config_report(config);
            lam_config_destroy(config);
        }
    }
}
