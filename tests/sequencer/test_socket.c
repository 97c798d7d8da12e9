/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_socket.c: what clients can do to a transport of sockets, and what they cannot: frames in
 * any pieces, lengths that are none, ends in the middle, clients that never read, more clients than
 * there are places. Clients are plain sockets of this process.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "descriptors.h"
#include "env/linux.h"
#include "transport/socket.h"

#define MS           UINT64_C(1000000)
#define FRAME_MAX    1000
#define CONNECTIONS  8
#define NUMBER       5
#define OUTPUT_BYTES 4096
#define TRIES        20000 /* of a millisecond each, for what has to come */
#define QUIET_TRIES  20    /* for what must not */

static char folder[] = "/tmp/lamina-socket-XXXXXX", address[80];
static struct lam_env_linux reader, writer;
static struct transport *transport;
static struct transport_event event;

static struct socket_transport_config config = {.reader = &reader.env,
    .writer = &writer.env,
    .number = NUMBER,
    .frame_bytes_max = FRAME_MAX,
    .input_bytes = 2048,
    .output_bytes = OUTPUT_BYTES,
    .connections_max = CONNECTIONS,
    .linger_ns = 60000 * MS};

static void open_transport(const char *at)
{
    struct lam_error error = {""};

    config.address = at;
    cr_assert(eq(int, socket_transport_create(&transport, &config, &error), 0), "%s", error.text);
}

static void setup(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(address, sizeof(address), "unix:%s/s", folder);
    cr_assert(eq(int, lam_env_linux_init(&reader, NULL), 0));
    cr_assert(eq(int, lam_env_linux_init(&writer, NULL), 0));
    open_transport(address);
}

static void teardown(void)
{
    transport->ops->destroy(transport);
    lam_env_linux_fini(&reader);
    lam_env_linux_fini(&writer);
    (void)rmdir(folder);
}

TestSuite(socket, .init = setup, .fini = teardown, .timeout = 60);

static int client(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(at.sun_path, address + 5, strlen(address) - 5);
    cr_assert(fd >= 0);
    cr_assert(eq(int, connect(fd, (struct sockaddr *)&at, sizeof(at)), 0));
    return fd;
}

/* The next event, or 0: there is none for @tries milliseconds. */
static int look_for(unsigned tries)
{
    for (unsigned i = 0; i < tries; i++) {
        int rc;

        (void)transport->ops->flush(transport);
        if ((rc = transport->ops->next(transport, &event)) != 0)
            return rc;
        reader.env.ops->wait(&reader.env, reader.env.ops->now_ns(&reader.env) + MS);
    }
    return 0;
}

static void expect(enum transport_event_kind kind, uint64_t connection)
{
    cr_assert(eq(int, look_for(TRIES), 1), "nothing came");
    cr_assert(eq(int, event.kind, kind), "kind %d, reason %d", event.kind, event.reason);
    if (connection != 0)
        cr_assert(eq(u64, event.connection, connection));
}

static uint64_t connected(void)
{
    expect(TRANSPORT_CONNECTED, 0);
    cr_assert(eq(u64, event.connection >> 56, NUMBER));
    return event.connection;
}

static uint64_t join(int *fd)
{
    *fd = client();
    return connected();
}

/* Its length in front, then what says which it is. */
static uint32_t frame_of(uint8_t *bytes, uint32_t which)
{
    uint32_t count = FRAME_HEADER_BYTES + which * 37 % (FRAME_MAX - FRAME_HEADER_BYTES + 1);

    memcpy(bytes, &count, sizeof(count));
    for (uint32_t i = 4; i < count; i++)
        bytes[i] = (uint8_t)(which + i);
    return count;
}

static void expect_frame(uint64_t connection, uint32_t which)
{
    uint8_t want[FRAME_MAX];
    uint32_t count = frame_of(want, which);

    expect(TRANSPORT_FRAME, connection);
    cr_assert(eq(u32, event.count, count));
    cr_assert(eq(u64, (uintptr_t)event.bytes % 8, 0));
    cr_assert(eq(int, memcmp(event.bytes, want, count), 0));
}

static void put(int fd, const void *bytes, size_t count)
{
    cr_assert(eq(long, send(fd, bytes, count, MSG_NOSIGNAL), (long)count));
}

