/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sizes.c: a request or an answer that is larger than something allows is an error that says which
 * bound that is, whose, and what to do; the connection goes on.
 */
#include <errno.h>

#include "remote/raw.h"
#include "remote/stage.h"

#define KIB     (UINT64_C(1) << 10)
#define MIB     (UINT64_C(1) << 20)
#define STREAMS (UINT64_C(72) * MIB)

static struct lam_remote *connect_with(uint64_t bytes_max)
{
    struct lam_remote_client_options options = {.directory = stage_folder, .bytes_max = bytes_max};
    struct lam_remote *remote;

    TEST_OK(lam_remote_connect(&remote, &options, stage_soon(), &stage_error), stage_error);
    return remote;
}

/* "echo" of @module with so many bytes, and so much room, fails so, with all of @words. */
static void expect(struct lam_remote *remote, const char *module, uint64_t bytes, uint64_t room,
    int rc, const char *const words[3])
{
    uint8_t *request = calloc(1, bytes), *answer = malloc(room);
    struct lam_module_reply reply = {.data = answer, .capacity = room};
    const char *why;
    int got;

    TEST_CHECK(request != NULL && answer != NULL);
    got = lam_remote_call(remote, module, "echo", request, bytes, &reply, stage_soon());
    why = lam_remote_why(remote);
    if (got != rc || reply.failure != LAM_FAILURE_REMOTE)
        printf("%d, failure %u: %s\n", got, reply.failure, why);
    TEST_CHECK(got == rc && reply.failure == LAM_FAILURE_REMOTE && reply.bytes == 0);
    for (unsigned i = 0; i < 3; i++) {
        if (strstr(why, words[i]) == NULL)
            printf("no \"%s\" in: %s\n", words[i], why);
        TEST_CHECK(strstr(why, words[i]) != NULL);
    }
    free(request);
    free(answer);
    stage_all_is_well(remote);
}

