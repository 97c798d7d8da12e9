/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_env_net.c: the network calls of lam_env keep their contract in each world: connections by
 * unix and by tcp, calls that pend, ends of every kind. Each scene is played with two envs, one
 * that listens and one that connects.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "env/linux.h"
#include "simulation/sim.h"

#define MS UINT64_C(1000000)

static char folder[] = "/tmp/lamina-net-XXXXXX", name[64];
static struct lam_env_linux near_linux, far_linux;
static struct lam_env *near_env, *far_env;
static struct sim sim;
static struct sim_host host;

struct pair {
    int listener, near_end, far_end;
};

static void setup(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "unix:%s/s", folder);
    cr_assert(eq(int, lam_env_linux_init(&near_linux, NULL), 0));
    cr_assert(eq(int, lam_env_linux_init(&far_linux, NULL), 0));
    near_env = &near_linux.env;
    far_env = &far_linux.env;
}

/* A scene is played by plain calls, by unix and by tcp, and in simulation. */
static void play(void (*scene)(const char *address))
{
    scene(name);
    scene("tcp:127.0.0.1:0");
    near_env = &sim.env;
    far_env = &host.env;
    for (uint64_t seed = 0; seed < 20; seed++) {
        sim_init(&sim, seed);
        sim_host_init(&host, &sim);
        sim.net.partial_one_in = 2;
        sim.net.buffer_bytes = 10000;
        scene(seed % 2 == 0 ? "unix:/s" : "tcp:10.0.0.1:0");
        sim_fini(&sim);
    }
}

static void teardown(void)
{
    (void)unlink(name + 5);
    (void)rmdir(folder);
    lam_env_linux_fini(&near_linux);
    lam_env_linux_fini(&far_linux);
}

TestSuite(net, .init = setup, .fini = teardown, .timeout = 60);

static unsigned poll_both(void)
{
    return near_env->ops->poll(near_env) + far_env->ops->poll(far_env);
}

/* Until @io of @env is done; the other env goes on meanwhile. */
static int64_t finish(struct lam_env *env, const struct lam_env_io *io)
{
    while (poll_both(), !io->done)
        env->ops->wait(env, env->ops->now_ns(env) + MS);
    return io->result;
}

static int64_t call(struct lam_env *env, enum lam_env_call which, struct lam_env_io io)
{
    lam_env_start(env, &io, which);
    return finish(env, &io);
}

static int64_t named(struct lam_env *env, enum lam_env_call which, const char *address)
{
    return call(env, which, (struct lam_env_io){.name = address});
}

static int64_t filed(struct lam_env *env, enum lam_env_call which, int file)
{
    return call(env, which, (struct lam_env_io){.file = file});
}

static int64_t bytes_of(
    struct lam_env *env, enum lam_env_call which, int file, void *bytes, uint64_t count)
{
    return call(env, which, (struct lam_env_io){.file = file, .bytes = bytes, .count = count});
}

/* A connection to @address, where port 0 is any. */
static struct pair connect_to(const char *address)
{
    struct lam_env_io accepted = {0}, connected = {0};
    struct lam_env_peer self;
    struct pair pair;

    pair.listener = (int)named(near_env, LAM_ENV_LISTEN, address);
    cr_assert(pair.listener >= 0, "%s: %s", address, strerror(-pair.listener));
    cr_assert(eq(int, near_env->ops->peer(near_env, pair.listener, &self), 0));
    accepted.file = pair.listener;
    lam_env_start(near_env, &accepted, LAM_ENV_ACCEPT);
    cr_assert(eq(u32, near_env->ops->poll(near_env), 0));
    connected.name = self.address;
    lam_env_start(far_env, &connected, LAM_ENV_CONNECT);
    pair.near_end = (int)finish(near_env, &accepted);
    pair.far_end = (int)finish(far_env, &connected);
    cr_assert(pair.near_end >= 0 && pair.far_end >= 0);
    return pair;
}

