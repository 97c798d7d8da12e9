/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_metrics.c: metrics over HTTP, asked by a client of a few lines: what is answered, what is
 * refused, how much at once, and that nothing is left when it stops.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/base/clock.h"
#include "lamina/metrics/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct lam_metrics_http *http;
static struct lam_error error;
static char path[64];
static char answer[4096]; /* of the last request: all of it, terminated */
static uint64_t text_bytes, growth, looks;

/* As many bytes as @text_bytes says, "x" and a line's end; more with each look. */
static uint64_t write_text(void *context, char *text, uint64_t capacity)
{
    cr_assert(context == &text_bytes);
    looks++;
    for (uint64_t i = 0; i < text_bytes && i < capacity; i++)
        text[i] = i + 1 == text_bytes ? '\n' : 'x';
    text_bytes += growth;
    return text_bytes - growth;
}

static void setup(void)
{
    text_bytes = 10;
    growth = looks = 0;
    (void)snprintf(path, sizeof(path), "/tmp/lamina-metrics-%ld.sock", (long)getpid());
}

static void teardown(void)
{
    lam_metrics_http_stop(http);
    http = NULL;
    (void)unlink(path);
}

TestSuite(metrics, .init = setup, .fini = teardown, .timeout = 60);

static int start(const char *socket_path, struct lam_metrics_http **made)
{
    struct lam_metrics_options options = {
        .socket = socket_path, .text = write_text, .context = &text_bytes};

    return lam_metrics_http_start(made, &options, &error);
}

static int connect_port(uint32_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static int connect_path(const char *to_path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", to_path);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

/* Sends, reads until the other side closes, and closes. Returns the bytes of the answer. */
static size_t ask(int fd, const char *request)
{
    size_t all = 0, kept = 0;
    char bytes[65536];
    ssize_t got;

    cr_assert(eq(sz, (size_t)send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request)));
    while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        size_t part =
            (size_t)got < sizeof(answer) - 1 - kept ? (size_t)got : sizeof(answer) - 1 - kept;

        memcpy(answer + kept, bytes, part);
        kept += part;
        all += (size_t)got;
    }
    answer[kept] = '\0';
    (void)close(fd);
    return all;
}

#define END " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static size_t get(const char *request)
{
    return ask(connect_port(lam_metrics_http_port(http)), request);
}

static int begins(const char *words)
{
    return strncmp(answer, words, strlen(words)) == 0;
}

Test(metrics, the_text_is_served_with_its_type)
{
    cr_assert(eq(int, start(NULL, &http), 0), "%s", error.text);
    (void)get("GET /metrics" END);
    cr_expect(begins("HTTP/1.1 200 "), "%s", answer);
    cr_expect(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != NULL,
        "%s", answer);
    cr_expect(strstr(answer, "Content-Length: 10\r\n") != NULL, "%s", answer);
    cr_expect(strstr(answer, "\r\n\r\nxxxxxxxxx\n") != NULL, "%s", answer);
    text_bytes = 3;
    (void)get("GET /metrics?name=x" END);
    cr_expect(strstr(answer, "\r\n\r\nxx\n") != NULL, "%s", answer);
}

Test(metrics, another_path_is_404_and_another_method_405)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS"};
    char request[256];

    cr_assert(eq(int, start(NULL, &http), 0));
    (void)get("GET /" END);
    cr_expect(begins("HTTP/1.1 404 "), "%s", answer);
    (void)get("GET /metrics/../metrics" END);
    cr_expect(begins("HTTP/1.1 404 "), "%s", answer);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(request, sizeof(request), "%s /metrics" END, methods[i]);
        (void)get(request);
        cr_expect(begins("HTTP/1.1 405 "), "%s", answer);
        cr_expect(strstr(answer, "Allow: GET, HEAD\r\n") != NULL, "%s", answer);
    }
    (void)get("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nab");
    cr_expect(begins("HTTP/1.1 405 "), "%s", answer);
    cr_expect(eq(u64, looks, 0));
}

Test(metrics, head_is_the_answer_without_its_text)
{
    size_t length;

    cr_assert(eq(int, start(NULL, &http), 0));
    length = get("HEAD /metrics" END);
    cr_expect(begins("HTTP/1.1 200 "), "%s", answer);
    cr_expect(strstr(answer, "Content-Length: 10\r\n") != NULL, "%s", answer);
    cr_expect(eq(str, answer + length - 4, "\r\n\r\n"));
}

Test(metrics, a_long_text_is_whole_and_a_longer_one_than_is_allowed_is_500)
{
    cr_assert(eq(int, start(NULL, &http), 0));
    text_bytes = 3000000;
    cr_expect(ge(sz, get("GET /metrics" END), 3000000));
    cr_expect(strstr(answer, "Content-Length: 3000000\r\n") != NULL, "%s", answer);
    text_bytes = LAM_METRICS_BYTES_MAX + 1;
    (void)get("GET /metrics" END);
    cr_expect(begins("HTTP/1.1 500 "), "%s", answer);
}

Test(metrics, a_text_that_grows_between_two_looks_is_whole)
{
    cr_assert(eq(int, start(NULL, &http), 0));
    text_bytes = 1000;
    growth = 400; /* more than is left as room at first */
    (void)get("GET /metrics" END);
    cr_expect(begins("HTTP/1.1 200 "), "%s", answer);
    cr_expect(strcmp(answer + strlen(answer) - 2, "x\n") == 0, "%s", answer);
    growth = UINT64_C(1) << 18; /* and always will be */
    (void)get("GET /metrics" END);
    cr_expect(begins("HTTP/1.1 500 "), "%s", answer);
    cr_expect(le(u64, looks, 10));
}

