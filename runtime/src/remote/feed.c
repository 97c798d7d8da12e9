/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define KEPT_MAX 64

struct remote_feed {
    pthread_mutex_t lock;
    uint32_t is_open;
    uint32_t first, count;
    struct lam_remote_event kept[KEPT_MAX];
};

/* In the thread of whoever loads, reloads or calls. The newest are lost where nobody takes them. */
static void observe(void *context, const struct lam_runtime_event *event)
{
    struct remote_feed *feed = context;

    LAM_ASSERT(pthread_mutex_lock(&feed->lock) == 0);
    if (feed->is_open && feed->count < KEPT_MAX) {
        struct lam_remote_event *kept = &feed->kept[(feed->first + feed->count++) % KEPT_MAX];

        *kept = (struct lam_remote_event){
            .kind = event->kind, .value = event->value, .at_ns = event->at_ns};
        (void)snprintf(kept->name, sizeof(kept->name), "%s", event->name);
        (void)snprintf(kept->text, sizeof(kept->text), "%s", event->text);
    }
    LAM_ASSERT(pthread_mutex_unlock(&feed->lock) == 0);
}

static int make(struct lam_runtime *runtime)
{
    struct remote_feed *feed = calloc(1, sizeof(*feed));
    int rc;

    if (feed == NULL)
        return -ENOMEM;
    feed->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* the runtime only frees it */
    rc = lam_runtime_observe(runtime, observe, feed);
    if (rc != 0)
        free(feed);
    else
        runtime->feed = feed;
    return rc;
}

int remote_feed_open(struct remote_feed **feed, struct lam_runtime *runtime)
{
    int rc = 0;

    LAM_ASSERT(pthread_mutex_lock(&runtime->loading) == 0);
    if (runtime->feed == NULL)
        rc = make(runtime);
    if (rc == 0) {
        *feed = runtime->feed;
        LAM_ASSERT(pthread_mutex_lock(&(*feed)->lock) == 0);
        if ((*feed)->is_open)
            rc = -EBUSY;
        (*feed)->is_open = 1;
        LAM_ASSERT(pthread_mutex_unlock(&(*feed)->lock) == 0);
    }
    LAM_ASSERT(pthread_mutex_unlock(&runtime->loading) == 0);
    return rc;
}

void remote_feed_close(struct remote_feed *feed)
{
    LAM_ASSERT(pthread_mutex_lock(&feed->lock) == 0);
    feed->is_open = 0;
    feed->count = 0;
    LAM_ASSERT(pthread_mutex_unlock(&feed->lock) == 0);
}

int remote_feed_take(struct remote_feed *feed, struct lam_remote_event *event)
{
    int has;

    LAM_ASSERT(pthread_mutex_lock(&feed->lock) == 0);
    has = feed->count > 0;
    if (has) {
        *event = feed->kept[feed->first];
        feed->first = (feed->first + 1) % KEPT_MAX;
        feed->count--;
    }
    LAM_ASSERT(pthread_mutex_unlock(&feed->lock) == 0);
    return has;
}
