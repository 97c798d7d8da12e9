/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: memory is bound to its node before any of it is there: what is touched, or reserved, before
 * lies where the kernel likes it. Method: a child that makes a ring is traced; whenever it binds an
 * object, no page of that object exists, and whenever it reserves one, that one was bound.
 */
#include "lamina/ring/ring.h"
#include "processes.h"

#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct lam_error error;

static int make_a_ring(void)
{
    struct lam_ring_options options = {.name = "node-first", .depth = 256, .bind_node = 1};
    struct lam_ring ring;
    int rc;

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        return 77;
    (void)raise(SIGSTOP);
    rc = lam_ring_create(&ring, &options, &error);
    if (rc != 0)
        return rc == -ENOTSUP ? 78 : 1;
    return lam_ring_destroy(&ring) == 0 ? 0 : 2;
}

/* How many memory files of the child's have pages. */
static unsigned count_filled(pid_t child)
{
    char folder[64], path[400], target[64];
    unsigned count = 0;
    struct dirent *found;
    DIR *files;

    (void)snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)child);
    files = opendir(folder);
    TEST_CHECK(files != NULL);
    while ((found = readdir(files)) != NULL) {
        struct stat status;
        ssize_t bytes;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, found->d_name);
        bytes = readlink(path, target, sizeof(target) - 1);
        target[bytes < 0 ? 0 : bytes] = '\0';
        if (strncmp(target, "/memfd:", 7) == 0 && stat(path, &status) == 0)
            count += status.st_blocks != 0;
    }
    (void)closedir(files);
    return count;
}

/* To the child's next entry into a system call. Returns its number, or -1 - its exit code. */
static long next_call(pid_t child)
{
    struct __ptrace_syscall_info info;
    int status;

    do {
        TEST_CHECK(ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0);
        TEST_CHECK(waitpid(child, &status, 0) == child);
        if (WIFEXITED(status))
            return -1 - WEXITSTATUS(status);
        TEST_CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
        TEST_CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof(info), &info) > 0);
    } while (info.op != PTRACE_SYSCALL_INFO_ENTRY);
    return (long)info.entry.nr;
}

int main(void)
{
    unsigned bound = 0, reserved = 0;
    pid_t child = test_fork();
    int status;
    long call;

    if (child == 0)
        _exit(make_a_ring());
    TEST_CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("a child cannot be traced here");
    TEST_CHECK(WIFSTOPPED(status));
    TEST_CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL,
                   (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0);
    while ((call = next_call(child)) >= 0) {
        if (call == SYS_mbind) {
            bound++;
            TEST_CHECK(count_filled(child) == reserved); /* those of before, and not this one */
        } else if (call == SYS_fallocate) {
            TEST_CHECK(count_filled(child) == reserved);
            reserved++;
            TEST_CHECK(bound == reserved);
        }
    }
    if (call == -1 - 78)
        test_skip("this kernel places no memory");
    TEST_CHECK(call == -1 && bound == 2 && reserved == 2);
    (void)printf("data and control were bound before they had a page\n");
    return 0;
}
