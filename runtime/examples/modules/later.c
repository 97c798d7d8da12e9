/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.c: a module with a thread of its own, which answers when it comes to it.
 *
 *     cc -shared -fPIC -O2 -o later.so later.c
 *
 * A method takes a place for its answer, leaves what is to be done in a queue, and returns. What
 * the call lent is gone then, so the request is copied. "shutdown" ends the thread: no code may
 * run behind it.
 */
#include <pthread.h>

#include "lamina/runtime/module.h"

#define QUEUE_MAX 64
#define BYTES_MAX 1024

static struct task {
    struct lam_later *later;
    uint64_t bytes;
    char data[BYTES_MAX];
} queue[QUEUE_MAX];
static uint32_t first, count, is_ending;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;

static void *work(void *unused)
{
    (void)pthread_mutex_lock(&lock);
    for (;;) {
        while (count == 0 && !is_ending)
            (void)pthread_cond_wait(&changed, &lock);
        if (count == 0)
            break;
        (void)lam_later_answer(queue[first].later, 0, queue[first].data, queue[first].bytes);
        first = (first + 1) % QUEUE_MAX;
        count--;
    }
    (void)pthread_mutex_unlock(&lock);
    return unused;
}

static int echo(struct lam_call *call)
{
    struct task *task;
    int rc = -ENOBUFS;

    if (call->request_bytes > BYTES_MAX)
        return -EMSGSIZE;
    (void)pthread_mutex_lock(&lock);
    task = &queue[(first + count) % QUEUE_MAX];
    if (count < QUEUE_MAX && (task->later = lam_call_later(call)) != NULL) {
        memcpy(task->data, call->request, call->request_bytes);
        task->bytes = call->request_bytes;
        count++;
        (void)pthread_cond_signal(&changed);
        rc = LAM_LATER;
    }
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

static int start(struct lam_call *call)
{
    (void)call;
    return -pthread_create(&thread, NULL, work, NULL);
}

static int stop(struct lam_call *call)
{
    (void)call;
    (void)pthread_mutex_lock(&lock);
    is_ending = 1;
    (void)pthread_cond_signal(&changed);
    (void)pthread_mutex_unlock(&lock);
    return pthread_join(thread, NULL);
}

#define METHODS(METHOD) METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)

LAM_MODULE("later", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT, .init = start,
    .shutdown = stop);
