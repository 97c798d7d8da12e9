/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_typed.c: entries of lamina/runtime/typed_method.h, given bytes as a host gives them.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>

#include "calc.h"

#include "lamina/runtime/typed_method.h"

#define ARENA_BYTES 4096
#define ROOM_BYTES  1024

static unsigned ran;
static alignas(64) uint8_t arena[ARENA_BYTES];
static alignas(64) uint8_t sent[ROOM_BYTES + 8], room[ROOM_BYTES + 8];
static char logged[1024];

/* ---- the functions that are typed ---- */

static int add(struct lam_call *call, const struct calc_Operands *in, struct calc_Number *out)
{
    (void)call;
    ran++;
    cr_assert(eq(i64, out->value, 0));
    out->value = in->a + in->b;
    out->label = in->label;
    return out->value < 0 ? -EDOM : 0;
}
LAM_TYPED_METHOD(add, msgpack, calc_Operands, calc_Number)

static int add_fb(struct lam_call *call, const struct calc_Operands *in, struct calc_Number *out)
{
    return add(call, in, out);
}
LAM_TYPED_METHOD(add_fb, flatbuffers, calc_Operands, calc_Number)

/* What it takes of the arena is not where its arguments are. */
static int turn(struct lam_call *call, const struct calc_Row *in, struct calc_Row *out)
{
    uint32_t count = in->numbers.count;
    int64_t *numbers = (int64_t *)lam_call_arena_take(&call->arena, count * sizeof(*numbers), 8);

    ran++;
    if (numbers == NULL)
        return -ENOBUFS;
    memset(numbers, 0xff, count * sizeof(*numbers));
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = in->numbers.data[count - 1 - i];
    out->numbers.data = numbers;
    out->numbers.count = count;
    return 0;
}
LAM_TYPED_METHOD(turn, msgpack, calc_Row, calc_Row)

/* Leaves out what its results must have. */
static int lack(struct lam_call *call, struct calc_Row *out)
{
    (void)call;
    (void)out;
    return 0;
}
LAM_TYPED_METHOD_OUT(lack, msgpack, calc_Row)

static int lack_fb(struct lam_call *call, struct calc_Row *out)
{
    return lack(call, out);
}
LAM_TYPED_METHOD_OUT(lack_fb, flatbuffers, calc_Row)

static int seven(struct lam_call *call, struct calc_Number *out)
{
    (void)call;
    ran++;
    out->value = 7;
    return 0;
}
LAM_TYPED_METHOD_OUT(seven, msgpack, calc_Number)

static int keep(struct lam_call *call, const struct calc_Operands *in)
{
    call->reply_bytes = 99; /* not what the answer has */
    ran++;
    return (int)in->a;
}
LAM_TYPED_METHOD_IN(keep, msgpack, calc_Operands)

static int nothing(struct lam_call *call)
{
    call->reply_bytes = 99;
    ran++;
    return 0;
}
LAM_TYPED_METHOD_NONE(nothing)

/* ---- the host ---- */

static void keep_log(const struct lam_call *call, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)call;
    (void)text;
    cr_assert(eq(int, level, LAM_LEVEL_WARN));
    cr_assert(eq(u32, field_count, 1));
    (void)snprintf(logged, sizeof(logged), "%s", fields[0].value);
}

static const struct lam_host host = {
    .bytes = sizeof(struct lam_host), .abi = LAM_ABI_VERSION, .log = keep_log};

static struct lam_call call_of(const void *request, size_t bytes, void *reply, size_t capacity)
{
    ran = 0;
    logged[0] = '\0';
    memset(room, 0x5a, sizeof(room));
    return (struct lam_call){.bytes = sizeof(struct lam_call),
        .host = &host,
        .request = request,
        .request_bytes = bytes,
        .reply = reply,
        .reply_capacity = capacity,
        .arena = {arena, sizeof(arena), 0}};
}

static int has_written(size_t from)
{
    for (size_t i = from; i < sizeof(room); i++)
        if (room[i] != 0x5a)
            return 1;
    return 0;
}

