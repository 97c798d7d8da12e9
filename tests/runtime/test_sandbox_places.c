/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sandbox_places.c: where a module may go: files by path, and namespaces of its own.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sandbox_help.h"

/* What it gets when it connects to a port of ours. */
static int64_t reach(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t got;

    cr_assert(eq(int, bind(fd, (void *)&address, bytes), 0));
    cr_assert(eq(int, listen(fd, 1), 0));
    cr_assert(eq(int, getsockname(fd, (void *)&address, &bytes), 0));
    got = try("reach", &address, sizeof(address));
    (void)close(fd);
    return got;
}

/* Files and folders of this test's own, beneath @folder. */
static void make_files(char folder[64])
{
    char path[128];
    FILE *file;

    (void)snprintf(folder, 64, "/tmp/lamina-sandbox-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, i == 0 ? "open" : "secret");
        cr_assert(eq(int, mkdir(path, 0700), 0));
        (void)snprintf(path, sizeof(path), "%s/%s/file", folder, i == 0 ? "open" : "secret");
        file = fopen(path, "w");
        cr_assert(file != NULL);
        (void)fputs("x", file);
        (void)fclose(file);
    }
}

static void remove_files(const char *folder)
{
    static const char *const names[] = {
        "open/file", "open/new", "open", "secret/file", "secret/new", "secret", ""};
    char path[128];

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path);
    }
}

static int64_t try_file(const char *method, const char *folder, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return try(method, path, strlen(path) + 1);
}

Test(sandbox, it_reads_and_writes_beneath_the_paths_that_it_may_and_nowhere_else)
{
    char folder[64], open[128];

    make_files(folder);
    (void)snprintf(open, sizeof(open), "%s/open", folder);
    load_with((struct lam_sandbox_options){.readable = open}, LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("read", folder, "open/file"), 1));
    cr_assert(eq(i64, try_file("read", folder, "secret/file"), -EACCES));
    cr_assert(eq(i64, try_file("read", "/etc", "passwd"), -EACCES));
    cr_assert(eq(i64, try_file("write", folder, "open/file"), -EACCES));
    cr_assert(eq(i64, try_file("write", folder, "open/new"), -EACCES));
    unload();
    load_with((struct lam_sandbox_options){.writable = open}, LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("write", folder, "open/new"), 1));
    cr_assert(eq(i64, try_file("read", folder, "open/new"), 1));
    cr_assert(eq(i64, try_file("write", folder, "secret/new"), -EACCES));
    unload();
    /* None of either, by the layer alone. */
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_FILES)},
        LAM_SANDBOX_FILES);
    cr_assert(eq(i64, try_file("read", folder, "open/file"), -EACCES));
    cr_assert(eq(i64, try("read", "/dev/zero", 10), 1));
    remove_files(folder);
}

