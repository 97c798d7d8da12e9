/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: clients connect, are told apart, served in turn and by urgency, refused with the reason,
 * and their going and their daemon's is known to the other. Method: a daemon on a thread or in a
 * child, clients here and in children that are killed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "stage.h"

static struct stage stage;
static struct lam_client client, another;
static struct lam_error error;
static const struct lam_client_options to_it = {.endpoint = "it", .name = "tester"};

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(clients, .init = setup, .fini = teardown, .timeout = 30);

/* Until what other threads and processes do is seen here. */
#define EVENTUALLY(condition)                                                                      \
    do {                                                                                           \
        for (uint64_t end_ns = stage_soon(); !(condition) && lam_clock_now_ns() < end_ns;)         \
            (void)usleep(500);                                                                     \
        cr_assert(condition);                                                                      \
    } while (0)

static void start(void)
{
    struct lam_daemon_options options = {.name = "it"};

    stage_start(&stage, &options);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
}

static void stop(void)
{
    lam_client_disconnect(&client, 3, "done");
    EVENTUALLY(lam_load_relaxed(&stage.gone_reason) != 0);
    stage_stop(&stage);
}

Test(clients, messages_and_requests_cross_both_ways)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    start();
    for (uint64_t i = 0; i < 2000; i++)
        cr_assert(eq(int, stage_echo(&client, i, stage_soon()), 0));
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 3, LAM_LANE_LOW), 0));
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), 0));
        cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
        cr_assert(eq(int, message.kind, STAGE_PUSHED));
        cr_assert(memcmp(message.payload, &i, sizeof(i)) == 0);
        lam_client_release(&client, lane, &message);
    }
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), 0));
    stop();
    cr_assert(eq(u32, stage.requests, 2000));
    cr_assert(eq(u32, stage.connected, 1));
    cr_assert(eq(u32, stage.gone, 1));
    cr_assert(eq(int, (int)lam_load_relaxed(&stage.gone_reason), EPIPE));
    cr_assert(eq(str, stage.text, "done"));
    cr_assert(eq(u64, stage.daemon.counts.left, 1));
}

Test(clients, who_a_client_is_both_the_kernel_and_it_say)
{
    start();
    EVENTUALLY(stage.connected == 1);
    cr_assert(eq(int, (int)stage.peer.pid, (int)getpid()));
    cr_assert(eq(u32, stage.peer.uid, getuid()));
    cr_assert(eq(u32, stage.peer.identity.pid, (uint32_t)getpid()));
    cr_assert(eq(str, stage.peer.name, "tester"));
    cr_assert(stage.peer.client != 0 && stage.peer.client == lam_client_welcome(&client)->session);
    cr_assert(eq(int, (int)lam_client_peer(&client)->pid, (int)getpid()));
    cr_assert(eq(str, (char *)lam_client_welcome(&client)->name, "it"));
    stop();
}

Test(clients, the_urgent_lane_is_served_first)
{
    struct lam_daemon_options options = {.name = "it"};
    struct lam_daemon_event event;
    uint32_t seen = 0;
    uint64_t who = 0;
    pid_t child;

    stage_create(&stage, &options);
    child = stage_fork();
    if (child == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        for (int lane = LAM_LANE_LOW; lane >= LAM_LANE_CRITICAL; lane--)
            for (uint32_t i = 0; i < 5; i++) {
                struct iovec part = {&i, sizeof(i)};

                STAGE_CHECK(
                    lam_client_try_send(&client, (enum lam_lane)lane, &part, 1, STAGE_PUSHED) == 1);
            }
        for (;;)
            (void)pause();
    }
    while (who == 0 && lam_daemon_wait_until(&stage.daemon, stage_soon(), &event) == 0)
        who = event.client;
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_CONNECTED));
    (void)usleep(200000); /* all 15 are there: or else the order shows nothing, and nothing fails */
    for (int previous = LAM_LANE_CRITICAL; seen < 15; seen++) {
        cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
        cr_assert(eq(int, (int)event.type, LAM_DAEMON_MESSAGE));
        cr_assert(ge(int, (int)event.lane, previous));
        previous = (int)event.lane;
    }
    stage_kill(child);
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_GONE));
    cr_assert(eq(int, event.reason, -EOWNERDEAD));
    lam_daemon_destroy(&stage.daemon);
}

