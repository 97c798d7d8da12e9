/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.c: requests and answers that are larger than a message, and clients that begin what they
 * do not end, say what makes no sense, or die midway.
 */
#include <errno.h>

#include "messages/vectors.h"
#include "remote/raw.h"
#include "remote/stage.h"

#define VERSION 0x10003u
#define CHUNK   (UINT64_C(64) << 10)
#define LARGEST (UINT64_C(9) << 20) /* of one client's streams */
#define MIB     (UINT64_C(1) << 20)

static const struct lam_remote_options host_options = {
    .threads = 2, .clients_max = 6, .stream_bytes_max = LARGEST};

/* "echo" answers its kind, then what came. */
static void echo(struct lam_remote *remote, uint64_t bytes)
{
    uint8_t *request = malloc(bytes + 1), *answer = malloc(bytes + 1);
    struct lam_module_reply reply = {.data = answer, .capacity = bytes + 1};
    int rc;

    TEST_CHECK(request != NULL && answer != NULL);
    for (uint64_t at = 0; at < bytes; at++)
        request[at] = (uint8_t)(at * 31 + (at >> 16));
    rc = lam_remote_call(remote, "many", "echo", request, bytes, &reply, stage_soon());
    if (rc != 0)
        printf("%lu bytes: %d, %s\n", (unsigned long)bytes, rc, lam_remote_why(remote));
    TEST_CHECK(rc == 0 && reply.failure == LAM_FAILURE_NONE);
    TEST_CHECK(reply.bytes == bytes + 1 && memcmp(answer + 1, request, bytes) == 0);
    free(request);
    free(answer);
}

static void what_is_of_any_size_comes_as_it_was_sent(void)
{
    struct stage_host host = stage_begin(&host_options);
    struct lam_remote *remote = stage_connect(0);
    static const uint64_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MIB - 1, MIB, MIB + 1,
        MIB + CHUNK - 1, MIB + CHUNK, MIB + CHUNK + 1, 4 * MIB - 1};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        echo(remote, sizes[i]);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static int call_with(struct lam_remote *remote, uint64_t bytes, uint64_t capacity, uint64_t *needed)
{
    uint8_t *request = calloc(1, bytes), *answer = malloc(capacity);
    struct lam_module_reply reply = {.data = answer, .capacity = capacity};
    int rc;

    TEST_CHECK(request != NULL && answer != NULL);
    rc = lam_remote_call(remote, "many", "echo", request, bytes, &reply, stage_soon());
    *needed = reply.bytes;
    free(request);
    free(answer);
    return rc;
}

