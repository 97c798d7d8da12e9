/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what one client does, at the socket or in its rings, at any time, costs that one its
 * connection and nobody else anything: not an answer, not a descriptor, not the daemon. And a
 * hostile daemon costs a client its connection alone. Method: a daemon on a thread, an honest
 * client that asks between all attacks; attackers that know the wire, with any bytes. Size:
 * LAMINA_EFFORT.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "stage.h"

static struct stage stage;
static struct lam_client honest;
static uint64_t asked;
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void all_is_well(void)
{
    STAGE_CHECK(stage_echo(&honest, asked++, stage_soon()) == 0);
}

static int knock(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/it.sock", stage_folder);
    STAGE_CHECK(fd >= 0);
    STAGE_CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void say(int fd, const void *bytes, size_t count)
{
    (void)send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* So many of our own descriptors with the bytes. */
static void say_with(int fd, const void *bytes, size_t count, uint32_t fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(200 * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {(void *)bytes, count};
    struct msghdr header = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(fd_count * sizeof(int))};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    for (uint32_t i = 0; i < fd_count; i++)
        memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof(fd));
    (void)sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Read until the other end is closed; descriptors that come are closed. */
static void wait_for_the_end(int fd)
{
    char bytes[512];
    struct timeval limit = {.tv_sec = 10};
    ssize_t got;

    STAGE_CHECK(fcntl(fd, F_SETFL, 0) == 0); /* a client's own does not wait */
    STAGE_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    do {
        got = recv(fd, bytes, sizeof(bytes), 0); /* without room for them the kernel closes them */
    } while (got > 0);
    STAGE_CHECK(got == 0 || errno == ECONNRESET);
    (void)close(fd);
}

static void write_some_hello(uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES])
{
    struct lam_endpoint_hello hello = {
        .wire_min = 1, .wire_max = 1, .client_id = draw() | 1, .name = "attacker"};

    lam_endpoint_write_hello(&hello, bytes);
}

static void any_bytes_at_the_door(void)
{
    static uint8_t bytes[100000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)draw();
    for (uint64_t i = 0; i < 300 * stage_effort(); i++) {
        int fd = knock();

        say(fd, bytes + draw() % 1000, i % 10 == 0 ? 60000 + draw() % 1000 : draw() % 300);
        wait_for_the_end(fd);
        if (i % 16 == 0)
            all_is_well();
    }
}

/* A right hello with some of its bytes changed: refused, or taken for what it then is. */
static void changed_hellos(void)
{
    for (uint64_t i = 0; i < 1000 * stage_effort(); i++) {
        uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES], answer[512];
        int fd = knock();

        write_some_hello(bytes);
        for (uint64_t n = draw() % 4; n > 0; n--)
            bytes[draw() % sizeof(bytes)] = (uint8_t)draw();
        say(fd, bytes, sizeof(bytes));
        STAGE_CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
        if (draw() % 2 == 0)
            say(fd, bytes, draw() % sizeof(bytes)); /* instead of READY */
        (void)close(fd);
        if (i % 16 == 0)
            all_is_well();
    }
}

static void gifts_of_descriptors(void)
{
    for (uint32_t count = 1; count <= 200; count += 9) {
        uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES];
        int fd = knock();

        write_some_hello(bytes);
        say_with(fd, bytes, sizeof(bytes), count);
        wait_for_the_end(fd);
        all_is_well();
    }
}

/* They sit at the door and say nothing; whoever has something to say comes in. */
static void silence(void)
{
    struct lam_client_options options = {.endpoint = "it"};
    static struct lam_client newcomer;
    struct lam_error error;
    int fds[40];

    for (uint32_t i = 0; i < 40; i++) {
        fds[i] = knock();
        if (i % 10 == 0) {
            STAGE_CHECK(stage_connect(&newcomer, &options, &error) == 0);
            STAGE_CHECK(stage_echo(&newcomer, i, stage_soon()) == 0);
            lam_client_disconnect(&newcomer, 0, NULL);
        }
    }
    for (uint32_t i = 0; i < 40; i++)
        wait_for_the_end(fds[i]); /* the handshake's time is up, or others had their place */
    all_is_well();
}

static void flood(void)
{
    for (uint64_t i = 0; i < 1000 * stage_effort(); i++) {
        int fd = knock();
        uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES];

        write_some_hello(bytes);
        if (i % 3 == 0)
            say(fd, bytes, sizeof(bytes));
        (void)close(fd);
        if (i % 16 == 0)
            all_is_well();
    }
}