static int refused_with(const struct lam_client_options *options)
{
    error.text[0] = '\0';
    return lam_client_connect(&client, options, stage_soon(), &error);
}

Test(clients, options_that_cannot_be_are_refused_before_anybody_is_asked)
{
    struct lam_client_options wrong = {.endpoint = NULL};

    cr_assert(eq(int, refused_with(&wrong), -EINVAL));
    wrong.endpoint = "0123456789012345678901234567890123456789012345678901234567890123";
    cr_assert(eq(int, refused_with(&wrong), -EINVAL), "it is not cut short");
    wrong.endpoint = "it";
    wrong.cell_bytes = 3;
    cr_assert(eq(int, refused_with(&wrong), -EINVAL));
    cr_assert(strstr(error.text, "cell_bytes is 3") != NULL, "%s", error.text);
    wrong.cell_bytes = 16;
    cr_assert(eq(int, refused_with(&wrong), -EINVAL));
    wrong.cell_bytes = 0;
    wrong.depth = 1;
    cr_assert(eq(int, refused_with(&wrong), -EINVAL));
    cr_assert(strstr(error.text, "depth is 1") != NULL, "%s", error.text);
    wrong.depth = 0;
    wrong.message_bytes_max = LAM_FRAMED_MESSAGE_BYTES_MAX + 1;
    cr_assert(eq(int, refused_with(&wrong), -EINVAL));
    cr_assert(strstr(error.text, "message_bytes_max is") != NULL, "%s", error.text);
}

Test(clients, a_client_that_does_not_fit_is_refused_with_field_found_and_expected)
{
    struct lam_daemon_options options = {.name = "it",
        .version_min = 3,
        .version_max = 5,
        .features_offered = 7,
        .features_required = 1,
        .type_hash = 0xabc};
    struct lam_client_options wrong = {.endpoint = "it", .features_offered = 1};

    stage_start(&stage, &options);
    wrong.version_min = wrong.version_max = 6;
    cr_assert(eq(int, refused_with(&wrong), -EPROTO));
    cr_assert(eq(str, error.text,
        "endpoint it: refused: no common version (field version: found 0x6, expected 0x3 to 0x5)"));
    wrong.version_min = 4;
    wrong.features_offered = 6;
    cr_assert(eq(int, refused_with(&wrong), -EPROTO));
    wrong.features_offered = wrong.features_required = 9;
    cr_assert(eq(int, refused_with(&wrong), -EPROTO));
    wrong.features_required = 1;
    wrong.type_hash = 0xabd;
    cr_assert(eq(int, refused_with(&wrong), -EPROTOTYPE));
    wrong.type_hash = 0;
    wrong.depth = 1U << 20;
    cr_assert(eq(int, refused_with(&wrong), -EMSGSIZE));
    wrong.depth = 0;
    cr_assert(eq(int, refused_with(&wrong), 0), "%s", error.text);
    cr_assert(eq(u32, lam_client_welcome(&client)->version, 5));
    cr_assert(eq(u64, lam_client_welcome(&client)->features, 1));
    cr_assert(eq(u64, stage.daemon.counts.refused, 5));
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
}

Test(clients, no_more_clients_than_there_may_be)
{
    struct lam_daemon_options options = {.name = "it", .clients_max = 1};

    stage_start(&stage, &options);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_connect(&another, &to_it, &error), -EUSERS), "%s", error.text);
    lam_client_disconnect(&client, 0, NULL);
    while (lam_client_connect(&another, &to_it, stage_soon(), &error) == -EUSERS)
        (void)usleep(500);
    cr_assert(eq(int, stage_echo(&another, 4, stage_soon()), 0));
    lam_client_disconnect(&another, 0, NULL);
    stage_stop(&stage);
}

