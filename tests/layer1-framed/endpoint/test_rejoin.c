/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a client with reconnect comes back as long as that makes sense, holds nobody longer than
 * its calls may wait, and stays away when it is told to. Method: successors that have little room,
 * no resources, or do not want it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/socket.h>

#include "stage.h"

static struct stage stage;
static struct lam_client client;
static struct lam_client another;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it"};
static const struct lam_client_options for_ever = {
    .endpoint = "it", .requests_max = 8, .reconnect = 1, .request_bytes_max = 4000};

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(rejoin, .init = setup, .fini = teardown, .timeout = 30);

/* A call that is held beyond its deadline looks at the clock on and on. 0: no call is watched. */
static uint64_t watched_until_ns;

static uint64_t watched_now_ns(void)
{
    static uint32_t late_looks;
    uint64_t now_ns = lam_base_linux.now_ns();

    late_looks = watched_until_ns == 0 || now_ns < watched_until_ns ? 0 : late_looks + 1;
    cr_assert(late_looks <= 60, "a call goes on beyond its deadline"); /* 6 are when it ends */
    return now_ns;
}

/* Before anything is made. */
static void watch_the_clock(void)
{
    static struct lam_base_ops watched;

    watched = lam_base_linux;
    watched.now_ns = watched_now_ns;
    lam_base = &watched;
}

/* The deadline @ms from now, which the next call keeps. */
static uint64_t watched_ms(uint64_t ms)
{
    watched_until_ns = 0;
    watched_until_ns = stage_ms(ms);
    return watched_until_ns;
}

static struct lam_ticket begin(uint16_t kind, uint64_t bytes)
{
    static uint8_t payload[4000];
    struct iovec part = {payload, bytes};
    struct lam_ticket ticket = {0};
    int rc = lam_client_begin_until(&client, LAM_LANE_HIGH, &part, 1, kind, stage_soon(), &ticket);

    cr_assert(eq(int, rc, 0), "%s", strerror(-rc));
    return ticket;
}

