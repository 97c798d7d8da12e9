/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fair.c: clients that ask for more than a host has threads, of a module that does not return, and
 * others that are answered meanwhile.
 */
#include "messages/vectors.h"
#include "remote/raw.h"
#include "remote/stage.h"

#define VERSION 0x10003u

/* Calls of "wait", which holds a thread of the host until @fd has a byte for it. */
static struct raw *begin_waits(int fd, unsigned count)
{
    struct raw *raw = raw_connect(stage_folder, VERSION);
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_REQUEST,
                                               .module_id = lam_method_id("many"),
                                               .method_id = lam_method_id("wait")}};
    uint8_t bytes[256];
    uint64_t written;

    TEST_CHECK(raw != NULL);
    message.body.request = (struct lam_protocol_request){.module = VIEW("many"),
        .method = VIEW("wait"),
        .args = {&fd, sizeof(fd)},
        .deadline_ns = UINT64_MAX,
        .priority = LAM_PROTOCOL_CRITICAL, /* before everybody else's */
        .reply_capacity = 16};
    while (count-- > 0) {
        message.header.request_id = count + 1;
        TEST_CHECK(lam_protocol_write_message(&message, bytes, sizeof(bytes), &written) == 0);
        TEST_CHECK(raw_begin(raw, bytes, written) == 0);
    }
    return raw;
}

static void calls_of(void *context, const struct lam_module_stat *stat)
{
    *(uint32_t *)context = stat->calls;
}

/* Asked by a client that is answered all the while. Never more than @most run. */
static void await_calls(struct lam_remote *remote, uint32_t calls, uint32_t most)
{
    uint64_t until_ns = stage_soon();
    uint32_t found = UINT32_MAX;

    while (found != calls) {
        TEST_CHECK(lam_clock_now_ns() < until_ns);
        TEST_CHECK(
            lam_remote_list(remote, "many", calls_of, &found, stage_soon(), &stage_error) == 1);
        if (found > most)
            printf("%u calls run, %u at most are to\n", found, most);
        TEST_CHECK(found <= most);
    }
}

/* @count of them return, one after the other. */
static void let_go(int fd, unsigned count)
{
    while (count-- > 0)
        TEST_CHECK(write(fd, ".", 1) == 1);
}

/* Others are answered, and no more than that run. */
static void expect_no_more(struct lam_remote *remote, uint32_t calls)
{
    uint32_t found = 0;

    for (unsigned i = 0; i < 20; i++) {
        stage_all_is_well(remote);
        TEST_CHECK(
            lam_remote_list(remote, "many", calls_of, &found, stage_soon(), &stage_error) == 1);
        TEST_CHECK(found <= calls);
    }
}

static void who_fills_all_threads_leaves_some_to_others(void)
{
    struct lam_remote_options options = {.threads = 4};
    struct raw *greedy, *second;
    struct lam_remote *remote;
    struct stage_host host;
    int ends[2];

    TEST_CHECK(pipe(ends) == 0);
    host = stage_begin(&options);
    remote = stage_connect(0);
    greedy = begin_waits(ends[0], 8);
    await_calls(remote, 2, 2);
    expect_no_more(remote, 2);
    second = begin_waits(ends[0], 8);
    await_calls(remote, 3, 3);
    expect_no_more(remote, 3);
    let_go(ends[1], 5); /* others take their places */
    expect_no_more(remote, 3);
    let_go(ends[1], 11);
    await_calls(remote, 0, 3); /* all 16 have run */
    raw_disconnect(second);
    raw_disconnect(greedy);
    lam_remote_disconnect(remote);
    stage_end(&host);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void one_thread_is_anybodys(void)
{
    struct lam_remote_options options = {.threads = 1};
    struct lam_remote *remote;
    struct stage_host host;
    struct raw *raw;
    int ends[2];

    TEST_CHECK(pipe(ends) == 0);
    host = stage_begin(&options);
    remote = stage_connect(0);
    let_go(ends[1], 8);
    raw = begin_waits(ends[0], 8);
    stage_all_is_well(remote);
    await_calls(remote, 0, 1);
    raw_disconnect(raw);
    lam_remote_disconnect(remote);
    stage_end(&host);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    stage_open_folder();
    who_fills_all_threads_leaves_some_to_others();
    one_thread_is_anybodys();
    stage_close_folder();
    return 0;
}