static int refuse_all(void *context, const struct lam_daemon_peer *peer)
{
    *(uint32_t *)context += peer->uid == getuid() && strcmp(peer->name, "tester") == 0;
    return 1;
}

Test(clients, the_accept_function_sees_credentials_and_may_refuse)
{
    uint32_t asked = 0;
    struct lam_daemon_options options = {.name = "it", .accept = refuse_all, .context = &asked};

    stage_start(&stage, &options);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), -EACCES), "%s", error.text);
    stage_stop(&stage);
    cr_assert(eq(u32, asked, 1));
}

Test(clients, nobody_there_is_said_at_once_or_at_the_deadline)
{
    pid_t dead;
    struct lam_daemon_options options = {.name = "it"};

    cr_assert(eq(int, lam_client_connect(&client, &to_it, 0, &error), -ENOENT));
    cr_assert(eq(int, lam_client_connect(&client, &to_it, stage_ms(20), &error), -ENOENT));
    cr_assert(strstr(error.text, "has its daemon started") != NULL, "%s", error.text);
    dead = stage_fork_daemon(&options);
    stage_kill(dead);
    cr_assert(eq(int, lam_client_connect(&client, &to_it, stage_ms(20), &error), -ECONNREFUSED));
    cr_assert(strstr(error.text, "dead") != NULL, "%s", error.text);
}

Test(clients, a_client_waits_for_its_daemon_to_appear)
{
    pid_t child = stage_fork();
    struct lam_daemon_options options = {.name = "it"};

    if (child == 0)
        _exit(
            stage_connect(&client, &to_it, &error) == 0 && stage_echo(&client, 1, stage_soon()) == 0
                ? 0
                : 1);
    (void)usleep(50000);
    stage_start(&stage, &options);
    cr_assert(eq(int, stage_wait(child), 0));
    stage_stop(&stage);
}

Test(clients, a_stopped_daemon_does_not_answer_and_its_pid_is_told)
{
    struct lam_daemon_options options = {.name = "it"};
    pid_t stopped = stage_fork_daemon(&options);
    char pid[32];

    (void)snprintf(pid, sizeof(pid), "pid %d,", (int)stopped);
    cr_assert(eq(int, kill(stopped, SIGSTOP), 0));
    cr_assert(eq(int, lam_client_connect(&client, &to_it, stage_ms(100), &error), -ETIMEDOUT));
    cr_assert(strstr(error.text, pid) != NULL, "%s", error.text);
    stage_kill(stopped);
}

Test(clients, an_orderly_shutdown_is_told_to_all_with_its_reason)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    start();
    cr_assert(eq(int, stage_connect(&another, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_client_is_connected(&another), 1));
    cr_assert(eq(int, stage_say(&client, STAGE_SHUT, 0, 0), 0));
    cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), -EPIPE));
    cr_assert(eq(str, (char *)lam_client_goodbye(&client)->text, "tea"));
    EVENTUALLY(lam_client_is_connected(&another) == 0); /* asked beforehand */
    cr_assert(eq(int, lam_client_receive_until(&another, stage_soon(), &message, &lane), -EPIPE));
    cr_assert(eq(u32, lam_client_goodbye(&another)->reason, 4));
    cr_assert(eq(int, lam_client_is_connected(&client), 0));
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 0, 0), -EPIPE));
    cr_assert(eq(int, stage_echo(&another, 0, stage_soon()), -EPIPE));
    lam_client_disconnect(&client, 0, NULL);
    lam_client_disconnect(&another, 0, NULL);
    stage_stop(&stage);
}

