/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: across PID namespaces clients are known by what the kernel says, their deaths are told, and
 * a living daemon's endpoint is refused, though no pid means the same on both sides. Method: a
 * client and then a daemon in a child that is the init of a PID namespace of its own, with its own
 * /proc.
 */
#include "pid_spaces.h"
#include "stage.h"

static struct stage stage;
static struct lam_client client;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it"};
static const struct lam_client_options to_it = {.endpoint = "it", .name = "elsewhere"};

static void be_a_client(void)
{
    STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
    STAGE_CHECK(stage_echo(&client, 1, stage_soon()) == 0);
}

static void *serve(void *nothing)
{
    stage_create(&stage, &it);
    (void)stage_run(&stage);
    return nothing;
}

static void be_a_daemon(void)
{
    STAGE_CHECK(pthread_create(&stage.thread, NULL, serve, NULL) == 0);
    STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
}

static void a_client_elsewhere(void)
{
    pid_t child;

    stage_start(&stage, &it);
    child = test_elsewhere(be_a_client, 1);
    STAGE_CHECK(stage.connected == 1);
    STAGE_CHECK(stage.peer.identity.pid == 1); /* as it says itself */
    STAGE_CHECK(stage.peer.pid > 1);           /* as it is here */
    STAGE_CHECK(
        lam_identity_of((uint32_t)stage.peer.pid).pid_space == stage.peer.identity.pid_space);
    STAGE_CHECK(lam_identity_self().pid_space != stage.peer.identity.pid_space);
    test_kill(child);
    for (uint64_t end_ns = stage_soon();
         lam_load_relaxed(&stage.gone_reason) == 0 && lam_clock_now_ns() < end_ns;)
        (void)usleep(500);
    STAGE_CHECK(lam_load_relaxed(&stage.gone_reason) == EOWNERDEAD);
    stage_stop(&stage);
}

static void a_daemon_elsewhere(void)
{
    struct lam_framed_message message;
    enum lam_lane lane;
    pid_t child = test_elsewhere(be_a_daemon, 1);

    STAGE_CHECK(lam_daemon_create(&stage.daemon, &it, &error) == -EBUSY);
    STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
    STAGE_CHECK(stage_echo(&client, 1, stage_soon()) == 0);
    STAGE_CHECK(lam_client_peer(&client)->pid > 1);
    STAGE_CHECK(lam_client_welcome(&client)->identity.pid == 1);
    test_kill(child);
    STAGE_CHECK(lam_client_receive_until(&client, stage_soon(), &message, &lane) == -EOWNERDEAD);
    lam_client_disconnect(&client, 0, NULL);
    for (uint64_t end_ns = stage_soon();
         lam_daemon_create(&stage.daemon, &it, &error) != 0 && lam_clock_now_ns() < end_ns;)
        (void)usleep(500);
    lam_daemon_destroy(&stage.daemon);
}

int main(void)
{
    test_need_pid_spaces();
    stage_make();
    a_client_elsewhere();
    a_daemon_elsewhere();
    stage_clear();
    return 0;
}
