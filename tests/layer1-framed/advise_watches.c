/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: `lamina advise` says of a channel what is so, and no end of it notices.
 * Method: a channel of known messages, one of them in frames; the command is run beside it while
 * its ends are alive, for a moment and for a while, and its words are compared.
 */
#include "channel.h"
#include "lamina/ring/stat.h"
#include "processes.h"

static char output[65536];

/* Run the command and keep what it prints. Returns its exit code. */
static int run(const char *command, const char *arguments)
{
    char line[4096];
    size_t bytes;
    FILE *pipe;
    int status;

    (void)snprintf(line, sizeof(line), "%s %s 2>&1", command, arguments);
    pipe = popen(line, "r"); // NOLINT(cert-env33-c): a command that the build has made
    TEST_CHECK(pipe != NULL);
    bytes = fread(output, 1, sizeof(output) - 1, pipe);
    output[bytes] = '\0';
    status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int says(const char *text)
{
    if (strstr(output, text) != NULL)
        return 1;
    (void)fprintf(stderr, "no \"%s\" in:\n%s\n", text, output);
    return 0;
}

static void send(struct channel *channel, uint64_t bytes)
{
    static uint8_t message[50000];
    struct iovec part = {message, bytes};

    TEST_CHECK(lam_framed_sender_send_until(&channel->sender, &part, 1, 1, NULL, soon()) == 0);
}

static void receive(struct channel *channel)
{
    struct lam_framed_message message;

    TEST_CHECK(lam_framed_receiver_receive_until(&channel->receiver, soon(), &message) == 0);
    TEST_CHECK(lam_framed_receiver_release(&channel->receiver, &message) == 0);
}

static void open_named(struct channel *channel, const char *name)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = name, .depth = 256, .cell_bytes = 256};
    struct lam_error error = {""};

    TEST_OK(lam_ring_create(&channel->ring, &options, &error), error);
    channel_attach_sender(channel);
    channel_attach_receiver(channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

int main(int argc, char **argv)
{
    static struct channel channel;
    static struct lam_ring_stat before, after;
    char name[64], arguments[256];

    TEST_CHECK(argc == 2);
    (void)snprintf(name, sizeof(name), "advise-%d", (int)getpid());
    open_named(&channel, name);
    (void)snprintf(arguments, sizeof(arguments), "%s --seconds 0 --json", name);
    TEST_CHECK(run(argv[1], arguments) == 3 && says("no message was seen"));
    for (int i = 0; i < 100; i++)
        send(&channel, 40);
    TEST_CHECK(lam_ring_stat_read(&channel.ring, &before) == 0);
    TEST_CHECK(run(argv[1], arguments) == 0);
    TEST_CHECK(says("\"messages\":100,") && says("\"bytes_p50\":40,") && says("\"bytes_max\":40,"));
    TEST_CHECK(says("\"used_cells_max\":100,") && says("\"cell_bytes_now\":256,"));
    TEST_CHECK(says("\"cell_bytes\":64,") && says("\"depth\":256,") && says("\"cell_smaller\""));
    (void)snprintf(arguments, sizeof(arguments), "%s --seconds 0.02", name);
    TEST_CHECK(run(argv[1], arguments) == 0 && says("smaller cells") && says("as it is"));
    TEST_CHECK(lam_ring_stat_read(&channel.ring, &after) == 0);
    TEST_CHECK(after.consumer_count == before.consumer_count && after.head == before.head);
    TEST_CHECK(after.consumers[0].cursor == before.consumers[0].cursor);
    for (int i = 0; i < 100; i++)
        receive(&channel);
    send(&channel, 50000);
    (void)snprintf(arguments, sizeof(arguments), "%s --seconds 0 --json", name);
    TEST_CHECK(run(argv[1], arguments) == 0 && says("\"framed_messages\":1,"));
    TEST_CHECK(says("\"bytes_max\":50000,"));
    receive(&channel);
    lam_framed_receiver_detach(&channel.receiver);
    lam_framed_sender_close(&channel.sender);
    lam_framed_sender_detach(&channel.sender);
    TEST_CHECK(lam_ring_destroy(&channel.ring) == 0);
    TEST_CHECK(run(argv[1], arguments) == 3);
    return 0;
}
