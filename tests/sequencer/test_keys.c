/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_keys.c: the file of keys is read strictly, and each mistake is told with its line.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/keys.h"

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONES  "//////////////////////////////////////////8="
#define COUNT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

TestSuite(keys, .timeout = 60);

static struct keys keys;
static struct lam_error error;

/* Of memory that ends where the text does. */
static int parse(const char *text)
{
    size_t count = strlen(text);
    char *exact = malloc(count + (count == 0));
    int rc;

    memcpy(exact, text, count);
    error.text[0] = '\0';
    rc = keys_parse(&keys, exact, count, "file", &error);
    free(exact);
    return rc;
}

static void is_refused(const char *text, const char *says)
{
    cr_assert(eq(int, parse(text), -EINVAL), "%s", text);
    cr_assert(strstr(error.text, says) != NULL, "%s: %s", text, error.text);
    cr_assert(keys.all == NULL && keys.count == 0);
}

Test(keys, lines_are_roles_keys_and_comments)
{
    uint8_t count[32], ones[32], zeros[32] = {0};
    uint32_t role;

    for (unsigned i = 0; i < 32; i++) {
        count[i] = (uint8_t)i;
        ones[i] = 255;
    }
    cr_assert(eq(int,
        parse(
            "# comment\r\n\n  \t\n4294967295\t" ONES "\n 0 " COUNT " a b c\r\n2 uid:0\n3 uid:7 x"),
        0));
    cr_assert(eq(u32, keys.count, 4));
    cr_assert(keys_find(&keys, ones, &role) == 1 && role == UINT32_MAX);
    cr_assert(keys_find(&keys, count, &role) == 1 && role == 0);
    cr_assert(keys_find_uid(&keys, 0, &role) == 1 && role == 2);
    cr_assert(keys_find_uid(&keys, 7, &role) == 1 && role == 3);
    cr_assert(eq(int, keys_find_uid(&keys, 1, &role), 0));
    cr_assert(eq(int, keys_find(&keys, zeros, &role), 0)); /* not the user 0 */
    count[31]++;
    cr_assert(eq(int, keys_find(&keys, count, &role), 0));
    keys_free(&keys);
}

Test(keys, a_key_is_written_as_it_is_read)
{
    static const char *const texts[] = {ZEROS, ONES, COUNT};

    for (unsigned i = 0; i < 3; i++) {
        char line[64], text[KEYS_BASE64_BYTES];

        (void)snprintf(line, sizeof(line), "1 %s", texts[i]);
        cr_assert(eq(int, parse(line), 0));
        keys_text(keys.all[0].key, text);
        cr_assert(eq(str, (char *)text, (char *)texts[i]));
        keys_free(&keys);
    }
}

Test(keys, each_mistake_is_told_with_its_line)
{
    is_refused("", "no key");
    is_refused("# nothing\n\n", "no key");
    is_refused("\n\ntrader " COUNT "\n", "file:3: \"trader\" is no role");
    is_refused("-1 " COUNT "\n", "file:1: ");
    is_refused("4294967296 " COUNT "\n", "file:1: ");
    is_refused("12345678901 " COUNT "\n", "file:1: ");
    is_refused("1\n", "file:1: the second word is no key");
    is_refused("1 " COUNT "\n2 AAAA\n", "file:2: ");
    is_refused("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "file:1: ");   /* no '=' */
    is_refused("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==\n", "file:1: "); /* two */
    is_refused("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", "file:1: ");  /* bits left */
    is_refused("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH-8=\n", "file:1: ");
    is_refused("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A\n", "file:1: ");
    is_refused("1 uid:\n", "number of a user");
    is_refused("1 uid:x\n", "number of a user");
    is_refused("1 uid:4294967295\n", "number of a user");
    is_refused("1 uid:4294967296\n", "number of a user");
}

Test(keys, what_is_said_twice_is_refused)
{
    is_refused("1 " COUNT "\n2 " ONES "\n1 " COUNT "\n", "file:3: this key stands in line 1, too");
    is_refused("1 uid:7\n\n2 uid:7\n", "file:3: this uid stands in line 1, too");
}

Test(keys, all_of_many_are_found)
{
    char *text = malloc(70000 * 64);
    size_t used = 0;
    uint32_t role;

    cr_assert(text != NULL);
    for (unsigned i = 0; i < KEYS_COUNT_MAX; i++)
        used += (size_t)snprintf(text + used, 64, "%u uid:%u\n", i, 3 * (KEYS_COUNT_MAX - i));
    text[used] = '\0';
    cr_assert(eq(int, parse(text), 0), "%s", error.text);
    for (unsigned i = 0; i < KEYS_COUNT_MAX; i++)
        cr_assert(keys_find_uid(&keys, 3 * (KEYS_COUNT_MAX - i), &role) == 1 && role == i);
    keys_free(&keys);
    (void)snprintf(text + used, 64, "1 uid:2000000\n");
    cr_assert(eq(int, parse(text), -E2BIG));
    cr_assert(strstr(error.text, "file:65537: ") != NULL);
    free(text);
}
