/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_messages.c: the bodies of memlink's protocol, beside bytes that another library wrote.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "messages/vectors.h"

static struct lam_error error;

TestSuite(messages, .timeout = 60);

static int is_view(struct lam_protocol_view view, const char *text)
{
    return view.bytes == strlen(text) && memcmp(view.data, text, view.bytes) == 0;
}

static void read_whole(const char *name, struct lam_protocol_message *message)
{
    static struct vector vector; /* what was read lies in there */

    vector = vector_of(name);
    cr_assert(eq(int, lam_protocol_read_message(message, vector.bytes, vector.count, &error), 0),
        "%s: %s", name, error.text);
}

Test(messages, each_is_written_as_another_library_writes_it)
{
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        struct vector vector = vector_of(known[i].name);
        struct lam_protocol_message message = known[i].message;
        uint8_t room[1024];
        uint64_t bytes = 0;

        cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), 0),
            "%s", known[i].name);
        cr_assert(eq(u64, bytes, vector.count), "%s", known[i].name);
        cr_assert(memcmp(room, vector.bytes, bytes) == 0, "%s", known[i].name);
        cr_assert(eq(u32, message.header.body_bytes, (uint32_t)bytes - 32));
    }
}

Test(messages, each_is_read_as_it_was_written)
{
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        struct vector vector = vector_of(known[i].name);
        struct lam_protocol_message message;
        uint8_t room[1024];
        uint64_t bytes = 0;

        cr_assert(
            eq(int, lam_protocol_read_message(&message, vector.bytes, vector.count, &error), 0),
            "%s: %s", known[i].name, error.text);
        cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), 0));
        cr_assert(
            bytes == vector.count && memcmp(room, vector.bytes, bytes) == 0, "%s", known[i].name);
    }
}

Test(messages, a_request_is_read_without_copying)
{
    struct vector vector = vector_of("request");
    struct lam_protocol_message message;
    const struct lam_protocol_request *request = &message.body.request;
    const struct lam_protocol_view *views[] = {&request->module, &request->method, &request->args};

    cr_assert(eq(int, lam_protocol_read_message(&message, vector.bytes, vector.count, &error), 0));
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *at = views[i]->data;

        cr_assert(at > vector.bytes + 32 && at + views[i]->bytes < vector.bytes + vector.count);
    }
    cr_assert(is_view(request->module, "math") && is_view(request->method, "add"));
    cr_assert(eq(u64, request->args.bytes, 4));
    cr_assert(request->trace[15] == 15 && request->deadline_ns == 123456789012);
    cr_assert(request->priority == LAM_PROTOCOL_HIGH && request->reply_capacity == 4096);
    cr_assert(eq(u64, request->span, 77));
    cr_assert(eq(u64, message.header.request_id, 7));
    cr_assert(eq(u32, message.header.method_id, LAM_METHOD_ID("add")));
}

Test(messages, memlinks_elements_are_enough_and_later_ones_are_passed_over)
{
    struct lam_protocol_message message;

    read_whole("request_memlinks", &message);
    cr_assert(is_view(message.body.request.method, "add"));
    cr_assert(message.body.request.priority == LAM_PROTOCOL_NORMAL);
    cr_assert(eq(u64, message.body.request.reply_capacity, UINT64_MAX));
    cr_assert(eq(u64, message.body.request.deadline_ns, UINT64_MAX));
    cr_assert(eq(u32, message.body.request.flags, 0));
    read_whole("request_later", &message);
    cr_assert(message.body.request.priority == LAM_PROTOCOL_LOW);
    cr_assert(eq(u64, message.body.request.span, 2));
    read_whole("response_memlinks", &message);
    cr_assert(message.body.response.status == LAM_PROTOCOL_BACKPRESSURE);
    cr_assert(eq(u64, message.body.response.data.bytes, 300));
    cr_assert(eq(int, message.body.response.result, 0));
    read_whole("error_memlinks", &message);
    cr_assert(eq(u64, message.body.error.retry_after_ms, LAM_PROTOCOL_NO_RETRY));
    cr_assert(is_view(message.body.error.text, "late"));
    read_whole("error_now", &message);
    cr_assert(eq(u64, message.body.error.retry_after_ms, 0)); /* now is not never */
    read_whole("stream_memlinks", &message);
    cr_assert(message.body.stream.total_bytes == 7 && message.body.stream.chunk_bytes == 4096);
    cr_assert(message.body.stream.flags == 0 && message.body.stream.data.bytes == 0);
    read_whole("heartbeat", &message);
    cr_assert(eq(u64, message.body.health.module.bytes, 0));
}

