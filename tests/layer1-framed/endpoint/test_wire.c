/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what an endpoint's packets say is read as it was written, or refused by its field; and each
 * combination of versions and features has the answer of its definition. Method: round trips, each
 * byte changed, every table of small ranges and small sets against a search by hand.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "lamina/framed/endpoint.h"

TestSuite(wire, .timeout = 30);

static struct lam_endpoint_hello some_hello(void)
{
    return (struct lam_endpoint_hello){.wire_min = 1,
        .wire_max = 3,
        .version_min = 2,
        .version_max = 9,
        .features_required = 5,
        .features_offered = 0x8000000000000007,
        .type_hash = 0x0102030405060708,
        .client_id = 0xfffffffffffffff1,
        .session = 77,
        .depth = 256,
        .message_bytes_max = 123456789012,
        .cell_bytes = 128,
        .lanes = 3,
        .flags = LAM_ENDPOINT_RESUMES,
        .extensions_offered = 6,
        .extensions_required = 2,
        .pressure = 3,
        .identity = {.boot = 1, .start_ticks = 2, .pid = 3, .pid_space = 4},
        .name = "a client"};
}

Test(wire, a_hello_is_read_as_it_was_written)
{
    struct lam_endpoint_hello hello = some_hello(), read;
    struct lam_endpoint_refused refused;
    uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES], again[LAM_ENDPOINT_HELLO_BYTES];

    lam_endpoint_write_hello(&hello, bytes);
    cr_assert(
        eq(int, lam_endpoint_packet_type(bytes, sizeof(bytes), &refused), LAM_ENDPOINT_HELLO));
    cr_assert(eq(int, lam_endpoint_read_hello(bytes, &read, &refused), 0));
    cr_assert(eq(u64, read.features_offered, hello.features_offered));
    cr_assert(eq(u64, read.message_bytes_max, hello.message_bytes_max));
    cr_assert(eq(u32, read.identity.pid_space, 4));
    cr_assert(eq(str, read.name, "a client"));
    lam_endpoint_write_hello(&read, again);
    cr_assert(memcmp(bytes, again, sizeof(bytes)) == 0);
    /* The layout is a promise: some of it by hand. */
    cr_assert(memcmp(bytes, "LAMENDP1\1\0\300\0\1\0\3\0\2\0\0\0\11\0\0\0", 24) == 0);
    cr_assert(eq(int, bytes[64], 0));
    cr_assert(eq(int, bytes[65], 1));
    cr_assert(memcmp(bytes + 92, "\6\2\3\0", 4) == 0);
    cr_assert(memcmp(bytes + 120, "a client\0", 9) == 0);
}

Test(wire, a_welcome_a_refusal_and_a_goodbye_are_read_as_they_were_written)
{
    struct lam_endpoint_welcome welcome = {.wire = 1,
                                    .extensions = 4,
                                    .pressure = 2,
                                    .version = 3,
                                    .features = 9,
                                    .session = 12,
                                    .depth = 1024,
                                    .message_bytes_max = 5,
                                    .cell_bytes = 64,
                                    .lanes = 3,
                                    .identity = {.pid = 8},
                                    .name = "e"},
                                got_welcome;
    struct lam_endpoint_refused refusal = {.code = LAM_ENDPOINT_TOO_MANY,
                                    .field = LAM_ENDPOINT_FIELD_LANES,
                                    .found = 1,
                                    .expected_min = 2,
                                    .expected_max = 3,
                                    .text = "no"},
                                got_refusal, wrong;
    struct lam_endpoint_goodbye goodbye = {.reason = 0xfffffffe, .text = "bye"}, got_goodbye;
    uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];

    lam_endpoint_write_welcome(&welcome, bytes);
    cr_assert(eq(int, lam_endpoint_packet_type(bytes, LAM_ENDPOINT_WELCOME_BYTES, &wrong),
        LAM_ENDPOINT_WELCOME));
    cr_assert(eq(int, lam_endpoint_read_welcome(bytes, &got_welcome, &wrong), 0));
    cr_assert(memcmp(&welcome, &got_welcome, sizeof(welcome)) == 0);
    lam_endpoint_write_refused(&refusal, bytes);
    cr_assert(eq(int, lam_endpoint_read_refused(bytes, &got_refusal, &wrong), 0));
    cr_assert(memcmp(&refusal, &got_refusal, sizeof(refusal)) == 0);
    lam_endpoint_write_goodbye(&goodbye, bytes);
    cr_assert(eq(int, lam_endpoint_read_goodbye(bytes, &got_goodbye, &wrong), 0));
    cr_assert(eq(u32, got_goodbye.reason, 0xfffffffe));
    cr_assert(eq(str, got_goodbye.text, "bye"));
    cr_assert(eq(u32, lam_endpoint_write_small(LAM_ENDPOINT_PONG, 0x1122, bytes), 24));
    cr_assert(eq(u64, lam_endpoint_read_number(bytes), 0x1122));
}

