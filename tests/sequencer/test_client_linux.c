/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_client_linux.c: the client as a program has it, over real sockets, with keys in files. The
 * node's end is played by a second world of this thread.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/linux.h"
#include "lamina/sequencer/client.h"
#include "protocol/ed25519.h"
#include "protocol/greeting.h"

static char folder[] = "/tmp/lamina-client-XXXXXX";
static char address[128];
static struct lam_env_linux env;
static struct lam_sequencer_client *client;
static struct lam_sequencer_reply reply;
static struct lam_error error;

/* The node's end: one listener, one connection at a time. */
static struct lam_env_io accept_io, receive_io;
static int listener, file, is_accepting, is_receiving;
static uint8_t bytes[1 << 16];
static uint32_t used;
static uint64_t sequence;

static void setup(void)
{
    struct lam_env_io io = {.name = address};

    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(address, sizeof(address), "unix:%s/node", folder);
    cr_assert(eq(int, lam_env_linux_init(&env, NULL), 0));
    listener = (int)lam_env_do(&env.env, &io, LAM_ENV_LISTEN);
    cr_assert(listener >= 0);
    file = -1;
}

static void close_file(int which)
{
    struct lam_env_io io = {.file = which};

    (void)lam_env_do(&env.env, &io, LAM_ENV_CLOSE);
}

