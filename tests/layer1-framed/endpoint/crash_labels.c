/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whoever dies at any named place of an endpoint's life, the others go on: a next daemon
 * takes over, a daemon serves the next client, a client with reconnect gets its answers. Method: a
 * child that kills itself at a label, the n-th time it comes by, for each label in each role that
 * comes by it; then the same without a death.
 *
 * "--list" prints the labels.
 */
#include "stage.h"

enum role {
    DAEMON, /* dies as a daemon; a client with reconnect asks on */
    CLIENT, /* dies as a client; the daemon serves the next one */
};

struct scene {
    const char *label;
    enum role role;
};

static const struct scene scenes[] = {
    {"endpoint.locked", DAEMON},
    {"endpoint.bound", DAEMON},
    {"endpoint.exchanged", DAEMON},
    {"endpoint.appeared", DAEMON},
    {"endpoint.accepted", DAEMON},
    {"endpoint.welcomed", DAEMON},
    {"endpoint.half_passed", DAEMON},
    {"endpoint.passed", DAEMON},
    {"endpoint.joined", DAEMON},
    {"endpoint.said_goodbye", DAEMON},
    {"endpoint.connected", CLIENT},
    {"endpoint.said_hello", CLIENT},
    {"endpoint.took_a_ring", CLIENT},
    {"endpoint.half_attached", CLIENT},
    {"endpoint.said_ready", CLIENT},
    {"endpoint.reconnected", CLIENT},
    {"endpoint.repeated", CLIENT},
};

static const char *deadly; /* the label, in the child that is to die */
static uint32_t passes;    /* how often it may come by before */

void lam_crash_point(const char *label)
{
    if (deadly != NULL && strcmp(label, deadly) == 0 && passes-- == 0)
        (void)raise(SIGKILL);
}

static const struct lam_daemon_options it = {.name = "it", .depth = 64};
static struct lam_client client;
static struct lam_error error;

/* A daemon that dies at @label; it takes over from one that was killed, so that it exchanges. */
static pid_t start_doomed_daemon(const char *label, uint32_t times)
{
    pid_t child;

    stage_kill(stage_fork_daemon(&it));
    child = stage_fork();
    if (child == 0) {
        static struct stage stage;

        deadly = label;
        passes = times;
        stage_create(&stage, &it);
        (void)stage_run(&stage);
        lam_daemon_destroy(&stage.daemon);
        _exit(0);
    }
    return child;
}

/* Its client asks until it has its answer, whoever gives it; then has the daemon shut down. */
static void ask_on(void)
{
    struct lam_client_options options = {.endpoint = "it", .reconnect = 1, .depth = 64};

    STAGE_CHECK(stage_connect(&client, &options, &error) == 0);
    for (uint64_t i = 0; i < 20; i++)
        STAGE_CHECK(stage_echo(&client, i, stage_soon()) == 0);
    STAGE_CHECK(stage_say(&client, STAGE_SHUT, 0, 0) == 0);
    STAGE_CHECK(stage_echo(&client, 1, stage_soon()) == 0);
    lam_client_disconnect(&client, 0, NULL);
}

static void kill_a_daemon(const char *label, uint32_t times)
{
    pid_t doomed = start_doomed_daemon(label, times);
    pid_t asker = stage_fork();
    pid_t next;

    if (asker == 0) {
        ask_on();
        _exit(0);
    }
    STAGE_CHECK(stage_wait(doomed) == 128 + SIGKILL);
    next = stage_fork_daemon(&it); /* nothing that the dead one left is in its way */
    /* It is told to shut down, unless the doomed one was: then it serves what was left. */
    if (strcmp(label, "endpoint.said_goodbye") != 0) {
        STAGE_CHECK(stage_wait(next) == 0);
        next = stage_fork_daemon(&it);
    }
    STAGE_CHECK(stage_wait(asker) == 0);
    stage_kill(next);
}

/* A client that comes by all labels of a client's: its first daemon dies under a request. */
static void be_a_client(pid_t daemon)
{
    struct lam_client_options options = {
        .endpoint = "it", .name = "doomed", .reconnect = 1, .depth = 64};
    uint64_t number = 5;
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket ticket;
    struct lam_reply reply;

    (void)daemon;
    STAGE_CHECK(stage_connect(&client, &options, &error) == 0);
    STAGE_CHECK(lam_client_begin_until(
                    &client, LAM_LANE_LOW, &part, 1, STAGE_NEVER, stage_ms(1500), &ticket) == 0);
    STAGE_CHECK(stage_say(&client, STAGE_DIE, 0, 0) == 0);
    STAGE_CHECK(lam_client_take_until(&client, &ticket, stage_soon(), &reply) == 0);
    STAGE_CHECK(reply.outcome == -ETIMEDOUT);
    lam_client_disconnect(&client, 0, NULL);
}

static void kill_a_client(const char *label, uint32_t times)
{
    int is_late =
        strcmp(label, "endpoint.reconnected") == 0 || strcmp(label, "endpoint.repeated") == 0;
    pid_t daemon = stage_fork_daemon(&it);
    pid_t doomed = stage_fork();
    struct lam_client_options options = {.endpoint = "it", .depth = 64};

    if (doomed == 0) {
        deadly = label;
        passes = times;
        be_a_client(daemon);
        _exit(0);
    }
    if (is_late) { /* by its own wish */
        STAGE_CHECK(stage_wait(daemon) == 128 + SIGKILL);
        daemon = stage_fork_daemon(&it);
    }
    STAGE_CHECK(stage_wait(doomed) == 128 + SIGKILL);
    STAGE_CHECK(stage_connect(&client, &options, &error) == 0);
    for (uint64_t i = 0; i < 20; i++)
        STAGE_CHECK(stage_echo(&client, i, stage_soon()) == 0);
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

/* How often a label is come by where there are several of it. */
static uint32_t times_of(const char *label)
{
    if (strcmp(label, "endpoint.took_a_ring") == 0)
        return LAM_ENDPOINT_RINGS;
    return strcmp(label, "endpoint.half_passed") == 0 ? 3 : 1;
}

int main(int count, char **arguments)
{
    uint32_t descriptors;
    uint32_t deaths = 0;

    if (count == 2 && strcmp(arguments[1], "--list") == 0) {
        for (uint32_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
            printf("%s\n", scenes[i].label);
        return 0;
    }
    stage_make();
    descriptors = stage_descriptors();
    for (uint32_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        for (uint32_t n = 0; n < times_of(scenes[i].label); n++, deaths++) {
            if (scenes[i].role == DAEMON)
                kill_a_daemon(scenes[i].label, n);
            else
                kill_a_client(scenes[i].label, n);
            STAGE_CHECK(stage_descriptors() == descriptors);
        }
    stage_clear();
    printf("%u deaths at %zu labels\n", deaths, sizeof(scenes) / sizeof(scenes[0]));
    return 0;
}