static void close_pair(struct pair pair)
{
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.near_end), 0));
    cr_assert(eq(i64, filed(far_env, LAM_ENV_CLOSE, pair.far_end), 0));
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.listener), 0));
}

static void say(struct lam_env *env, int file, const char *text)
{
    uint64_t count = strlen(text);

    while (count != 0) {
        int64_t sent = bytes_of(env, LAM_ENV_SEND, file, (void *)(uintptr_t)text, count);

        cr_assert(sent > 0);
        text += sent;
        count -= (uint64_t)sent;
    }
}

static void expect(struct lam_env *env, int file, const char *text)
{
    char bytes[16] = {0};
    uint64_t count = strlen(text), heard = 0;

    while (heard < count) {
        int64_t more = bytes_of(env, LAM_ENV_RECEIVE, file, bytes + heard, count - heard);

        cr_assert(more > 0);
        heard += (uint64_t)more;
    }
    cr_assert(eq(str, bytes, (char *)(uintptr_t)text));
}

static void goes_both_ways(const char *address)
{
    struct pair pair = connect_to(address);
    char byte;
    struct lam_env_io heard = {.file = pair.near_end, .bytes = &byte, .count = 1};

    lam_env_start(near_env, &heard, LAM_ENV_RECEIVE);
    cr_assert(eq(u32, near_env->ops->poll(near_env), 0));
    say(far_env, pair.far_end, "hello");
    cr_assert(eq(i64, finish(near_env, &heard), 1));
    cr_assert(eq(int, byte, 'h'));
    expect(near_env, pair.near_end, "ello");
    say(near_env, pair.near_end, "hello back");
    expect(far_env, pair.far_end, "hello");
    expect(far_env, pair.far_end, " back");
    close_pair(pair);
}

Test(net, bytes_go_both_ways)
{
    play(goes_both_ways);
    goes_both_ways("tcp:localhost:0");
}

Test(net, small_packets_do_not_wait)
{
    struct pair pair = connect_to("tcp:127.0.0.1:0");
    int near_one = 0, far_one = 0;
    socklen_t bytes = sizeof(int);

    cr_assert(eq(int, getsockopt(pair.near_end, IPPROTO_TCP, TCP_NODELAY, &near_one, &bytes), 0));
    cr_assert(eq(int, getsockopt(pair.far_end, IPPROTO_TCP, TCP_NODELAY, &far_one, &bytes), 0));
    cr_assert(near_one != 0 && far_one != 0);
    close_pair(pair);
}

Test(net, the_other_end_is_known_by_its_process_or_its_address)
{
    struct pair pair = connect_to(name);
    struct lam_env_peer peer, own;

    cr_assert(eq(int, near_env->ops->peer(near_env, pair.near_end, &peer), 0));
    cr_assert(eq(u32, peer.uid, getuid()));
    cr_assert(eq(int, peer.pid, getpid()));
    cr_assert(eq(str, peer.address, name));
    cr_assert(eq(int, far_env->ops->peer(far_env, pair.far_end, &peer), 0));
    cr_assert(eq(str, peer.address, name));
    close_pair(pair);
    pair = connect_to("tcp:127.0.0.1:0");
    cr_assert(eq(int, near_env->ops->peer(near_env, pair.near_end, &peer), 0));
    cr_assert(eq(u32, peer.uid, (uid_t)-1));
    cr_assert(eq(int, strncmp(peer.address, "tcp:127.0.0.1:", 14), 0));
    cr_assert(eq(int, far_env->ops->peer(far_env, pair.far_end, &peer), 0));
    cr_assert(eq(int, near_env->ops->peer(near_env, pair.listener, &own), 0));
    cr_assert(eq(str, peer.address, own.address));
    cr_assert(eq(int, near_env->ops->peer(near_env, near_linux.poll_fd, &peer), -ENOTSOCK));
    close_pair(pair);
}

