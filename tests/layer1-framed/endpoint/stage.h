/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_ENDPOINT_STAGE_H
#define LAM_TEST_ENDPOINT_STAGE_H

/*
 * stage.h: a folder of its own for a test's endpoints, and a daemon that does what messages of some
 * kinds tell it to do: on a thread of this process, or in a child that can be killed.
 */

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"
#include "processes.h"
#include "starts.h"

#define STAGE_CHECK(condition) TEST_CHECK(condition)

enum {
    STAGE_ECHO = 1,  /* request: answered with its bytes */
    STAGE_NEVER = 2, /* request: never answered */
    STAGE_LATER = 3, /* request: kept */
    STAGE_FLUSH = 4, /* those that were kept are answered, the last first; then this one */
    STAGE_PUSH = 5,  /* message of {count, lane}: so many are sent back, of STAGE_PUSHED */
    STAGE_PUSHED = 6,
    STAGE_DROP = 7,  /* message: drop me, with reason 9 */
    STAGE_SHUT = 8,  /* message: shut down, with reason 4 */
    STAGE_DIE = 9,   /* message: SIGKILL to yourself */
    STAGE_BOOK = 10, /* request: a message of STAGE_BOOK_BYTES is sent by the low lane, then echo */
    STAGE_NAP = 12,  /* message of {ms, 0}: sleep so long */
    STAGE_CUT = 11,  /* request: an answer of STAGE_BOOK_BYTES is begun, and given up */
};

enum {
    STAGE_BOOK_BYTES = 300000,
};

struct stage {
    struct lam_daemon daemon;
    pthread_t thread;
    lam_atomic_u32 stop;
    struct lam_daemon_request kept[64];
    uint32_t kept_count;
    uint32_t is_wary; /* does not end itself for a client */
    uint32_t requests;
    uint32_t repeated;
    uint32_t connected;
    uint32_t resumed;
    uint32_t gone;
    uint32_t silent;
    uint32_t speaks;
    uint32_t canceled;
    uint32_t canceled_early;              /* before their request */
    struct lam_framed_correlation newest; /* request */
    lam_atomic_u32 cut;
    lam_atomic_u32 gone_reason; /* of the last, negated */
    struct lam_daemon_peer peer;
    char text[LAM_ENDPOINT_GOODBYE_TEXT_BYTES];
};

static inline uint64_t stage_soon(void)
{
    return lam_deadline_after_ns(10 * LAM_NS_PER_S);
}

static inline uint64_t stage_ms(uint64_t ms)
{
    return lam_deadline_after_ns(ms * LAM_NS_PER_MS);
}

static char stage_folder[64];

/* Remove the folder and what is in it; by whoever made it. */
static inline void stage_clear(void)
{
    DIR *folder = opendir(stage_folder);
    struct dirent *file;

    while (folder != NULL && (file = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), file->d_name, 0);
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(stage_folder);
}

/* A folder of this process's own, found by LAMINA_RUN_DIR. */
static inline void stage_make(void)
{
    (void)snprintf(stage_folder, sizeof(stage_folder), "/tmp/lamina-stage.XXXXXX");
    STAGE_CHECK(mkdtemp(stage_folder) != NULL);
    STAGE_CHECK(setenv("LAMINA_RUN_DIR", stage_folder, 1) == 0);
}

static inline void stage_flush(struct stage *stage)
{
    while (stage->kept_count > 0) {
        uint64_t id = stage->kept[--stage->kept_count].correlation.id;
        struct iovec part = {&id, sizeof(id)};

        (void)lam_daemon_try_reply(
            &stage->daemon, &stage->kept[stage->kept_count], &part, 1, STAGE_LATER, 0);
    }
}

/* The answer is given up when nobody has read it for a while. */
static inline void stage_cut(struct stage *stage, const struct lam_daemon_event *event)
{
    static uint8_t book[STAGE_BOOK_BYTES];
    struct iovec pages = {book, sizeof(book) - LAM_CALL_HEADER_BYTES};

    STAGE_CHECK(lam_daemon_reply_until(&stage->daemon, &event->request, &pages, 1, STAGE_CUT, 0,
                    stage_ms(20)) == -ETIMEDOUT);
    lam_store_relaxed(&stage->cut, 1);
}

