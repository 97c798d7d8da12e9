/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a daemon or a client that cannot be made for want of descriptors, of room or of names says
 * what ran out, on which side, and what to do; and leaves nothing. Method: every limit of
 * descriptors from none to enough, for each side alone; stores of a test's own that are full, in a
 * mount namespace of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "stage.h"

#define ENOUGH 80 /* descriptors: more than a client takes of its daemon */

static struct stage stage;
static struct lam_daemon daemon_here;
static struct lam_client client;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it", .handshake_ns = 40 * LAM_NS_PER_S};
static const struct lam_client_options to_it = {.endpoint = "it", .requests_max = 8};

/* The machine has no sockets left, as far as this process is told. */
static int machine_is_full;

int socket(int domain, int type, int protocol)
{
    if (machine_is_full) {
        errno = ENFILE;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

/* Around a client's first word: it is said to @said_to before it or behind it, or to nobody. */
static int said_to = -1;
static int heard_from = -1;
static int says_it_before;

static void meet(void)
{
    char byte;

    STAGE_CHECK(write(said_to, "s", 1) == 1);
    STAGE_CHECK(read(heard_from, &byte, 1) == 1);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    ssize_t sent;

    if (said_to >= 0 && says_it_before)
        meet();
    sent = syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
    if (said_to >= 0 && !says_it_before)
        meet();
    said_to = -1;
    return sent;
}

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(wants, .init = setup, .fini = teardown, .timeout = 50);

/* The sentence for a want of this process, which has no descriptors more than @count. */
static void expect_own_want(int rc, rlim_t count)
{
    char said[96];

    (void)snprintf(said, sizeof(said),
        "endpoint it: this process may have %llu file descriptors, and none is left",
        (unsigned long long)count);
    cr_assert(eq(int, rc, -EMFILE), "%s", error.text);
    cr_assert(strstr(error.text, said) != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "RLIMIT_NOFILE") != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "LAMINA_RUN_DIR") == NULL, "%s", error.text);
}

/*
 * @attempt with each limit of descriptors from none on, until it works: before that the want is
 * told as this process's, and nothing is left. Returns how many limits were tried.
 */
static rlim_t try_each_limit(int (*attempt)(void))
{
    uint32_t open_before = stage_descriptors();
    int rc = -EMFILE;
    rlim_t more;

    for (more = 0; more < ENOUGH && rc != 0; more++) {
        rlim_t before = stage_allow_no_more(more);
        struct rlimit limit;

        rc = attempt();
        STAGE_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        stage_allow(before);
        if (rc != 0) {
            expect_own_want(rc, limit.rlim_cur);
            cr_assert(eq(u32, stage_descriptors(), open_before));
        }
    }
    cr_assert(eq(int, rc, 0), "%s", error.text);
    return more;
}

static int connect_client(void)
{
    return stage_connect(&client, &to_it, &error);
}

static int create_daemon(void)
{
    return lam_daemon_create(&daemon_here, &it, &error);
}