static void of_a_request_it_is_told_whose_bound_it_is_above(void)
{
    struct lam_remote_options options = {.threads = 1};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = connect_with(8 * MIB);

    expect(remote, "many", 2 * MIB, 16, -EMSGSIZE,
        (const char *[]){"the request has 2097152 bytes, and the host takes 1048576",
            "serve: {bytes: ...}", "streams"});
    lam_remote_disconnect(remote);
    remote = connect_with(100 * KIB);
    expect(remote, "many", 101 * KIB, 16, -EMSGSIZE,
        (const char *[]){
            "the request has 103424 bytes", "bytes_max of this connection is 102400", "streams"});
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void of_an_answer_it_is_told_whose_bound_it_is_above(void)
{
    struct lam_remote_options options = {.threads = 1, .bytes_max = 100 * KIB};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = connect_with(8 * MIB);
    struct lam_module_reply reply = {.data = NULL};
    uint64_t bytes;
    char text[64];

    /* "echo" answers one byte more than it is asked. */
    expect(remote, "many", 100 * KIB, 8 * MIB, -EMSGSIZE,
        (const char *[]){"the answer has 102401 bytes, and this host sends 102400",
            "serve: {bytes: ...}", "serve: {streams: ...}"});
    /* What is the caller's own room is no bound of the host's. */
    TEST_CHECK(lam_remote_call(remote, "many", "echo", "abc", 3, &reply, stage_soon()) == -ENOSPC);
    TEST_CHECK(reply.failure == LAM_FAILURE_NONE && reply.bytes == 4);
    lam_remote_disconnect(remote);
    remote = connect_with(100);
    TEST_CHECK(lam_remote_stat(remote, text, sizeof(text), &bytes, stage_soon(), &stage_error) ==
               -EMSGSIZE);
    TEST_CHECK(strstr(stage_error.text, "bytes_max of this connection, which is 100:") != NULL);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void where_the_host_takes_less_than_the_connection_chunks_go(void)
{
    struct lam_remote_options options = {
        .threads = 1, .bytes_max = 200 * KIB, .stream_bytes_max = 4 * MIB};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = connect_with(8 * MIB);
    uint8_t *bytes = calloc(2, MIB);
    struct lam_module_reply reply = {.data = bytes + MIB, .capacity = MIB};

    TEST_CHECK(bytes != NULL);
    TEST_CHECK(lam_remote_call(remote, "many", "echo", bytes, MIB - 1, &reply, stage_soon()) == 0);
    TEST_CHECK(reply.bytes == MIB);
    free(bytes);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void of_streams_it_is_told_what_is_left(void)
{
    struct lam_remote_options options = {.threads = 1, .stream_bytes_max = 4 * MIB};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = connect_with(0);

    expect(remote, "many", 4 * MIB + 1, 16, -EDQUOT,
        (const char *[]){"4194305 bytes", "of the 4194304 that this host keeps for a client",
            "serve: {streams: ...}"});
    expect(remote, "many", 3 * MIB, 4 * MIB, -EMSGSIZE,
        (const char *[]){"the answer has 3145729 bytes, and 1048576 were left to it",
            "keeps 4194304 for what a client has in chunks", "serve: {bytes: ..., streams: ...}"});
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void of_a_worker_it_is_told_that_it_is_its_bound(void)
{
    struct lam_remote_options options = {.threads = 1, .stream_bytes_max = STREAMS};
    struct stage_host host;
    struct lam_remote *remote;

    stage_apart = "first";
    host = stage_begin(&options);
    remote = connect_with(LAM_REMOTE_BYTES_MAX);
    expect(remote, "apart", LAM_WORKER_REQUEST_BYTES_MAX + 1, 16, -EMSGSIZE,
        (const char *[]){
            "the request has 66060289 bytes", "a worker takes 66060288", "host: process"});
    /* Its sandbox lets it answer with 4 KiB. */
    expect(remote, "apart", 4 * KIB, 8 * KIB, -EMSGSIZE,
        (const char *[]){
            "the answer has 4097 bytes", "a worker's 33554432 at most", "sandbox: {reply: ...}"});
    lam_remote_disconnect(remote);
    stage_end(&host);
    stage_apart = NULL;
}

static void no_connection_has_more_than_a_message_carries(void)
{
    struct lam_remote_client_options options = {
        .directory = stage_folder, .bytes_max = LAM_REMOTE_BYTES_MAX + 1};
    struct lam_remote *remote;

    TEST_CHECK(lam_remote_connect(&remote, &options, 0, &stage_error) == -EINVAL);
    TEST_CHECK(strstr(stage_error.text, "33554433, at most 33554432") != NULL);
}

/* A ring may hold more than the host takes: it looks itself. */
static void what_a_client_does_not_look_at_the_host_does(void)
{
    struct lam_remote_options options = {.threads = 1, .bytes_max = 1000};
    struct stage_host host = stage_begin(&options);
    struct raw *raw = raw_connect(stage_folder, 0x10003u);
    static uint8_t bytes[4096], data[2000];
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_REQUEST,
                                               .request_id = 2,
                                               .module_id = lam_method_id("many"),
                                               .method_id = lam_method_id("echo")},
        .body.request = {.module = {"many", 4},
            .method = {"echo", 4},
            .args = {data, sizeof(data)},
            .deadline_ns = UINT64_MAX,
            .reply_capacity = 10}};
    uint64_t count;

    TEST_CHECK(raw != NULL);
    TEST_CHECK(lam_protocol_write_message(&message, bytes, sizeof(bytes), &count) == 0);
    TEST_CHECK(raw_ask(raw, bytes, count, bytes, sizeof(bytes), &count) == 0);
    TEST_OK(lam_protocol_read_message(&message, bytes, count, &stage_error), stage_error);
    TEST_CHECK(message.header.type == LAM_PROTOCOL_ERROR);
    TEST_CHECK(message.body.error.code == LAM_PROTOCOL_PAYLOAD_TOO_LARGE);
    TEST_CHECK(message.body.error.result == -EMSGSIZE);
    raw_disconnect(raw);
    stage_end(&host);
}

int main(void)
{
    stage_open_folder();
    of_a_request_it_is_told_whose_bound_it_is_above();
    of_an_answer_it_is_told_whose_bound_it_is_above();
    where_the_host_takes_less_than_the_connection_chunks_go();
    of_streams_it_is_told_what_is_left();
    of_a_worker_it_is_told_that_it_is_its_bound();
    no_connection_has_more_than_a_message_carries();
    what_a_client_does_not_look_at_the_host_does();
    stage_close_folder();
    return 0;
}