Test(net, addresses_that_are_none_are_refused)
{
    static const char *const wrong[] = {"", "unix:", "tcp:", "tcp:127.0.0.1",
        "tcp:127.0.0.1:", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:1x", "tcp:example.org:80",
        "tcp:[::1:80", "tcp:::1:80", "tcp:[]:80", "udp:127.0.0.1:80", "/tmp/socket",
        "tcp:127.0.0.1:-1",
        "tcp:1111111111111111111111111111111111111111111111111111111111111111:1"};
    char long_path[200] = "unix:";

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        cr_assert(eq(i64, named(near_env, LAM_ENV_LISTEN, wrong[i]), -EINVAL), "%s", wrong[i]);
        cr_assert(eq(i64, named(near_env, LAM_ENV_CONNECT, wrong[i]), -EINVAL), "%s", wrong[i]);
    }
    memset(long_path + 5, 'x', sizeof(long_path) - 6);
    cr_assert(eq(i64, named(near_env, LAM_ENV_LISTEN, long_path), -ENAMETOOLONG));
    cr_assert(eq(i64, named(near_env, LAM_ENV_CONNECT, name), -ENOENT));
}

static void ends_behind_the_last_byte(const char *address)
{
    struct pair pair = connect_to(address);
    char byte;

    say(far_env, pair.far_end, "bye");
    cr_assert(eq(i64, filed(far_env, LAM_ENV_SHUTDOWN, pair.far_end), 0));
    expect(near_env, pair.near_end, "bye");
    cr_assert(eq(i64, bytes_of(near_env, LAM_ENV_RECEIVE, pair.near_end, &byte, 1), 0));
    say(near_env, pair.near_end, "the other way goes on" + 10);
    expect(far_env, pair.far_end, "way goes on");
    close_pair(pair);
}

Test(net, the_end_comes_behind_the_last_byte)
{
    play(ends_behind_the_last_byte);
}

/* As long as @pair's far end takes bytes, each of which says where it is. Returns how many. */
static uint64_t fill(struct pair pair, struct lam_env_io *last, uint8_t *bytes)
{
    uint64_t sent = 0;

    for (;;) {
        for (unsigned i = 0; i < 4096; i++)
            bytes[i] = (uint8_t)((sent + i) % 251);
        *last = (struct lam_env_io){.file = pair.far_end, .bytes = bytes, .count = 4096};
        lam_env_start(far_env, last, LAM_ENV_SEND);
        for (unsigned tries = 0; !last->done && tries < 3; tries++) {
            far_env->ops->wait(far_env, far_env->ops->now_ns(far_env) + MS);
            poll_both();
        }
        if (!last->done)
            return sent;
        cr_assert(last->result > 0);
        sent += (uint64_t)last->result;
    }
}

/* Both ends at once: the near one has said nothing, the far one more than anybody has read. */
static void pends_and_goes_on(const char *address)
{
    struct pair pair = connect_to(address);
    static uint8_t sent_bytes[4096], bytes[4096], room[4];
    struct lam_env_io last, in = {.file = pair.far_end, .bytes = room, .count = sizeof(room)};
    uint64_t sent = fill(pair, &last, sent_bytes), heard = 0;

    lam_env_start(far_env, &in, LAM_ENV_RECEIVE);
    poll_both();
    cr_assert(eq(i64, bytes_of(near_env, LAM_ENV_SEND, pair.near_end, (char[]){"x"}, 1), 1));
    cr_assert(eq(i64, finish(far_env, &in), 1));
    while (!last.done || heard < sent + (uint64_t)last.result) {
        int64_t count = bytes_of(near_env, LAM_ENV_RECEIVE, pair.near_end, bytes, sizeof(bytes));

        cr_assert(count > 0);
        for (int64_t i = 0; i < count; i++, heard++)
            cr_assert(eq(u8, bytes[i], (uint8_t)(heard % 251)));
    }
    close_pair(pair);
}

