/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_threads.c: the two sides of a transport of sockets on two threads, as a node has them,
 * with clients that come, ask for echoes and go. Size: LAMINA_EFFORT, the lives of a client.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"
#include "env/linux.h"
#include "transport/socket.h"

#define CLIENTS    3
#define LIVES      20
#define FRAMES     20
#define LINE       64
#define FRAME_MAX  256
#define DEADLINE_S 100

/* From the reader's side to the writer's: what has come, in order. */
struct message {
    uint64_t connection;
    uint32_t count; /* of a frame; 0: it is gone */
    uint8_t bytes[FRAME_MAX];
};

static struct message line[LINE];
static unsigned first, count;
static int is_over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct lam_env_linux reader, writer;
static struct transport *transport;
static char path[64];
static unsigned lives = LIVES;

static int put(const struct transport_event *event)
{
    int is_in;

    CHECK(pthread_mutex_lock(&lock) == 0);
    is_in = count < LINE;
    if (is_in) {
        struct message *message = &line[(first + count++) % LINE];

        message->connection = event->connection;
        message->count = event->kind == TRANSPORT_FRAME ? event->count : 0;
        if (message->count != 0)
            memcpy(message->bytes, event->bytes, event->count);
    }
    CHECK(pthread_mutex_unlock(&lock) == 0);
    writer.env.ops->wake(&writer.env);
    return is_in;
}

static int take(struct message *message, int *ends)
{
    int is_there;

    CHECK(pthread_mutex_lock(&lock) == 0);
    is_there = count != 0;
    *ends = is_over;
    if (is_there) {
        *message = line[first];
        first = (first + 1) % LINE;
        count--;
    }
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return is_there;
}

static void *read_all(void *unused)
{
    struct lam_env *env = &reader.env;
    struct transport_event event;
    unsigned gone = 0;

    (void)unused;
    for (;;) {
        int rc = transport->ops->next(transport, &event);

        CHECK(rc >= 0);
        if (rc == 0 && gone == CLIENTS * lives && socket_transport_connections(transport) == 0)
            break; /* the last one was let go by this very call */
        if (rc == 0) {
            env->ops->wait(env, UINT64_MAX);
        } else if (event.kind != TRANSPORT_CONNECTED) {
            gone += event.kind == TRANSPORT_GONE;
            while (!put(&event))
                env->ops->wait(env, env->ops->now_ns(env) + 1000000);
        }
    }
    CHECK(pthread_mutex_lock(&lock) == 0);
    is_over = 1;
    CHECK(pthread_mutex_unlock(&lock) == 0);
    writer.env.ops->wake(&writer.env);
    return NULL;
}

static void *write_all(void *unused)
{
    struct lam_env *env = &writer.env;
    struct message message;
    int ends = 0;

    (void)unused;
    while (!ends) {
        unsigned worked = 0;

        while (take(&message, &ends)) {
            struct iovec frame = {message.bytes, message.count};

            worked++;
            if (message.count != 0)
                (void)transport->ops->send(transport, message.connection, &frame, 1);
            else
                transport->ops->close(transport, message.connection);
        }
        if (transport->ops->flush(transport) + worked == 0)
            env->ops->wait(env, env->ops->now_ns(env) + 10000000);
    }
    return NULL;
}

static void ask_once(int fd, uint32_t i, int is_answer_wanted)
{
    uint32_t bytes = FRAME_HEADER_BYTES + i * 7 % 200;
    uint8_t out[FRAME_MAX], in[FRAME_MAX];

    memset(out, (int)i, sizeof(out));
    memcpy(out, &bytes, sizeof(bytes));
    CHECK(send(fd, out, bytes, MSG_NOSIGNAL) == (long)bytes);
    if (!is_answer_wanted)
        return;
    CHECK(recv(fd, in, bytes, MSG_WAITALL) == (long)bytes);
    CHECK(memcmp(in, out, bytes) == 0);
}

/* Every second time it goes with an answer on its way. */
static void *ask(void *unused)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    (void)unused;
    memcpy(at.sun_path, path, strlen(path));
    for (unsigned life = 0; life < lives; life++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(fd >= 0);
        CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
        for (uint32_t i = 0; i < FRAMES; i++)
            ask_once(fd, i, i != FRAMES - 1 || life % 2 != 0);
        CHECK(close(fd) == 0);
    }
    return NULL;
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    char address[sizeof(path) + 5];
    struct socket_transport_config config = {.reader = &reader.env,
        .writer = &writer.env,
        .address = address,
        .number = 1,
        .frame_bytes_max = FRAME_MAX};
    pthread_t threads[CLIENTS + 2];
    struct lam_error error;

    if (effort != NULL)
        lives *= (unsigned)strtoul(effort, NULL, 10);
    config.connections_max = CLIENTS * lives; /* however late one of a life before is let go */
    (void)alarm(DEADLINE_S * lives / LIVES);
    (void)snprintf(path, sizeof(path), "/tmp/lamina-threads-%d", (int)getpid());
    (void)snprintf(address, sizeof(address), "unix:%s", path);
    CHECK(lam_env_linux_init(&reader, NULL) == 0 && lam_env_linux_init(&writer, NULL) == 0);
    CHECK(socket_transport_create(&transport, &config, &error) == 0);
    for (unsigned i = 0; i < CLIENTS + 2; i++)
        CHECK(pthread_create(&threads[i], NULL,
                  i == 0   ? read_all
                  : i == 1 ? write_all
                           : ask,
                  NULL) == 0);
    for (unsigned i = 0; i < CLIENTS + 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    transport->ops->destroy(transport);
    lam_env_linux_fini(&reader);
    lam_env_linux_fini(&writer);
    (void)printf("%u lives of %d clients\n", lives, CLIENTS);
    return 0;
}
