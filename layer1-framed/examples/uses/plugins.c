/* SPDX-License-Identifier: Apache-2.0 */
/* A host and its plug-ins, each a process: what a plug-in can is a feature; one crashes. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { WORK = 1, DONE = 2, CAN_UPPER = 1, CAN_REVERSE = 2, CAN_CRASH = 4, TEXT_BYTES = 32 };

static void fail(const char *what)
{
    (void)fprintf(stderr, "plugins: %s\n", what);
    exit(1);
}

static void change(uint64_t can, char *text, uint64_t bytes)
{
    if (can == CAN_CRASH)
        (void)raise(SIGKILL);
    for (uint64_t i = 0; can == CAN_UPPER && i < bytes; i++)
        text[i] = (char)toupper((unsigned char)text[i]);
    for (uint64_t i = 0; can == CAN_REVERSE && i < bytes / 2; i++) {
        char last = text[bytes - 1 - i];

        text[bytes - 1 - i] = text[i];
        text[i] = last;
    }
}

static int run_plugin(uint64_t can)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_client_options options = {.endpoint = "host", .features_offered = can};
    static struct lam_client client;
    struct lam_framed_message message;
    struct lam_error error;
    enum lam_lane lane;
    int rc;

    if (lam_client_connect(&client, &options, end_ns, &error) != 0)
        fail(error.text);
    while ((rc = lam_client_receive_until(&client, end_ns, &message, &lane)) == 0) {
        char text[TEXT_BYTES] = "";
        uint64_t text_bytes =
            message.payload_bytes < TEXT_BYTES ? message.payload_bytes : TEXT_BYTES - 1;
        struct iovec part = {text, text_bytes};

        memcpy(text, message.payload, text_bytes);
        lam_client_release(&client, lane, &message);
        change(can, text, part.iov_len);
        (void)lam_client_send_until(&client, lane, &part, 1, DONE, end_ns);
    }
    lam_client_disconnect(&client, 0, NULL);
    return rc != -EPIPE; /* the host has shut down in order */
}

int main(void)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_daemon_options options = {.name = "host", .features_offered = 7};
    struct iovec work = {(void *)"lamina", 6};
    static struct lam_daemon daemon;
    struct lam_daemon_event event;
    struct lam_error error;
    int done = 0, crashed = 0, failed = 0, status;

    if (lam_daemon_create(&daemon, &options, &error) != 0)
        fail(error.text);
    for (uint64_t can = CAN_UPPER; can <= CAN_CRASH; can *= 2)
        if (fork() == 0)
            exit(run_plugin(can));
    while (done + crashed < 3 && lam_daemon_wait_until(&daemon, end_ns, &event) == 0) {
        if (event.type == LAM_DAEMON_CONNECTED)
            (void)lam_daemon_try_send(&daemon, event.client, LAM_LANE_HIGH, &work, 1, WORK);
        crashed += event.type == LAM_DAEMON_GONE && event.reason == -EOWNERDEAD;
        if (event.type != LAM_DAEMON_MESSAGE)
            continue;
        done += memcmp(event.message.payload,
                    event.peer->features == CAN_UPPER ? "LAMINA" : "animal", 6) == 0;
        printf("%.*s\n", (int)event.message.payload_bytes, (const char *)event.message.payload);
    }
    lam_daemon_shutdown(&daemon, 0, "the host has all it wanted");
    for (int i = 0; i < 3; i++)
        failed |= wait(&status) < 0 || (status != 0 && !WIFSIGNALED(status));
    lam_daemon_destroy(&daemon);
    printf("%d done, %d crashed, and the host goes on\n", done, crashed);
    return failed || done != 2 || crashed != 1;
}
