/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one daemon an endpoint; a dead one's is taken over, a living one's never; what is no
 * endpoint is left alone. Method: daemons in children that are killed, and files, folders, links
 * and strangers' sockets where a daemon's names would be.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "stage.h"

static struct lam_daemon daemon_here;
static struct lam_error error;

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(place, .init = setup, .fini = teardown, .timeout = 30);

static const struct lam_daemon_options options = {.name = "it"};

static void path_of(char path[128], const char *suffix)
{
    (void)snprintf(path, 128, "%s/it.%s", stage_folder, suffix);
}

static int exists(const char *suffix)
{
    struct stat status;
    char path[128];

    path_of(path, suffix);
    return lstat(path, &status) == 0;
}

Test(place, a_second_daemon_is_refused_and_told_of_the_first)
{
    pid_t first = stage_fork_daemon(&options);
    char pid[32];

    (void)snprintf(pid, sizeof(pid), "pid %d\"", (int)first);
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), -EBUSY));
    cr_assert(strstr(error.text, pid) != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "fuser") != NULL, "%s", error.text);
    cr_assert(exists("sock") && exists("lock"));
    /* A refusal takes nothing with it. */
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), -EBUSY));
    stage_kill(first);
}

Test(place, a_dead_daemons_endpoint_is_taken_over)
{
    for (int i = 0; i < 3; i++) {
        pid_t first = stage_fork_daemon(&options);

        stage_kill(first);
        cr_assert(exists("sock") && exists("lock"));
    }
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    lam_daemon_destroy(&daemon_here);
    cr_assert(exists("sock") + exists("lock") == 0);
}

Test(place, a_stopped_daemon_is_not_dead)
{
    pid_t first = stage_fork_daemon(&options);

    cr_assert(eq(int, kill(first, SIGSTOP), 0));
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), -EBUSY));
    stage_kill(first);
}

/* How long a child of this process takes before the library's own fork handlers run in it. */
static uint64_t birth_ns;

static void be_born_slowly(void)
{
    struct timespec pause = {
        .tv_sec = (time_t)(birth_ns / LAM_NS_PER_S), .tv_nsec = (long)(birth_ns % LAM_NS_PER_S)};

    if (birth_ns != 0)
        (void)nanosleep(&pause, NULL);
}

/* Before the library's, which are registered by a constructor, too. */
__attribute__((constructor(101))) static void register_slow_birth(void)
{
    (void)pthread_atfork(NULL, NULL, be_born_slowly);
}

/* A daemon that forks a child, which is slow, and dies. Returns the child. */
static pid_t die_with_a_child(uint64_t slow_ns)
{
    int ends[2];
    pid_t child;
    pid_t first;

    cr_assert(eq(int, pipe(ends), 0));
    first = stage_fork();
    if (first == 0) {
        STAGE_CHECK(lam_daemon_create(&daemon_here, &options, &error) == 0);
        birth_ns = slow_ns;
        child = fork();
        if (child == 0)
            for (;;)
                (void)pause();
        STAGE_CHECK(write(ends[1], &child, sizeof(child)) == sizeof(child));
        _exit(0);
    }
    cr_assert(eq(int, (int)read(ends[0], &child, sizeof(child)), (int)sizeof(child)));
    cr_assert(eq(int, stage_wait(first), 0));
    (void)close(ends[0]);
    (void)close(ends[1]);
    return child;
}

/* A child of the daemon's has its descriptors, and is no daemon. */
Test(place, a_daemons_forked_child_does_not_keep_the_endpoint)
{
    pid_t child = die_with_a_child(0);

    /* It listens in the child, and nobody would ever be heard there. */
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    cr_assert(eq(u32, lam_daemon_client_count(&daemon_here), 0));
    lam_daemon_destroy(&daemon_here);
    (void)kill(child, SIGKILL);
}

/* Until it has run, it has its parent's lock open. */
Test(place, a_dead_daemons_child_that_has_not_run_yet_is_waited_for)
{
    pid_t child = die_with_a_child(300 * LAM_NS_PER_MS);

    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    lam_daemon_destroy(&daemon_here);
    (void)kill(child, SIGKILL);
}

/* One that never runs keeps the lock, and is not waited for without end. */
Test(place, a_dead_daemons_child_that_never_runs_keeps_the_endpoint_and_no_creator)
{
    pid_t child = die_with_a_child(60 * LAM_NS_PER_S);

    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), -EBUSY));
    cr_assert(eq(int, kill(child, SIGKILL), 0));
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    lam_daemon_destroy(&daemon_here);
}

static void expect_left_alone(const char *suffix)
{
    struct stat before, after;
    char path[128];

    path_of(path, suffix);
    cr_assert(eq(int, lstat(path, &before), 0));
    cr_assert(
        eq(int, lam_daemon_create(&daemon_here, &options, &error), -EEXIST), "%s", error.text);
    cr_assert(eq(int, lstat(path, &after), 0));
    cr_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
    cr_assert(eq(int, unlink(path) == 0 || rmdir(path) == 0, 1));
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    lam_daemon_destroy(&daemon_here);
}

