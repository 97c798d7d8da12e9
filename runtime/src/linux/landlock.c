/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.c: the files of a worker, by path; and, where the kernel's Landlock is new enough, no
 * TCP, no signals to others and none of their abstract sockets.
 *
 * The kernel's constants stand here: the headers of a system may be older than its kernel. What an
 * older Landlock does not know it is not asked for; the report has its ABI.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/confine.h"

#define SYS_CREATE   444
#define SYS_ADD_RULE 445
#define SYS_RESTRICT 446

#define ASKS_VERSION 1U /* a flag of SYS_CREATE */
#define PATH_BENEATH 1  /* a kind of rule */

/* What is done to files: the first 13 bits came with ABI 1, and one each with 2, 3 and 5. */
#define EXECUTE    (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE  (UINT64_C(1) << 2)
#define READ_DIR   (UINT64_C(1) << 3)
#define FIRST      ((UINT64_C(1) << 13) - 1)
#define REFER      (UINT64_C(1) << 13)
#define TRUNCATE   (UINT64_C(1) << 14)
#define IOCTL_DEV  (UINT64_C(1) << 15)
/* What makes sense for a file that is no folder. */
#define OF_A_FILE (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)
#define READING   (EXECUTE | READ_FILE | READ_DIR)

#define BIND_AND_CONNECT_TCP UINT64_C(3)
#define SOCKETS_AND_SIGNALS  UINT64_C(3)

struct ruleset {
    uint64_t files;
    uint64_t network; /* ABI 4 */
    uint64_t scoped;  /* ABI 6 */
};

struct beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

/* What the loader and the C library look for. */
static const char system_paths[] =
    "/lib:/lib64:/usr/lib:/usr/lib64:/usr/local/lib:/usr/share/locale:/usr/share/zoneinfo:"
    "/etc/ld.so.cache:/etc/localtime:/dev/null:/dev/zero:/dev/urandom";

static uint64_t files_of(long abi)
{
    return FIRST | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0) | (abi >= 5 ? IOCTL_DEV : 0);
}

/* A path that is not there is nothing to allow. */
static int allow(int ruleset, const char *path, uint64_t rights)
{
    struct beneath rule = {rights, open(path, O_PATH | O_CLOEXEC)};
    struct stat status;
    int rc = 0;

    if (rule.fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(rule.fd, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed &= OF_A_FILE;
    if (syscall(SYS_ADD_RULE, ruleset, PATH_BENEATH, &rule, 0) != 0)
        rc = -errno;
    (void)close(rule.fd);
    return rc;
}

/* Each of "/a:/b". */
static int allow_all(int ruleset, const char *paths, uint64_t rights)
{
    char one[4096];
    int rc = 0;

    while (rc == 0 && *paths != '\0') {
        size_t length = strcspn(paths, ":");

        if (length >= sizeof(one))
            return -ENAMETOOLONG;
        memcpy(one, paths, length);
        one[length] = '\0';
        rc = allow(ruleset, one, rights);
        paths += length + (paths[length] == ':');
    }
    return rc;
}

static int restrict_to(
    int ruleset, const struct sandbox_wish *wish, uint64_t files, struct lam_sandbox_state *state)
{
    int rc = allow_all(ruleset, system_paths, READING);

    if (rc == 0)
        rc = allow_all(ruleset, "/dev/null", (READING | WRITE_FILE) & files);
    if (rc == 0)
        rc = allow_all(ruleset, wish->paths, READING);
    if (rc != 0)
        return confine_fail(state, "landlock_add_rule of readable", rc);
    rc = allow_all(ruleset, wish->paths + wish->writable_at, files);
    if (rc != 0)
        return confine_fail(state, "landlock_add_rule of writable", rc);
    return syscall(SYS_RESTRICT, ruleset, 0) == 0
               ? 0
               : confine_fail(state, "landlock_restrict_self", errno);
}

int confine_files(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    long abi = syscall(SYS_CREATE, NULL, 0, ASKS_VERSION);
    struct ruleset rules;
    size_t bytes;
    int ruleset, rc;

    if (abi < 0) /* ENOSYS: not built in; EOPNOTSUPP: not switched on at boot */
        return confine_fail(state, "landlock_create_ruleset", errno);
    state->level = (uint32_t)abi;
    rules = (struct ruleset){.files = files_of(abi),
        .network = wish->network ? 0 : BIND_AND_CONNECT_TCP,
        .scoped = SOCKETS_AND_SIGNALS};
    bytes = abi >= 6 ? sizeof(rules) : abi >= 4 ? offsetof(struct ruleset, scoped) : 8;
    ruleset = (int)syscall(SYS_CREATE, &rules, bytes, 0);
    if (ruleset < 0)
        return confine_fail(state, "landlock_create_ruleset", errno);
    rc = restrict_to(ruleset, wish, rules.files, state);
    (void)close(ruleset);
    return rc;
}
