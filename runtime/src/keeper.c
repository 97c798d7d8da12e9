/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <time.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"

void lam_keeper_init(struct lam_keeper *keeper)
{
    pthread_condattr_t monotonic;

    *keeper = (struct lam_keeper){.tasks = NULL};
    LAM_ASSERT(pthread_mutex_init(&keeper->lock, NULL) == 0);
    LAM_ASSERT(pthread_condattr_init(&monotonic) == 0);
    LAM_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    LAM_ASSERT(pthread_cond_init(&keeper->changed, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
}

static struct lam_task *first_due(const struct lam_keeper *keeper)
{
    struct lam_task *first = keeper->tasks;

    for (struct lam_task *task = first; task != NULL; task = task->next)
        if (task->due_ns < first->due_ns)
            first = task;
    return first;
}

static int is_kept(const struct lam_keeper *keeper, const struct lam_task *task)
{
    const struct lam_task *one = keeper->tasks;

    while (one != NULL && one != task)
        one = one->next;
    return one != NULL;
}

static void wait_until(struct lam_keeper *keeper, uint64_t due_ns)
{
    struct timespec due = {
        .tv_sec = (time_t)(due_ns / LAM_NS_PER_S), .tv_nsec = (long)(due_ns % LAM_NS_PER_S)};

    (void)pthread_cond_timedwait(&keeper->changed, &keeper->lock, &due);
}

/* Without the lock: a task takes others. It may be gone when it has run. */
static void run(struct lam_keeper *keeper, struct lam_task *task)
{
    uint64_t again_ns;

    keeper->running = task;
    task->due_ns = LAM_DEADLINE_NEVER; /* unless it is hurried meanwhile */
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
    again_ns = task->run(task);
    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    keeper->running = NULL;
    if (is_kept(keeper, task) && task->due_ns == LAM_DEADLINE_NEVER)
        task->due_ns = lam_deadline_after_ns(again_ns);
    LAM_ASSERT(pthread_cond_broadcast(&keeper->changed) == 0);
}

static void *keep(void *context)
{
    struct lam_keeper *keeper = context;

    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    while (!keeper->is_ending) {
        struct lam_task *task = first_due(keeper);

        if (task == NULL)
            LAM_ASSERT(pthread_cond_wait(&keeper->changed, &keeper->lock) == 0);
        else if (task->due_ns > lam_clock_now_ns())
            wait_until(keeper, task->due_ns);
        else
            run(keeper, task);
    }
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
    return NULL;
}

int lam_keeper_add(struct lam_keeper *keeper, struct lam_task *task, uint64_t after_ns)
{
    int rc = 0;

    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    if (!keeper->has_thread)
        rc = pthread_create(&keeper->thread, NULL, keep, keeper);
    if (rc == 0) {
        keeper->has_thread = 1;
        task->due_ns = lam_deadline_after_ns(after_ns);
        task->next = keeper->tasks;
        keeper->tasks = task;
        LAM_ASSERT(pthread_cond_broadcast(&keeper->changed) == 0);
    }
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
    return -rc;
}

void lam_keeper_hurry(struct lam_keeper *keeper, struct lam_task *task)
{
    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    task->due_ns = 0;
    LAM_ASSERT(pthread_cond_broadcast(&keeper->changed) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
}

void lam_keeper_remove(struct lam_keeper *keeper, struct lam_task *task)
{
    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    for (struct lam_task **at = &keeper->tasks; *at != NULL; at = &(*at)->next)
        if (*at == task) {
            *at = task->next;
            break;
        }
    while (keeper->running == task && !pthread_equal(keeper->thread, pthread_self()))
        LAM_ASSERT(pthread_cond_wait(&keeper->changed, &keeper->lock) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
}

void lam_keeper_stop(struct lam_keeper *keeper)
{
    LAM_ASSERT(pthread_mutex_lock(&keeper->lock) == 0);
    keeper->is_ending = 1;
    LAM_ASSERT(pthread_cond_broadcast(&keeper->changed) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&keeper->lock) == 0);
    if (keeper->has_thread)
        LAM_ASSERT(pthread_join(keeper->thread, NULL) == 0);
    keeper->has_thread = 0;
}

void lam_keeper_fini(struct lam_keeper *keeper)
{
    lam_keeper_stop(keeper);
    LAM_ASSERT(keeper->tasks == NULL);
    (void)pthread_cond_destroy(&keeper->changed);
    (void)pthread_mutex_destroy(&keeper->lock);
}