Test(messages, what_a_response_carries_is_read_as_it_was_written)
{
    struct lam_protocol_negotiation negotiation = {.versions = {{1, 2, 3}}, .count = 1};
    struct lam_protocol_health_report health = {
        .state = LAM_PROTOCOL_UNREADY, .detail = -5, .text = VIEW("not yet")};
    struct lam_protocol_module modules[2] = {
        {.name = VIEW("text"), .version = {2, 1, 3, 0}, .phase = 1, .calls = 3, .generation = 9},
        {.version = {0, 0, UINT16_MAX, 0}, .draining = 4, .generation = UINT64_MAX}};
    struct lam_protocol_stats_report stats = {
        .modules = modules, .module_count = 2, .text = VIEW("# HELP\n")};
    struct vector vector = vector_of("negotiation");
    struct lam_protocol_view data = {vector.bytes, vector.count};
    struct lam_protocol_module module;
    uint8_t room[1024];
    uint64_t bytes;

    cr_assert(eq(int, lam_protocol_write_negotiation(&negotiation, room, sizeof(room), &bytes), 0));
    cr_assert(bytes == vector.count && memcmp(room, vector.bytes, bytes) == 0);
    cr_assert(eq(int, lam_protocol_read_negotiation(&negotiation, data, &error), 0));
    cr_assert(negotiation.count == 1 && negotiation.versions[0].minor == 2);
    vector = vector_of("health_report");
    cr_assert(eq(int, lam_protocol_write_health_report(&health, room, sizeof(room), &bytes), 0));
    cr_assert(bytes == vector.count && memcmp(room, vector.bytes, bytes) == 0);
    data.bytes = vector.count;
    cr_assert(eq(int, lam_protocol_read_health_report(&health, data, &error), 0));
    cr_assert(health.state == LAM_PROTOCOL_UNREADY && health.detail == -5);
    vector = vector_of("module");
    cr_assert(eq(int, lam_protocol_write_module(&modules[0], room, sizeof(room), &bytes), 0));
    cr_assert(bytes == vector.count && memcmp(room, vector.bytes, bytes) == 0);
    data.bytes = vector.count;
    cr_assert(eq(int, lam_protocol_read_module(&module, data, &error), 0));
    cr_assert(is_view(module.name, "text") && module.version.patch == 3 && module.calls == 3);
    vector = vector_of("stats_report");
    cr_assert(eq(int, lam_protocol_write_stats_report(&stats, room, sizeof(room), &bytes), 0));
    cr_assert(bytes == vector.count && memcmp(room, vector.bytes, bytes) == 0);
    data.bytes = vector.count;
    cr_assert(eq(int, lam_protocol_read_stats_report(&stats, data, &error), 0), "%s", error.text);
    cr_assert(stats.module_count == 2 && is_view(stats.text, "# HELP\n"));
    cr_assert(eq(int, lam_protocol_next_module(&stats.packed, &module), 1));
    cr_assert(is_view(module.name, "text") && module.generation == 9);
    cr_assert(eq(int, lam_protocol_next_module(&stats.packed, &module), 1));
    cr_assert(module.version.patch == UINT16_MAX && module.draining == 4);
    cr_assert(eq(int, lam_protocol_next_module(&stats.packed, &module), 0));
}

/* Whatever it is, it may not crash; and what is taken can be written, and is taken again. */
static int take(const uint8_t *bytes, uint64_t count)
{
    struct lam_protocol_message message, again;
    uint8_t room[2048];
    uint64_t written;
    uint8_t *exact = malloc(count + 1); /* its end is seen by a sanitizer */
    int rc;

    memcpy(exact, bytes, count);
    rc = lam_protocol_read_message(&message, exact, count, &error);
    if (rc == 0) {
        cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &written), 0));
        cr_assert(eq(int, lam_protocol_read_message(&again, room, written, &error), 0));
    }
    free(exact);
    return rc;
}