/* Packets in an order that nobody has to send them in. */
static void wrong_order(void)
{
    uint8_t hello[LAM_ENDPOINT_HELLO_BYTES], small[LAM_ENDPOINT_PING_BYTES];

    write_some_hello(hello);
    for (int type = LAM_ENDPOINT_READY; type <= LAM_ENDPOINT_PONG; type++) {
        uint32_t count = lam_endpoint_write_small((enum lam_endpoint_packet)type, draw(), small);
        int fd = knock();

        say(fd, small, count); /* before a hello */
        wait_for_the_end(fd);
        fd = knock();
        say(fd, hello, sizeof(hello));
        if (type != LAM_ENDPOINT_READY) {
            say(fd, small, count); /* for READY */
            wait_for_the_end(fd);
        } else {
            say(fd, small, count);
            say(fd, hello, sizeof(hello)); /* a second one, as a client */
            wait_for_the_end(fd);
        }
        all_is_well();
    }
}

/* An attacker that has its rings, in a child: what it does there ends it, or it leaves. */
static void attack_as_a_client(void (*attack)(struct lam_client *client))
{
    struct lam_client_options options = {.endpoint = "it", .name = "attacker", .depth = 64};
    static struct lam_client client;
    struct lam_error error;
    int status = 0;
    pid_t child;

    all_is_well();
    child = stage_fork();
    if (child == 0) {
        STAGE_CHECK(stage_connect(&client, &options, &error) == 0);
        attack(&client);
        _exit(0);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        all_is_well();
    STAGE_CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT));
    all_is_well();
}

static void pings_without_end(struct lam_client *client)
{
    uint8_t small[LAM_ENDPOINT_PING_BYTES];

    for (int i = 0; i < 5000; i++)
        say(client->socket, small, lam_endpoint_write_small(LAM_ENDPOINT_PING, draw(), small));
}

static void any_packets(struct lam_client *client)
{
    uint8_t bytes[300];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)draw();
    say(client->socket, bytes, draw() % sizeof(bytes));
    wait_for_the_end(client->socket);
}

static void a_goodbye_without_an_end(struct lam_client *client)
{
    struct lam_endpoint_goodbye goodbye = {.reason = 1};
    uint8_t bytes[LAM_ENDPOINT_GOODBYE_BYTES];

    lam_endpoint_write_goodbye(&goodbye, bytes);
    memset(bytes + 16, 'x', sizeof(bytes) - 16);
    say(client->socket, bytes, sizeof(bytes));
    wait_for_the_end(client->socket);
}

static void gifts_to_the_daemon(struct lam_client *client)
{
    uint8_t small[LAM_ENDPOINT_PING_BYTES];

    say_with(client->socket, small, lam_endpoint_write_small(LAM_ENDPOINT_PING, draw(), small), 5);
    wait_for_the_end(client->socket);
}

static void a_correlation_that_is_no_request(struct lam_client *client)
{
    struct lam_framed_correlation correlation = {.id = draw(), .scope = draw()};
    struct iovec part = {&correlation, draw() % 17};
    enum lam_lane lane = LAM_LANE_LOW;

    (void)lam_lanes_sender_try_send(
        lam_client_lanes(client), &lane, &part, 1, STAGE_ECHO, &correlation);
    wait_for_the_end(client->socket);
}

static void scribble(void *base, uint64_t bytes, uint64_t words)
{
    for (uint64_t i = 0; i < words; i++) {
        uint64_t word = draw() % 4 == 0 ? draw() % 300 : draw();

        memcpy((uint8_t *)base + draw() % (bytes / 8) * 8, &word, 8);
    }
}

/* In what it may write: the data of its own lanes, and the control of all. */
static void any_words_in_its_rings(struct lam_client *client)
{
    uint64_t echo = 1;
    struct iovec part = {&echo, sizeof(echo)};
    uint64_t what = draw();

    for (uint32_t i = 0; i < 30; i++) {
        struct lam_ring *out = &client->link->out.rings[draw() % LAM_LANE_COUNT];
        struct lam_ring *in = draw() % 4 == 0 ? &client->link->answers_ring
                                              : &client->link->in.rings[draw() % LAM_LANE_COUNT];

        if (what % 3 == 0)
            scribble(out->data.base, out->data.head_bytes + out->data.body_bytes, 50);
        if (what % 3 == 1)
            scribble(out->control.base, out->control.head_bytes, 50);
        if (what % 3 == 2)
            scribble(in->control.base, in->control.head_bytes, 50);
        if (i % 4 == 0) /* and have the daemon look and send there */
            (void)lam_client_try_send(client, LAM_LANE_HIGH, &part, 1, STAGE_PUSH);
        (void)usleep(200);
    }
}