static void what_is_above_a_clients_share_is_refused(void)
{
    struct stage_host host = stage_begin(&host_options);
    struct lam_remote *remote = stage_connect(0);
    uint64_t needed;

    TEST_CHECK(call_with(remote, LARGEST + 1, 16, &needed) == -EDQUOT);
    TEST_CHECK(call_with(remote, 2 * MIB, 2 * MIB, &needed) == -ENOSPC && needed == 2 * MIB + 1);
    /* Its room is what the request left, and none of that is kept. */
    TEST_CHECK(call_with(remote, 8 * MIB, 8 * MIB + 1, &needed) == -EMSGSIZE);
    echo(remote, 4 * MIB);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void without_the_hosts_leave_nothing_is_streamed(void)
{
    struct lam_remote_options options = {.threads = 1};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = stage_connect(0);
    uint64_t needed;

    TEST_CHECK(call_with(remote, 2 * MIB, 16, &needed) == -EMSGSIZE);
    stage_all_is_well(remote);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

/* ---- by hand ---- */

static uint32_t code; /* of the last error; 0: there was none */

static struct lam_protocol_stream ask_stream(
    struct raw *raw, struct lam_protocol_stream asked, const uint8_t *data)
{
    static uint8_t bytes[CHUNK + 512], answer[CHUNK + 512];
    struct lam_protocol_message message = {
        .header = {.type = LAM_PROTOCOL_STREAM, .request_id = 3}};
    struct lam_protocol_stream now = {.total_bytes = 0};
    uint64_t count = 0;

    message.body.stream = asked;
    message.body.stream.data.data = data;
    TEST_CHECK(lam_protocol_write_message(&message, bytes, sizeof(bytes), &count) == 0);
    TEST_CHECK(raw_ask(raw, bytes, count, answer, sizeof(answer), &count) == 0);
    TEST_OK(lam_protocol_read_message(&message, answer, count, &stage_error), stage_error);
    code = message.header.type == LAM_PROTOCOL_ERROR ? message.body.error.code : 0;
    if (code == 0)
        TEST_OK(
            lam_protocol_read_stream(&now, message.body.response.data, &stage_error), stage_error);
    return now;
}

static struct raw *connect_raw(uint32_t features)
{
    struct raw *raw = raw_connect(stage_folder, VERSION);
    struct lam_protocol_message message = {
        .header = {.type = LAM_PROTOCOL_NEGOTIATE, .request_id = 1},
        .body.negotiate = {.versions = {{1, 3, features}}, .count = 1}};
    uint8_t bytes[128];
    uint64_t count;

    TEST_CHECK(raw != NULL);
    TEST_CHECK(lam_protocol_write_message(&message, bytes, sizeof(bytes), &count) == 0);
    TEST_CHECK(raw_ask(raw, bytes, count, bytes, sizeof(bytes), &count) == 0);
    return raw;
}

static const uint8_t zeros[CHUNK];

/* Room for @total bytes in the host. */
static struct lam_protocol_stream begin(struct raw *raw, uint64_t total)
{
    struct lam_protocol_stream now = ask_stream(raw,
        (struct lam_protocol_stream){
            .total_bytes = total, .mode = LAM_PROTOCOL_STREAM_PUSH, .chunk_bytes = CHUNK},
        zeros);

    now.state = LAM_PROTOCOL_STREAM_TRANSFERRING;
    now.data.bytes = total < CHUNK ? total : CHUNK;
    return now; /* its first chunk, as it is to be asked */
}

/* A stream of two chunks, whose first one is there, goes on with @next: which is refused. */
static void expect_bad(struct raw *raw, struct lam_protocol_stream next, uint32_t expected)
{
    struct lam_protocol_stream asked = begin(raw, 2 * CHUNK);

    TEST_CHECK(code == 0 && asked.chunk_bytes == CHUNK);
    (void)ask_stream(raw, asked, zeros);
    TEST_CHECK(code == 0);
    memcpy(next.id, asked.id, 16);
    (void)ask_stream(raw, next, zeros);
    if (code != expected)
        printf("error %u, expected %u\n", code, expected);
    TEST_CHECK(code == expected);
    asked.offset = CHUNK; /* what would have been right comes too late */
    asked.flags = LAM_PROTOCOL_CHUNK_LAST;
    (void)ask_stream(raw, asked, zeros);
    TEST_CHECK(code == LAM_PROTOCOL_NO_STREAM);
}

static void chunks_that_make_no_sense_cost_their_stream(void)
{
    struct stage_host host = stage_begin(&host_options);
    struct raw *raw = connect_raw(LAM_PROTOCOL_STREAMING), *other;
    struct lam_protocol_stream good = {.state = LAM_PROTOCOL_STREAM_TRANSFERRING,
                                   .offset = CHUNK,
                                   .flags = LAM_PROTOCOL_CHUNK_LAST,
                                   .data = {NULL, CHUNK}},
                               bad = good;

    bad.offset = 0; /* again */
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad.offset = UINT64_MAX - 1;
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad = good;
    bad.data.bytes = CHUNK - 1;
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad = good;
    bad.data.bytes = 0;
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    for (bad = good, bad.flags = 0; bad.flags <= LAM_PROTOCOL_CHUNK_FLAGS; bad.flags++)
        if (bad.flags != LAM_PROTOCOL_CHUNK_LAST)
            expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad = good;
    bad.mode = LAM_PROTOCOL_STREAM_PULL; /* what it gives itself */
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad.state = LAM_PROTOCOL_STREAM_COMPLETE;
    expect_bad(raw, bad, LAM_PROTOCOL_BAD_CHUNK);
    bad.state = LAM_PROTOCOL_STREAM_FAILED; /* in order */
    expect_bad(raw, bad, 0);
    bad = begin(raw, CHUNK);
    other = connect_raw(LAM_PROTOCOL_STREAMING); /* who knows the id has not the stream */
    (void)ask_stream(other, bad, zeros);
    TEST_CHECK(code == LAM_PROTOCOL_NO_STREAM);
    raw_disconnect(other);
    raw_disconnect(raw);
    raw = connect_raw(0);
    (void)begin(raw, CHUNK);
    TEST_CHECK(code == LAM_PROTOCOL_NOT_ALLOWED);
    raw_disconnect(raw);
    stage_end(&host);
}

static void who_never_ends_has_its_share_and_no_more(void)
{
    struct stage_host host = stage_begin(&host_options);
    struct raw *raw = connect_raw(LAM_PROTOCOL_STREAMING);
    struct lam_remote *remote = stage_connect(0);
    struct lam_protocol_stream large;

    for (unsigned i = 0; i < 4; i++) {
        (void)begin(raw, 1);
        TEST_CHECK(code == 0);
    }
    (void)begin(raw, 1);
    TEST_CHECK(code == LAM_PROTOCOL_OVER_QUOTA); /* too many */
    echo(remote, 2 * MIB);
    raw_disconnect(raw);
    raw = connect_raw(LAM_PROTOCOL_STREAMING);
    large = begin(raw, LARGEST);
    TEST_CHECK(code == 0);
    (void)begin(raw, 1);
    TEST_CHECK(code == LAM_PROTOCOL_OVER_QUOTA); /* too much */
    echo(remote, 2 * MIB);
    large.state = LAM_PROTOCOL_STREAM_FAILED;
    large.data.bytes = 0;
    (void)ask_stream(raw, large, zeros);
    (void)begin(raw, 0);
    TEST_CHECK(code == LAM_PROTOCOL_BAD_CHUNK);
    (void)begin(raw, UINT64_MAX);
    TEST_CHECK(code == LAM_PROTOCOL_OVER_QUOTA);
    (void)begin(raw, LARGEST);
    TEST_CHECK(code == 0);
    raw_disconnect(raw);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void what_is_not_moved_in_time_is_gone(void)
{
    struct lam_remote_options options = host_options;
    struct stage_host host;
    struct raw *raw;
    struct lam_protocol_stream asked;
    uint64_t until_ns = stage_soon();

    options.stream_ns = 50 * LAM_NS_PER_MS;
    host = stage_begin(&options);
    raw = connect_raw(LAM_PROTOCOL_STREAMING);
    asked = begin(raw, LARGEST);
    TEST_CHECK(code == 0 && asked.expires_ns != UINT64_MAX);
    do {
        (void)begin(raw, LARGEST); /* its share is free when that has gone */
        TEST_CHECK(lam_clock_now_ns() < until_ns);
    } while (code != 0);
    TEST_CHECK(lam_clock_now_ns() >= asked.expires_ns);
    (void)ask_stream(raw, asked, zeros);
    TEST_CHECK(code == LAM_PROTOCOL_NO_STREAM);
    raw_disconnect(raw);
    stage_end(&host);
}

/* Begins all that it may, tells @fd, and ends nothing. */
static _Noreturn void begin_and_wait(int fd)
{
    struct raw *raw = connect_raw(LAM_PROTOCOL_STREAMING);

    for (unsigned i = 0; i < 4; i++) {
        (void)ask_stream(raw, begin(raw, 2 * MIB), zeros);
        TEST_CHECK(code == 0);
    }
    (void)!write(fd, ".", 1);
    for (;;)
        (void)pause();
}

/* More of them die than the host has places for streams. */
static void who_dies_midway_leaves_nothing(void)
{
    struct stage_host host = stage_begin(&host_options);
    struct lam_remote *remote = stage_connect(0);

    for (unsigned i = 0; i < 8; i++) {
        int told[2];
        pid_t child;
        char byte;

        TEST_CHECK(pipe(told) == 0);
        child = test_fork();
        if (child == 0) {
            (void)close(told[0]);
            begin_and_wait(told[1]);
        }
        (void)close(told[1]);
        TEST_CHECK(read(told[0], &byte, 1) == 1);
        test_kill(child);
        (void)close(told[0]);
        echo(remote, 2 * MIB);
    }
    lam_remote_disconnect(remote);
    stage_end(&host);
}

int main(void)
{
    stage_open_folder();
    what_is_of_any_size_comes_as_it_was_sent();
    what_is_above_a_clients_share_is_refused();
    without_the_hosts_leave_nothing_is_streamed();
    chunks_that_make_no_sense_cost_their_stream();
    who_never_ends_has_its_share_and_no_more();
    what_is_not_moved_in_time_is_gone();
    who_dies_midway_leaves_nothing();
    stage_close_folder();
    return 0;
}
