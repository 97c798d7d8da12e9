/* SPDX-License-Identifier: Apache-2.0 */
#include "later.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A caller's place. Guarded by the lock below, all of them: answers to come are rare and short. */
struct place {
    struct lam_later later; /* what the module has */
    pthread_cond_t answered;
    void *data;
    uint64_t capacity;
    uint64_t bytes;
    int status;
    enum { EXPECTED, ANSWERED, LEFT } state;
    struct place *next; /* of those that are free */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *unused;
static uint32_t made;

static struct place *make(void)
{
    struct place *place = made < LAM_LATER_MAX ? calloc(1, sizeof(*place)) : NULL;
    pthread_condattr_t monotonic;

    if (place == NULL)
        return NULL;
    LAM_ASSERT(pthread_condattr_init(&monotonic) == 0);
    LAM_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    LAM_ASSERT(pthread_cond_init(&place->answered, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    made++;
    return place;
}

static void let_go(struct place *place)
{
    place->next = unused;
    unused = place;
}

struct lam_later *lam_later_take(struct lam_call *call)
{
    struct lam_frame *frame = lam_frame_of(call);
    struct place *place;

    if (frame->later != NULL)
        return NULL;
    LAM_ASSERT(pthread_mutex_lock(&lock) == 0);
    place = unused;
    if (place != NULL)
        unused = place->next;
    else
        place = make();
    if (place != NULL) {
        place->later.host = call->host;
        place->data = call->reply;
        place->capacity = call->reply_capacity;
        place->state = EXPECTED;
        frame->later = &place->later;
    }
    LAM_ASSERT(pthread_mutex_unlock(&lock) == 0);
    return place != NULL ? &place->later : NULL;
}

/* Into the caller's memory, which is there as long as it has not left. */
static int answer(struct place *place, int status, const void *data, uint64_t bytes)
{
    if (status == 0 && bytes > place->capacity)
        status = -ENOSPC;
    if (status == 0 && bytes != 0)
        memcpy(place->data, data, bytes);
    place->status = status;
    place->bytes = bytes;
    place->state = ANSWERED;
    LAM_ASSERT(pthread_cond_signal(&place->answered) == 0);
    return status == -ENOSPC ? -ENOSPC : 0;
}

int lam_later_answer_by(struct lam_later *later, int status, const void *data, uint64_t bytes)
{
    struct place *place = (struct place *)later; /* its first member */
    int rc = -ETIMEDOUT;

    LAM_ASSERT(pthread_mutex_lock(&lock) == 0);
    LAM_ASSERT(place->state != ANSWERED);
    if (place->state == LEFT)
        let_go(place);
    else
        rc = answer(place, status, data, bytes);
    LAM_ASSERT(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

/* Under the lock. Returns 0, or -ETIMEDOUT. */
static int await(struct place *place, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S)};
    int rc = 0;

    while (place->state == EXPECTED && rc == 0)
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(&place->answered, &lock)
                 : pthread_cond_timedwait(&place->answered, &lock, &deadline);
    return place->state == ANSWERED ? 0 : -ETIMEDOUT;
}

int lam_later_settle(struct lam_frame *frame, int status, uint32_t *failure)
{
    struct place *place = (struct place *)frame->later; /* its first member */
    int rc = 0;

    if (place == NULL) {
        *failure = LAM_FAILURE_BAD_REPLY; /* to come, and no place for it was taken */
        return -EPROTO;
    }
    frame->later = NULL;
    LAM_ASSERT(pthread_mutex_lock(&lock) == 0);
    if (status == LAM_LATER)
        rc = await(place, frame->call.deadline_ns);
    if (status == LAM_LATER && rc == 0) {
        frame->call.reply_bytes = place->bytes;
        status = place->status;
    } else if (status == LAM_LATER) {
        *failure = LAM_FAILURE_DEADLINE;
        status = rc;
    }
    if (place->state == ANSWERED)
        let_go(place);
    else
        place->state = LEFT;
    LAM_ASSERT(pthread_mutex_unlock(&lock) == 0);
    return status;
}
