/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a tool that has only the text of a type prints its messages as the type itself would, and
 * no text makes it read outside. Method: the texts of the tests' own types; then the same, cut
 * short and with each byte changed, used on a message where they are still taken.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "example.h"
#include "lamina/codecs/from_schema.h"
#include "lamina/codecs/pod.h"

TestSuite(from_schema, .timeout = 60);

static _Alignas(16) unsigned char memory[EXAMPLE_BYTES];
static _Alignas(16) unsigned char room[LAM_FROM_SCHEMA_ARENA_BYTES];
static struct lam_arena arena;
static struct lam_error error;

static int parse(const char *text, size_t bytes, struct lam_codec *codec)
{
    lam_arena_init(&arena, room, sizeof(room));
    return lam_codec_from_schema(text, bytes, &arena, codec, &error);
}

static void expect_same(const struct lam_codec *own, size_t size)
{
    char *expected = strdup(example_describe(own, memory, size));
    struct lam_codec codec;

    cr_assert(eq(int, parse(own->schema, own->schema_bytes, &codec), 0), "%s", error.text);
    cr_assert(eq(str, (char *)codec.type_name, (char *)own->type_name));
    cr_assert(eq(str, (char *)codec.name, (char *)own->name));
    cr_assert(eq(u64, codec.type_hash, own->type_hash));
    cr_assert(eq(sz, codec.payload_align, own->payload_align));
    cr_assert(eq(int, codec.verify(&codec, memory, size, &error), 0), "%s", error.text);
    cr_assert(eq(str, (char *)example_describe(&codec, memory, size), expected));
    free(expected);
}

Test(from_schema, messages_are_printed_as_their_type_would)
{
    size_t size;

    cr_assert(eq(int, example_build(memory, sizeof(memory), &size), 0));
    expect_same(&test_all_Everything_flatbuffers, size);
    cr_assert(
        eq(int, test_all_Everything_msgpack_pack(&example, memory, sizeof(memory), &size), 0));
    expect_same(&test_all_Everything_msgpack, size);
}

Test(from_schema, pods_are_printed_too)
{
    struct tick {
        uint64_t time_ns;
        bool flags[8];
    } tick = {5, {true}};
    const struct lam_pod_field fields[] = {
        LAM_POD_FIELD(struct tick, time_ns), LAM_POD_FIELD(struct tick, flags)};
    const struct lam_pod_type type = LAM_POD_TYPE(struct tick, "tick", fields);
    static struct lam_pod pod;

    cr_assert(eq(int, lam_pod_init(&pod, &type, &error), 0), "%s", error.text);
    memcpy(memory, &tick, sizeof(tick));
    expect_same(&pod.codec, sizeof(tick));
    memory[9] = 2;
    cr_assert(eq(int, pod.codec.verify(&pod.codec, memory, sizeof(tick), NULL), -EBADMSG));
}

Test(from_schema, an_arena_too_small_is_refused)
{
    const struct lam_codec *own = &test_all_Everything_flatbuffers;
    struct lam_codec codec;

    for (size_t capacity = 0; capacity < 4096; capacity += 64) {
        lam_arena_init(&arena, room, capacity);
        cr_assert(
            eq(int, lam_codec_from_schema(own->schema, own->schema_bytes, &arena, &codec, &error),
                -ENOSPC));
        cr_assert(eq(sz, arena.used, 0));
    }
}

struct wrong {
    const char *text;
    const char *reason;
};

static const struct wrong cases[] = {
    {"", "line 0: not a schema of version 1"},
    {"lamina 2 pod 0123456789abcdef\n", "line 1: not a schema of version 1"},
    {"lamina 1 pod 0123456789abcdeg\n", "line 1: not a schema of version 1"},
    {"lamina 1 pod 0000000000000000\n", "line 1: not a schema of version 1"},
    {"lamina 1 pod 0123456789abcdef\nroot a 3 -\n", "line 2: no root, or an impossible alignment"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 41\n", "an identifier is eight digits"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\n", "not a line of words"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nthing a 1\n", "line 3: not the head of a type"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 0 4\nb 0 u32\n",
        "impossible size or alignment"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 2 4 4\nb 0 u32\n",
        "fewer members than it says"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 4 u32\n",
        "line 4: a member lies outside"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 u32:2\n",
        "a member lies outside"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 1 u16\n",
        "a member lies outside"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 string\n",
        "scalars and structs only"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 [u8]\n",
        "scalars and structs only"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 u33\n", "impossible type"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 struct/c\n",
        "a type that is not there"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\nstruct a 1 4 4\nb 0 struct/a\n",
        "a struct contains itself"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 6 u32\n", "not in its place"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 4 u32:4\n",
        "an array lies outside a struct"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 4 u32 maybe\n",
        "means nothing"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 4 u32/c\nenum c 0 u8\n",
        "impossible type"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\nenum a 1 f32\nb 4\n",
        "an enum is of no integer"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 4 tag\n",
        "without its union"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 1\nb 4 union/c\nunion c 0\n",
        "without its tag"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 2\nb 4 tag\nc 6 [union/d]\nunion "
     "d 0\n",
        "a vector of unions"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 0\nunion d 1\nb 1 u8\n",
        "tables, structs and strings only"},
    {"lamina 1 flatbuffers 0123456789abcdef\nroot a 4 -\ntable a 0\nunion d 1\nb 0 string\n",
        "not a member of a union"},
    {"lamina 1 pod 0123456789abcdef\nroot a 4 -\ntable a 0\n", "no codec \"pod\" for this root"},
    {"lamina 1 json 0123456789abcdef\nroot a 4 -\ntable a 0\n", "no codec \"json\" for this root"},
};

Test(from_schema, what_is_wrong_is_refused_and_said)
{
    struct lam_codec codec;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert(
            eq(int, parse(cases[i].text, strlen(cases[i].text), &codec), -EBADMSG), "case %zu", i);
        cr_assert(strstr(error.text, cases[i].reason) != NULL, "case %zu: %s", i, error.text);
    }
}

Test(from_schema, spoilt_texts_are_refused_or_used_safely)
{
    const struct lam_codec *own = &test_all_Everything_flatbuffers;
    static const char values[] = {'\0', '\n', ' ', '0', '9', 'a', '[', '/', ':'};
    char *text = malloc(own->schema_bytes);
    struct lam_codec codec;
    size_t size;
    unsigned taken = 0;

    memcpy(text, own->schema, own->schema_bytes);
    cr_assert(eq(int, example_build(memory, sizeof(memory), &size), 0));
    for (size_t i = 0; i < own->schema_bytes; i++) {
        cr_assert(ne(int, parse(text, i, &codec), -ENOSPC));
        for (size_t j = 0; j < sizeof(values); j++) {
            text[i] = values[j];
            if (parse(text, own->schema_bytes, &codec) == 0) {
                taken++;
                (void)example_describe(&codec, memory, size);
            }
        }
        text[i] = own->schema[i];
    }
    cr_assert(lt(u32, 100, taken));
    free(text);
}