static void teardown(void)
{
    char path[160];

    lam_sequencer_client_destroy(client);
    if (file >= 0)
        close_file(file);
    close_file(listener);
    (void)env.env.ops->poll(&env.env);
    lam_env_linux_fini(&env);
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(client_linux, .init = setup, .fini = teardown, .timeout = 60);

static void say(const struct frame *frame)
{
    static uint8_t out[1 << 16];
    uint32_t count = frame_encode(frame, out, sizeof(out));

    cr_assert(eq(int, lam_env_do_all(&env.env, LAM_ENV_SEND, file, out, count, 0), 0));
}

/* What a node would do with one frame. */
static void answer(const struct frame *frame)
{
    if (frame->kind == FRAME_HELLO)
        say(&(struct frame){.kind = FRAME_WELCOME,
            .welcome = {.session = 7,
                .token = 9,
                .floor = 1,
                .window = 8,
                .bytes_max = 1000,
                .version = FRAME_VERSION}});
    else if (frame->kind == FRAME_REQUEST)
        say(&(struct frame){.kind = FRAME_REPLY,
            .request = frame->request,
            .sequence = ++sequence,
            .bytes = frame->bytes,
            .count = frame->count});
}

static void take_frames(void (*take)(const struct frame *frame))
{
    struct frame frame;
    uint32_t length, begin = 0;

    while (
        frame_length(bytes + begin, used - begin, 1000, &length) == 1 && length <= used - begin) {
        cr_assert(eq(int, frame_decode(&frame, FRAME_OF_CLIENT, bytes + begin, length), 0));
        begin += length;
        take(&frame);
    }
    memmove(bytes, bytes + begin, used - begin);
    used -= begin;
}

/* What the node's end can do now. */
static void pump(void (*take)(const struct frame *frame))
{
    (void)env.env.ops->poll(&env.env);
    if (file < 0 && !is_accepting) {
        accept_io = (struct lam_env_io){.file = listener};
        lam_env_start(&env.env, &accept_io, LAM_ENV_ACCEPT);
        is_accepting = 1;
    }
    if (is_accepting && accept_io.done) {
        is_accepting = 0;
        file = (int)accept_io.result;
        cr_assert(file >= 0);
        used = 0;
    }
    if (file >= 0 && !is_receiving) {
        receive_io =
            (struct lam_env_io){.file = file, .bytes = bytes + used, .count = sizeof(bytes) - used};
        lam_env_start(&env.env, &receive_io, LAM_ENV_RECEIVE);
        is_receiving = 1;
    }
    if (is_receiving && receive_io.done) {
        is_receiving = 0;
        cr_assert(receive_io.result >= 0);
        used += (uint32_t)receive_io.result;
        if (receive_io.result == 0) {
            close_file(file);
            file = -1;
        }
        take_frames(take);
    }
}

/* The node's end goes away, and is there again. */
static void hang_up(void)
{
    close_file(file);
    (void)env.env.ops->poll(&env.env);
    is_receiving = 0;
    file = -1;
}

/*
 * A loop of poll() alone, which steps the client only when its descriptor or its time says so: it
 * would stand still if either left anything out. The node's end is of this thread: 1 ms at most.
 */
static int wait_by_descriptor(void)
{
    for (;;) {
        uint64_t due_ns, now_ns = lam_clock_now_ns();
        struct pollfd waited = {.fd = lam_sequencer_client_fd(client, &due_ns), .events = POLLIN};

        cr_assert(waited.fd >= 0);
        if (poll(&waited, 1, due_ns <= now_ns ? 0 : 1) == 1 || due_ns <= now_ns) {
            int rc = lam_sequencer_client_step(client, &reply);

            if (rc != 0)
                return rc;
        }
        pump(answer);
    }
}

static void make(const struct lam_sequencer_client_options *options)
{
    cr_assert(eq(int, lam_sequencer_client_create(&client, options, &error), 0), "%s", error.text);
}

Test(client_linux, a_loop_of_poll_is_told_all_that_it_has_to_know)
{
    uint64_t request, answers = 0, sent = 0;

    make(&(struct lam_sequencer_client_options){.address = address, .retry_ns = LAM_NS_PER_MS});
    while (answers < 2000) {
        while (sent < 2000 && sent - answers < 8 &&
               lam_sequencer_client_try_send(client, 0, &sent, sizeof(sent), &request) == 1)
            sent++;
        if (sent == 0) { /* it takes a welcome, for which nothing is told but by steps */
            uint64_t due_ns;

            (void)lam_sequencer_client_fd(client, &due_ns);
            (void)lam_sequencer_client_step(client, &reply);
            pump(answer);
            continue;
        }
        cr_assert(eq(int, wait_by_descriptor(), 1));
        answers++;
        cr_assert(eq(int, (int)reply.kind, LAM_SEQUENCER_REPLY));
        if (answers % 500 == 0)
            hang_up();
    }
    cr_assert(eq(u64, reply.request, 2000));
}

static const uint8_t seed[32] = {1};
static struct keys keys;
static struct greeting greeting;
static struct greeting_rules rules;

/* A node that wants a key. */
static void greet(const struct frame *frame)
{
    uint8_t whole[256];
    enum greeting_verdict verdict =
        greeting_take(&greeting, &rules, whole, frame_encode(frame, whole, sizeof(whole)));

    if (verdict == GREETING_VERIFIES)
        verdict = greeting_verified(&greeting, &rules, greeting_verify(&greeting.proof));
    if (verdict == GREETING_ADMITS)
        answer(&(struct frame){.kind = FRAME_HELLO});
    else
        say(&greeting.answer);
}

/* As "openssl genpkey -algorithm ed25519" writes it: a fixed beginning, then the seed. */
static const char *write_key(mode_t mode)
{
    static const char text[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MC4CAQAwBQYDK2VwBCIEIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                               "-----END PRIVATE KEY-----\n";
    static char path[160];
    int key;

    (void)snprintf(path, sizeof(path), "%s/key", folder);
    (void)unlink(path);
    key = open(path, O_CREAT | O_WRONLY, mode);
    cr_assert(key >= 0 && fchmod(key, mode) == 0);
    cr_assert(write(key, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
    (void)close(key);
    return path;
}

/* Steps of both ends until the client is welcome or sent away. Returns 1 or -errno. */
static int greet_to_the_end(void)
{
    uint64_t token;
    int rc = 0;

    while (rc == 0 && lam_sequencer_client_session(client, &token) == 0) {
        rc = lam_sequencer_client_step(client, &reply);
        pump(greet);
    }
    return rc != 0 ? rc : 1;
}

Test(client_linux, a_key_in_a_file_opens_the_door)
{
    uint8_t key[32], signature[64];
    char text[KEYS_BASE64_BYTES], line[128];

    if (ed25519_missing() != NULL)
        cr_skip_test("%s", ed25519_missing());
    cr_assert(eq(int, ed25519_sign(seed, "", 0, key, signature), 0));
    keys_text(key, text);
    for (unsigned is_listed = 0; is_listed < 2; is_listed++) {
        (void)snprintf(line, sizeof(line), "3 %s\n", is_listed ? text : "uid:4294967294");
        cr_assert(eq(int, keys_parse(&keys, line, strlen(line), "keys", &error), 0));
        rules.keys = &keys;
        greeting_begin(&greeting, 0, (uid_t)-1, key);
        make(&(struct lam_sequencer_client_options){.address = address, .key = write_key(0600)});
        cr_assert(eq(int, greet_to_the_end(), is_listed ? 1 : -ENOTRECOVERABLE));
        lam_sequencer_client_destroy(client);
        client = NULL;
        keys_free(&keys);
        for (unsigned i = 0; i < 3; i++) /* it sees the end */
            pump(greet);
    }
}

Test(client_linux, a_key_that_others_can_read_is_refused)
{
    struct lam_sequencer_client_options options = {.address = address, .key = write_key(0640)};

    cr_assert(eq(int, lam_sequencer_client_create(&client, &options, &error), -EPERM));
    cr_assert(strstr(error.text, "chmod 600") != NULL, "%s", error.text);
    options.key = "/nowhere/key";
    cr_assert(eq(int, lam_sequencer_client_create(&client, &options, &error), -ENOENT));
    options.key = "/dev/null";
    cr_assert(eq(int, lam_sequencer_client_create(&client, &options, &error), -EINVAL));
}

Test(client_linux, a_deadline_ends_a_wait_for_a_node_that_is_not_there)
{
    static char nowhere[160]; /* kept until teardown has destroyed the client */

    (void)snprintf(nowhere, sizeof(nowhere), "unix:%s/nowhere", folder);
    make(&(struct lam_sequencer_client_options){.address = nowhere});
    cr_assert(eq(int,
        lam_sequencer_client_call_until(
            client, 0, "", 0, lam_deadline_after_ns(50 * LAM_NS_PER_MS), &reply),
        -ETIMEDOUT));
    cr_assert(strstr(lam_sequencer_client_failure(client), "is the node running?") != NULL);
}
