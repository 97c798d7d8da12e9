/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full_disk.c: modules whose folder is on a disk that is full: what is built onto it comes out cut
 * short, and is refused; the code that is loaded serves on, and the next one does when there is
 * room. The disk is a small one of this program's own, in a mount namespace of its own.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "modules.h"
#include "processes.h"

#define PATH_BYTES 128

static char folder[] = "/tmp/lamina-full-XXXXXX";
static struct lam_error error;

static const char *at(const char *name)
{
    static char paths[2][PATH_BYTES];
    static unsigned turn;
    char *path = paths[turn++ % 2];

    (void)snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* The place of the disk: its name where it was mounted is of the other namespace. */
static void remove_folder(void)
{
    (void)umount2(folder, MNT_DETACH);
    (void)rmdir(folder);
}

static void write_id(const char *file, const char *format, unsigned id)
{
    char text[64];
    int fd = open(file, O_WRONLY | O_CLOEXEC), bytes = snprintf(text, sizeof(text), format, id);

    if (fd < 0 || write(fd, text, (size_t)bytes) != bytes)
        test_skip("no user namespace whose maps can be written is to be had here");
    (void)close(fd);
}

/* A disk of 256 KiB at the folder, which nobody else sees. */
static void mount_disk(void)
{
    unsigned user = geteuid(), group = getegid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        test_skip("no user and mount namespace of its own is to be had here");
    write_id("/proc/self/setgroups", "deny", 0);
    write_id("/proc/self/uid_map", "0 %u 1", user);
    write_id("/proc/self/gid_map", "0 %u 1", group);
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("disk", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,mode=700") != 0)
        test_skip("no disk of its own can be mounted here");
}

/* Until there is no room for another byte. */
static void fill_disk(void)
{
    static const char zeros[4096];
    int fd = open(at("filler"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    TEST_CHECK(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    TEST_CHECK(errno == ENOSPC);
    (void)close(fd);
}

/* As a compiler would write it: in place, and on in spite of errors. Returns whether all went. */
static int build(const char *kind)
{
    char bytes[1024];
    int from = open(module_file(kind), O_RDONLY | O_CLOEXEC);
    int to = open(at("m.so"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    int is_whole = 1;
    ssize_t got;

    TEST_CHECK(from >= 0 && to >= 0);
    while ((got = read(from, bytes, sizeof(bytes))) > 0)
        is_whole &= write(to, bytes, (size_t)got) == got;
    (void)close(from);
    (void)close(to);
    return is_whole;
}

static struct lam_module *load(
    struct lam_runtime *runtime, const char *name, enum lam_module_host host)
{
    struct lam_module_options options = {.name = name, .host = host};
    struct lam_module *module;

    TEST_OK(lam_runtime_load(runtime, at("m.so"), &options, &module, &error), error);
    return module;
}

static void expect_kind(struct lam_module *const modules[2], char kind)
{
    for (int i = 0; i < 2; i++)
        TEST_CHECK(module_kind(modules[i]) == kind);
}

/* Both states go along, whatever the disk is. */
static void reload_both(struct lam_module *const modules[2])
{
    struct lam_reload_options keep = {.keep_state = 1};

    for (int i = 0; i < 2; i++)
        TEST_OK(lam_runtime_reload(modules[i], &keep, &error), error);
}

static void fail_both(struct lam_module *const modules[2])
{
    struct lam_reload_options keep = {.keep_state = 1};

    for (int i = 0; i < 2; i++) {
        TEST_CHECK(lam_runtime_reload(modules[i], &keep, &error) == -ENOEXEC);
        TEST_CHECK(strstr(error.text, "m.so") != NULL);
    }
}

int main(void)
{
    char worker[4096];
    struct lam_runtime_options options = {.worker = worker};
    struct lam_module *modules[2];
    struct lam_runtime *runtime;

    TEST_CHECK(mkdtemp(folder) != NULL);
    (void)atexit(remove_folder);
    mount_disk();
    (void)snprintf(worker, sizeof(worker), "%s/lamina_worker", getenv("LAMINA_BIN"));
    TEST_CHECK(build("first"));
    TEST_OK(lam_runtime_create(&runtime, &options, &error), error);
    modules[0] = load(runtime, "here", LAM_MODULE_IN_PROCESS);
    modules[1] = load(runtime, "there", LAM_MODULE_IN_WORKER);
    for (int i = 0; i < 2; i++)
        TEST_CHECK(module_count(modules[i]) == 1);
    fill_disk();
    expect_kind(modules, 1);
    reload_both(modules); /* the same file: nothing that it needs is on that disk */
    TEST_CHECK(truncate(at("m.so"), 4096) == 0);
    fill_disk();
    TEST_CHECK(!build("second"));
    fail_both(modules);
    expect_kind(modules, 1);
    TEST_CHECK(unlink(at("filler")) == 0);
    TEST_CHECK(build("second"));
    reload_both(modules);
    expect_kind(modules, 2);
    for (int i = 0; i < 2; i++)
        TEST_CHECK(module_count(modules[i]) == 2); /* what it was before, and this one */
    lam_runtime_destroy(runtime);
    return 0;
}
