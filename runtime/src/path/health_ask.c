/* SPDX-License-Identifier: Apache-2.0 */
#include "path/health_ask.h"

#include <stdlib.h>

/* IDLE: free; ASKED: the thread's; BACK: there is an answer. One that is left goes from ASKED to
 * IDLE. */
enum asker_state { ASKER_IDLE, ASKER_ASKED, ASKER_BACK };

/* What is not said otherwise is guarded by the askers' lock. */
struct lam_asker {
    struct lam_asker *next;
    struct lam_askers *askers;
    pthread_t thread;
    pthread_cond_t changed; /* for the thread */
    enum asker_state state;
    uint32_t is_left;
    /* The thread's while it is asked. */
    struct lam_generation *generation;
    uint64_t deadline_ns;
    struct lam_answer answer;
};

static void lock(struct lam_askers *askers)
{
    LAM_ASSERT(pthread_mutex_lock(&askers->lock) == 0);
}

static void unlock(struct lam_askers *askers)
{
    LAM_ASSERT(pthread_mutex_unlock(&askers->lock) == 0);
}

/* In its turn, as a call. */
static struct lam_answer enter(struct lam_generation *generation, uint64_t deadline_ns)
{
    struct lam_answer answer = {.is_busy = 0};
    struct lam_frame frame;

    if (generation->is_serial && pthread_mutex_trylock(&generation->turn) != 0) {
        answer.is_busy = 1;
        return answer;
    }
    lam_frame_init(&frame, generation->module, NULL, 0, NULL, 0);
    frame.call.state = generation->state;
    frame.call.deadline_ns = deadline_ns;
    answer.status = generation->descriptor->health(&frame.call);
    answer.at_ns = lam_clock_now_ns();
    if (generation->is_serial)
        LAM_ASSERT(pthread_mutex_unlock(&generation->turn) == 0);
    return answer;
}

static void run(struct lam_asker *asker)
{
    asker->answer = enter(asker->generation, asker->deadline_ns);
    /* H1, pairs with H2 in lam_generation_count(): all that the probe did is done. */
    (void)lam_add_acq_rel(&asker->generation->guests, UINT32_MAX);
}

static void *serve(void *context)
{
    struct lam_asker *asker = context;
    struct lam_askers *askers = asker->askers;

    lock(askers);
    for (;;) {
        while (asker->state != ASKER_ASKED && !askers->is_ending)
            LAM_ASSERT(pthread_cond_wait(&asker->changed, &askers->lock) == 0);
        if (asker->state != ASKER_ASKED)
            break;
        unlock(askers);
        run(asker);
        lock(askers);
        asker->state = asker->is_left ? ASKER_IDLE : ASKER_BACK;
        if (!asker->is_left)
            askers->answered(askers->context);
    }
    unlock(askers);
    return NULL;
}

/* Under the lock. Returns NULL where there is no memory or no thread. */
static struct lam_asker *create(struct lam_askers *askers)
{
    struct lam_asker *asker = calloc(1, sizeof(*asker));

    if (asker == NULL)
        return NULL;
    asker->askers = askers;
    LAM_ASSERT(pthread_cond_init(&asker->changed, NULL) == 0);
    if (pthread_create(&asker->thread, NULL, serve, asker) != 0) {
        (void)pthread_cond_destroy(&asker->changed);
        free(asker);
        return NULL;
    }
    asker->next = askers->all;
    askers->all = asker;
    return asker;
}

struct lam_asker *lam_ask(
    struct lam_askers *askers, struct lam_generation *generation, uint64_t deadline_ns)
{
    struct lam_asker *asker;

    lock(askers);
    for (asker = askers->all; asker != NULL && asker->state != ASKER_IDLE;)
        asker = asker->next;
    if (asker == NULL)
        asker = create(askers);
    if (asker != NULL) {
        asker->state = ASKER_ASKED;
        asker->is_left = 0;
        asker->generation = generation;
        asker->deadline_ns = deadline_ns;
        /* The caller is inside, so this generation cannot end before it has this guest. */
        (void)lam_add_acq_rel(&generation->guests, 1);
        LAM_ASSERT(pthread_cond_signal(&asker->changed) == 0);
    }
    unlock(askers);
    return asker;
}

int lam_ask_take(struct lam_askers *askers, struct lam_asker *asker, struct lam_answer *answer)
{
    int is_back;

    lock(askers);
    is_back = asker->state == ASKER_BACK;
    if (is_back) {
        *answer = asker->answer;
        asker->state = ASKER_IDLE;
    }
    unlock(askers);
    return is_back;
}

void lam_ask_leave(struct lam_askers *askers, struct lam_asker *asker)
{
    lock(askers);
    asker->is_left = 1;
    if (asker->state == ASKER_BACK)
        asker->state = ASKER_IDLE;
    unlock(askers);
}

void lam_askers_init(struct lam_askers *askers, void (*answered)(void *context), void *context)
{
    *askers = (struct lam_askers){.answered = answered, .context = context};
    LAM_ASSERT(pthread_mutex_init(&askers->lock, NULL) == 0);
}

void lam_askers_fini(struct lam_askers *askers)
{
    struct lam_asker *asker, *next;

    lock(askers);
    askers->is_ending = 1;
    for (asker = askers->all; asker != NULL; asker = asker->next)
        LAM_ASSERT(pthread_cond_signal(&asker->changed) == 0);
    unlock(askers);
    for (asker = askers->all; asker != NULL; asker = next) {
        next = asker->next;
        LAM_ASSERT(pthread_join(asker->thread, NULL) == 0);
        (void)pthread_cond_destroy(&asker->changed);
        free(asker);
    }
    (void)pthread_mutex_destroy(&askers->lock);
}
