/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.c: the files of a worker as a tree of its own: all of it read-only but what is writable,
 * and empty where others keep what they share. Landlock knows paths and not what hides behind a
 * Unix socket; this does not know paths, and hides the sockets.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/confine.h"

/* Linux 5.12; headers may be older. */
#define SYS_SETATTR    442
#define SETS_ALL_BELOW 0x8000 /* AT_RECURSIVE */
#define READ_ONLY      UINT64_C(1)
#define NO_SUID        UINT64_C(2)

struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};

/* The next of "/a:/b" into @one. Returns 1, or 0 there is none. */
static int next_path(const char **paths, char one[4096])
{
    size_t length = strcspn(*paths, ":");

    if (length == 0 || length >= 4096)
        return 0;
    memcpy(one, *paths, length);
    one[length] = '\0';
    *paths += length + ((*paths)[length] == ':');
    return 1;
}

static int is_beneath(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strcmp(folder, "/") == 0 ||
           (strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}

/* Whether a path that it may use lies in @folder, or the other way round. */
static int is_used(const char *paths, const char *folder)
{
    char one[4096];

    while (next_path(&paths, one))
        if (is_beneath(one, folder) || is_beneath(folder, one))
            return 1;
    return 0;
}

static int hide(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    static const char *const folders[] = {"/tmp", "/var/tmp", "/dev/shm", "/run", "/home", "/root"};

    for (uint32_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (is_used(wish->paths, folders[i]) ||
            is_used(wish->paths + wish->writable_at, folders[i]) || access(folders[i], F_OK) != 0)
            continue;
        if (mount("none", folders[i], "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=0555") != 0)
            return confine_fail(state, "mount of an empty folder", errno);
    }
    return 0;
}

/* Mounts of their own, which can be writable where the rest is not. */
static int set_apart(const char *paths)
{
    char one[4096];

    while (next_path(&paths, one))
        if (mount(one, one, NULL, MS_BIND, NULL) != 0)
            return -errno;
    return 0;
}

static int make_writable(const char *paths)
{
    struct attributes writable = {.clear = READ_ONLY};
    char one[4096];

    while (next_path(&paths, one))
        if (syscall(SYS_SETATTR, AT_FDCWD, one, 0, &writable, sizeof(writable)) != 0)
            return -errno;
    return 0;
}

int confine_mounts(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    struct attributes read_only = {.set = READ_ONLY | NO_SUID};
    const char *writable = wish->paths + wish->writable_at;
    int rc;

    if (unshare(CLONE_NEWNS) != 0)
        return confine_fail(state, "unshare(CLONE_NEWNS)", errno);
    /* What is mounted here is nobody else's; and it does not stand in what will be hidden. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || chdir("/") != 0)
        return confine_fail(state, "mounts of its own", errno);
    /* /proc as it was would show, and open, those of others. */
    if ((wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_PIDS)) != 0 &&
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return confine_fail(state, "mount of /proc", errno);
    rc = set_apart(writable);
    if (rc != 0)
        return confine_fail(state, "mount of a writable path", rc);
    rc = hide(wish, state);
    if (rc != 0)
        return rc;
    if (syscall(SYS_SETATTR, AT_FDCWD, "/", SETS_ALL_BELOW, &read_only, sizeof(read_only)) != 0)
        return confine_fail(state, "mount_setattr", errno);
    rc = make_writable(writable);
    return rc == 0 ? 0 : confine_fail(state, "mount_setattr of a writable path", rc);
}