static void die_in_a_claim(struct lam_client *client)
{
    void *payload;

    (void)lam_lanes_sender_try_claim(lam_client_lanes(client), LAM_LANE_LOW, 100, &payload);
    (void)raise(SIGKILL);
}

static void attack_the_daemon(void)
{
    static void (*const attacks[])(struct lam_client * client) = {pings_without_end, any_packets,
        a_goodbye_without_an_end, gifts_to_the_daemon, a_correlation_that_is_no_request,
        die_in_a_claim};

    any_bytes_at_the_door();
    changed_hellos();
    gifts_of_descriptors();
    wrong_order();
    silence();
    flood();
    for (uint64_t i = 0; i < 6 * stage_effort(); i++, (void)draw())
        attack_as_a_client(attacks[i % (sizeof(attacks) / sizeof(attacks[0]))]);
    for (uint64_t i = 0; i < 12 * stage_effort(); i++, (void)draw())
        attack_as_a_client(any_words_in_its_rings);
}

/* A daemon that answers a hello with anything: the client says what is wrong, and keeps nothing. */
static void lie_to_clients(int listener, uint64_t times)
{
    struct lam_endpoint_welcome welcome = {
        .wire = 1, .session = 1, .depth = 64, .cell_bytes = 64, .lanes = 3, .name = "liar"};

    for (uint64_t i = 0; i < times; i++) {
        int fd = accept(listener, NULL, NULL);
        uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES];

        STAGE_CHECK(fd >= 0);
        lam_endpoint_write_welcome(&welcome, bytes);
        for (uint64_t n = draw() % 3; n > 0; n--)
            bytes[draw() % sizeof(bytes)] = (uint8_t)draw();
        if (i % 5 == 0)
            say_with(fd, bytes, sizeof(bytes), 3);
        else
            say(fd, bytes, i % 7 == 0 ? draw() % sizeof(bytes) : sizeof(bytes));
        for (uint32_t n = 0; n < 6; n++) /* no rings */
            say_with(fd, bytes, 16, 1 + (uint32_t)(draw() % 3));
        (void)close(fd);
    }
}

static void attack_a_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct lam_client_options options = {.endpoint = "liar"};
    uint32_t descriptors = stage_descriptors();
    uint64_t times = 200 * stage_effort();
    static struct lam_client client;
    struct lam_error error;
    pid_t child;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/liar.sock", stage_folder);
    STAGE_CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    STAGE_CHECK(listen(listener, 4) == 0);
    child = stage_fork();
    if (child == 0) {
        lie_to_clients(listener, times);
        _exit(0);
    }
    (void)close(listener);
    for (uint64_t i = 0; i < times; i++) {
        int rc = lam_client_connect(&client, &options, 0, &error);

        STAGE_CHECK(rc == -EPROTO || rc == -EOWNERDEAD);
    }
    STAGE_CHECK(stage_wait(child) == 0);
    STAGE_CHECK(stage_descriptors() == descriptors);
}

int main(void)
{
    struct lam_daemon_options options = {.name = "it",
        .depth = 64,
        .clients_max = 6,
        .handshake_ns = 200 * LAM_NS_PER_MS,
        .silent_ns = 50 * LAM_NS_PER_MS};
    struct lam_client_options to_it = {.endpoint = "it", .name = "honest"};
    struct lam_error error;
    uint32_t descriptors;

    stage_make();
    attack_a_client();
    stage_create(&stage, &options);
    stage.is_wary = 1;
    STAGE_CHECK(pthread_create(&stage.thread, NULL, stage_run, &stage) == 0);
    STAGE_CHECK(stage_connect(&honest, &to_it, &error) == 0);
    all_is_well();
    descriptors = stage_descriptors();
    attack_the_daemon();
    for (uint64_t end_ns = stage_soon();
         stage_descriptors() != descriptors && lam_clock_now_ns() < end_ns;)
        all_is_well(); /* the last attackers are cleared away */
    STAGE_CHECK(stage_descriptors() == descriptors);
    lam_client_disconnect(&honest, 0, NULL);
    stage_stop(&stage);
    stage_clear();
    printf("%llu answers between attacks; violations %llu, refused %llu, late %llu, died %llu\n",
        (unsigned long long)asked, (unsigned long long)stage.daemon.counts.violations,
        (unsigned long long)stage.daemon.counts.refused,
        (unsigned long long)stage.daemon.counts.late, (unsigned long long)stage.daemon.counts.died);
    STAGE_CHECK(stage.daemon.counts.violations > 300 * stage_effort());
    return 0;
}