static void put_frame(int fd, uint32_t which)
{
    uint8_t bytes[FRAME_MAX];

    put(fd, bytes, frame_of(bytes, which));
}

static void leave(int fd, uint64_t connection, int reason)
{
    if (fd >= 0)
        cr_assert(eq(int, close(fd), 0));
    expect(TRANSPORT_GONE, connection);
    cr_assert(eq(int, event.reason, reason));
    transport->ops->close(transport, connection);
}

/* Until no place is taken. */
static void expect_nobody(void)
{
    for (unsigned i = 0; i < TRIES && socket_transport_connections(transport) != 0; i++)
        cr_assert(eq(int, look_for(1), 0));
    cr_assert(eq(u32, socket_transport_connections(transport), 0));
}

Test(socket, a_client_is_known_and_has_a_number_of_its_own)
{
    int one_fd, two_fd;
    uint64_t one = join(&one_fd), two;

    cr_assert(eq(u32, event.peer.uid, getuid()));
    cr_assert(eq(int, event.peer.pid, getpid()));
    cr_assert(eq(str, event.peer.address, address));
    leave(one_fd, one, 0);
    expect_nobody();
    two = join(&two_fd);
    cr_assert(ne(u64, one, two));
    cr_assert(eq(int, transport->ops->send(transport, one, NULL, 0), -ENOTCONN));
    leave(two_fd, two, 0);
}

Test(socket, frames_come_whole_when_they_come_byte_by_byte)
{
    uint8_t bytes[FRAME_MAX];
    int fd;
    uint64_t connection = join(&fd);

    for (uint32_t which = 0; which < 3; which++) {
        uint32_t count = frame_of(bytes, which);

        for (uint32_t i = 0; i < count - 1; i++) {
            put(fd, bytes + i, 1);
            cr_assert(eq(int, transport->ops->next(transport, &event), 0));
        }
        put(fd, bytes + count - 1, 1);
        expect_frame(connection, which);
    }
    leave(fd, connection, 0);
}

static void come_in_their_order(int fd, uint64_t connection)
{
    uint8_t bytes[100 * FRAME_MAX];
    uint32_t count = 0;

    for (uint32_t which = 0; which < 100; which++)
        count += frame_of(bytes + count, which);
    put(fd, bytes, count);
    for (uint32_t which = 0; which < 100; which++)
        expect_frame(connection, which);
    leave(fd, connection, 0);
}

Test(socket, frames_come_in_their_order_when_they_come_at_once)
{
    int fd;
    uint64_t connection = join(&fd);

    come_in_their_order(fd, connection);
}

Test(socket, frames_come_by_tcp_too)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t connection;

    transport->ops->destroy(transport);
    open_transport("tcp:127.0.0.1:0");
    at.sin_port = htons((uint16_t)atoi(strrchr(socket_transport_address(transport), ':') + 1));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert(eq(int, connect(fd, (struct sockaddr *)&at, sizeof(at)), 0));
    connection = connected();
    cr_assert(eq(u32, event.peer.uid, (uid_t)-1));
    cr_assert(eq(int, strncmp(event.peer.address, "tcp:127.0.0.1:", 14), 0));
    come_in_their_order(fd, connection);
}

Test(socket, a_length_out_of_bounds_ends_its_connection_and_no_other)
{
    static const uint32_t lengths[] = {0, 3, FRAME_HEADER_BYTES - 1, FRAME_MAX + 1, UINT32_MAX};
    int good_fd;
    uint64_t good = join(&good_fd);

    for (unsigned i = 0; i < 5; i++) {
        int fd;
        uint64_t connection = join(&fd);
        uint8_t bytes[64] = {0}, byte;

        put_frame(fd, 1);
        expect_frame(connection, 1);
        memcpy(bytes, &lengths[i], 4);
        put(fd, bytes, sizeof(bytes));
        leave(-1, connection, i < 3 ? -EPROTO : -EMSGSIZE);
        put_frame(good_fd, i);
        expect_frame(good, i);
        while (socket_transport_connections(transport) != 1)
            cr_assert(eq(int, look_for(1), 0));
        cr_assert(recv(fd, &byte, 1, 0) <= 0);
        cr_assert(eq(int, close(fd), 0));
    }
    leave(good_fd, good, 0);
}