Test(net, who_is_not_read_waits_and_nothing_is_lost)
{
    play(pends_and_goes_on);
}

static void ends_what_is_in_flight(const char *address)
{
    struct pair pair = connect_to(address);
    static uint8_t bytes[4096], room[8];
    struct lam_env_io out, accepted = {.file = pair.listener},
                           in = {.file = pair.far_end, .bytes = room, .count = sizeof(room)};

    lam_env_start(near_env, &accepted, LAM_ENV_ACCEPT);
    lam_env_start(far_env, &in, LAM_ENV_RECEIVE);
    poll_both();
    far_env->ops->cancel(far_env, &in);
    cr_assert(eq(int, in.done, 0)); /* by a poll only */
    cr_assert(eq(i64, finish(far_env, &in), -ECANCELED));
    lam_env_start(far_env, &in, LAM_ENV_RECEIVE);
    (void)fill(pair, &out, bytes);
    cr_assert(eq(i64, filed(far_env, LAM_ENV_CLOSE, pair.far_end), 0));
    cr_assert(in.done && out.done && !accepted.done);
    cr_assert(eq(i64, in.result, -ECANCELED));
    cr_assert(eq(i64, out.result, -ECANCELED));
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.listener), 0));
    cr_assert(eq(i64, finish(near_env, &accepted), -ECANCELED));
    near_env->ops->cancel(near_env, &accepted);
    cr_assert(eq(u32, near_env->ops->poll(near_env), 0));
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.near_end), 0));
}

Test(net, a_close_ends_what_is_in_flight_and_so_does_a_cancel)
{
    play(ends_what_is_in_flight);
}

static void sends_to_nobody(const char *address)
{
    struct pair pair = connect_to(address);
    int64_t result;

    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.near_end), 0));
    do /* the news may be on their way */
        result = bytes_of(far_env, LAM_ENV_SEND, pair.far_end, (char[]){"x"}, 1);
    while (result > 0);
    cr_assert(result == -EPIPE || result == -ECONNRESET);
    cr_assert(eq(i64, filed(far_env, LAM_ENV_CLOSE, pair.far_end), 0));
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, pair.listener), 0));
}

Test(net, who_sends_to_nobody_is_told_so_and_lives)
{
    play(sends_to_nobody);
}

static void nobody_is_there(const char *address)
{
    struct pair pair = connect_to(address);
    struct lam_env_peer own;
    unsigned before;

    cr_assert(eq(int, near_env->ops->peer(near_env, pair.listener, &own), 0));
    close_pair(pair);
    before = open_descriptors();
    cr_assert(eq(i64, named(far_env, LAM_ENV_CONNECT, own.address),
        address[0] == 'u' ? -ENOENT : -ECONNREFUSED));
    cr_assert(eq(u32, open_descriptors(), before));
}

Test(net, nobody_at_an_address_is_a_refusal)
{
    play(nobody_is_there);
}

static void is_shut_down_by_another_env(const char *address)
{
    struct pair pair = connect_to(address);
    char bytes[8];
    struct lam_env_io in = {.file = pair.near_end, .bytes = bytes, .count = sizeof(bytes)};

    lam_env_start(near_env, &in, LAM_ENV_RECEIVE);
    poll_both();
    say(far_env, pair.near_end, "x");
    expect(far_env, pair.far_end, "x");
    cr_assert(eq(i64,
        call(far_env, LAM_ENV_SHUTDOWN, (struct lam_env_io){.file = pair.near_end, .count = 1}),
        0));
    cr_assert(eq(i64, finish(near_env, &in), 0));
    close_pair(pair);
}

Test(net, one_env_receives_while_another_sends_and_a_shutdown_there_ends_it)
{
    play(is_shut_down_by_another_env);
}