/* A daemon in a child that stops by itself as soon as a client has come. */
static pid_t fork_dozing_daemon(const struct lam_daemon_options *options)
{
    struct lam_daemon_event event;
    int ends[2];
    char byte;
    pid_t child;

    STAGE_CHECK(pipe(ends) == 0);
    child = stage_fork();
    if (child == 0) {
        stage_create(&stage, options);
        STAGE_CHECK(write(ends[1], "r", 1) == 1);
        do {
            STAGE_CHECK(lam_daemon_wait_until(&stage.daemon, LAM_DEADLINE_NEVER, &event) == 0);
            stage_act(&stage, &event);
        } while (event.type != LAM_DAEMON_CONNECTED);
        STAGE_CHECK(raise(SIGSTOP) == 0);
        (void)stage_run(&stage);
        _exit(0);
    }
    STAGE_CHECK(read(ends[0], &byte, 1) == 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return child;
}

/* Eight requests for a daemon that dies, and a successor that has no room for them all. */
static pid_t succeed(struct lam_ticket tickets[8], uint64_t bytes)
{
    static const struct lam_daemon_options small = {
        .name = "it", .depth = 32, .message_bytes_max = 8000};
    struct lam_daemon_options first = it;
    struct lam_client_options options = for_ever;
    pid_t daemon;

    first.message_bytes_max = 8000;
    daemon = stage_fork_daemon(&first);
    options.depth = 0;
    cr_assert(eq(int, stage_connect(&client, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    /* Its last: what comes then is never read. */
    cr_assert(eq(int, kill(daemon, SIGSTOP), 0));
    for (uint32_t i = 0; i < 8; i++)
        tickets[i] = begin(STAGE_ECHO, bytes);
    stage_kill(daemon);
    return fork_dozing_daemon(&small);
}

static void expect_answers(const struct lam_ticket tickets[8], uint64_t bytes)
{
    for (uint32_t i = 0; i < 8; i++) {
        struct lam_reply reply;

        cr_assert(eq(int, lam_client_take_until(&client, &tickets[i], stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, 0));
        cr_assert(eq(u64, reply.payload_bytes, bytes));
        lam_client_release_reply(&client, &reply);
    }
    cr_assert(eq(u64, lam_client_counts(&client)->repeated, 8));
}

static void wait_for_stop(pid_t child)
{
    int status = 0;

    cr_assert(eq(int, waitpid(child, &status, WUNTRACED), child));
    cr_assert(eq(int, WIFSTOPPED(status) != 0, 1));
}

Test(rejoin, a_successor_without_room_holds_no_call_beyond_its_deadline)
{
    struct lam_ticket tickets[8];
    struct lam_framed_message message;
    struct lam_reply reply;
    enum lam_lane lane;
    pid_t next;

    watch_the_clock();
    next = succeed(tickets, 300);

    for (int i = 0; i < 100 && lam_client_counts(&client)->reconnects == 0; i++)
        cr_assert(eq(
            int, lam_client_take_until(&client, &tickets[0], watched_ms(100), &reply), -ETIMEDOUT));
    watched_until_ns = 0;
    wait_for_stop(next);
    /* Each of them goes on with what is not sent yet, and none has room. */
    cr_assert(eq(int, lam_client_take_until(&client, NULL, watched_ms(20), &reply), -ETIMEDOUT));
    cr_assert(
        eq(int, lam_client_receive_until(&client, watched_ms(20), &message, &lane), -ETIMEDOUT));
    cr_assert(eq(int, stage_echo(&client, 1, watched_ms(20)), -ETIMEDOUT));
    cr_assert(eq(int, lam_client_try_take(&client, &tickets[0], &reply), 0));
    cr_assert(ge(u64, lam_client_counts(&client)->repeated, 1));
    cr_assert(lam_client_counts(&client)->repeated < 8);
    /* Theirs has not passed: they are all sent, and answered. */
    watched_until_ns = 0;
    cr_assert(eq(int, kill(next, SIGCONT), 0));
    expect_answers(tickets, 300);
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(next);
}

/* Those that take frames there, too. */
Test(rejoin, large_ones_are_sent_again_in_frames)
{
    struct lam_ticket tickets[8];
    struct lam_reply reply;
    pid_t next;

    watch_the_clock();
    next = succeed(tickets, 3000);

    for (int i = 0; i < 100 && lam_client_counts(&client)->reconnects == 0; i++)
        cr_assert(eq(
            int, lam_client_take_until(&client, &tickets[0], watched_ms(100), &reply), -ETIMEDOUT));
    watched_until_ns = 0;
    wait_for_stop(next);
    cr_assert(eq(int, lam_client_take_until(&client, NULL, watched_ms(20), &reply), -ETIMEDOUT));
    watched_until_ns = 0;
    cr_assert(eq(int, kill(next, SIGCONT), 0));
    expect_answers(tickets, 3000);
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(next);
}

/* New requests of a lane go behind the old ones, or not at all. */
Test(rejoin, what_is_new_goes_behind_what_is_sent_again)
{
    struct lam_ticket tickets[8];
    struct lam_reply reply;
    uint64_t number = 7;
    struct iovec part = {&number, sizeof(number)};
    pid_t next = succeed(tickets, 300);

    for (int i = 0; i < 100 && lam_client_counts(&client)->reconnects == 0; i++)
        cr_assert(eq(
            int, lam_client_take_until(&client, &tickets[0], stage_ms(100), &reply), -ETIMEDOUT));
    wait_for_stop(next);
    cr_assert(eq(int, lam_client_try_send(&client, LAM_LANE_HIGH, &part, 1, STAGE_ECHO), 0));
    cr_assert(
        eq(int, lam_client_send_until(&client, LAM_LANE_HIGH, &part, 1, STAGE_ECHO, stage_ms(20)),
            -ETIMEDOUT));
    /* Other lanes have nothing to wait for. */
    cr_assert(eq(int, lam_client_try_send(&client, LAM_LANE_LOW, &part, 1, STAGE_ECHO), 1));
    cr_assert(eq(int, kill(next, SIGCONT), 0));
    expect_answers(tickets, 300);
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(next);
}

Test(rejoin, a_want_of_descriptors_is_waited_out)
{
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    for (rlim_t more = 0; more < 40; more += 1 + more / 3) {
        rlim_t before;

        ticket = begin(STAGE_NEVER, 8);
        stage_kill(daemon);
        /* It has let go of its connection, and of the descriptors. */
        cr_assert(
            eq(int, lam_client_take_until(&client, &ticket, stage_ms(15), &reply), -ETIMEDOUT));
        daemon = stage_fork_daemon(&it);
        before = stage_allow_no_more(more);
        /* With what is enough it may come back at once. */
        cr_assert(
            eq(int, lam_client_take_until(&client, &ticket, stage_ms(15), &reply), -ETIMEDOUT));
        stage_allow(before);
        cr_assert(eq(int, stage_echo(&client, more, stage_soon()), 0), "with %d more", (int)more);
        cr_assert(eq(int, lam_client_cancel(&client, ticket), 0));
        cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    }
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

Test(rejoin, a_daemon_without_descriptors_is_asked_again)
{
    static const struct lam_daemon_options options = {.name = "it"};
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);
    rlim_t before;

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 8);
    stage_kill(daemon);
    before = stage_allow_no_more(12); /* enough for an endpoint, and not for a client */
    daemon = stage_fork_daemon(&options);
    stage_allow(before);
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_ms(100), &reply), -ETIMEDOUT));
    cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 0));
    stage_kill(daemon);
    daemon = stage_fork_daemon(&it);
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