static inline void stage_request(struct stage *stage, const struct lam_daemon_event *event)
{
    struct iovec part = {(void *)event->message.payload, event->message.payload_bytes};

    stage->requests++;
    stage->newest = event->request.correlation;
    if (event->message.kind == STAGE_BOOK) {
        static uint8_t book[STAGE_BOOK_BYTES];
        struct iovec pages = {book, sizeof(book)};

        (void)lam_daemon_send_until(
            &stage->daemon, event->client, LAM_LANE_LOW, &pages, 1, STAGE_BOOK, stage_ms(1000));
    }
    stage->repeated += event->request.is_repeated != 0;
    if (event->message.kind == STAGE_CUT)
        stage_cut(stage, event);
    if (event->message.kind == STAGE_LATER && stage->kept_count < 64)
        stage->kept[stage->kept_count++] = event->request;
    if (event->message.kind == STAGE_FLUSH)
        stage_flush(stage);
    if (event->message.kind == STAGE_ECHO || event->message.kind == STAGE_FLUSH ||
        event->message.kind == STAGE_BOOK)
        (void)lam_daemon_reply_until(
            &stage->daemon, &event->request, &part, 1, event->message.kind, -7, stage_ms(1000));
}

static inline void stage_message(struct stage *stage, const struct lam_daemon_event *event)
{
    uint32_t what[2] = {0, 0};

    if (event->message.kind == STAGE_PUSH && event->message.payload_bytes >= sizeof(what)) {
        memcpy(what, event->message.payload, sizeof(what));
        /* As any daemon has to: a client may have written anything. */
        for (uint32_t i = 0; what[1] < LAM_LANE_COUNT && i < what[0] && i < 1000; i++) {
            struct iovec part = {&i, sizeof(i)};

            (void)lam_daemon_try_send(
                &stage->daemon, event->client, (enum lam_lane)what[1], &part, 1, STAGE_PUSHED);
        }
    }
    if (event->message.kind == STAGE_NAP && event->message.payload_bytes >= sizeof(what)) {
        memcpy(what, event->message.payload, sizeof(what));
        (void)usleep(what[0] % 1000 * 1000);
    }
    if (event->message.kind == STAGE_DROP)
        lam_daemon_drop(&stage->daemon, event->client, 9, "not wanted");
    if (event->message.kind == STAGE_SHUT && !stage->is_wary)
        lam_daemon_shutdown(&stage->daemon, 4, "tea");
    if (event->message.kind == STAGE_DIE && !stage->is_wary)
        (void)raise(SIGKILL);
}

static inline void stage_act(struct stage *stage, const struct lam_daemon_event *event)
{
    switch (event->type) {
    case LAM_DAEMON_CONNECTED:
        stage->connected++;
        stage->resumed += event->peer->resumes != 0;
        stage->peer = *event->peer;
        break;
    case LAM_DAEMON_MESSAGE:
        stage_message(stage, event);
        break;
    case LAM_DAEMON_REQUEST:
        stage_request(stage, event);
        break;
    case LAM_DAEMON_CANCELED:
        stage->canceled++;
        stage->canceled_early += event->request.correlation.id != stage->newest.id;
        break;
    case LAM_DAEMON_GONE:
        stage->gone++;
        lam_store_relaxed(&stage->gone_reason, (uint32_t)-event->reason);
        memcpy(stage->text, event->text, sizeof(stage->text));
        break;
    case LAM_DAEMON_SILENT:
        stage->silent++;
        break;
    case LAM_DAEMON_SPEAKS:
        stage->speaks++;
        break;
    }
}

/* Turn until told to stop, or the daemon is shut down. */
static inline void *stage_run(void *argument)
{
    struct stage *stage = argument;
    struct lam_daemon_event event;
    int rc = 0;

    while (lam_load_relaxed(&stage->stop) == 0 && rc != -EPIPE) {
        rc = lam_daemon_wait_until(&stage->daemon, stage_ms(5), &event);
        STAGE_CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EPIPE);
        if (rc == 0)
            stage_act(stage, &event);
    }
    return NULL;
}

