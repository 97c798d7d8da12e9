/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c: what a client says at a host's endpoint, any bytes at any time, costs that one its
 * connection at most: another client asks between all of it. Size: LAMINA_EFFORT.
 */
#include <dirent.h>

#include "messages/vectors.h"
#include "remote/raw.h"
#include "remote/stage.h"

#define VERSION 0x10003u

static struct lam_remote *honest;
static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static struct raw *connect_raw(void)
{
    struct raw *raw = raw_connect(stage_folder, VERSION);

    TEST_CHECK(raw != NULL);
    return raw;
}

/* Whatever it was, what is answered is a message, and no host is harmed. */
static struct lam_protocol_message ask_raw(struct raw *raw, const uint8_t *bytes, uint64_t count)
{
    static uint8_t answer[1 << 16];
    struct lam_protocol_message message;
    uint64_t got = 0;
    int rc = raw_ask(raw, bytes, count, answer, sizeof(answer), &got);

    if (rc != 0)
        printf("asked %lu bytes: %d\n", (unsigned long)count, rc);
    TEST_CHECK(rc == 0);
    TEST_OK(lam_protocol_read_message(&message, answer, got, &stage_error), stage_error);
    TEST_CHECK(
        message.header.type == LAM_PROTOCOL_RESPONSE || message.header.type == LAM_PROTOCOL_ERROR);
    return message;
}

static void other_versions_are_refused_at_the_door(void)
{
    TEST_CHECK(raw_connect(stage_folder, 0x20000u) == NULL);
    TEST_CHECK(raw_connect(stage_folder, 0) == NULL);
    TEST_CHECK(raw_connect(stage_folder, 0x10004u) == NULL);
    stage_all_is_well(honest);
}

static void any_bytes_are_answered_with_an_error(void)
{
    struct raw *raw = connect_raw();
    uint8_t bytes[600];

    for (uint64_t i = 0; i < 200 * effort(); i++) {
        uint64_t count = draw() % sizeof(bytes);

        for (uint64_t at = 0; at < count; at++)
            bytes[at] = (uint8_t)draw();
        TEST_CHECK(ask_raw(raw, bytes, count).header.type == LAM_PROTOCOL_ERROR);
        if (i % 32 == 0)
            stage_all_is_well(honest);
    }
    raw_disconnect(raw);
}

static void changed_messages_are_answered(void)
{
    struct raw *raw = connect_raw();

    for (uint64_t i = 0; i < 40 * effort(); i++) {
        for (unsigned k = 0; k < KNOWN_COUNT; k++) {
            struct vector vector = vector_of(known[k].name);

            for (uint64_t n = draw() % 4; n > 0; n--)
                vector.bytes[draw() % vector.count] = (uint8_t)draw();
            (void)ask_raw(raw, vector.bytes, vector.count);
        }
        stage_all_is_well(honest);
    }
    raw_disconnect(raw);
}

static uint32_t error_of(struct raw *raw, struct lam_protocol_message *message)
{
    static uint8_t bytes[1024];
    struct lam_protocol_message answer;
    uint64_t count;

    TEST_CHECK(lam_protocol_write_message(message, bytes, sizeof(bytes), &count) == 0);
    answer = ask_raw(raw, bytes, count);
    return answer.header.type == LAM_PROTOCOL_ERROR ? answer.body.error.code : 0;
}

static void what_makes_no_sense_is_told_apart(void)
{
    struct raw *raw = connect_raw();
    struct lam_protocol_message message = known[0].message; /* a request of "math", not there */
    struct vector vector = vector_of("request");

    TEST_CHECK(error_of(raw, &message) == 0);
    message.header.request_id = 0;
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_INVALID_REQUEST_ID);
    message.header.request_id = 5;
    message.header.module_id++;
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_INVALID_HEADER);
    message.header.module_id--;
    message.header.method_id++;
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_INVALID_HEADER);
    message = known[3].message; /* a response */
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_INVALID_MESSAGE_TYPE);
    message =
        (struct lam_protocol_message){.header = {.type = LAM_PROTOCOL_NEGOTIATE, .request_id = 1},
            .body.negotiate = {.versions = {{2, 0, 0}}, .count = 1}};
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_UNSUPPORTED_VERSION);
    message = (struct lam_protocol_message){.header = {.type = LAM_PROTOCOL_LOAD, .request_id = 1},
        .body.load = {.reference = VIEW("a\0b")}};
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_FAILED);
    message.body.load = (struct lam_protocol_load){.name = VIEW("nobody"), .flags = 1};
    TEST_CHECK(error_of(raw, &message) == LAM_PROTOCOL_UNKNOWN_MODULE);
    vector.bytes[0] = 'X';
    TEST_CHECK(
        ask_raw(raw, vector.bytes, vector.count).body.error.code == LAM_PROTOCOL_INVALID_MAGIC);
    vector = vector_of("request");
    vector.bytes[4] = 2;
    TEST_CHECK(ask_raw(raw, vector.bytes, vector.count).body.error.code ==
               LAM_PROTOCOL_UNSUPPORTED_VERSION);
    stage_all_is_well(honest);
    raw_disconnect(raw);
}