static void make_file(const char *suffix, const char *text)
{
    char path[128];
    int fd;

    path_of(path, suffix);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

Test(place, a_file_in_the_sockets_place_is_left_alone)
{
    make_file("sock", "my thesis");
    expect_left_alone("sock");
}

Test(place, a_link_in_the_sockets_place_is_left_alone)
{
    char path[128];

    path_of(path, "sock");
    cr_assert(eq(int, symlink("/etc/passwd", path), 0));
    expect_left_alone("sock");
}

Test(place, a_folder_in_the_sockets_place_is_left_alone)
{
    char path[128];

    path_of(path, "sock");
    cr_assert(eq(int, mkdir(path, 0700), 0));
    expect_left_alone("sock");
}

Test(place, a_file_in_the_locks_place_is_left_alone)
{
    make_file("lock", "my other thesis");
    expect_left_alone("lock");
}

Test(place, a_link_in_the_locks_place_is_left_alone)
{
    char path[128];

    path_of(path, "lock");
    cr_assert(eq(int, symlink("/tmp/lamina-no-such-file", path), 0));
    expect_left_alone("lock");
}

/* Somebody listens there who knows no lock. */
Test(place, a_socket_that_somebody_listens_at_is_left_alone)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int stranger = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/it.sock", stage_folder);
    cr_assert(eq(int, bind(stranger, (struct sockaddr *)&address, sizeof(address)), 0));
    cr_assert(eq(int, listen(stranger, 1), 0));
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), -EBUSY), "%s", error.text);
    cr_assert(exists("sock"));
    (void)close(stranger); /* now it is a dead one's */
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    lam_daemon_destroy(&daemon_here);
}

Test(place, what_a_daemon_left_that_died_before_it_appeared_is_removed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.it.sock.new", stage_folder);
    cr_assert(eq(int, bind(dead, (struct sockaddr *)&address, sizeof(address)), 0));
    (void)close(dead);
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, access(address.sun_path, F_OK), -1));
    lam_daemon_destroy(&daemon_here);
}

Test(place, the_socket_has_the_mode_that_was_asked_for)
{
    struct lam_daemon_options open_one = {.name = "it", .mode = 0666};
    struct stat status;
    char path[128];

    (void)umask(0077);
    path_of(path, "sock");
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &open_one, &error), 0), "%s", error.text);
    cr_assert(eq(int, stat(path, &status), 0));
    cr_assert(eq(int, (int)(status.st_mode & 0777), 0666));
    lam_daemon_destroy(&daemon_here);
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, stat(path, &status), 0));
    cr_assert(eq(int, (int)(status.st_mode & 0777), 0600));
    lam_daemon_destroy(&daemon_here);
}

Test(place, impossible_names_and_options_are_refused)
{
    static const char *const names[] = {
        NULL, "", ".it", "a/b", "0123456789012345678901234567890123456789012345678901234567890123"};
    struct lam_daemon_options wrong = {.name = "it"};

    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        wrong.name = names[i];
        cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    }
    wrong = (struct lam_daemon_options){.name = "it", .clients_max = LAM_DAEMON_CLIENTS_MAX + 1};
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    wrong = (struct lam_daemon_options){.name = "it", .version_min = 1};
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    wrong = (struct lam_daemon_options){.name = "it", .features_required = 1};
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    wrong = (struct lam_daemon_options){.name = "it", .depth = 3};
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    wrong = (struct lam_daemon_options){.name = "it", .share_percent = {50, 50, 1}};
    cr_assert(eq(int, lam_daemon_create(&daemon_here, &wrong, &error), -EINVAL));
    cr_assert(exists("sock") + exists("lock") == 0);
}

Test(place, the_directory_is_the_environments_choice)
{
    char path[LAM_ENDPOINT_PATH_MAX + 1];

    cr_assert(eq(int, lam_endpoint_directory(path, &error), 0));
    cr_assert(eq(str, path, stage_folder));
    cr_assert(eq(int, unsetenv("LAMINA_RUN_DIR"), 0));
    if (access("/run/lamina", F_OK) != 0) {
        cr_assert(eq(int, setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0));
        cr_assert(eq(int, lam_endpoint_directory(path, &error), 0));
        cr_assert(eq(str, path, "/run/user/7/lamina"));
        cr_assert(eq(int, unsetenv("XDG_RUNTIME_DIR"), 0));
        cr_assert(eq(int, lam_endpoint_directory(path, &error), -ENOENT));
        cr_assert(strstr(error.text, "LAMINA_RUN_DIR") != NULL);
    }
    cr_assert(eq(int, setenv("LAMINA_RUN_DIR", stage_folder, 1), 0));
}