/* Change one field of a right HELLO's bytes: it is refused, by that field. */
static void expect_refused(uint32_t at, const void *value, uint32_t count, int field)
{
    struct lam_endpoint_hello hello = some_hello(), read;
    struct lam_endpoint_refused refused = {.field = LAM_ENDPOINT_FIELD_NONE};
    uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES];

    lam_endpoint_write_hello(&hello, bytes);
    memcpy(bytes + at, value, count);
    if (lam_endpoint_packet_type(bytes, sizeof(bytes), &refused) == LAM_ENDPOINT_HELLO)
        cr_assert(eq(int, lam_endpoint_read_hello(bytes, &read, &refused), -EPROTO));
    cr_assert(eq(int, (int)refused.field, field));
    cr_assert(eq(int, (int)refused.code, LAM_ENDPOINT_MALFORMED));
}

Test(wire, each_field_that_makes_no_sense_is_refused_by_its_name)
{
    static const uint8_t zeros[8] = {0};
    uint8_t ones[64];

    memset(ones, 0xff, sizeof(ones));
    expect_refused(0, "l", 1, LAM_ENDPOINT_FIELD_MAGIC);
    expect_refused(8, "\x08", 1, LAM_ENDPOINT_FIELD_TYPE);
    expect_refused(8, zeros, 1, LAM_ENDPOINT_FIELD_TYPE);
    expect_refused(8, "\x02", 1, LAM_ENDPOINT_FIELD_BYTES);
    expect_refused(10, "\xc1", 1, LAM_ENDPOINT_FIELD_BYTES);
    expect_refused(12, "\4", 1, LAM_ENDPOINT_FIELD_WIRE);
    expect_refused(16, "\12", 1, LAM_ENDPOINT_FIELD_VERSION);
    expect_refused(24, "\10", 1, LAM_ENDPOINT_FIELD_FEATURES_REQUIRED);
    expect_refused(48, zeros, 8, LAM_ENDPOINT_FIELD_CLIENT_ID);
    expect_refused(64, "\3", 1, LAM_ENDPOINT_FIELD_DEPTH);
    expect_refused(64, ones, 8, LAM_ENDPOINT_FIELD_DEPTH);
    expect_refused(70, "\4", 1, LAM_ENDPOINT_FIELD_DEPTH);
    expect_refused(80, "\101", 1, LAM_ENDPOINT_FIELD_CELL_BYTES);
    expect_refused(84, "\2", 1, LAM_ENDPOINT_FIELD_LANES);
    expect_refused(88, "\5", 1, LAM_ENDPOINT_FIELD_FLAGS);
    expect_refused(92, "\7", 1, LAM_ENDPOINT_FIELD_EXTENSIONS);
    expect_refused(92, "\4", 1, LAM_ENDPOINT_FIELD_EXTENSIONS); /* and 2 is required */
    expect_refused(94, "\4", 1, LAM_ENDPOINT_FIELD_PRESSURE);
    expect_refused(95, "\1", 1, LAM_ENDPOINT_FIELD_BYTES);
    expect_refused(120, ones, 64, LAM_ENDPOINT_FIELD_NAME);
    expect_refused(191, "\1", 1, LAM_ENDPOINT_FIELD_BYTES);
}

