/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later_module.c: a module that answers when it is told to, from a thread of its own.
 */
#include <pthread.h>
#include <unistd.h>

#include "lamina/runtime/module.h"

/* Places that nobody has answered at, and what the last answer returned. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lam_later *places[LAM_LATER_MAX];
static uint32_t place_count;
static int32_t last_result = 1;

/* Those that wait. One call of "wait" at a time makes one. */
#define THREADS_MAX 8
static struct errand {
    pthread_t thread;
    struct lam_later *later;
    int fd;
} errands[THREADS_MAX];
static uint32_t thread_count;

/* No code of ours runs behind it. */
static int stop(struct lam_call *call)
{
    (void)call;
    while (thread_count > 0)
        (void)pthread_join(errands[--thread_count].thread, NULL);
    return 0;
}

/* Waits for a byte, and answers with it. */
static void *run(void *context)
{
    const struct errand *errand = context;
    char byte;

    if (read(errand->fd, &byte, 1) != 1)
        (void)lam_later_answer(errand->later, -EIO, NULL, 0);
    else
        (void)lam_later_answer(errand->later, byte == '!' ? -EBADMSG : 0, &byte, 1);
    return NULL;
}

/* The descriptor to wait for is the request. */
static int wait_for(struct lam_call *call)
{
    struct errand *errand = &errands[thread_count];

    if (call->request_bytes != sizeof(errand->fd) || thread_count == THREADS_MAX)
        return -EINVAL;
    memcpy(&errand->fd, call->request, sizeof(errand->fd));
    errand->later = lam_call_later(call);
    if (errand->later == NULL || lam_call_later(call) != NULL)
        return -EBUSY;
    if (pthread_create(&errand->thread, NULL, run, errand) != 0)
        return -ENOMEM;
    thread_count++;
    return LAM_LATER;
}

/* Takes a place and answers there at "all". */
static int keep(struct lam_call *call)
{
    struct lam_later *later = lam_call_later(call);

    if (later == NULL)
        return -EBUSY;
    (void)pthread_mutex_lock(&lock);
    places[place_count++] = later;
    (void)pthread_mutex_unlock(&lock);
    return LAM_LATER;
}

/* Answers wherever it has not, and tells how many that were. */
static int all(struct lam_call *call)
{
    uint32_t count;

    (void)pthread_mutex_lock(&lock);
    count = place_count;
    while (place_count > 0)
        last_result = lam_later_answer(places[--place_count], 0, "late", 4);
    (void)pthread_mutex_unlock(&lock);
    return lam_call_answer(call, &count, sizeof(count));
}

/* Takes a place and answers as if it had not. */
static int forget(struct lam_call *call)
{
    return keep(call) == LAM_LATER ? lam_call_answer(call, "now", 3) : -EBUSY;
}

static int lie(struct lam_call *call)
{
    (void)call;
    return LAM_LATER;
}

/* Before the entry has returned. */
static int at_once(struct lam_call *call)
{
    struct lam_later *later = lam_call_later(call);

    if (later == NULL)
        return -EBUSY;
    last_result = lam_later_answer(later, 0, call->request, call->request_bytes);
    return LAM_LATER;
}

static int result(struct lam_call *call)
{
    return lam_call_answer(call, &last_result, sizeof(last_result));
}

#define METHODS(METHOD)                                                                            \
    METHOD(wait_for, "wait", 0)                                                                    \
    METHOD(keep, "keep", 0)                                                                        \
    METHOD(all, "all", 0)                                                                          \
    METHOD(forget, "forget", 0)                                                                    \
    METHOD(lie, "lie", 0)                                                                          \
    METHOD(at_once, "at-once", 0)                                                                  \
    METHOD(result, "result", 0)

LAM_MODULE(
    "later", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT, .shutdown = stop);
