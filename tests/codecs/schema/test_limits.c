/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every limit has its message, and what stays within them is read in little time, however it is
 * made. Method: schemas at, above, and as bad as they can be below each limit.
 */

#include "sources.h"

#include <criterion/criterion.h>
#include <time.h>

TestSuite(schema_limits, .timeout = 60);

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

Test(schema_limits, every_limit_has_its_message)
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
    };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char *schema = repeated(limits[i].format, limits[i].part, limits[i].count);

        expect_first_line(schema, limits[i].message);
        free(schema);
    }
}

Test(schema_limits, structs_nest_to_the_limit_and_no_deeper)
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

Test(schema_limits, so_many_declarations_and_no_more)
{
    char *text = malloc(SCHEMA_TYPE_COUNT_MAX * 20);
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;
    size_t bytes = 0;

    cr_assert(text != NULL);
    for (unsigned i = 0; i < SCHEMA_TYPE_COUNT_MAX; i++)
        bytes += (size_t)sprintf(text + bytes, "table T%u{}\n", i);
    cr_expect(text_load(text, &diagnostics, &schema) == 0);
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
    sprintf(text + bytes, "table T{}");
    expect_first_line(text, "t.fbs:16385:7: error: a schema of more than 16384 declarations");
    free(text);
}

Test(schema_limits, files_have_one_bound_together)
{
    char *blank = repeated("%s", " ", SCHEMA_FILE_BYTES_MAX);
    struct source sources[18] = {{"t.fbs", ""}};
    char *includes = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&includes, &bytes);
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;
    static char paths[18][8];

    cr_assert(out != NULL);
    for (unsigned i = 1; i < 18; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%u.fbs", i);
        sources[i] = (struct source){paths[i], blank};
        fprintf(out, "include \"%u.fbs\";\n", i);
    }
    cr_assert(fclose(out) == 0);
    sources[0].text = includes;
    cr_expect(sources_load(sources, 18, &diagnostics, &schema) == -EINVAL);
    cr_expect(strncmp(schema_diagnostics_text(&diagnostics),
                  "t.fbs:16:9: error: 16.fbs: the files of a schema may have at most 16777216 "
                  "bytes together\n",
                  88) == 0,
        "%s", schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
    free(includes);
    free(blank);
}

/* Tables of 4000 fields, as many as fit into one file behind @head, each field with @type. */
static char *many_fields(const char *head, const char *type, const char *tail)
{
    char *text = malloc(SCHEMA_FILE_BYTES_MAX + 1);
    size_t bytes = strlen(head);
    size_t room = SCHEMA_FILE_BYTES_MAX - strlen(tail) - 64;

    cr_assert(text != NULL && bytes < room);
    memcpy(text, head, bytes);
    for (unsigned i = 0; bytes < room; i++) {
        if (i % 4000 == 0)
            bytes += (size_t)sprintf(text + bytes, "%stable T%u{", i == 0 ? "" : "}", i);
        bytes += (size_t)sprintf(text + bytes, "f%u:%s;", i, type);
    }
    sprintf(text + bytes, "}%s", tail);
    return text;
}

static void expect_quick(char *schema)
{
    struct schema_diagnostics diagnostics;
    struct schema *result = NULL;
    clock_t begin = clock();
    int code = text_load(schema, &diagnostics, &result);

    cr_expect(code == 0, "%s", schema_diagnostics_text(&diagnostics));
    cr_expect(clock() - begin < 5 * CLOCKS_PER_SEC, "%.1f s of processor time",
        (double)(clock() - begin) / CLOCKS_PER_SEC);
    schema_destroy(result);
    schema_diagnostics_fini(&diagnostics);
    free(schema);
}

Test(schema_limits, a_file_of_the_largest_size_is_read_in_seconds)
{
    char *values = malloc(512 * 1024);
    char *deep = repeated("namespace a%s;", ".aaaaaaaaaaaaaa", 31);
    size_t bytes;

    cr_assert(values != NULL);
    bytes = (size_t)sprintf(values, "enum E:int{Z");
    for (unsigned i = 0; i < 16000; i++)
        bytes += (size_t)sprintf(values + bytes, ",V%u", i);
    sprintf(values + bytes, "}");
    expect_quick(many_fields(values, "E=V15999", ""));
    expect_quick(many_fields(values, "E=15999", ""));
    expect_quick(many_fields(deep, "X", "namespace; table X{}"));
    free(deep);
    free(values);
}