Test(messages, one_cut_short_is_refused_wherever_it_is_cut)
{
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        struct vector vector = vector_of(known[i].name);

        for (uint64_t count = 0; count < vector.count; count++) {
            cr_assert(take(vector.bytes, count) < 0);
            if (count < 32)
                continue;
            lam_protocol_put(vector.bytes + 28, count - 32, 4); /* the header says so, too */
            if (known[i].message.header.type != LAM_PROTOCOL_HEALTH || count > 32)
                cr_assert(eq(int, take(vector.bytes, count), -EBADMSG), "%s", known[i].name);
        }
        lam_protocol_put(vector.bytes + 28, vector.count - 31, 4);
        cr_assert(eq(int, take(vector.bytes, vector.count + 1), -EBADMSG)); /* one byte more */
    }
}

Test(messages, any_byte_may_be_any_other)
{
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        struct vector vector = vector_of(known[i].name);

        for (uint64_t at = 0; at < vector.count; at++) {
            uint8_t was = vector.bytes[at];

            for (unsigned byte = 0; byte < 256; byte++) {
                vector.bytes[at] = (uint8_t)byte;
                (void)take(vector.bytes, vector.count);
            }
            vector.bytes[at] = was;
        }
    }
}

Test(messages, too_little_room_is_told_how_much_it_takes)
{
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        struct vector vector = vector_of(known[i].name);
        struct lam_protocol_message message = known[i].message;
        uint64_t bytes = 0;

        cr_assert(eq(int, lam_protocol_write_message(&message, NULL, 0, &bytes), 0));
        cr_assert(eq(u64, bytes, vector.count));
        for (uint64_t capacity = 0; capacity < vector.count; capacity++) {
            uint8_t *room = malloc(capacity + 1);

            room[capacity] = 0x5a;
            cr_assert(
                eq(int, lam_protocol_write_message(&message, room, capacity, &bytes), -ENOSPC));
            cr_assert(eq(u64, bytes, vector.count));
            cr_assert(room[capacity] == 0x5a);
            free(room);
        }
    }
}

Test(messages, bytes_go_as_bytes)
{
    static uint8_t args[100 << 10], room[101 << 10];
    struct lam_protocol_message message = known[0].message;
    uint64_t bytes;

    memset(args, 0xab, sizeof(args));
    message.body.request.args = (struct lam_protocol_view){args, sizeof(args)};
    cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), 0));
    cr_assert(bytes < sizeof(args) + 100);
}

Test(messages, a_body_above_64_mib_is_refused_before_anything_is_read)
{
    struct lam_protocol_message message = known[0].message;
    struct vector vector = vector_of("request");
    uint64_t bytes;

    message.body.request.args = (struct lam_protocol_view){NULL, UINT64_C(1) << 40};
    cr_assert(eq(int, lam_protocol_write_message(&message, NULL, 0, &bytes), -EMSGSIZE));
    message.body.request.args.bytes = LAM_PROTOCOL_BODY_BYTES_MAX;
    cr_assert(eq(int, lam_protocol_write_message(&message, NULL, 0, &bytes), -EMSGSIZE));
    lam_protocol_put(vector.bytes + 28, LAM_PROTOCOL_BODY_BYTES_MAX + 1, 4);
    cr_assert(
        eq(int, lam_protocol_read_message(&message, vector.bytes, vector.count, NULL), -EMSGSIZE));
    cr_assert(lam_protocol_error_of(-EMSGSIZE) == LAM_PROTOCOL_PAYLOAD_TOO_LARGE);
}

