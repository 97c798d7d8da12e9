/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/drain.h"
#include "consumer_wait.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* Give back an event that was looked at and not handled: it is the next one again. */
static void unpeek(struct lam_ring_consumer *consumer, const struct lam_event *event)
{
    consumer->next = event->sequence;
    consumer->ordinal--;
}

int64_t lam_ring_consumer_drain(
    struct lam_ring_consumer *consumer, const struct lam_ring_drain *drain, int *answer)
{
    struct lam_event events[2] = {{.payload = NULL}};
    int64_t handled = 0;
    int said = 0;
    int rc;

    if (answer != NULL)
        *answer = 0;
    if (consumer->policy == LAM_RING_LOSSY)
        return -EINVAL;
    rc = lam_ring_consumer_try_peek(consumer, &events[0]);
    if (rc != 1)
        return rc;
    do {
        const struct lam_event *event = &events[handled & 1];
        struct lam_event *ahead = &events[(handled + 1) & 1];

        /* The mark has to be true, so the next event is borrowed before this one is handled. */
        handled++;
        rc = (uint64_t)handled == drain->limit ? 0 : lam_ring_consumer_try_peek(consumer, ahead);
        said = drain->handle(drain->context, event, rc != 1);
        if (said != 0 && rc == 1)
            unpeek(consumer, ahead);
    } while (said == 0 && rc == 1);
    if (answer != NULL)
        *answer = said;
    /* An end that the look ahead has seen is told by the next call. */
    return lam_ring_consumer_release(consumer) == 0 ? handled : -ESTALE;
}

/* What is there when it is told to stop, and no more: a producer that goes on would keep it. */
static int drain_the_rest(struct lam_ring_handler *handler)
{
    uint64_t end = handler->consumer->next + handler->consumer->ring->depth;
    int64_t handled;
    int said = 0;

    do {
        handled = lam_ring_consumer_drain(handler->consumer, &handler->drain, &said);
    } while (handled > 0 && said == 0 && (int64_t)(end - handler->consumer->next) > 0);
    return said;
}

static int run(struct lam_ring_handler *handler)
{
    for (;;) {
        int said = 0;
        /* No stop goes unseen for longer than the ladder leaves a peer's death unseen. */
        int rc = lam_ring_consumer_wait_until(
            handler->consumer, lam_deadline_after_ns(LAM_WAIT_CHECK_NS));
        int64_t handled =
            rc == 0 ? lam_ring_consumer_drain(handler->consumer, &handler->drain, &said) : rc;

        if (handled < 0 && handled != -ETIMEDOUT)
            return (int)handled;
        if (said != 0)
            return said;
        /* Relaxed: nothing else is passed by it; the thread is joined. */
        if (lam_load_relaxed(&handler->stopping) != 0)
            return drain_the_rest(handler);
    }
}

static void *run_thread(void *argument)
{
    struct lam_ring_handler *handler = argument;

    handler->result = run(handler);
    return NULL;
}

int lam_ring_handler_start(struct lam_ring_handler *handler, struct lam_ring_consumer *consumer,
    const struct lam_ring_drain *drain, struct lam_error *error)
{
    sigset_t all, before;
    int rc;

    memset(handler, 0, sizeof(*handler));
    if (consumer->policy == LAM_RING_LOSSY || drain->handle == NULL)
        return lam_error_set(error, -EINVAL,
            "ring %s: a handler needs a handle, and a consumer that is not lossy",
            consumer->ring->name);
    handler->consumer = consumer;
    handler->drain = *drain;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
    rc = pthread_create(&handler->thread, NULL, run_thread, handler);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return lam_error_set(
            error, -rc, "ring %s: no thread: %s", consumer->ring->name, strerror(rc));
    handler->running = 1;
    return 0;
}

int lam_ring_handler_join(struct lam_ring_handler *handler)
{
    int rc;

    LAM_ASSERT(handler->running);
    rc = pthread_join(handler->thread, NULL);
    LAM_ASSERT(rc == 0); /* on its own thread: it would wait for itself */
    handler->running = 0;
    return handler->result;
}

int lam_ring_handler_stop(struct lam_ring_handler *handler)
{
    lam_store_relaxed(&handler->stopping, 1);
    return lam_ring_handler_join(handler);
}
