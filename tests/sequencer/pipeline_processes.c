/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_processes.c: a node is a process, its client another one, a Unix socket between them. It
 * ends in order when it is told to, and by SIGKILL; the next one has what was answered, and a
 * request that comes once more gets the reply that it had.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "lamina/sequencer/sequencer.h"
#include "protocol/frame.h"
#include "sum_app.h"

#define LIVES 6

static char folder[64], path[108], address[128];
static struct sum_config sum;

/* The node: as a main would have it. Ends with the status of lam_sequencer_run. */
static int serve(void *argument)
{
    struct lam_app app = sum_app(&sum);
    struct lam_sequencer_config config = {.directory = folder,
        .listen = {address},
        .segment_bytes = 1 << 20,
        .digest_events = 16,
        .tick_ns = 1000000};

    (void)argument;
    return lam_sequencer_run(&config, &app);
}

static int connect_to_node(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(file >= 0);
    memcpy(to.sun_path, path, sizeof(path));
    while (connect(file, (const struct sockaddr *)&to, sizeof(to)) != 0)
        (void)usleep(1000); /* it has yet to begin */
    return file;
}

static void say(int file, const struct frame *frame)
{
    uint8_t bytes[256];
    uint32_t count = frame_encode(frame, bytes, sizeof(bytes));

    CHECK(count != 0);
    CHECK(write(file, bytes, count) == (ssize_t)count);
}

static void read_all(int file, uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t got = read(file, bytes, count);

        CHECK(got > 0);
        bytes += got;
        count -= (size_t)got;
    }
}

/* The next frame but for beats. frame->bytes are within @bytes. */
static void hear(int file, struct frame *frame, uint8_t bytes[512])
{
    do {
        uint32_t length = 0;

        read_all(file, bytes, sizeof(length));
        CHECK(frame_length(bytes, sizeof(length), 512, &length) == 1);
        read_all(file, bytes + sizeof(length), length - sizeof(length));
        CHECK(frame_decode(frame, FRAME_OF_NODE, bytes, length) == 0);
    } while (frame->kind == FRAME_BEAT);
}

static void greet(int file, struct frame_welcome *session)
{
    struct frame frame = {.kind = FRAME_HELLO,
        .hello = {.version = FRAME_VERSION, .session = session->session, .token = session->token}};
    uint8_t bytes[512];

    say(file, &frame);
    hear(file, &frame, bytes);
    CHECK(frame.kind == FRAME_WELCOME);
    CHECK(session->session == 0 || frame.welcome.session == session->session);
    *session = frame.welcome;
}

/* Adds one. Returns the sum that was answered. */
static uint64_t add_one(int file, uint64_t request, int is_repeat)
{
    uint64_t one = 1, value;
    struct frame frame = {.kind = FRAME_REQUEST,
        .request = request,
        .floor = request,
        .bytes = (const uint8_t *)&one,
        .count = sizeof(one)};
    uint8_t bytes[512];

    say(file, &frame);
    hear(file, &frame, bytes);
    CHECK(frame.kind == FRAME_REPLY && frame.request == request && frame.count == sizeof(value));
    CHECK((frame.flags == FRAME_REPEATED) == is_repeat);
    memcpy(&value, frame.bytes, sizeof(value));
    return value;
}

static void live(int life, struct frame_welcome *session, uint64_t *request)
{
    pid_t node = check_fork(serve, NULL);
    int file = connect_to_node();

    greet(file, session);
    if (*request > 0)
        CHECK(add_one(file, *request, 1) == *request);
    for (int i = 0; i < 20; i++) {
        (*request)++;
        CHECK(add_one(file, *request, 0) == *request);
    }
    if (life % 2 == 0) {
        struct frame frame;
        uint8_t bytes[512];

        CHECK(kill(node, SIGTERM) == 0);
        hear(file, &frame, bytes);
        CHECK(frame.kind == FRAME_GOODBYE && frame.code == GOODBYE_ENDING);
        CHECK(close(file) == 0);
        CHECK(check_wait(node) == 0);
    } else {
        CHECK(kill(node, SIGKILL) == 0);
        CHECK(check_wait(node) == -SIGKILL);
        CHECK(close(file) == 0);
    }
}

int main(void)
{
    struct frame_welcome session = {0};
    uint64_t request = 0;
    char command[128];

    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(folder, sizeof(folder), "/tmp/lamina-processes-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    (void)snprintf(address, sizeof(address), "unix:%s", path);
    for (int life = 0; life < LIVES; life++)
        live(life, &session, &request);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
    return 0;
}