Test(messages, numbers_outside_their_range_are_refused_both_ways)
{
    struct lam_protocol_message message = known[0].message;
    struct vector vector = vector_of("request");
    uint8_t room[1024];
    uint64_t bytes;

    message.body.request.priority = (enum lam_protocol_priority)4;
    cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), -EINVAL));
    vector.bytes[vector.count - 7] = 4; /* its priority */
    cr_assert(eq(int, take(vector.bytes, vector.count), -EBADMSG));
    cr_assert(strstr(error.text, "priority: it is too large") != NULL, "%s", error.text);
    message = (struct lam_protocol_message){.header = {.type = LAM_PROTOCOL_NEGOTIATE}};
    cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), -EINVAL));
    message.body.negotiate.count = LAM_PROTOCOL_VERSIONS_MAX + 1;
    cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), -EINVAL));
    message.header.type = 5;
    cr_assert(eq(int, lam_protocol_write_message(&message, room, sizeof(room), &bytes), -EINVAL));
}

Test(messages, more_versions_than_there_may_be_are_refused)
{
    static const uint8_t ten[] = {0x91, 0x9a, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1,
        0, 0, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1, 0, 0, 0x93, 1, 0,
        0};
    struct lam_protocol_negotiation negotiation;
    struct lam_protocol_view data = {ten, sizeof(ten)};

    cr_assert(eq(int, lam_protocol_read_negotiation(&negotiation, data, &error), -EBADMSG));
    cr_assert(strstr(error.text, "too many") != NULL, "%s", error.text);
}

Test(messages, both_sides_agree_on_the_highest_common_version_and_what_it_has)
{
    struct lam_protocol_negotiation ours = {
        .versions = {{1, 1, 15}, {1, 3, 15}, {2, 0, 0}}, .count = 3};
    struct lam_protocol_negotiation theirs = {.versions = {{1, 2, 13}}, .count = 1};
    struct lam_protocol_version agreed;

    cr_assert(eq(int, lam_protocol_negotiate(&ours, &theirs, &agreed), 0));
    cr_assert(agreed.major == 1 && agreed.minor == 2);
    cr_assert(eq(u32, agreed.features, LAM_PROTOCOL_STREAMING)); /* 1.2 has no more of 13 */
    theirs.versions[0] = (struct lam_protocol_version){1, 7, 12};
    cr_assert(eq(int, lam_protocol_negotiate(&ours, &theirs, &agreed), 0));
    cr_assert(agreed.minor == 3 && agreed.features == 12);
    theirs.versions[0] = (struct lam_protocol_version){1, 0, 15};
    cr_assert(eq(int, lam_protocol_negotiate(&ours, &theirs, &agreed), 0));
    cr_assert(agreed.minor == 0 && agreed.features == 0);
    theirs.versions[1] = (struct lam_protocol_version){2, 9, 0};
    theirs.count = 2;
    cr_assert(eq(int, lam_protocol_negotiate(&ours, &theirs, &agreed), 0));
    cr_assert(agreed.major == 2 && agreed.minor == 0);
    theirs = (struct lam_protocol_negotiation){.versions = {{3, 0, 0}}, .count = 1};
    cr_assert(eq(int, lam_protocol_negotiate(&ours, &theirs, &agreed), -EPROTONOSUPPORT));
}

Test(messages, errors_are_told_apart_and_classed)
{
    static const char *const names[] = {"InvalidMagic", "UnsupportedVersion", "InvalidMessageType",
        "PayloadTooLarge", "ChecksumMismatch", "SerializationFailed", "BufferOverflow",
        "InvalidHeader", "InvalidRequestId", "UnknownModule", "UnknownMethod", "Timeout",
        "ConnectionClosed", "QuotaExceeded"};
    static const unsigned classes[] = {6, 4, 0, 0, 2, 0, 1, 2, 0, 0, 0, 1, 0, 1};

    for (unsigned i = 0; i < 14; i++) {
        cr_assert(eq(
            str, (char *)(uintptr_t)lam_protocol_error_name(i + 1), (char *)(uintptr_t)names[i]));
        cr_assert(eq(u32, lam_protocol_error_class(i + 1), classes[i]));
    }
    cr_assert(eq(str, (char *)(uintptr_t)lam_protocol_error_name(15), (char *)"Unknown"));
    cr_assert(eq(str, (char *)(uintptr_t)lam_protocol_error_name(64), (char *)"NotAllowed"));
}