/* What comes with a newer Landlock; seccomp would refuse it first. */
Test(sandbox, where_landlock_can_it_has_no_tcp_and_signals_nobody)
{
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_FILES)},
        LAM_SANDBOX_FILES);
    if (report.layers[LAM_SANDBOX_FILES].level < 6)
        cr_skip_test("Landlock has ABI %u here, signals came with 6",
            report.layers[LAM_SANDBOX_FILES].level);
    cr_assert(eq(i64, try_call((struct try_call){SYS_kill, {getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, reach(), -EACCES));
}

/* A layer of namespaces, and what it stands on. */
static struct lam_sandbox_options namespaces(enum lam_sandbox_layer layer)
{
    return (struct lam_sandbox_options){
        .layers = LAM_SANDBOX_BIT(LAM_SANDBOX_USERS) | LAM_SANDBOX_BIT(layer)};
}

static void expect_own(enum lam_sandbox_layer layer, const char *file)
{
    struct stat ours;

    load_with(namespaces(layer), layer);
    cr_assert(eq(int, stat(file, &ours), 0));
    cr_assert(ne(i64, try("namespace", file, strlen(file) + 1), (int64_t)ours.st_ino));
}

Test(sandbox, it_has_users_of_its_own)
{
    expect_own(LAM_SANDBOX_USERS, "/proc/self/ns/user");
    cr_assert(eq(i64, try_call((struct try_call){SYS_geteuid, {0}}), geteuid()));
    /* Whoever made it has all capabilities in it, and gives them up. */
    cr_assert(eq(i64, try_call((struct try_call){SYS_sethostname, {0, 0}}), -EPERM));
}

Test(sandbox, it_has_a_network_of_its_own_with_nothing_in_it)
{
    load_with((struct lam_sandbox_options){.network = 1}, LAM_SANDBOX_PRIVILEGES);
    cr_assert(eq(i64, reach(), 0));
    unload();
    expect_own(LAM_SANDBOX_NETWORK, "/proc/self/ns/net");
    cr_assert(eq(i64, reach(), -ENETUNREACH));
}

Test(sandbox, it_sees_no_segments_of_others)
{
    key_t key = 0x4c000000 | getpid();
    int segment = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    struct try_call look = {SYS_shmget, {key, 0, 0}};
    int64_t got;

    cr_assert(ge(int, segment, 0));
    load(&(struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_PRIVILEGES)});
    got = try_call(look);
    unload();
    cr_assert(eq(int, shmctl(segment, IPC_RMID, NULL), 0));
    cr_assert(eq(i64, got, segment));
    segment = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    load_with(namespaces(LAM_SANDBOX_IPC), LAM_SANDBOX_IPC);
    got = try_call(look);
    cr_assert(eq(int, shmctl(segment, IPC_RMID, NULL), 0));
    cr_assert(eq(i64, got, -ENOENT));
}

Test(sandbox, its_tree_is_read_only_and_empty_where_others_share)
{
    struct lam_sandbox_options sandbox = namespaces(LAM_SANDBOX_MOUNTS);
    char folder[64], open[128];

    make_files(folder);
    (void)snprintf(open, sizeof(open), "%s/open", folder);
    load_with(sandbox, LAM_SANDBOX_MOUNTS);
    cr_assert(eq(i64, try_file("read", folder, "open/file"), -ENOENT));
    unload();
    sandbox.readable = folder;
    sandbox.writable = open;
    load_with(sandbox, LAM_SANDBOX_MOUNTS);
    cr_assert(eq(i64, try_file("read", folder, "secret/file"), 1));
    cr_assert(eq(i64, try_file("write", folder, "secret/new"), -EROFS));
    cr_assert(eq(i64, try_file("write", folder, "secret/file"), -EROFS));
    cr_assert(eq(i64, try_file("write", folder, "open/new"), 1));
    cr_assert(eq(i64, try_file("write", "/dev", "null"), 1));
    remove_files(folder);
}

Test(sandbox, processes_are_bounded_where_the_kernel_counts_them)
{
    struct lam_sandbox_options some = {
        .layers = LAM_SANDBOX_DEFAULT | LAM_SANDBOX_BIT(LAM_SANDBOX_USERS), .processes = 5};

    /* Those of root are not counted. */
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        cr_skip_test("root cannot be somebody else here");
    if (access(module_file("tries"), R_OK) != 0)
        cr_skip_test("the tree is root's alone, whose processes are not counted");
    load_with(some, LAM_SANDBOX_USERS);
    cr_assert(
        report.layers[LAM_SANDBOX_LIMITS].is_active, "%s", report.layers[LAM_SANDBOX_LIMITS].step);
    cr_assert(eq(i64, try("bomb", NULL, 0), 5));
}

Test(sandbox, what_it_leaves_behind_ends_with_it_wherever_it_went)
{
    struct lam_sandbox_options sandbox = namespaces(LAM_SANDBOX_PIDS);
    int ends[2];
    struct pollfd hung_up;

    /* Its children, in sessions of their own, hold the write end. */
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, dup2(ends[1], STDERR_FILENO), STDERR_FILENO));
    (void)close(ends[1]);
    load_with(sandbox, LAM_SANDBOX_PIDS);
    cr_assert(eq(i64, try("bomb", NULL, 0), 32));
    unload();
    (void)close(STDERR_FILENO);
    hung_up = (struct pollfd){.fd = ends[0]};
    cr_assert(eq(int, poll(&hung_up, 1, 30000), 1));
    cr_assert(hung_up.revents == POLLHUP);
}

