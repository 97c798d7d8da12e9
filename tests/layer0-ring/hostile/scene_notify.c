/* SPDX-License-Identifier: Apache-2.0 */
/* Ends with a thread of their own: a poll loop's notifier, and a handler. By a real clock alone. */
#include "lamina/ring/drain.h"
#include "lamina/ring/notify.h"
#include "scene.h"

#include "world.h"

#include <errno.h>
#include <poll.h>

static int handle(void *context, const struct lam_event *event, int last)
{
    (void)context;
    (void)last;
    scene_read(event);
    return 0;
}

static void poll_for_one(struct lam_ring_consumer *consumer)
{
    struct lam_ring_notifier notifier;
    struct lam_ring_watch watch;
    struct lam_event event = {.payload = NULL};
    struct lam_error error;

    if (CALL(lam_ring_notifier_open(&notifier, &error), EAGAIN) != 0)
        return;
    if (CALL(lam_ring_notifier_add(&notifier, &watch, consumer, &error), ENOTSUP) == 0) {
        for (int i = 0; i < 3; i++) {
            struct pollfd poller = {.fd = watch.fd, .events = POLLIN};

            if (CALL(lam_ring_watch_arm(&watch), 0) == 0)
                (void)poll(&poller, 1, 1);
            if (CALL(lam_ring_consumer_try_peek(consumer, &event), EPIPE, ECANCELED, EOWNERDEAD,
                    EPROTO, ESTALE, ENOTRECOVERABLE) == 1)
                scene_read(&event);
        }
        (void)CALL(lam_ring_consumer_release(consumer), ESTALE);
        CALL_VOID(lam_ring_notifier_remove(&watch));
    }
    CALL_VOID(lam_ring_notifier_close(&notifier));
}

static void handle_some(struct lam_ring_consumer *consumer)
{
    struct lam_ring_drain drain = {.handle = handle};
    struct lam_ring_handler handler;
    struct lam_error error;

    if (CALL(lam_ring_handler_start(&handler, consumer, &drain, &error), EAGAIN) == 0)
        (void)CALL(lam_ring_handler_stop(&handler), EPIPE, ECANCELED, EOWNERDEAD, EPROTO, ESTALE,
            ENOTRECOVERABLE);
}

void scene_with_threads(struct scene *scene)
{
    struct scene_consumer *one = &scene->consumers[world_pick(SCENE_CONSUMERS)];

    if (!one->is_there || one->merge != NULL || one->consumer.policy == LAM_RING_LOSSY)
        return;
    if (world_once_in(2))
        poll_for_one(&one->consumer);
    else
        handle_some(&one->consumer);
}
