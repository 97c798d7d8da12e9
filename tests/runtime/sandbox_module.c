/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_module.c: a module that tries what a sandbox is there for, and answers what it came to.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lamina/runtime/module.h"
#include "sandbox_tries.h"

#define PIECE (UINT64_C(1) << 20)

static int answer(struct lam_call *call, int64_t got)
{
    struct tried tried = {.got = got, .error = got < 0 ? errno : 0};

    return lam_call_answer(call, &tried, sizeof(tried));
}

/* Any system call, by its number. */
static int system_call(struct lam_call *call)
{
    const struct try_call *try = call->request;
    const int64_t *at = try->arguments;

    return answer(call, syscall(try->number, at[0], at[1], at[2], at[3], at[4], at[5]));
}

static int read_file(struct lam_call *call)
{
    char byte;
    int fd = open(call->request, O_RDONLY | O_CLOEXEC);
    int64_t got = fd < 0 ? -1 : read(fd, &byte, 1);

    if (fd >= 0)
        (void)close(fd);
    return answer(call, got);
}

static int write_file(struct lam_call *call)
{
    int fd = open(call->request, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int64_t got = fd < 0 ? -1 : write(fd, "x", 1);

    if (fd >= 0)
        (void)close(fd);
    return answer(call, got);
}

/* A file with a byte where it should have none; the memory of a file will do. */
static int fill(struct lam_call *call)
{
    const uint64_t *bytes = call->request;
    int fd = memfd_create("fill", MFD_CLOEXEC);

    return answer(call, fd < 0 ? -1 : pwrite(fd, "x", 1, (off_t)*bytes - 1));
}

/* How much it gets of what it asks for. */
static int allocate(struct lam_call *call)
{
    const uint64_t *bytes = call->request;
    uint64_t got = 0;
    void **piece, **all = NULL;

    while (got < *bytes && (piece = malloc(PIECE)) != NULL) {
        *piece = all;
        all = piece;
        got += PIECE;
    }
    while (all != NULL) {
        piece = *all;
        free(all);
        all = piece;
    }
    return answer(call, (int64_t)got);
}

/* Longer than it may. */
static int burn(struct lam_call *call)
{
    while (clock() < 3 * CLOCKS_PER_SEC)
        ;
    return answer(call, 0);
}

static int descriptors(struct lam_call *call)
{
    int64_t count = 0;
    int at[4096];

    while (count < 4096 && (at[count] = dup(STDERR_FILENO)) >= 0)
        count++;
    for (int64_t i = 0; i < count; i++)
        (void)close(at[i]);
    return answer(call, count);
}

/* Children, as many as it gets of 32; what they do is to wait for their end. */
static int bomb(struct lam_call *call)
{
    int64_t count = 0;
    pid_t pid = 0;

    while (count < 32 && (pid = fork()) > 0)
        count++;
    if (pid == 0) {
        (void)setsid();  /* away from who would end them with their parent */
        (void)alarm(60); /* where nothing does, not for ever; later than any test looks for them */
        for (;;)
            (void)pause();
    }
    return answer(call, count == 0 ? -1 : count);
}

/* The port of somebody else. */
static int reach(struct lam_call *call)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t got = fd < 0 ? -1 : connect(fd, call->request, (socklen_t)call->request_bytes);
    int why = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = why;
    return answer(call, got);
}

/* Which one it is in: the number of the file that stands for it. */
static int namespace(struct lam_call *call)
{
    struct stat status;

    return answer(call, stat(call->request, &status) != 0 ? -1 : (int64_t)status.st_ino);
}

static void *end_at_once(void *argument)
{
    return argument;
}

static int thread(struct lam_call *call)
{
    pthread_t made;

    errno = pthread_create(&made, NULL, end_at_once, NULL);
    if (errno != 0)
        return answer(call, -1);
    (void)pthread_join(made, NULL);
    return answer(call, 0);
}

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

#define METHODS(METHOD)                                                                            \
    METHOD(system_call, "call", 0)                                                                 \
    METHOD(read_file, "read", 0)                                                                   \
    METHOD(write_file, "write", 0)                                                                 \
    METHOD(fill, "fill", 0)                                                                        \
    METHOD(allocate, "allocate", 0)                                                                \
    METHOD(burn, "burn", 0)                                                                        \
    METHOD(descriptors, "descriptors", 0)                                                          \
    METHOD(bomb, "bomb", 0)                                                                        \
    METHOD(reach, "reach", 0)                                                                      \
    METHOD(namespace, "namespace", 0)                                                              \
    METHOD(thread, "thread", 0)                                                                    \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)

LAM_MODULE("tries", LAM_VERSION(1, 0, 0), METHODS, .features = 0);
