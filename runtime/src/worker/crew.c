/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew.c: turns at the places of a crew.
 */
#include "worker/crew.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void lock(struct lam_crew *crew)
{
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
}

static void unlock(struct lam_crew *crew)
{
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
}

/* Before the number of those inside changes. Of no use where that of the workers cannot. */
static void note_load(struct lam_crew *crew)
{
    uint64_t now_ns;

    if (crew->options.workers_min == crew->options.workers_max)
        return;
    now_ns = lam_clock_now_ns();
    crew->inside_ns += crew->inside * (now_ns - crew->noted_ns);
    crew->noted_ns = now_ns;
}

static void enter_line(struct lam_crew *crew, struct crew_wait *wait)
{
    if (crew->last != NULL)
        crew->last->next = wait;
    else
        crew->first = wait;
    crew->last = wait;
    crew->waiting++;
}

static void leave_line(struct lam_crew *crew, struct crew_wait *wait)
{
    struct crew_wait *before = NULL;

    for (struct crew_wait *one = crew->first; one != wait; one = one->next)
        before = one;
    if (before != NULL)
        before->next = wait->next;
    else
        crew->first = wait->next;
    if (crew->last == wait)
        crew->last = before;
    crew->waiting--;
}

/* Under the lock. Returns 0 with the turn at wait->place, or -ETIMEDOUT. */
static int wait_in_line(struct lam_crew *crew, struct crew_wait *wait, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S)};
    int rc = 0;

    enter_line(crew, wait);
    while (rc == 0 && !wait->is_served)
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(&wait->served, &crew->lock)
                 : pthread_cond_clockwait(&wait->served, &crew->lock, CLOCK_MONOTONIC, &deadline);
    (void)pthread_cond_destroy(&wait->served);
    if (wait->is_served) /* and be it at the last moment */
        return 0;
    leave_line(crew, wait);
    return -rc;
}

static int take_place(struct lam_crew *crew, uint32_t *index, uint64_t deadline_ns)
{
    struct crew_wait wait = {.place = *index, .served = PTHREAD_COND_INITIALIZER};
    struct crew_place *place = &crew->places[*index];
    int rc = 0;

    note_load(crew);
    crew->inside++;
    place->inside++;
    if (!place->is_taken) {
        place->is_taken = 1;
        return 0;
    }
    rc = wait_in_line(crew, &wait, deadline_ns);
    *index = wait.place; /* it may have been sent to another one */
    if (rc != 0) {
        note_load(crew);
        crew->inside--;
        crew->places[*index].inside--;
    }
    return rc;
}

int lam_crew_take(struct lam_crew *crew, const struct lam_call *call, uint64_t deadline_ns,
    struct crew_place **place)
{
    uint32_t index;
    int rc = -ECANCELED;

    lock(crew);
    *place = lam_crew_choose(crew, call);
    if (*place != NULL) {
        index = (uint32_t)(*place - crew->places);
        rc = take_place(crew, &index, deadline_ns);
        *place = &crew->places[index];
        (*place)->calls += rc == 0 && call != NULL;
    }
    unlock(crew);
    return rc;
}

int lam_crew_try_take(struct lam_crew *crew, struct crew_place *place)
{
    int is_idle;

    lock(crew);
    is_idle = !place->is_taken;
    if (is_idle) {
        note_load(crew);
        crew->inside++;
        place->inside++;
        place->is_taken = 1;
    }
    unlock(crew);
    return is_idle;
}

/* Who is next at @place: the first in line for it, or else, where any worker does, for another. */
static struct crew_wait *find_next(struct lam_crew *crew, const struct crew_place *place)
{
    uint32_t index = (uint32_t)(place - crew->places);

    for (struct crew_wait *one = crew->first; one != NULL; one = one->next)
        if (one->place == index)
            return one;
    if (crew->options.choice == LAM_POOL_BY_KEY || place->step != PLACE_READY || !place->is_in_pool)
        return NULL;
    return crew->first;
}

static void hand_on(struct lam_crew *crew, struct crew_place *place)
{
    struct crew_wait *next = find_next(crew, place);

    note_load(crew);
    crew->inside--;
    place->inside--;
    place->is_taken = next != NULL;
    if (next == NULL)
        return;
    leave_line(crew, next);
    crew->places[next->place].inside--;
    place->inside++;
    next->place = (uint32_t)(place - crew->places);
    next->is_served = 1;
    LAM_ASSERT(pthread_cond_signal(&next->served) == 0);
}

void lam_crew_release(struct lam_crew *crew, struct crew_place *place)
{
    struct lam_module *module = crew->generation->module;
    int64_t death = place->death;
    char text[sizeof(place->death_text)];
    int has_died = place->death_text[0] != '\0';

    if (has_died)
        memcpy(text, place->death_text, sizeof(text));
    place->death_text[0] = '\0';
    lock(crew);
    hand_on(crew, place);
    unlock(crew);
    if (has_died)
        lam_event_tell(module, LAM_EVENT_WORKER_DIED, death, text);
}
