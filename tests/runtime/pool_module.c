/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_module.c: a module that says which process it is, and stays in a call until it is let go:
 * it calls "gate", a module of the program's. Its configuration, if there is one, names a file: its
 * init does not return while that is there. Its health is a letter in that file with ".health"
 * behind its name, or with its process; who hangs gives that file ".hanging" behind its name, and
 * hangs until it is gone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lamina/runtime/module.h"

static uint64_t counted;

static char file[64];

static int start(struct lam_call *call)
{
    if (call->request_bytes == 0)
        return 0;
    (void)snprintf(file, sizeof(file), "%s", (const char *)call->request);
    while (access(file, F_OK) == 0)
        (void)usleep(1000);
    return 0;
}

static char read_letter(const char *path)
{
    char letter = 'r';
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 'r';
    if (read(fd, &letter, 1) != 1)
        letter = 'r';
    (void)close(fd);
    return letter;
}

static void hang(const char *path)
{
    char other[112];

    (void)snprintf(other, sizeof(other), "%s.hanging", path);
    (void)rename(path, other);
    while (access(other, F_OK) == 0)
        (void)usleep(1000);
}

/* Ready; slow, and ready; unready; failed; hanging. */
static int health(struct lam_call *call)
{
    char path[96];
    char letter;

    (void)call;
    (void)snprintf(path, sizeof(path), "%s.%d", file, (int)getpid());
    letter = read_letter(path);
    if (letter == 'r') {
        (void)snprintf(path, sizeof(path), "%s.health", file);
        letter = read_letter(path);
    }
    if (letter == 's')
        (void)usleep(5000);
    if (letter == 'h')
        hang(path);
    return letter == 'u' ? 1 : letter == 'f' ? -EIO : 0;
}

static int own_pid(struct lam_call *call)
{
    int32_t pid = (int32_t)getpid();

    return lam_call_answer(call, &pid, sizeof(pid));
}

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

static int count(struct lam_call *call)
{
    counted++;
    return lam_call_answer(call, &counted, sizeof(counted));
}

/* Until the gate lets it go; then its process. */
static int hold(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    int rc = lam_call_module(
        call, "gate", LAM_METHOD_ID("wait"), call->request, call->request_bytes, &reply);

    return rc != 0 ? rc : own_pid(call);
}

/* A call of this module within a call of it: the process of the inner one. */
static int within(struct lam_call *call)
{
    struct lam_module_reply reply = {call->reply, call->reply_capacity, 0, 0, 0};
    int rc = lam_call_module(call, "pool", LAM_METHOD_ID("pid"), NULL, 0, &reply);

    call->reply_bytes = reply.bytes;
    return rc;
}

static int leave(struct lam_call *call)
{
    (void)call;
    _exit(7);
}

static int save(struct lam_call *call)
{
    return lam_call_answer(call, &counted, sizeof(counted));
}

static int restore(struct lam_call *call)
{
    counted = *(const uint64_t *)call->request;
    return 0;
}

#define METHODS(METHOD)                                                                            \
    METHOD(own_pid, "pid", LAM_METHOD_IDEMPOTENT)                                                  \
    METHOD(own_pid, "pid-once", 0)                                                                 \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)                                                    \
    METHOD(count, "count", 0)                                                                      \
    METHOD(hold, "hold", 0)                                                                        \
    METHOD(within, "within", 0)                                                                    \
    METHOD(leave, "leave", 0)

LAM_MODULE("pool", LAM_VERSION(1, 0, 0), METHODS, .features = 0, .init = start, .health = health,
    .save = save, .restore = restore);