/* Until the host has sent it away. */
static void await_the_end(struct raw *raw, const void *bytes, uint64_t count)
{
    uint64_t until_ns = stage_soon();
    int rc;

    do {
        rc = raw_tell(raw, bytes, count);
        TEST_CHECK(lam_clock_now_ns() < until_ns);
    } while (rc == 0);
    TEST_CHECK(rc == -EACCES || rc == -EPIPE || rc == -EPROTO);
}

static void who_tells_nonsense_is_sent_away(void)
{
    struct vector heartbeat = vector_of("heartbeat");
    struct raw *raw = connect_raw();

    for (unsigned i = 0; i < 10; i++)
        TEST_CHECK(raw_tell(raw, heartbeat.bytes, heartbeat.count) == 0);
    (void)ask_raw(raw, heartbeat.bytes, 0); /* it is still there */
    await_the_end(raw, "nonsense", 8);
    raw_disconnect(raw);
    stage_all_is_well(honest);
}

/* Its answers find no room: it loses its connection, and the others wait no longer than that. */
static void who_takes_no_answer_is_sent_away(void)
{
    struct vector stats = vector_of("stats");
    struct raw *raw = connect_raw();
    uint64_t until_ns = stage_soon();
    int rc;

    do {
        rc = raw_begin(raw, stats.bytes, stats.count);
        if (rc == -EBUSY) { /* as many as there may be: its table is full, or answers are */
            stage_all_is_well(honest);
            break;
        }
        TEST_CHECK(lam_clock_now_ns() < until_ns);
    } while (rc == 0);
    stage_all_is_well(honest);
    raw_disconnect(raw);
}

static void who_is_killed_within_a_call_leaves_nothing(void)
{
    struct vector stats = vector_of("stats");

    for (uint64_t i = 0; i < 5 * effort(); i++) {
        int told[2];
        pid_t child;
        char byte;

        TEST_CHECK(pipe(told) == 0);
        child = test_fork();
        if (child == 0) {
            struct raw *raw = connect_raw();

            (void)!write(told[1], ".", 1);
            for (;;)
                (void)raw_begin(raw, stats.bytes, stats.count);
        }
        TEST_CHECK(read(told[0], &byte, 1) == 1);
        (void)usleep((useconds_t)(draw() % 3000));
        test_kill(child);
        stage_all_is_well(honest);
        (void)close(told[0]);
        (void)close(told[1]);
    }
}

static void who_writes_all_over_its_rings_harms_itself(void)
{
    for (uint64_t i = 0; i < 5 * effort(); i++) {
        uint64_t seed = draw();
        pid_t child = test_fork();

        if (child == 0) {
            struct raw *raw = connect_raw();

            raw_scribble(raw, seed);
            for (unsigned n = 0; n < 100; n++)
                (void)raw_tell(raw, &seed, sizeof(seed));
            _exit(0);
        }
        (void)test_wait(child);
        stage_all_is_well(honest);
    }
}

static unsigned files_of(pid_t pid)
{
    unsigned count = 0;
    char path[64];
    DIR *folder;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    TEST_CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

int main(void)
{
    /* With leave to load: nothing that is said by chance names a file. */
    struct lam_remote_options options = {.threads = 2, .lets_change = 1, .clients_max = 8};
    struct stage_host host;
    uint64_t until_ns;
    unsigned before;

    stage_open_folder();
    host = stage_begin(&options);
    honest = stage_connect(0);
    stage_all_is_well(honest);
    before = files_of(host.pid);
    other_versions_are_refused_at_the_door();
    any_bytes_are_answered_with_an_error();
    changed_messages_are_answered();
    what_makes_no_sense_is_told_apart();
    who_tells_nonsense_is_sent_away();
    who_takes_no_answer_is_sent_away();
    who_is_killed_within_a_call_leaves_nothing();
    who_writes_all_over_its_rings_harms_itself();
    for (until_ns = stage_soon(); files_of(host.pid) > before; (void)usleep(1000))
        TEST_CHECK(lam_clock_now_ns() < until_ns); /* the last one's death is seen by and by */
    stage_all_is_well(honest);
    lam_remote_disconnect(honest);
    stage_end(&host);
    stage_close_folder();
    return 0;
}