/* A host that calls a worker which has let go of its socket, and waits for longer than the test. */
static _Noreturn void be_host(void)
{
    struct lam_sandbox_options sandbox = namespaces(LAM_SANDBOX_PIDS);
    struct try_call no_signal = {SYS_fcntl, {3, F_SETFL, 0}}, let_go = {SYS_close, {3}};
    struct try_call wait = {SYS_poll, {0, 0, 60000}};
    struct tried tried;

    if (try_load(&sandbox) != 0 || ask("call", &no_signal, sizeof(no_signal), &tried) != 0 ||
        ask("call", &let_go, sizeof(let_go), &tried) != 0)
        _exit(1);
    (void)write(STDOUT_FILENO, "x", 1);
    (void)ask("call", &wait, sizeof(wait), &tried);
    _exit(2);
}

Test(sandbox, one_that_lets_go_of_its_host_ends_with_it_all_the_same)
{
    struct pollfd hung_up;
    pid_t host;
    char byte;
    int ends[2];

    load_with(namespaces(LAM_SANDBOX_PIDS), LAM_SANDBOX_PIDS);
    unload();
    cr_assert(eq(int, pipe(ends), 0));
    host = fork();
    if (host == 0) {
        /* Its workers inherit it. */
        if (dup2(ends[1], STDOUT_FILENO) < 0 || close(ends[1]) != 0)
            _exit(1);
        be_host();
    }
    (void)close(ends[1]);
    cr_assert(eq(int, (int)read(ends[0], &byte, 1), 1));
    cr_assert(eq(int, kill(host, SIGKILL), 0));
    cr_assert(eq(int, waitpid(host, NULL, 0), host));
    hung_up = (struct pollfd){.fd = ends[0]};
    cr_assert(eq(int, poll(&hung_up, 1, 30000), 1));
    cr_assert(hung_up.revents == POLLHUP);
}

Test(sandbox, no_process_of_others_is_there_and_each_end_is_told_as_it_was)
{
    struct lam_sandbox_options sandbox = namespaces(LAM_SANDBOX_PIDS);
    char ours[64];

    sandbox.layers |= LAM_SANDBOX_BIT(LAM_SANDBOX_MOUNTS);
    (void)snprintf(ours, sizeof(ours), "/proc/%d/stat", getpid());
    load_with(sandbox, LAM_SANDBOX_PIDS);
    cr_assert(eq(i64, try_call((struct try_call){SYS_getpid, {0}}), 2));
    cr_assert(eq(i64, try_call((struct try_call){SYS_kill, {getpid(), 0}}), -ESRCH));
    if (report.layers[LAM_SANDBOX_MOUNTS].is_active) {
        cr_assert(eq(i64, try("read", ours, strlen(ours) + 1), -ENOENT));
        cr_assert(eq(i64, try("read", "/proc/2/stat", 13), 1));
    }
    unload();
    sandbox.layers |= LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS);
    sandbox.cpu_s = 1;
    load_with(sandbox, LAM_SANDBOX_PIDS);
    expect_end("burn", NULL, 0, SIGXCPU);
}

#ifdef PLUGINS
/* The crypto module brings a library of the system, which looks for its files. */
Test(sandbox, the_examples_run_with_every_layer)
{
    static const struct {
        const char *name, *method;
    } examples[] = {{"echo", "echo"}, {"string", "upper"}, {"math", "sum"}, {"counter", "add"},
        {"crypto", "sha256"}};
    struct lam_sandbox_options all = {.layers = LAM_SANDBOX_ALL};
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .sandbox = &all};
    char path[4096], room[64];

    for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint64_t size = sizeof(room);

        (void)snprintf(path, sizeof(path), "%s/%s.so", PLUGINS, examples[i].name);
        if (access(path, F_OK) != 0)
            continue; /* no libcrypto in this build */
        cr_assert(eq(int, lam_runtime_load(runtime, path, &options, &module, &error), 0), "%s",
            error.text);
        cr_assert(eq(int, module_ask(module, examples[i].method, "abcdefgh", 8, room, &size), 0),
            "%s", examples[i].name);
    }
}
#endif
