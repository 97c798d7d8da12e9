/* SPDX-License-Identifier: Apache-2.0 */
/* Ping-pong in two terminals: "endpoint_ping daemon" in one, "endpoint_ping client" in another. */
#include <stdio.h>
#include <string.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { PING = 1, PONG = 2, ROUNDS = 1000 };

static int complain(const struct lam_error *error)
{
    (void)fprintf(stderr, "%s\n", error->text);
    return 1;
}

/* Answer each ping, until the last client has gone. */
static int run_daemon(void)
{
    struct lam_daemon_options options = {.name = "ping"};
    struct lam_error error = {.text = ""};
    struct lam_daemon_event event;
    static struct lam_daemon daemon;
    int rc = lam_daemon_create(&daemon, &options, &error);

    if (rc != 0)
        return complain(&error);
    while ((rc = lam_daemon_wait_until(&daemon, LAM_DEADLINE_NEVER, &event)) == 0) {
        struct iovec pong = {(void *)event.message.payload, event.message.payload_bytes};

        if (event.type == LAM_DAEMON_CONNECTED)
            printf("%s is here, pid %d\n", event.peer->name, (int)event.peer->pid);
        if (event.type == LAM_DAEMON_REQUEST)
            (void)lam_daemon_try_reply(&daemon, &event.request, &pong, 1, PONG, 0);
        if (event.type == LAM_DAEMON_GONE) {
            printf("it %s: %s\n", event.reason == -EPIPE ? "left" : "died", event.text);
            if (lam_daemon_client_count(&daemon) == 0)
                lam_daemon_shutdown(&daemon, 0, "the last client has gone");
        }
    }
    lam_daemon_destroy(&daemon);
    return rc != -EPIPE;
}

static int run_client(void)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S), began_ns;
    struct lam_client_options options = {.endpoint = "ping", .name = "pinger"};
    struct lam_error error = {.text = ""};
    static struct lam_client client;
    struct lam_reply reply;
    int rc = lam_client_connect(&client, &options, end_ns, &error);

    if (rc != 0)
        return complain(&error);
    began_ns = lam_clock_now_ns();
    for (uint32_t i = 0; rc == 0 && i < ROUNDS; i++) {
        struct iovec ping = {&i, sizeof(i)};

        rc = lam_client_request_until(&client, LAM_LANE_HIGH, &ping, 1, PING, end_ns, &reply);
        if (rc == 0) {
            rc = reply.kind != PONG || memcmp(reply.payload, &i, sizeof(i)) != 0;
            lam_client_release_reply(&client, &reply);
        }
    }
    if (rc == 0)
        printf(
            "%d rounds, %.0f ns each\n", ROUNDS, (double)(lam_clock_now_ns() - began_ns) / ROUNDS);
    else
        (void)fprintf(stderr, "it ended: %s\n", lam_framed_error_name(rc, 0));
    lam_client_disconnect(&client, 0, "enough played");
    return rc != 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "daemon") == 0)
        return run_daemon();
    if (count == 2 && strcmp(arguments[1], "client") == 0)
        return run_client();
    (void)fprintf(stderr, "usage: endpoint_ping daemon | client\n");
    return 2;
}