static void leave_a_name(int is_alive)
{
    pid_t child = fork();

    if (child == 0) {
        struct lam_env_linux own;
        struct lam_env_io io = {.name = name};

        (void)lam_env_linux_init(&own, NULL);
        _exit(lam_env_do(&own.env, &io, LAM_ENV_LISTEN) >= 0 ? 0 : 1);
    }
    int status = -1;

    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, status, is_alive ? 256 : 0));
}

Test(net, the_name_of_the_dead_is_taken_and_that_of_the_living_is_not)
{
    struct stat about;
    int64_t listener;
    FILE *file;

    leave_a_name(0);
    listener = named(near_env, LAM_ENV_LISTEN, name);
    cr_assert(listener >= 0);
    cr_assert(eq(int, stat(name + 5, &about), 0));
    cr_assert(eq(u32, about.st_mode & 0777, 0600));
    cr_assert(eq(i64, named(far_env, LAM_ENV_LISTEN, name), -EADDRINUSE));
    leave_a_name(1);
    cr_assert(eq(i64, filed(near_env, LAM_ENV_CLOSE, (int)listener), 0));
    file = fopen(name + 5, "w"); /* something else is never replaced */
    cr_assert(file != NULL && fclose(file) == 0);
    cr_assert(eq(i64, named(near_env, LAM_ENV_LISTEN, name), -EADDRINUSE));
    cr_assert(eq(int, stat(name + 5, &about), 0));
}

/* Waits of the near env until @deadline_ns. */
static unsigned waits_until(uint64_t deadline_ns)
{
    unsigned count = 0;

    while (near_env->ops->poll(near_env), near_env->ops->now_ns(near_env) < deadline_ns) {
        near_env->ops->wait(near_env, deadline_ns);
        count++;
    }
    return count;
}

static void *waker(void *env)
{
    ((struct lam_env *)env)->ops->wake(env);
    return NULL;
}

Test(net, a_wait_ends_by_a_byte_by_a_wake_and_by_its_deadline_and_by_nothing_else)
{
    struct pair pair = connect_to(name);
    char bytes[8];
    struct lam_env_io in = {.file = pair.near_end, .bytes = bytes, .count = sizeof(bytes)};
    pthread_t thread;

    lam_env_start(near_env, &in, LAM_ENV_RECEIVE);
    cr_assert(waits_until(near_env->ops->now_ns(near_env) + 20 * MS) <= 2);
    cr_assert(eq(int, pthread_create(&thread, NULL, waker, near_env), 0));
    near_env->ops->wait(near_env, UINT64_MAX);
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(waits_until(near_env->ops->now_ns(near_env) + 20 * MS) <= 2);
    cr_assert(eq(i64, bytes_of(far_env, LAM_ENV_SEND, pair.far_end, (char[]){"x"}, 1), 1));
    while (near_env->ops->poll(near_env), !in.done)
        near_env->ops->wait(near_env, UINT64_MAX);
    cr_assert(eq(i64, in.result, 1));
    close_pair(pair);
}

Test(net, a_thousand_connections_leave_no_descriptor)
{
    unsigned before = open_descriptors();

    for (unsigned i = 0; i < 1000; i++)
        close_pair(connect_to(name));
    cr_assert(eq(u32, open_descriptors(), before));
}

Test(net, calls_that_are_done_stand_in_their_queue)
{
    struct pair pair = connect_to(name);
    struct lam_env_done done = {0};
    struct lam_env_io one = {.file = pair.far_end, .bytes = name, .count = 1, .tell = &done},
                      two = {.file = pair.near_end, .bytes = folder, .count = 1, .tell = &done};

    lam_env_start(near_env, &two, LAM_ENV_SEND);
    cr_assert(lam_env_take(&done) == NULL);
    (void)finish(near_env, &two);
    lam_env_start(far_env, &one, LAM_ENV_SEND);
    (void)finish(far_env, &one);
    cr_assert(lam_env_take(&done) == &two && lam_env_take(&done) == &one);
    cr_assert(lam_env_take(&done) == NULL);
    close_pair(pair);
}