static size_t pack_operands(const struct lam_codec *codec, int64_t a, int64_t b)
{
    struct calc_Operands operands = {.a = a, .b = b, .label = LAM_STRING("sum")};
    size_t bytes = 0;

    cr_assert(eq(int, codec->encode(codec, &operands, sent, ROOM_BYTES, &bytes), 0));
    return bytes;
}

static void expect_sum(const struct lam_codec *codec, const void *bytes, size_t size, int64_t sum)
{
    struct calc_Number number;
    uint8_t memory[256];
    struct lam_arena own;

    lam_arena_init(&own, memory, sizeof(memory));
    cr_assert(eq(int, codec->decode(codec, bytes, size, &number, &own), 0));
    cr_assert(eq(i64, number.value, sum));
    cr_assert(eq(str, (char *)(uintptr_t)number.label.data, "sum"));
}

/* ---- arguments and results ---- */

Test(typed, a_function_is_given_values_and_its_values_are_the_answer)
{
    size_t bytes = pack_operands(&calc_Operands_msgpack, 40, 2);
    struct lam_call call = call_of(sent, bytes, room, ROOM_BYTES);

    cr_assert(eq(int, LAM_TYPED(add)(&call), 0));
    expect_sum(&calc_Number_msgpack, room, call.reply_bytes, 42);
    bytes = pack_operands(&calc_Operands_flatbuffers, 1, 2);
    call = call_of(sent, bytes, room, ROOM_BYTES);
    cr_assert(eq(int, LAM_TYPED(add_fb)(&call), 0));
    expect_sum(&calc_Number_flatbuffers, room, call.reply_bytes, 3);
}

Test(typed, bytes_of_any_language_are_read_by_their_names)
{
    /* {"b": 2, "more": nil, "a": 1}, and the answer {"value": 3} */
    static const char request[] = "\x83\xa1"
                                  "b\x02\xa4"
                                  "more\xc0\xa1"
                                  "a\x01";
    struct lam_call call = call_of(request, sizeof(request) - 1, room, ROOM_BYTES);

    cr_assert(eq(int, LAM_TYPED(add)(&call), 0));
    cr_assert(eq(u64, call.reply_bytes, 8));
    cr_assert(memcmp(room, "\x81\xa5value\x03", 8) == 0);
}

Test(typed, what_a_function_returns_is_what_the_call_returns)
{
    struct lam_call call =
        call_of(sent, pack_operands(&calc_Operands_msgpack, -3, 2), room, ROOM_BYTES);

    cr_assert(eq(int, LAM_TYPED(add)(&call), -EDOM));
    cr_assert(eq(u64, call.reply_bytes, 0));
    cr_assert(not(has_written(0)));
    call = call_of(sent, pack_operands(&calc_Operands_msgpack, 5, 0), room, ROOM_BYTES);
    cr_assert(eq(int, LAM_TYPED(keep)(&call), 5));
}

Test(typed, methods_without_arguments_or_results)
{
    static const char *const none[] = {"", "\xc0", "\x80", "\x90"};
    struct calc_Number number;
    struct lam_call call;

    for (size_t i = 0; i < 4; i++) {
        call = call_of(none[i], i != 0, room, ROOM_BYTES);
        cr_assert(eq(int, LAM_TYPED(seven)(&call), 0));
        cr_assert(eq(int, calc_Number_msgpack_unpack(room, call.reply_bytes, &number, NULL), 0));
        cr_assert(eq(i64, number.value, 7));
        call = call_of(none[i], i != 0, room, 0);
        cr_assert(eq(int, LAM_TYPED(nothing)(&call), 0));
        cr_assert(eq(u64, call.reply_bytes, 0));
    }
    call = call_of(NULL, 0, NULL, 0);
    cr_assert(eq(int, LAM_TYPED(nothing)(&call), 0));
    call = call_of(sent, pack_operands(&calc_Operands_msgpack, 0, 1), NULL, 0);
    cr_assert(eq(int, LAM_TYPED(keep)(&call), 0));
    cr_assert(eq(u64, call.reply_bytes, 0));
}