Test(wire, a_packet_of_another_size_is_refused_whatever_its_type)
{
    struct lam_endpoint_refused refused;
    uint8_t bytes[LAM_ENDPOINT_PACKET_MAX + 1] = {0};
    struct lam_endpoint_goodbye goodbye = {.reason = 1};

    lam_endpoint_write_goodbye(&goodbye, bytes);
    for (size_t count = 0; count <= LAM_ENDPOINT_PACKET_MAX; count++) {
        int type = lam_endpoint_packet_type(bytes, count, &refused);

        cr_assert(
            eq(int, type, count == LAM_ENDPOINT_GOODBYE_BYTES ? LAM_ENDPOINT_GOODBYE : -EPROTO));
    }
}

/* The highest of both ranges, by counting down. */
static int highest(uint32_t a_min, uint32_t a_max, uint32_t b_min, uint32_t b_max)
{
    for (int version = 7; version >= 0; version--)
        if ((uint32_t)version >= a_min && (uint32_t)version <= a_max &&
            (uint32_t)version >= b_min && (uint32_t)version <= b_max)
            return version;
    return -1;
}

/* Ranges of 0 to 4 on both sides: all 225 pairs, and each with near the end of counting. */
Test(wire, every_pair_of_version_ranges_agrees_on_the_highest_common_one)
{
    for (uint32_t base = 0; base < 2; base++)
        for (uint32_t all = 0; all < 5 * 5 * 5 * 5; all++) {
            uint32_t from = base == 0 ? 0 : UINT32_MAX - 4;
            uint32_t a = all % 5, b = all / 5 % 5, c = all / 25 % 5, d = all / 125;
            struct lam_endpoint_terms terms = {.version_min = from + a,
                .version_max = from + b,
                .depth_max = 1024,
                .cell_bytes_max = 64};
            struct lam_endpoint_hello hello = {
                .wire_min = 1, .wire_max = 1, .version_min = from + c, .version_max = from + d};
            struct lam_endpoint_welcome welcome;
            struct lam_endpoint_refused refused;
            int rc, expected = highest(a, b, c, d);

            if (a > b || c > d)
                continue;
            rc = lam_endpoint_negotiate(&terms, &hello, &welcome, &refused);
            if (expected < 0) {
                cr_assert(eq(int, rc, -EPROTO));
                cr_assert(eq(int, (int)refused.field, LAM_ENDPOINT_FIELD_VERSION));
                cr_assert(eq(u32, (uint32_t)refused.expected_max, from + b));
            } else {
                cr_assert(eq(int, rc, 0));
                cr_assert(eq(u32, welcome.version, from + (uint32_t)expected));
            }
        }
}

/* Sets of 3 features, offered and required by both: all 4,096 but those that make no sense. */
Test(wire, every_pair_of_feature_sets_has_the_answer_of_its_definition)
{
    for (uint64_t all = 0; all < 1 << 12; all++) {
        uint64_t a_offers = all & 7, a_requires = all >> 3 & 7;
        uint64_t b_offers = all >> 6 & 7, b_requires = all >> 9 & 7;
        struct lam_endpoint_terms terms = {.features_offered = a_offers << 61,
            .features_required = a_requires << 61,
            .depth_max = 1024,
            .cell_bytes_max = 64};
        struct lam_endpoint_hello hello = {.wire_min = 0,
            .wire_max = 7,
            .features_offered = b_offers << 61,
            .features_required = b_requires << 61};
        struct lam_endpoint_welcome welcome;
        struct lam_endpoint_refused refused;
        int rc;

        if ((a_requires & ~a_offers) != 0 || (b_requires & ~b_offers) != 0)
            continue;
        rc = lam_endpoint_negotiate(&terms, &hello, &welcome, &refused);
        if ((b_requires & ~a_offers) != 0 || (a_requires & ~b_offers) != 0) {
            cr_assert(eq(int, rc, -EPROTO));
            cr_assert(eq(int, (int)refused.code, LAM_ENDPOINT_MISMATCH));
            cr_assert(eq(int, (int)refused.field,
                (b_requires & ~a_offers) != 0 ? LAM_ENDPOINT_FIELD_FEATURES_REQUIRED
                                              : LAM_ENDPOINT_FIELD_FEATURES_OFFERED));
        } else {
            cr_assert(eq(int, rc, 0));
            cr_assert(eq(u64, welcome.features, (a_offers & b_offers) << 61));
        }
    }
}