Test(wants, of_descriptors_at_a_client_are_told_as_its_own)
{
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(try_each_limit(connect_client) > 10);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

Test(wants, of_descriptors_at_a_daemon_that_begins_are_told_as_its_own)
{
    char path[128];

    /* A dead one's socket has to be asked where no lock says that it is one's. */
    stage_kill(stage_fork_daemon(&it));
    (void)snprintf(path, sizeof(path), "%s/it.lock", stage_folder);
    cr_assert(eq(int, unlink(path), 0));
    cr_assert(try_each_limit(create_daemon) > 3);
    lam_daemon_destroy(&daemon_here);
}

/* In a child: the error says @part. */
static void expect_text(const char *part)
{
    if (strstr(error.text, part) == NULL) {
        (void)fprintf(stderr, "\"%s\" is not in \"%s\"\n", part, error.text);
        _exit(2);
    }
}

/* A client in a child with descriptors: 0 it is served, 1 it is told what its daemon lacks. */
static pid_t fork_client(rlim_t allowed)
{
    pid_t child = stage_fork();
    int rc;

    if (child != 0)
        return child;
    stage_allow(allowed);
    rc = stage_connect(&client, &to_it, &error);
    if (rc == 0)
        _exit(stage_echo(&client, 1, stage_soon()) == 0 ? 0 : 3);
    STAGE_CHECK(rc == -ENOMEM);
    expect_text("endpoint it: refused: the daemon may have ");
    expect_text("file descriptors, and none is left");
    expect_text("RLIMIT_NOFILE");
    _exit(1);
}

static void turn(uint64_t ms)
{
    struct lam_daemon_event event;

    if (lam_daemon_wait_until(&stage.daemon, stage_ms(ms), &event) == 0)
        stage_act(&stage, &event);
}

Test(wants, of_descriptors_at_a_daemon_are_told_to_who_connects)
{
    uint64_t refused = 0;
    int status = 1 << 8;

    stage_create(&stage, &it);
    for (rlim_t more = 0; more < ENOUGH && status != 0; more++) {
        rlim_t before = stage_allow_no_more(more);
        pid_t child = fork_client(before);

        while (waitpid(child, &status, WNOHANG) == 0) {
            turn(1);
            /* One answer for each, and it is no hang-up. */
            cr_assert(stage.daemon.counts.refused <= refused + 1);
            cr_assert(eq(u64, stage.daemon.counts.late, 0));
        }
        stage_allow(before);
        cr_assert(status == 0 || status == 1 << 8, "with %d more: %d", (int)more, status);
        refused += status != 0;
        cr_assert(eq(u64, stage.daemon.counts.refused, refused));
    }
    cr_assert(eq(int, status, 0));
    cr_assert(refused > 10);
    lam_daemon_destroy(&stage.daemon);
}

/* Refused where the socket is taken out of the queue, before its HELLO came or unheard. */
static void refuse_at_the_door(int before_hello)
{
    int to_us[2], to_it_there[2];
    struct pollfd knock;
    rlim_t before;
    pid_t child;
    char byte;

    cr_assert(pipe(to_us) == 0 && pipe(to_it_there) == 0);
    says_it_before = before_hello;
    said_to = to_us[1];
    heard_from = to_it_there[0];
    stage_create(&stage, &it);
    before = stage_allow_no_more(0);
    child = fork_client(before);
    said_to = -1;
    knock = (struct pollfd){.fd = stage.daemon.place.listener, .events = POLLIN};
    cr_assert(eq(int, (int)read(to_us[0], &byte, 1), 1));
    cr_assert(eq(int, poll(&knock, 1, 10000), 1));
    turn(20);
    cr_assert(eq(u64, stage.daemon.counts.refused, 1));
    cr_assert(eq(int, (int)write(to_it_there[1], "g", 1), 1));
    while (waitpid(child, &knock.fd, WNOHANG) == 0) {
        turn(1);
        cr_assert(eq(u64, stage.daemon.counts.refused, 1));
    }
    cr_assert(eq(int, knock.fd, 1 << 8));
    stage_allow(before);
    lam_daemon_destroy(&stage.daemon);
}

Test(wants, of_descriptors_are_told_to_one_whose_hello_lies_unread)
{
    refuse_at_the_door(0);
}

Test(wants, of_descriptors_are_told_to_one_that_has_not_said_hello)
{
    refuse_at_the_door(1);
}

Test(wants, of_the_machine_are_told_as_its_own)
{
    int rc;

    machine_is_full = 1;
    rc = lam_daemon_create(&daemon_here, &it, &error);
    machine_is_full = 0;
    cr_assert(eq(int, rc, -ENFILE));
    cr_assert(strstr(error.text, "endpoint it: the machine of this process") != NULL);
    cr_assert(strstr(error.text, "/proc/sys/fs/file-max") != NULL, "%s", error.text);
    machine_is_full = 1;
    rc = lam_client_connect(&client, &to_it, stage_soon(), &error);
    machine_is_full = 0;
    cr_assert(eq(int, rc, -ENFILE));
    cr_assert(strstr(error.text, "endpoint it: the machine of this process") != NULL);
}

#define NO_MOUNT 42

/* In a child: a daemon in a store that is mounted with @options says @said and leaves nothing. */
static void refused_in_a_store(
    const char *options, uint64_t fill_bytes, const char *file, const char *said)
{
    static const char page[4096];
    struct lam_daemon_options here = {.name = "it", .directory = stage_folder};
    char sentence[256], path[128];
    int fd;

    if (mount("lamina", stage_folder, "tmpfs", 0, options) != 0)
        _exit(NO_MOUNT);
    (void)snprintf(path, sizeof(path), "%s/filler", stage_folder);
    if (fill_bytes != 0) {
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        STAGE_CHECK(write(fd, page, sizeof(page)) == (ssize_t)sizeof(page) && close(fd) == 0);
    }
    STAGE_CHECK(lam_daemon_create(&daemon_here, &here, &error) == -ENOSPC);
    (void)snprintf(sentence, sizeof(sentence), "%s/%s: the store mounted at %s is too full: needs ",
        stage_folder, file, stage_folder);
    expect_text(sentence);
    expect_text(said);
    expect_text("LAMINA_RUN_DIR");
    STAGE_CHECK(fill_bytes == 0 || unlink(path) == 0);
    STAGE_CHECK(umount(stage_folder) == 0);
}

Test(wants, of_room_tell_where_it_is_mounted_and_how_much_is_free)
{
    pid_t child = stage_fork();
    int status;

    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            _exit(NO_MOUNT);
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
            _exit(NO_MOUNT);
        refused_in_a_store("size=4096", 4096, "it.lock", " bytes, 0 of 4096 are free; make room");
        refused_in_a_store("size=4096,nr_inodes=1", 0, "it.lock", "an inode, 0 of 1 are free");
        refused_in_a_store("size=4096,nr_inodes=2", 0, ".it.sock.new", "an inode, 0 of 2 are free");
        _exit(0);
    }
    status = stage_wait(child);
    if (status == NO_MOUNT)
        cr_skip_test("no tmpfs of its own can be mounted here");
    cr_assert(eq(int, status, 0));
}
