/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn(const char *path, const char *const *arguments, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return -failure;
    failure = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (failure == 0)
        failure =
            posix_spawn(pid, path, &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -failure;
}

/* Reads to the end of @in, one byte more than allowed at most. */
static int read_all(int in, char *text, size_t bytes_max, size_t *bytes)
{
    *bytes = 0;
    while (*bytes <= bytes_max) {
        ssize_t got = read(in, text + *bytes, bytes_max + 1 - *bytes);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        *bytes += (size_t)got;
    }
    return -EFBIG;
}

int capture(
    const char *path, const char *const *arguments, size_t bytes_max, char **text, size_t *bytes)
{
    int ends[2] = {-1, -1};
    int status = 0;
    pid_t pid = -1;
    int code;

    *text = malloc(bytes_max + 2);
    if (*text == NULL)
        return -ENOMEM;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        code = -errno;
        free(*text);
        return code;
    }
    code = spawn(path, arguments, ends[1], &pid);
    (void)close(ends[1]);
    if (code == 0) {
        code = read_all(ends[0], *text, bytes_max, bytes);
        (void)close(ends[0]); /* whoever still writes gets SIGPIPE, so that the wait ends */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (code == 0 && status != 0)
            code = -ECHILD;
    } else {
        (void)close(ends[0]);
    }
    if (code == 0)
        (*text)[*bytes] = '\0';
    else
        free(*text);
    return code;
}