static int geometry(struct lam_endpoint_hello hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    struct lam_endpoint_terms terms = {.depth = 256,
        .depth_max = 1024,
        .cell_bytes = 64,
        .cell_bytes_max = 128,
        .message_bytes_max = 5000,
        .type_hash = 7,
        .lanes = 3};

    hello.wire_min = hello.wire_max = 1;
    return lam_endpoint_negotiate(&terms, &hello, welcome, refused);
}

Test(wire, geometry_is_what_was_asked_for_within_bounds)
{
    struct lam_endpoint_hello hello = {.depth = 0};
    struct lam_endpoint_welcome welcome;
    struct lam_endpoint_refused refused;

    cr_assert(eq(int, geometry(hello, &welcome, &refused), 0));
    cr_assert(eq(u64, welcome.depth, 256));
    cr_assert(eq(u32, welcome.cell_bytes, 64));
    cr_assert(eq(u64, welcome.message_bytes_max, 5000));
    hello = (struct lam_endpoint_hello){.depth = 1024, .cell_bytes = 128, .message_bytes_max = 9};
    cr_assert(eq(int, geometry(hello, &welcome, &refused), 0));
    cr_assert(eq(u64, welcome.depth, 1024));
    cr_assert(eq(u32, welcome.cell_bytes, 128));
    cr_assert(eq(u64, welcome.message_bytes_max, 9));
    hello.depth = 2048;
    cr_assert(eq(int, geometry(hello, &welcome, &refused), -EMSGSIZE));
    cr_assert(eq(int, (int)refused.field, LAM_ENDPOINT_FIELD_DEPTH));
    hello = (struct lam_endpoint_hello){.cell_bytes = 256};
    cr_assert(eq(int, geometry(hello, &welcome, &refused), -EMSGSIZE));
    hello = (struct lam_endpoint_hello){.message_bytes_max = 5001};
    cr_assert(eq(int, geometry(hello, &welcome, &refused), -EMSGSIZE));
    hello = (struct lam_endpoint_hello){.type_hash = 8};
    cr_assert(eq(int, geometry(hello, &welcome, &refused), -EPROTOTYPE));
    hello = (struct lam_endpoint_hello){.type_hash = 7};
    cr_assert(eq(int, geometry(hello, &welcome, &refused), 0));
}

Test(wire, an_impossible_welcome_is_refused)
{
    static const struct {
        uint32_t at;
        uint8_t value;
        int field;
    } wrongs[] = {{60, 1, LAM_ENDPOINT_FIELD_EXTENSIONS}, {61, 4, LAM_ENDPOINT_FIELD_PRESSURE},
        {62, 1, LAM_ENDPOINT_FIELD_BYTES}, {152, 1, LAM_ENDPOINT_FIELD_BYTES}};
    struct lam_endpoint_welcome welcome = {.wire = 1, .depth = 64, .cell_bytes = 64, .lanes = 3};
    struct lam_endpoint_refused refused;
    uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES];

    for (uint32_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        struct lam_endpoint_welcome read;

        lam_endpoint_write_welcome(&welcome, bytes);
        cr_assert(eq(int, lam_endpoint_read_welcome(bytes, &read, &refused), 0));
        bytes[wrongs[i].at] = wrongs[i].value;
        cr_assert(eq(int, lam_endpoint_read_welcome(bytes, &read, &refused), -EPROTO));
        cr_assert(eq(int, (int)refused.field, wrongs[i].field));
    }
}