Test(typed, a_method_without_arguments_refuses_some)
{
    static const char *const some[] = {"\x01", "\xc0\xc0", "\x80\x80", "\x91\x01", "\xa0"};

    for (size_t i = 0; i < 5; i++) {
        struct lam_call call = call_of(some[i], strlen(some[i]), room, ROOM_BYTES);

        cr_assert(eq(int, LAM_TYPED(seven)(&call), -EBADMSG));
        cr_assert(eq(int, LAM_TYPED(nothing)(&call), -EBADMSG));
        cr_assert(eq(u32, ran, 0));
        cr_assert(eq(str, logged, "the method has no arguments"));
        cr_assert(not(has_written(0)));
    }
}

/* ---- arguments that cannot be read ---- */

static void expect_refused(lam_entry_fn entry, const void *request, size_t bytes, const char *why)
{
    struct lam_call call = call_of(request, bytes, room, ROOM_BYTES);

    cr_assert(eq(int, entry(&call), -EBADMSG), "%s", why);
    cr_assert(eq(u32, ran, 0));
    cr_assert(eq(u64, call.reply_bytes, 0));
    cr_assert(not(has_written(0)));
    cr_assert(strstr(logged, why) != NULL, "%s, not %s", logged, why);
}

Test(typed, arguments_of_wrong_types_are_refused_with_the_field)
{
    expect_refused(LAM_TYPED(add),
        "\x81\xa1"
        "a\xa1x",
        5, "calc.Operands.a");
    expect_refused(LAM_TYPED(add),
        "\x81\xa1"
        "b\xc3",
        4, "calc.Operands.b");
    expect_refused(LAM_TYPED(add), "\x81\xa5label\x07", 8, "calc.Operands.label");
    expect_refused(LAM_TYPED(add), "\x93\x01\x02\x03", 4, "calc.Operands");
    expect_refused(LAM_TYPED(turn), "\x80", 1, "calc.Row.numbers");
    expect_refused(LAM_TYPED(turn), "\x81\xa7numbers\x92\x01\xa1x", 13, "calc.Row.numbers[1]");
    expect_refused(LAM_TYPED(add), "\x80\x80", 2, "more bytes");
}

Test(typed, arguments_that_are_cut_short_are_refused)
{
    size_t bytes = pack_operands(&calc_Operands_msgpack, 70000, -70000);

    for (size_t cut = 0; cut < bytes; cut++)
        expect_refused(LAM_TYPED(add), sent, cut, "calc.Operands");
    expect_refused(LAM_TYPED(add), NULL, 0, "calc.Operands");
    bytes = pack_operands(&calc_Operands_flatbuffers, 1, 2);
    for (size_t cut = 0; cut < bytes; cut++)
        expect_refused(LAM_TYPED(add_fb), sent, cut, "calc.Operands");
}

/* A count that only a far larger request could have asks for no memory. */
Test(typed, a_count_that_lies_is_refused)
{
    expect_refused(
        LAM_TYPED(turn), "\x81\xa7numbers\xdd\xff\xff\xff\xff\x01", 15, "calc.Row.numbers");
}

/* ---- room ---- */

Test(typed, a_room_too_small_says_how_much_is_needed_and_is_not_overrun)
{
    for (int is_fb = 0; is_fb < 2; is_fb++) {
        lam_entry_fn entry = is_fb ? LAM_TYPED(add_fb) : LAM_TYPED(add);
        const struct lam_codec *in = is_fb ? &calc_Operands_flatbuffers : &calc_Operands_msgpack;
        size_t bytes = pack_operands(in, 40, 2);
        struct lam_call call = call_of(sent, bytes, room, ROOM_BYTES);
        uint64_t needed;

        cr_assert(eq(int, entry(&call), 0));
        needed = call.reply_bytes;
        for (uint64_t capacity = 0; capacity < needed; capacity++) {
            call = call_of(sent, bytes, capacity != 0 ? room : NULL, capacity);
            cr_assert(eq(int, entry(&call), -ENOSPC));
            cr_assert(eq(u64, call.reply_bytes, needed));
            cr_assert(not(has_written(capacity)));
        }
        call = call_of(sent, bytes, room, needed);
        cr_assert(eq(int, entry(&call), 0));
        cr_assert(not(has_written(needed)));
    }
}