Test(metrics, a_unix_socket_is_its_users_alone_and_gone_after)
{
    struct stat stat;

    (void)umask(0);
    cr_assert(eq(int, start(path, &http), 0), "%s", error.text);
    cr_expect(eq(u32, lam_metrics_http_port(http), 0));
    cr_assert(eq(int, lstat(path, &stat), 0));
    cr_expect(eq(u32, stat.st_mode, S_IFSOCK | 0600));
    (void)ask(connect_path(path), "GET /metrics" END);
    cr_expect(strstr(answer, "\r\n\r\nxxxxxxxxx\n") != NULL, "%s", answer);
    lam_metrics_http_stop(http);
    http = NULL;
    cr_expect(eq(int, lstat(path, &stat), -1));
}

Test(metrics, a_socket_that_is_served_is_refused_and_one_left_behind_replaced)
{
    struct sockaddr_un left = {.sun_family = AF_UNIX};
    struct lam_metrics_http *second = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(left.sun_path, sizeof(left.sun_path), "%s", path);
    cr_assert(eq(int, bind(fd, (struct sockaddr *)&left, sizeof(left)), 0));
    (void)close(fd);
    cr_assert(eq(int, start(path, &http), 0), "%s", error.text);
    cr_assert(eq(int, start(path, &second), -EADDRINUSE));
    cr_expect(strstr(error.text, path) != NULL, "%s", error.text);
    (void)ask(connect_path(path), "GET /metrics" END);
    cr_expect(begins("HTTP/1.1 200 "), "%s", answer);
}

Test(metrics, a_file_that_is_no_socket_is_left_alone)
{
    FILE *file = fopen(path, "we");

    cr_assert(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
    cr_expect(eq(int, start(path, &http), -EADDRINUSE));
    cr_expect(eq(int, access(path, F_OK), 0));
}

Test(metrics, what_makes_no_sense_is_refused)
{
    struct lam_metrics_options options = {.address = "localhost", .text = write_text};

    cr_expect(eq(int, lam_metrics_http_start(&http, &options, &error), -EINVAL));
    options = (struct lam_metrics_options){.port = 65536, .text = write_text};
    cr_expect(eq(int, lam_metrics_http_start(&http, &options, &error), -EINVAL));
    options = (struct lam_metrics_options){.port = 1, .socket = path, .text = write_text};
    cr_expect(eq(int, lam_metrics_http_start(&http, &options, &error), -EINVAL));
    options = (struct lam_metrics_options){.port = 0};
    cr_expect(eq(int, lam_metrics_http_start(&http, &options, &error), -EINVAL));
    options = (struct lam_metrics_options){.text = write_text,
        .socket = "/tmp/"
                  "0123456789012345678901234567890123456789012345678901234567890123456789"
                  "0123456789012345678901234567890123456789"};
    cr_expect(eq(int, lam_metrics_http_start(&http, &options, &error), -ENAMETOOLONG));
}

Test(metrics, so_many_connections_are_served_and_one_more_waits_its_turn)
{
    int held[LAM_METRICS_CONNECTIONS_MAX];
    struct pollfd waiting = {.events = POLLIN};

    cr_assert(eq(int, start(path, &http), 0));
    for (int i = 0; i < LAM_METRICS_CONNECTIONS_MAX; i++) {
        held[i] = connect_path(path);
        cr_assert(eq(sz, (size_t)send(held[i], "GET /met", 8, MSG_NOSIGNAL), 8));
    }
    waiting.fd = connect_path(path);
    (void)send(waiting.fd, "GET /metrics" END, strlen("GET /metrics" END), MSG_NOSIGNAL);
    cr_expect(eq(int, poll(&waiting, 1, 200), 0)); /* nor later: nobody looks at it */
    (void)close(held[0]);
    (void)ask(waiting.fd, "");
    cr_expect(begins("HTTP/1.1 200 "), "%s", answer);
    for (int i = 1; i < LAM_METRICS_CONNECTIONS_MAX; i++)
        (void)close(held[i]);
}

Test(metrics, stopping_closes_connections_in_the_middle_of_a_request)
{
    int half, idle;
    char byte;

    cr_assert(eq(int, start(NULL, &http), 0));
    half = connect_port(lam_metrics_http_port(http));
    idle = connect_port(lam_metrics_http_port(http));
    cr_assert(eq(sz, (size_t)send(half, "GET /met", 8, 0), 8));
    (void)get("GET /metrics" END);
    lam_metrics_http_stop(http);
    http = NULL;
    cr_expect(le(int, (int)recv(half, &byte, 1, 0), 0));
    cr_expect(le(int, (int)recv(idle, &byte, 1, 0), 0));
    (void)close(half);
    (void)close(idle);
}

static sig_atomic_t handled;

static void handle(int signal)
{
    (void)signal;
    handled = 1;
}

Test(metrics, signals_are_not_for_its_thread)
{
    sigset_t one, before, pending;

    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGUSR1);
    (void)signal(SIGUSR1, handle);
    cr_assert(eq(int, start(NULL, &http), 0));
    cr_assert(eq(int, sigprocmask(SIG_SETMASK, NULL, &before), 0));
    cr_expect(eq(int, sigismember(&before, SIGUSR2), 0)); /* ours are as they were */
    cr_assert(eq(int, sigprocmask(SIG_BLOCK, &one, NULL), 0));
    cr_assert(eq(int, kill(getpid(), SIGUSR1), 0));
    (void)get("GET /metrics" END);
    cr_assert(eq(int, sigpending(&pending), 0));
    cr_expect(eq(int, sigismember(&pending, SIGUSR1), 1));
    cr_expect(eq(int, (int)handled, 0));
}