/*
 * It ended with @rc, all its requests with it, and it does not come back, which is looked at each
 * @each_ms: of one that is refused when it comes back, no call may end in the middle of that.
 */
static void expect_away(struct lam_ticket ticket, int rc, uint64_t each_ms)
{
    struct lam_framed_message message;
    struct lam_reply reply;
    enum lam_lane lane;
    uint64_t number = 0;
    struct iovec part = {&number, sizeof(number)};
    int end;

    do {
        end = lam_client_take_until(&client, &ticket, stage_ms(each_ms), &reply);
        cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 0));
    } while (end == -ETIMEDOUT);
    cr_assert(eq(int, end, 0));
    cr_assert(eq(int, reply.outcome, rc));
    cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), rc));
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), rc));
    cr_assert(eq(int, lam_client_try_send(&client, LAM_LANE_LOW, &part, 1, STAGE_ECHO), rc));
    cr_assert(eq(int, lam_client_is_connected(&client), 0));
    cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 0));
}

Test(rejoin, one_that_is_dropped_is_told_and_stays_away)
{
    struct lam_ticket ticket;

    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 8);
    cr_assert(eq(int, stage_say(&client, STAGE_DROP, 0, 0), 0));
    expect_away(ticket, -EACCES, 5);
    cr_assert(eq(u32, lam_client_goodbye(&client)->reason, 9));
    cr_assert(eq(str, (char *)lam_client_goodbye(&client)->text, "not wanted"));
    cr_assert(eq(int, stage_connect(&another, &for_ever, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_echo(&another, 5, stage_soon()), 0)); /* nobody else is */
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u32, lam_load_relaxed(&stage.gone_reason), ECANCELED));
    cr_assert(eq(u32, stage.connected, 2));
}

Test(rejoin, one_that_breaks_the_protocol_is_told_and_stays_away)
{
    struct lam_ticket ticket;

    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 8);
    cr_assert(eq(int, (int)send(client.socket, "nonsense", 8, 0), 8));
    expect_away(ticket, -EPROTO, 5);
    cr_assert(eq(u32, lam_client_goodbye(&client)->reason, LAM_ENDPOINT_MALFORMED));
    cr_assert(strstr(lam_client_goodbye(&client)->text, "socket") != NULL);
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u32, stage.connected, 1));
}

Test(rejoin, one_too_many_for_the_successor_is_told_and_stays_away)
{
    static const struct lam_daemon_options one = {.name = "it", .clients_max = 1};
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 8);
    stage_kill(daemon);
    stage_start(&stage, &one);
    cr_assert(eq(int, stage_connect(&another, &for_ever, &error), 0), "%s", error.text);
    expect_away(ticket, -EUSERS, 10000);
    cr_assert(eq(u32, lam_client_goodbye(&client)->reason, LAM_ENDPOINT_TOO_MANY));
    lam_client_disconnect(&another, 0, NULL);
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->refused, 1));
}

static int refuse_resumed(void *context, const struct lam_daemon_peer *peer)
{
    (void)context;
    return peer->resumes;
}

Test(rejoin, one_that_is_not_wanted_any_more_is_told_and_stays_away)
{
    static const struct lam_daemon_options picky = {.name = "it", .accept = refuse_resumed};
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 8);
    stage_kill(daemon);
    stage_start(&stage, &picky);
    expect_away(ticket, -EACCES, 10000);
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u64, lam_daemon_counts(&stage.daemon)->refused, 1));
}

Test(rejoin, cells_may_be_as_small_as_rings_have_them)
{
    struct lam_client_options small = for_ever;

    stage_start(&stage, &(struct lam_daemon_options){.name = "it"});
    small.cell_bytes = 32;
    cr_assert(eq(int, stage_connect(&client, &small, &error), 0), "%s", error.text);
    cr_assert(eq(u32, lam_client_welcome(&client)->cell_bytes, 32));
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert(eq(int, stage_echo(&client, i, stage_soon()), 0));
    small.cell_bytes = 16;
    cr_assert(eq(int, stage_connect(&another, &small, &error), -EINVAL));
    cr_assert(strstr(error.text, "cell_bytes is 16") != NULL, "%s", error.text);
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
}