Test(clients, a_daemons_death_is_reported)
{
    struct lam_daemon_options options = {.name = "it"};
    struct lam_framed_message message;
    enum lam_lane lane;
    pid_t daemon = stage_fork_daemon(&options);

    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    stage_kill(daemon);
    cr_assert(eq(int, lam_client_is_connected(&client), 0));
    cr_assert(
        eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), -EOWNERDEAD));
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), -EOWNERDEAD));
    lam_client_disconnect(&client, 0, NULL);
}

/* More than are served between two looks at the sockets, so that the hang-up is seen midway. */
#define LAST_MESSAGES 400

/* What it sent before it died is served before its death is told. */
Test(clients, a_killed_clients_last_messages_are_served_before_its_death)
{
    struct lam_daemon_options options = {.name = "it"};
    struct lam_daemon_event event;
    uint32_t seen = 0;
    int ends[2];
    char byte;
    pid_t child;

    stage_create(&stage, &options);
    cr_assert(eq(int, pipe(ends), 0));
    child = stage_fork();
    if (child == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        for (uint32_t i = 0; i < LAST_MESSAGES; i++)
            STAGE_CHECK(stage_say(&client, STAGE_PUSHED, i, 0) == 0);
        STAGE_CHECK(write(ends[1], "s", 1) == 1);
        for (;;)
            (void)pause();
    }
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_CONNECTED));
    cr_assert(eq(int, (int)read(ends[0], &byte, 1), 1));
    stage_kill(child);
    /* Without an end: who is slept over would be found at the next deadline. */
    while (lam_daemon_wait_until(&stage.daemon, LAM_DEADLINE_NEVER, &event) == 0 &&
           event.type == LAM_DAEMON_MESSAGE)
        seen++;
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_GONE));
    cr_assert(eq(int, event.reason, -EOWNERDEAD));
    cr_assert(eq(u32, seen, LAST_MESSAGES));
    cr_assert(eq(u32, lam_daemon_client_count(&stage.daemon), 0));
    lam_daemon_destroy(&stage.daemon);
}

/* The child has the socket still: the locks tell. */
Test(clients, a_clients_forked_child_does_not_keep_it_alive)
{
    struct lam_daemon_options options = {.name = "it"};
    struct lam_daemon_event event;
    int ends[2];
    pid_t child, grandchild;

    stage_create(&stage, &options);
    cr_assert(eq(int, pipe(ends), 0));
    child = stage_fork();
    if (child == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        grandchild = fork();
        if (grandchild == 0)
            for (;;)
                (void)pause();
        STAGE_CHECK(write(ends[1], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
        for (;;)
            (void)pause();
    }
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(
        eq(int, (int)read(ends[0], &grandchild, sizeof(grandchild)), (int)sizeof(grandchild)));
    stage_kill(child);
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, LAM_DEADLINE_NEVER, &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_GONE));
    cr_assert(eq(int, event.reason, -EOWNERDEAD));
    (void)kill(grandchild, SIGKILL);
    lam_daemon_destroy(&stage.daemon);
}

Test(clients, a_stopped_client_is_silent_and_not_dead)
{
    struct lam_daemon_options options = {.name = "it", .silent_ns = 20 * LAM_NS_PER_MS};
    struct lam_daemon_event event;
    uint64_t who = 0;
    pid_t child;

    stage_create(&stage, &options);
    child = stage_fork();
    if (child == 0) {
        struct lam_framed_message message;
        enum lam_lane lane;

        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        while (lam_client_receive_until(&client, stage_soon(), &message, &lane) == 0)
            lam_client_release(&client, lane, &message);
        _exit(0);
    }
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    who = event.client;
    /* With nothing to read it owes no sign of life. */
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_ms(150), &event), -ETIMEDOUT));
    cr_assert(eq(int, kill(child, SIGSTOP), 0));
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_ms(150), &event), -ETIMEDOUT));
    cr_assert(
        eq(int, lam_daemon_try_send(&stage.daemon, who, LAM_LANE_HIGH, NULL, 0, STAGE_PUSHED), 1));
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_SILENT));
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_ms(50), &event), -ETIMEDOUT));
    cr_assert(eq(int, kill(child, SIGCONT), 0));
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_SPEAKS));
    cr_assert(eq(u32, lam_daemon_client_count(&stage.daemon), 1));
    stage_kill(child);
    lam_daemon_destroy(&stage.daemon);
}

