/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a daemon says at create what no client could live with, and a client believes no WELCOME to
 * what it has not asked for. Method: daemons with impossible depths; a child that answers each
 * hello with one wrong field.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "stage.h"

static struct lam_daemon nobody;
static struct lam_client client;
static struct lam_error error;

TestSuite(welcome, .init = stage_make, .fini = stage_clear, .timeout = 30);

Test(welcome, a_daemon_that_could_take_nobody_is_none)
{
    struct lam_daemon_options options = {.name = "it", .depth = 1};

    cr_assert(eq(int, lam_daemon_create(&nobody, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "depth is 1") != NULL, "%s", error.text);
    options.depth = 0;
    options.depth_max = LAM_DAEMON_DEPTH_DEFAULT / 2;
    cr_assert(eq(int, lam_daemon_create(&nobody, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "depth_max is 512, below depth, 1024") != NULL, "%s", error.text);
}

/* Each hello gets the next of @welcomes, and no rings. */
static void be_a_liar(int listener, const struct lam_endpoint_welcome *welcomes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];
        int fd = accept(listener, NULL, NULL);

        STAGE_CHECK(fd >= 0 && recv(fd, bytes, sizeof(bytes), 0) == LAM_ENDPOINT_HELLO_BYTES);
        lam_endpoint_write_welcome(&welcomes[i], bytes);
        STAGE_CHECK(send(fd, bytes, LAM_ENDPOINT_WELCOME_BYTES, MSG_NOSIGNAL) > 0);
        (void)send(fd, bytes, 16, MSG_NOSIGNAL); /* who believed it hears nonsense */
        (void)close(fd);
    }
    _exit(0);
}

/* Welcomes of what was asked for, but for one field. */
static void make_lies(struct lam_endpoint_welcome *lies, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        lies[i] = (struct lam_endpoint_welcome){.wire = 1,
            .lanes = 3,
            .version = 4,
            .features = 3,
            .depth = 64,
            .cell_bytes = 64,
            .extensions = LAM_EVENT_CRC32C,
            .pressure = LAM_PRESSURE_WAIT};
    lies[0].version = 2;
    lies[1].version = 6;
    lies[2].lanes = 1;
    lies[3].depth = 128;
    lies[4].cell_bytes = 128;
    lies[5].message_bytes_max = LAM_FRAMED_MESSAGE_BYTES_MAX + 1;
    lies[6].pressure = LAM_PRESSURE_IGNORE;
    lies[7].extensions = 0;
    lies[8].extensions |= LAM_EVENT_TIMESTAMP;
    lies[9].features = 2;
    lies[10].features = 7;
}

Test(welcome, to_what_was_not_asked_for_is_refused_by_name)
{
    struct lam_client_options asks = {.endpoint = "it",
        .version_min = 3,
        .version_max = 5,
        .features_offered = 3,
        .features_required = 1,
        .extensions_offered = LAM_EVENT_CRC32C,
        .extensions_required = LAM_EVENT_CRC32C,
        .pressure_required = 1,
        .depth = 64,
        .cell_bytes = 64};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char *const fields[] = {"version", "version", "lanes", "depth", "cell_bytes",
        "message_bytes_max", "pressure", "extensions", "extensions", "features_offered",
        "features_offered"};
    enum { LIES = sizeof(fields) / sizeof(fields[0]) };
    struct lam_endpoint_welcome lies[LIES];
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    pid_t child;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/it.sock", stage_folder);
    cr_assert(eq(int, bind(listener, (struct sockaddr *)&address, sizeof(address)), 0));
    cr_assert(eq(int, listen(listener, 4), 0));
    make_lies(lies, LIES);
    child = stage_fork();
    if (child == 0)
        be_a_liar(listener, lies, LIES);
    (void)close(listener);
    for (uint32_t i = 0; i < LIES; i++) {
        char said[64];

        (void)snprintf(said, sizeof(said), "the daemon chose %s", fields[i]);
        cr_assert(eq(int, lam_client_connect(&client, &asks, stage_soon(), &error), -EPROTO),
            "%s: %s", fields[i], error.text);
        cr_assert(strstr(error.text, said) != NULL, "%s: %s", fields[i], error.text);
    }
    cr_assert(eq(int, stage_wait(child), 0));
}