Test(typed, requests_and_rooms_lie_anywhere)
{
    size_t bytes = pack_operands(&calc_Operands_flatbuffers, 40, 2);
    uint64_t needed = 0;

    memmove(sent + 1, sent, bytes);
    for (size_t at = 1; at < 8; at++) {
        struct lam_call call = call_of(sent + 1, bytes, room + at, ROOM_BYTES - at);
        alignas(64) uint8_t copy[ROOM_BYTES];

        cr_assert(eq(int, LAM_TYPED(add_fb)(&call), 0));
        cr_assert(eq(int, room[at - 1], 0x5a));
        needed = call.reply_bytes;
        memcpy(copy, room + at, needed);
        expect_sum(&calc_Number_flatbuffers, copy, needed, 42);
        call = call_of(sent + 1, bytes, room + at, needed - 1);
        cr_assert(eq(int, LAM_TYPED(add_fb)(&call), -ENOSPC));
        cr_assert(eq(u64, call.reply_bytes, needed));
        cr_assert(not(has_written(0)));
    }
}

Test(typed, what_arguments_point_to_is_in_the_arena_until_its_end)
{
    int64_t numbers[64], back[64];
    struct calc_Row row = {.numbers = {numbers, 64}};
    struct lam_arena own;
    struct lam_call call;
    size_t bytes;

    for (int i = 0; i < 64; i++)
        numbers[i] = (int64_t)i << 40;
    cr_assert(eq(int, calc_Row_msgpack_pack(&row, sent, ROOM_BYTES, &bytes), 0));
    call = call_of(sent, bytes, room, ROOM_BYTES);
    cr_assert(eq(int, LAM_TYPED(turn)(&call), 0));
    cr_assert(ge(u64, call.arena.used, 2 * sizeof(numbers)));
    lam_arena_init(&own, back, sizeof(back));
    cr_assert(eq(int, calc_Row_msgpack_unpack(room, call.reply_bytes, &row, &own), 0));
    for (int i = 0; i < 64; i++)
        cr_assert(eq(i64, row.numbers.data[i], (int64_t)(63 - i) << 40));

    call = call_of(sent, bytes, room, ROOM_BYTES); /* for the arguments, not for more */
    call.arena.bytes = sizeof(numbers) + 8;
    cr_assert(eq(int, LAM_TYPED(turn)(&call), -ENOBUFS));
    call = call_of(sent, bytes, room, ROOM_BYTES); /* in use but for a little */
    call.arena.used = ARENA_BYTES - sizeof(numbers) + 8;
    cr_assert(eq(int, LAM_TYPED(turn)(&call), -ENOMEM));
    cr_assert(eq(u32, ran, 0));
    cr_assert(eq(str, logged, "the arena has no room for the arguments"));
    cr_assert(not(has_written(0)));
}

Test(typed, results_that_lack_a_required_part_are_the_functions_fault)
{
    for (size_t at = 0; at < 2; at++) { /* a room where the codec likes it, and one where not */
        struct lam_call call = call_of(NULL, 0, room + at, ROOM_BYTES);

        cr_assert(eq(int, LAM_TYPED(lack)(&call), -EPROTO));
        cr_assert(eq(str, logged, "the results lack a required part"));
        call = call_of(NULL, 0, room + at, ROOM_BYTES);
        cr_assert(eq(int, LAM_TYPED(lack_fb)(&call), -EPROTO));
        cr_assert(eq(u64, call.reply_bytes, 0));
    }
}
