/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a program does wrong ends it at once, with a text that says what; and a forked child,
 * which has copies of its parent's clients and daemons, can do nothing with them but give them
 * back. Method: each wrong call in a test that has to abort; children that give back.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dlfcn.h>
#include <signal.h>

#include "stage.h"

static struct stage stage;
static struct lam_client client;
static struct lam_client another;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it"};
static const struct lam_client_options to_it = {.endpoint = "it", .requests_max = 8};

static pid_t maker;

/* A test that aborts has no end of its own; its children's aborts are not its own. */
static void clear_and_abort(int number)
{
    (void)number;
    if (getpid() == maker)
        stage_clear();
}

/* A forked child has nobody who could wake it: what would wait there for ever ends it. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int (*wait_here)(pthread_cond_t *, pthread_mutex_t *);

    if (maker != 0 && getpid() != maker)
        _exit(9);
    *(void **)&wait_here = dlsym(RTLD_NEXT, "pthread_cond_wait");
    return wait_here(condition, mutex);
}

static void setup(void)
{
    stage_make();
    maker = getpid();
    cr_assert(signal(SIGABRT, clear_and_abort) != SIG_ERR);
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(misuse, .init = setup, .fini = teardown, .timeout = 30);

/* A daemon on a thread, which the abort of a test ends, too; two clients; a message of one. */
static struct lam_framed_message receive_one(enum lam_lane *lane)
{
    struct lam_framed_message message;

    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_connect(&another, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 3, LAM_LANE_HIGH), 0));
    cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, lane), 0));
    return message;
}

static struct lam_reply ask_one(void)
{
    uint64_t number = 1;
    struct iovec part = {&number, sizeof(number)};
    struct lam_reply reply = {0};

    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int,
        lam_client_request_until(
            &client, LAM_LANE_HIGH, &part, 1, STAGE_ECHO, stage_soon(), &reply),
        0));
    return reply;
}

Test(misuse, a_message_is_released_once, .signal = SIGABRT)
{
    enum lam_lane lane;
    struct lam_framed_message message = receive_one(&lane);

    lam_client_release(&client, lane, &message);
    lam_client_release(&client, lane, &message);
}

Test(misuse, a_message_is_released_by_its_lane, .signal = SIGABRT)
{
    enum lam_lane lane;
    struct lam_framed_message message = receive_one(&lane);
    struct lam_framed_message low;

    /* It would be there, too. */
    STAGE_CHECK(stage_say(&client, STAGE_PUSH, 1, LAM_LANE_LOW) == 0);
    do {
        STAGE_CHECK(lam_client_receive_until(&client, stage_soon(), &low, &lane) == 0);
    } while (lane != LAM_LANE_LOW);
    lam_client_release(&client, LAM_LANE_LOW, &message);
}

Test(misuse, a_message_is_released_by_its_client, .signal = SIGABRT)
{
    enum lam_lane lane, other_lane;
    struct lam_framed_message message = receive_one(&lane);
    struct lam_framed_message other;

    /* It would be there, too. */
    STAGE_CHECK(stage_say(&another, STAGE_PUSH, 3, LAM_LANE_HIGH) == 0);
    STAGE_CHECK(lam_client_receive_until(&another, stage_soon(), &other, &other_lane) == 0);
    lam_client_release(&another, lane, &message);
}

Test(misuse, a_message_is_no_reply, .signal = SIGABRT)
{
    enum lam_lane lane;
    struct lam_reply reply = {.place = receive_one(&lane).end};

    lam_client_release_reply(&client, &reply);
}

Test(misuse, a_reply_is_released_once, .signal = SIGABRT)
{
    struct lam_reply reply = ask_one();

    lam_client_release_reply(&client, &reply);
    lam_client_release_reply(&client, &reply);
}

Test(misuse, nothing_is_released_after_disconnect, .signal = SIGABRT)
{
    struct lam_reply reply = ask_one();

    lam_client_disconnect(&client, 0, NULL);
    lam_client_release_reply(&client, &reply);
}