Test(socket, an_end_within_a_frame_is_a_wrong_one)
{
    uint8_t bytes[FRAME_MAX];
    uint32_t count = frame_of(bytes, 20);

    for (uint32_t cut = 1; cut < count; cut += 50) {
        int fd;
        uint64_t connection = join(&fd);

        put_frame(fd, 3);
        put(fd, bytes, cut);
        cr_assert(eq(int, shutdown(fd, SHUT_WR), 0));
        expect_frame(connection, 3);
        leave(-1, connection, -EPROTO);
        cr_assert(eq(int, close(fd), 0));
    }
    expect_nobody();
}

Test(socket, clients_have_turns)
{
    int fds[3];
    uint64_t connections[3], seen[3] = {0};

    for (unsigned i = 0; i < 3; i++)
        connections[i] = join(&fds[i]);
    for (uint32_t which = 0; which < 30; which++)
        put_frame(fds[which / 10], 0);
    /* All are asked at once, then the first does not get ten frames in before the last has one. */
    for (unsigned i = 0; i < 12; i++) {
        expect(TRANSPORT_FRAME, 0);
        for (unsigned k = 0; k < 3; k++)
            seen[k] += event.connection == connections[k];
    }
    cr_assert(seen[0] >= 3 && seen[1] >= 3 && seen[2] >= 3);
    for (unsigned i = 0; i < 18; i++)
        expect(TRANSPORT_FRAME, 0);
    for (unsigned i = 0; i < 3; i++)
        leave(fds[i], connections[i], 0);
}

Test(socket, who_is_held_is_not_heard_and_feels_it)
{
    uint8_t bytes[FRAME_MAX];
    uint32_t count = frame_of(bytes, 7), taken = 0;
    int fd;
    uint64_t connection = join(&fd);

    transport->ops->hold(transport, connection, 1);
    while (send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) == (long)count)
        taken++;
    cr_assert(eq(int, look_for(QUIET_TRIES), 0));
    cr_assert(send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) < (long)count);
    transport->ops->hold(transport, connection, 0);
    for (; taken != 0; taken--)
        expect_frame(connection, 7);
    (void)close(fd);
}

/* How many frames @connection takes before it is full. */
static unsigned fill(uint64_t connection)
{
    uint8_t bytes[FRAME_MAX];
    uint32_t count = frame_of(bytes, 9);
    struct iovec parts[] = {{bytes, 10}, {bytes + 10, count - 10}};
    unsigned sent = 0;

    for (unsigned quiet = 0; quiet < QUIET_TRIES;) {
        int rc = transport->ops->send(transport, connection, parts, 2);

        cr_assert(rc == 0 || rc == 1);
        sent += (unsigned)rc;
        if (rc == 0 && transport->ops->flush(transport) == 0) {
            quiet++;
            writer.env.ops->wait(&writer.env, writer.env.ops->now_ns(&writer.env) + MS);
        }
    }
    return sent;
}

static unsigned read_frames(int fd)
{
    uint8_t want[FRAME_MAX], bytes[FRAME_MAX];
    uint32_t count = frame_of(want, 9);
    unsigned seen = 0;
    long got;

    while ((got = recv(fd, bytes, count, MSG_WAITALL | MSG_DONTWAIT)) > 0) {
        if (got != (long)count) /* its rest is on its way */
            got += recv(fd, bytes + got, count - (uint32_t)got, MSG_WAITALL);
        cr_assert(eq(long, got, (long)count));
        cr_assert(eq(int, memcmp(bytes, want, count), 0));
        seen++;
        (void)transport->ops->flush(transport);
    }
    return seen;
}

