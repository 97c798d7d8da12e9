/* SPDX-License-Identifier: Apache-2.0 */
#include "env/env.h"

#include <errno.h>
#include <stddef.h>

void lam_env_start(struct lam_env *env, struct lam_env_io *io, enum lam_env_call call)
{
    io->call = call;
    io->done = 0;
    io->next = 0;
    env->ops->start(env, io);
}

int64_t lam_env_do(struct lam_env *env, struct lam_env_io *io, enum lam_env_call call)
{
    lam_env_start(env, io, call);
    while (env->ops->poll(env), !io->done)
        env->ops->wait(env, UINT64_MAX);
    return io->result;
}

int lam_env_do_all(struct lam_env *env, enum lam_env_call call, int file, void *bytes,
    uint64_t count, uint64_t offset)
{
    uint64_t did = 0;

    while (did < count) {
        struct lam_env_io io = {.file = file,
            .bytes = (char *)bytes + did,
            .count = count - did,
            .offset = offset + did};
        int64_t result = lam_env_do(env, &io, call);

        if (result < 0)
            return (int)result;
        if (result == 0)
            return -EIO;
        did += (uint64_t)result;
    }
    return 0;
}

struct lam_env_io *lam_env_take(struct lam_env_done *done)
{
    struct lam_env_io *io = done->first;

    if (io != NULL)
        done->first = io->next;
    return io;
}

void lam_env_tell(struct lam_env_io *io)
{
    struct lam_env_done *tell = io->tell;

    io->done = 1;
    io->next = NULL;
    if (tell == NULL)
        return;
    if (tell->first == NULL)
        tell->first = io;
    else
        tell->last->next = io;
    tell->last = io;
}

const char *lam_env_call_text(enum lam_env_call call)
{
    static const char *const texts[LAM_ENV_CALLS] = {
        [LAM_ENV_OPEN] = "open",
        [LAM_ENV_CREATE] = "create",
        [LAM_ENV_CLOSE] = "close",
        [LAM_ENV_LOCK] = "lock",
        [LAM_ENV_SIZE] = "size",
        [LAM_ENV_ALLOCATE] = "allocate",
        [LAM_ENV_READ] = "read",
        [LAM_ENV_WRITE] = "write",
        [LAM_ENV_SYNC] = "sync",
        [LAM_ENV_RENAME] = "rename",
        [LAM_ENV_UNLINK] = "unlink",
        [LAM_ENV_LIST] = "list",
        [LAM_ENV_SYNC_DIRECTORY] = "sync of the directory",
        [LAM_ENV_LISTEN] = "listen",
        [LAM_ENV_ACCEPT] = "accept",
        [LAM_ENV_CONNECT] = "connect",
        [LAM_ENV_RECEIVE] = "receive",
        [LAM_ENV_SEND] = "send",
        [LAM_ENV_SHUTDOWN] = "shutdown",
    };

    return (unsigned)call < LAM_ENV_CALLS ? texts[call] : "?";
}