#define AFTER_DISCONNECT(what, call)                                                               \
    Test(misuse, no_##what##_after_disconnect, .signal = SIGABRT)                                  \
    {                                                                                              \
        struct lam_framed_message message;                                                         \
        enum lam_lane lane = LAM_LANE_LOW;                                                         \
        struct lam_ticket ticket = {.id = 1};                                                      \
        struct lam_reply reply = ask_one();                                                        \
                                                                                                   \
        (void)message, (void)lane, (void)ticket, (void)reply;                                      \
        lam_client_disconnect(&client, 0, NULL);                                                   \
        lam_client_disconnect(&client, 0, NULL); /* this one is nothing */                         \
        (void)(call);                                                                              \
    }

AFTER_DISCONNECT(try_send, lam_client_try_send(&client, lane, NULL, 0, 1))
AFTER_DISCONNECT(send, lam_client_send_until(&client, lane, NULL, 0, 1, stage_soon()))
AFTER_DISCONNECT(try_receive, lam_client_try_receive(&client, &message, &lane))
AFTER_DISCONNECT(receive, lam_client_receive_until(&client, stage_soon(), &message, &lane))
AFTER_DISCONNECT(begin, lam_client_begin_until(&client, lane, NULL, 0, 1, stage_soon(), &ticket))
AFTER_DISCONNECT(try_take, lam_client_try_take(&client, NULL, &reply))
AFTER_DISCONNECT(take, lam_client_take_until(&client, NULL, stage_soon(), &reply))
AFTER_DISCONNECT(cancel, lam_client_cancel(&client, ticket))
AFTER_DISCONNECT(lanes, lam_client_lanes(&client))
AFTER_DISCONNECT(look, lam_client_is_connected(&client))

#define AFTER_DESTROY(what, call)                                                                  \
    Test(misuse, no_##what##_after_destroy, .signal = SIGABRT)                                     \
    {                                                                                              \
        struct lam_daemon_event event;                                                             \
        struct lam_daemon_request request = {.client = 1};                                         \
                                                                                                   \
        (void)event, (void)request;                                                                \
        stage_create(&stage, &it);                                                                 \
        lam_daemon_destroy(&stage.daemon);                                                         \
        lam_daemon_destroy(&stage.daemon); /* this one is nothing */                               \
        (void)(call);                                                                              \
    }

AFTER_DESTROY(wait, lam_daemon_wait_until(&stage.daemon, 0, &event))
AFTER_DESTROY(send, lam_daemon_try_send(&stage.daemon, 1, LAM_LANE_LOW, NULL, 0, 1))
AFTER_DESTROY(reply, lam_daemon_try_reply(&stage.daemon, &request, NULL, 0, 1, 0))
AFTER_DESTROY(release, (lam_daemon_release(&stage.daemon), 0))
AFTER_DESTROY(drop, (lam_daemon_drop(&stage.daemon, 1, 0, NULL), 0))
AFTER_DESTROY(shutdown, (lam_daemon_shutdown(&stage.daemon, 0, NULL), 0))

/* How a child ends that does @what with what its parent has. */
static int in_a_child(void (*what)(void))
{
    pid_t child = stage_fork();

    if (child == 0) {
        what();
        _exit(0);
    }
    return stage_wait(child);
}

static void send_one(void)
{
    (void)lam_client_try_send(&client, LAM_LANE_LOW, NULL, 0, 1);
}

static void hear(void)
{
    (void)lam_client_is_connected(&client);
}

static void leave(void)
{
    lam_client_disconnect(&client, 7, "not ours to say");
}

Test(misuse, a_forked_childs_client_is_nobodys_and_its_leaving_says_nothing)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    message = receive_one(&lane);
    cr_assert(eq(int, in_a_child(send_one), 128 + SIGABRT));
    cr_assert(eq(int, in_a_child(hear), 128 + SIGABRT));
    cr_assert(eq(int, in_a_child(leave), 0));
    /* The parent's goes on as if nothing had been. */
    for (uint64_t i = 0; i < 100; i++)
        cr_assert(eq(int, stage_echo(&client, i, stage_soon()), 0));
    cr_assert(memcmp(message.payload, &(uint32_t){0}, 4) == 0);
    lam_client_release(&client, lane, &message);
    lam_client_disconnect(&client, 0, NULL);
    lam_client_disconnect(&another, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(str, stage.text, ""));
}

static void serve(void)
{
    struct lam_daemon_event event;

    (void)lam_daemon_wait_until(&stage.daemon, stage_ms(10), &event);
}

static void destroy(void)
{
    uint32_t descriptors = stage_descriptors();

    lam_daemon_destroy(&stage.daemon);
    STAGE_CHECK(stage_descriptors() < descriptors);
    lam_daemon_destroy(&stage.daemon);
}

static void turn(uint32_t turns)
{
    struct lam_daemon_event event;

    for (uint32_t i = 0; i < turns; i++)
        if (lam_daemon_wait_until(&stage.daemon, stage_ms(5), &event) == 0)
            stage_act(&stage, &event);
}

Test(misuse, a_forked_childs_daemon_is_nobodys_and_its_end_ends_nothing)
{
    char path[128];
    pid_t asker;
    int status;

    stage_create(&stage, &it);
    asker = stage_fork();
    if (asker == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        for (uint64_t i = 0; i < 50; i++) {
            STAGE_CHECK(stage_echo(&client, i, stage_soon()) == 0);
            (void)usleep(1000);
        }
        lam_client_disconnect(&client, 0, NULL);
        _exit(0);
    }
    while (stage.requests < 5)
        turn(1);
    cr_assert(eq(int, in_a_child(serve), 128 + SIGABRT));
    cr_assert(eq(int, in_a_child(destroy), 0));
    (void)snprintf(path, sizeof(path), "%s/it.sock", stage_folder);
    cr_assert(eq(int, access(path, F_OK), 0));
    (void)snprintf(path, sizeof(path), "%s/it.lock", stage_folder);
    cr_assert(eq(int, access(path, F_OK), 0));
    cr_assert(eq(int, lam_daemon_create(&(struct lam_daemon){0}, &it, &error), -EBUSY));
    while (waitpid(asker, &status, WNOHANG) == 0)
        turn(1);
    cr_assert(eq(int, status, 0));
    lam_daemon_destroy(&stage.daemon);
    cr_assert(eq(int, access(path, F_OK), -1));
}

Test(misuse, a_parent_that_dies_after_its_childs_leaving_has_died)
{
    pid_t asker;

    stage_create(&stage, &it);
    asker = stage_fork();
    if (asker == 0) {
        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        STAGE_CHECK(in_a_child(leave) == 0);
        (void)raise(SIGKILL);
    }
    while (stage.gone == 0)
        turn(1);
    cr_assert(eq(u32, lam_load_relaxed(&stage.gone_reason), EOWNERDEAD));
    (void)stage_wait(asker);
    lam_daemon_destroy(&stage.daemon);
}