Test(socket, a_client_that_never_reads_fills_its_buffer_and_hurts_nobody)
{
    int slow_fd, fd;
    uint64_t slow, quick;
    unsigned sent, seen = 0;
    struct iovec one = {folder, 16};

    transport->ops->destroy(transport);
    config.linger_ns = 5 * MS;
    open_transport(address);
    slow = join(&slow_fd);
    quick = join(&fd);
    sent = fill(slow);
    cr_assert(sent >= OUTPUT_BYTES / FRAME_MAX);
    cr_assert(eq(int, transport->ops->send(transport, quick, &one, 1), 1));
    (void)transport->ops->flush(transport);
    cr_assert(eq(long, recv(fd, (char[16]){0}, 16, MSG_WAITALL), 16));
    put_frame(fd, 4);
    expect_frame(quick, 4);
    while (seen < sent)
        seen += read_frames(slow_fd);
    cr_assert(eq(u32, seen, sent));
    (void)fill(slow);
    transport->ops->close(transport, slow);
    expect(TRANSPORT_GONE, slow); /* it reads nothing, and is not waited for */
    leave(fd, quick, 0);
    expect_nobody();
    (void)close(slow_fd);
}

Test(socket, what_was_sent_before_a_close_arrives_and_then_the_end)
{
    int fd;
    uint64_t connection = join(&fd);
    unsigned sent = fill(connection), seen = 0;

    put_frame(fd, 1); /* nobody wants it any more */
    transport->ops->close(transport, connection);
    cr_assert(eq(int, transport->ops->send(transport, connection, NULL, 0), -ENOTCONN));
    while (seen < sent) {
        cr_assert(eq(int, look_for(1), 0));
        seen += read_frames(fd);
    }
    while (recv(fd, folder, 1, MSG_DONTWAIT) != 0)
        cr_assert(eq(int, look_for(1), 0));
    leave(fd, connection, 0);
    expect_nobody();
}

Test(socket, a_client_that_goes_while_it_is_written_to_is_gone)
{
    int fd;
    uint64_t connection = join(&fd);

    (void)fill(connection);
    (void)close(fd);
    expect(TRANSPORT_GONE, connection);
    while (transport->ops->send(transport, connection, NULL, 0) != -ENOTCONN) {
        (void)transport->ops->flush(transport);
        writer.env.ops->wait(&writer.env, writer.env.ops->now_ns(&writer.env) + MS);
    }
    transport->ops->close(transport, connection);
    expect_nobody();
}

Test(socket, a_thousand_clients_that_come_and_go_leave_nothing)
{
    unsigned before = open_descriptors();

    for (unsigned i = 0; i < 1000; i++) {
        int fd;
        uint64_t connection = join(&fd);

        if (i % 2 == 0) {
            put_frame(fd, i);
            expect_frame(connection, i);
        }
        leave(fd, connection, 0);
    }
    expect_nobody();
    cr_assert(eq(u32, open_descriptors(), before));
}

static void expect_no_room(void)
{
    int fd = client();
    char byte;

    cr_assert(eq(int, look_for(QUIET_TRIES), 0));
    cr_assert(eq(long, recv(fd, &byte, 1, 0), 0));
    (void)close(fd);
}

Test(socket, more_clients_than_places_are_closed_at_once)
{
    int fds[CONNECTIONS];
    uint64_t connections[CONNECTIONS];

    for (unsigned i = 0; i < CONNECTIONS; i++)
        connections[i] = join(&fds[i]);
    expect_no_room();
    leave(fds[3], connections[3], 0);
    while (socket_transport_connections(transport) == CONNECTIONS)
        cr_assert(eq(int, look_for(1), 0));
    (void)join(&fds[3]);
}

Test(socket, one_source_has_its_own_bound)
{
    int fds[2];

    transport->ops->destroy(transport);
    config.source_connections_max = 2;
    open_transport(address);
    (void)join(&fds[0]);
    (void)join(&fds[1]);
    expect_no_room();
}

Test(socket, a_configuration_that_cannot_be_is_refused_with_a_sentence)
{
    struct socket_transport_config bad[] = {config, config, config, config};
    struct transport *other;
    struct lam_error error = {""};

    bad[0].number = 256;
    bad[1].frame_bytes_max = FRAME_HEADER_BYTES - 1;
    bad[2].connections_max = 1U << 16;
    bad[3].address = "unix";
    for (unsigned i = 0; i < 4; i++) {
        error.text[0] = 0;
        cr_assert(eq(int, socket_transport_create(&other, &bad[i], &error), -EINVAL));
        cr_assert(error.text[0] != 0);
    }
    cr_assert(eq(int, socket_transport_create(&other, &config, &error), -EADDRINUSE));
}