/* Each daemon that a process makes, or forks, counts from before another wrap. */
static uint64_t stage_daemons = 2;

static inline void stage_create(struct stage *stage, const struct lam_daemon_options *options)
{
    struct lam_daemon_options near_a_wrap = *options;
    struct lam_error error = {.text = ""};

    near_a_wrap.first_sequence = getenv("LAMINA_TEST_START") != NULL
                                     ? test_start_from(UINT64_MAX - 2)
                                     : test_start(stage_daemons++);
    memset(stage, 0, sizeof(*stage));
    TEST_OK(lam_daemon_create(&stage->daemon, &near_a_wrap, &error), error);
}

/* The daemon on a thread, until stage_stop(). */
static inline void stage_start(struct stage *stage, const struct lam_daemon_options *options)
{
    stage_create(stage, options);
    STAGE_CHECK(pthread_create(&stage->thread, NULL, stage_run, stage) == 0);
}

static inline void stage_stop(struct stage *stage)
{
    lam_store_relaxed(&stage->stop, 1);
    STAGE_CHECK(pthread_join(stage->thread, NULL) == 0);
    lam_daemon_destroy(&stage->daemon);
}

/* Children as all programs' are: processes.h. */
static inline pid_t stage_fork(void)
{
    return test_fork();
}

static inline int stage_wait(pid_t child)
{
    return test_wait(child);
}

static inline void stage_kill(pid_t child)
{
    test_kill(child);
}

/* The daemon in a child, there when this returns, until it is killed or shut down. */
static inline pid_t stage_fork_daemon(const struct lam_daemon_options *options)
{
    int ends[2];
    char byte;
    pid_t child;

    STAGE_CHECK(pipe(ends) == 0);
    child = test_fork();
    if (child == 0) {
        static struct stage stage;

        stage_create(&stage, options);
        STAGE_CHECK(write(ends[1], "r", 1) == 1);
        (void)stage_run(&stage);
        lam_daemon_destroy(&stage.daemon);
        _exit(0);
    }
    stage_daemons++;
    (void)close(ends[1]);
    STAGE_CHECK(read(ends[0], &byte, 1) == 1);
    (void)close(ends[0]);
    return child;
}

static inline int stage_connect(
    struct lam_client *client, const struct lam_client_options *options, struct lam_error *error)
{
    return lam_client_connect(client, options, stage_soon(), error);
}

/* Ask for an echo of @number. Returns 0 it is right, 1 it is not, or the error. */
static inline int stage_echo(struct lam_client *client, uint64_t number, uint64_t deadline_ns)
{
    struct iovec part = {&number, sizeof(number)};
    struct lam_reply reply;
    int rc =
        lam_client_request_until(client, LAM_LANE_HIGH, &part, 1, STAGE_ECHO, deadline_ns, &reply);

    if (rc != 0)
        return rc;
    rc = reply.payload_bytes != sizeof(number) || reply.kind != STAGE_ECHO || reply.status != -7 ||
         memcmp(reply.payload, &number, sizeof(number)) != 0;
    lam_client_release_reply(client, &reply);
    return rc;
}

static inline int stage_say(struct lam_client *client, uint16_t kind, uint32_t a, uint32_t b)
{
    uint32_t what[2] = {a, b};
    struct iovec part = {what, sizeof(what)};

    return lam_client_send_until(client, LAM_LANE_HIGH, &part, 1, kind, stage_soon());
}

/* How many descriptors this process has open. */
static inline uint32_t stage_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint32_t count = 0;

    STAGE_CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

/* So many descriptors for this process, those among them that it has open. */
static inline void stage_allow(rlim_t count)
{
    struct rlimit limit;

    STAGE_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count;
    STAGE_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* @more descriptors than this process has open, and no more. Returns what was allowed before. */
static inline rlim_t stage_allow_no_more(rlim_t more)
{
    struct rlimit limit;
    int next = dup(0);

    STAGE_CHECK(next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    stage_allow((rlim_t)next + more);
    return limit.rlim_cur;
}

static inline uint64_t stage_effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

#endif