/* All sets that one side offers and requires against all of the other, and who minds pressure. */
Test(wire, extensions_are_shared_and_pressure_is_minded_or_it_is_refused)
{
    for (uint32_t i = 0; i < 1U << 12; i++) {
        uint8_t a_offers = i << 1 & 6, b_offers = i >> 1 & 6;
        uint8_t a_requires = i >> 3 & a_offers, b_requires = i >> 5 & b_offers;
        uint8_t a_minds = i >> 8 & 1, b_minds = i >> 9 & 1;
        uint8_t a_must = i >> 10 & 1, b_must = i >> 11 & 1;
        struct lam_endpoint_terms terms = {.extensions_offered = a_offers,
            .extensions_required = a_requires,
            .pressure = a_minds,
            .pressure_required = a_must};
        struct lam_endpoint_hello hello = {.wire_min = 1,
            .wire_max = 1,
            .extensions_offered = b_offers,
            .extensions_required = b_requires,
            .pressure = b_minds,
            .flags = b_must ? LAM_ENDPOINT_NEEDS_PRESSURE : 0};
        struct lam_endpoint_refused refused = {.field = LAM_ENDPOINT_FIELD_NONE};
        struct lam_endpoint_welcome welcome;
        int rc = lam_endpoint_negotiate(&terms, &hello, &welcome, &refused);

        if ((a_requires & ~b_offers) != 0 || (b_requires & ~a_offers) != 0) {
            cr_assert(eq(int, rc, -EPROTO));
            cr_assert(eq(int, (int)refused.field, LAM_ENDPOINT_FIELD_EXTENSIONS));
        } else if (a_must > b_minds || b_must > a_minds) {
            cr_assert(eq(int, rc, -EPROTO));
            cr_assert(eq(int, (int)refused.field, LAM_ENDPOINT_FIELD_PRESSURE));
        } else {
            cr_assert(eq(int, rc, 0));
            cr_assert(eq(int, welcome.extensions, a_offers &b_offers));
            cr_assert(eq(int, welcome.pressure, a_minds));
        }
    }
}

Test(wire, another_wire_is_refused)
{
    struct lam_endpoint_terms terms = {.depth_max = 1024, .cell_bytes_max = 64};
    struct lam_endpoint_hello hello = {.wire_min = 2, .wire_max = 9};
    struct lam_endpoint_welcome welcome;
    struct lam_endpoint_refused refused;

    cr_assert(eq(int, lam_endpoint_negotiate(&terms, &hello, &welcome, &refused), -EPROTO));
    cr_assert(eq(int, (int)refused.field, LAM_ENDPOINT_FIELD_WIRE));
    hello.wire_min = hello.wire_max = 0;
    cr_assert(eq(int, lam_endpoint_negotiate(&terms, &hello, &welcome, &refused), -EPROTO));
}

Test(wire, each_error_has_its_word)
{
    cr_assert(eq(str, (char *)lam_framed_error_name(0, 1), "full"));
    cr_assert(eq(str, (char *)lam_framed_error_name(0, 0), "ok"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-EPIPE, 0), "disconnected"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-ENOTCONN, 0), "disconnected"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-EOWNERDEAD, 0), "died"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-ETIMEDOUT, 0), "timeout"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-EMSGSIZE, 0), "too large"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-EPROTO, 0), "protocol mismatch"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-ENOTRECOVERABLE, 1), "poisoned"));
    cr_assert(eq(str, (char *)lam_framed_error_name(-EIO, 1), "error"));
}

Test(wire, each_field_has_a_name)
{
    for (int field = 0; field <= LAM_ENDPOINT_FIELD_PRESSURE; field++) {
        const char *name = lam_endpoint_field_name((enum lam_endpoint_field)field);

        cr_assert(name != NULL && strcmp(name, "unknown") != 0, "%d", field);
    }
    cr_assert(eq(str, (char *)lam_endpoint_field_name((enum lam_endpoint_field)99), "unknown"));
}