Test(clients, a_full_lane_says_so_and_leaves_the_others_alone)
{
    struct lam_daemon_options options = {.name = "it", .depth = 64};
    struct lam_framed_message message;
    struct iovec part = {&message, 16};
    uint32_t sent = 0;
    enum lam_lane lane;
    int status = 0;
    pid_t child;

    stage_create(&stage, &options);
    child = stage_fork();
    if (child == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        while (lam_client_try_send(&client, LAM_LANE_LOW, &part, 1, STAGE_PUSHED) == 1)
            sent++;
        STAGE_CHECK(sent >= 10);
        STAGE_CHECK(lam_client_send_until(
                        &client, LAM_LANE_LOW, &part, 1, STAGE_PUSHED, stage_ms(10)) == -ETIMEDOUT);
        STAGE_CHECK(raise(SIGSTOP) == 0); /* only now is anybody served */
        STAGE_CHECK(lam_client_try_send(&client, LAM_LANE_CRITICAL, &part, 1, STAGE_SHUT) == 1);
        STAGE_CHECK(lam_client_receive_until(&client, stage_soon(), &message, &lane) == -EPIPE);
        _exit(0);
    }
    while (stage.connected == 0 || lam_daemon_client_count(&stage.daemon) == 0) {
        struct lam_daemon_event event;

        cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
        stage_act(&stage, &event);
    }
    cr_assert(eq(int, waitpid(child, &status, WUNTRACED), child));
    cr_assert(eq(int, WIFSTOPPED(status) != 0, 1));
    cr_assert(eq(int, kill(child, SIGCONT), 0));
    (void)stage_run(&stage);
    cr_assert(eq(int, stage_wait(child), 0));
    lam_daemon_destroy(&stage.daemon);
}

Test(clients, messages_of_frames_cross_too)
{
    static uint8_t book[200000];
    struct lam_daemon_options options = {.name = "it", .message_bytes_max = sizeof(book) + 100};
    struct iovec part = {book, sizeof(book)};
    struct lam_reply reply;

    for (uint32_t i = 0; i < sizeof(book); i++)
        book[i] = (uint8_t)(i * 7 + i / 251);
    stage_start(&stage, &options);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int,
            lam_client_request_until(
                &client, LAM_LANE_LOW, &part, 1, STAGE_ECHO, stage_soon(), &reply),
            0));
        cr_assert(eq(u64, reply.payload_bytes, sizeof(book)));
        cr_assert(memcmp(reply.payload, book, sizeof(book)) == 0);
        lam_client_release_reply(&client, &reply);
    }
    part.iov_len = sizeof(book) + 101;
    cr_assert(
        eq(int, lam_client_send_until(&client, LAM_LANE_LOW, &part, 1, STAGE_PUSHED, stage_soon()),
            -EMSGSIZE));
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
}

Test(clients, every_way_of_waiting_serves)
{
    for (int i = 0; i < 8; i++) {
        struct lam_daemon_options options = {.name = "it",
            .wait = (enum lam_wait_mode)(i % 4),
            .waiting = i < 4 ? LAM_RING_MAY_SLEEP : LAM_RING_SPIN_ONLY};
        struct lam_client_options waits = {.endpoint = "it", .wait = (enum lam_wait_mode)(i / 2)};

        stage_start(&stage, &options);
        cr_assert(eq(int, stage_connect(&client, &waits, &error), 0), "%s", error.text);
        for (uint64_t n = 0; n < 20; n++) {
            cr_assert(eq(int, stage_echo(&client, n, stage_soon()), 0));
            if (n % 5 == 0)
                (void)usleep(2000); /* long enough to sleep, where that is allowed */
        }
        stop();
    }
}
