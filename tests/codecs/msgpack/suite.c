/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every encoding that the public MessagePack test suite knows of a value reads as that value.
 * Method: msgpack-test-suite.json is scanned case by case; each encoding is checked, described, and
 * the description compared with the value's own JSON text: numbers by value where they are written
 * as floats, timestamps by taking the extension apart.
 *
 * Skipped where LAMINA_TEST_DATA is not set.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/codecs/msgpack/codec.h"
#include "lamina/codecs/msgpack/read.h"

static char file[1 << 16];
static unsigned failures;

/* End of the JSON value at @at. */
static const char *value_end(const char *at)
{
    unsigned depth = 0;

    do {
        at += strspn(at, " \n\r\t,:");
        if (*at == '"') {
            for (at++; *at != '"' && *at != '\0'; at++)
                at += *at == '\\';
            at++;
        } else if (*at == '[' || *at == '{') {
            depth++;
            at++;
        } else if (*at == ']' || *at == '}') {
            depth--;
            at++;
        } else {
            at += strcspn(at, " \n\r\t,:[]{}");
        }
    } while (depth != 0 && *at != '\0');
    return at;
}

/* @from up to @end without the blanks between tokens. */
static void compact(const char *from, const char *end, char *to)
{
    int in_string = 0;

    for (; from < end; from++) {
        in_string ^= *from == '"';
        if (in_string || strchr(" \n\r\t", *from) == NULL)
            *to++ = *from;
    }
    *to = '\0';
}

/* "c4-01-ff" up to the closing quote; returns the number of bytes. */
static size_t parse_hex(const char *text, unsigned char *bytes)
{
    size_t count = 0;

    while (*text != '"' && *text != '\0') {
        bytes[count++] = (unsigned char)strtoul(text, NULL, 16);
        text += text[2] == '-' ? 3 : 2;
    }
    return count;
}

static int is_timestamp(const unsigned char *bytes, size_t size, const char *expected)
{
    struct lam_mp_reader reader;
    struct lam_mp_token token;
    uint64_t seconds = 0;
    uint64_t nanoseconds = 0;
    char text[64];

    lam_mp_init(&reader, bytes, size);
    if (lam_mp_next(&reader, &token) != 1 || token.kind != LAM_MP_EXT || token.ext_type != -1)
        return 0;
    for (uint32_t i = 0; i < token.count; i++) {
        if (token.count == 12 && i < 4)
            nanoseconds = nanoseconds << 8 | token.data[i];
        else
            seconds = seconds << 8 | token.data[i];
    }
    if (token.count == 8) {
        nanoseconds = seconds >> 34;
        seconds &= (UINT64_C(1) << 34) - 1;
    }
    (void)snprintf(text, sizeof(text), "[%" PRId64 ",%" PRIu64 "]", (int64_t)seconds, nanoseconds);
    return strcmp(text, expected) == 0;
}

/* [type,"00-11"] against {"ext":type,"data":"0011"}; and "00-11" against "0011". */
static int is_same_hex(const char *found, const char *expected)
{
    const char *a = strrchr(found, ':') != NULL ? strrchr(found, ':') + 1 : found;
    const char *b = strchr(expected, '"');

    if (expected[0] == '[' && strtol(expected + 1, NULL, 10) != strtol(found + 7, NULL, 10))
        return 0;
    for (a++, b++; *b != '"'; b++) {
        if (*b != '-' && *a++ != *b)
            return 0;
    }
    return *a == '"';
}

static int is_same(const char *kind, const char *found, const char *expected,
    const unsigned char *bytes, size_t size)
{
    char quoted[2100];

    if (strcmp(kind, "timestamp") == 0)
        return is_timestamp(bytes, size, expected);
    if (strcmp(kind, "binary") == 0 || strcmp(kind, "ext") == 0)
        return is_same_hex(found, expected);
    if (bytes[0] == 0xca) /* described with the digits that a float needs */
        return strtof(found, NULL) == strtof(expected + (expected[0] == '"'), NULL);
    if (bytes[0] == 0xcb)
        return strtod(found, NULL) == strtod(expected + (expected[0] == '"'), NULL);
    if (strcmp(kind, "bignum") == 0) {
        (void)snprintf(quoted, sizeof(quoted), "\"%s\"", found);
        found = quoted;
    }
    return strcmp(found, expected) == 0;
}

static unsigned check_encodings(const char *kind, const char *expected, const char *list)
{
    unsigned count = 0;

    for (list = strchr(list, '"'); list != NULL && *list == '"'; count++) {
        unsigned char bytes[512];
        char found[2048];
        size_t size = parse_hex(list + 1, bytes);

        if (lam_mp_check(bytes, size, NULL) != 0 ||
            lam_mp_codec_describe(NULL, bytes, size, found, sizeof(found)) < 0 ||
            !is_same(kind, found, expected, bytes, size)) {
            printf("%s %s: %.40s read as %s\n", kind, expected, list, found);
            failures++;
        }
        if (size > 1 && lam_mp_check(bytes, size - 1, NULL) != -EBADMSG) {
            printf("%s %s: %.40s cut short is taken\n", kind, expected, list);
            failures++;
        }
        list += 1 + strcspn(list + 1, "\"") + 1;
        list += strspn(list, " \n\r\t,");
    }
    return count;
}

static size_t read_suite(void)
{
    const char *folder = getenv("LAMINA_TEST_DATA");
    char path[4096];
    FILE *in;
    size_t size;

    if (folder == NULL)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/msgpack/msgpack-test-suite.json", folder);
    in = fopen(path, "rb");
    if (in == NULL)
        return 0;
    size = fread(file, 1, sizeof(file) - 1, in);
    (void)fclose(in);
    return size;
}

int main(void)
{
    const char *at = file;
    unsigned cases = 0;
    unsigned encodings = 0;

    if (read_suite() == 0) {
        puts("skipped: no msgpack/msgpack-test-suite.json in LAMINA_TEST_DATA");
        return 77;
    }
    while ((at = strstr(at, "\"msgpack\"")) != NULL) {
        /* The case's other key stands before: go back to the brace that opens the case. */
        static char text[4096];
        static char kind[32];
        const char *open = at;
        const char *value;

        for (;;) {
            while (*--open != '{')
                ;
            if (strncmp(open, "{\n   \"", 6) == 0)
                break;
        }
        (void)sscanf(open, "{ \"%31[^\"]\"", kind);
        value = strchr(strchr(open, '"') + 1, '"') + 1;
        value += strspn(value, " :");
        compact(value, value_end(value), text);
        at = strchr(at, '[');
        encodings += check_encodings(kind, text, at);
        cases++;
    }
    printf("%u cases, %u encodings, %u failures\n", cases, encodings, failures);
    return failures != 0 || cases < 80 ? 1 : 0;
}
