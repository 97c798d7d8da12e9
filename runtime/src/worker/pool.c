/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: what the keeper does for a crew: its spare, starts that nobody waits for, and how many
 * workers there are.
 */
#include "lamina/runtime/pool.h"

#include <errno.h>
#include <string.h>

#include "pin.h"
#include "worker/crew.h"

/* While something is on its way. */
#define NEXT_STEP_NS (2 * LAM_NS_PER_MS)
#define NOTHING_NS   (3600 * LAM_NS_PER_S)

static void lock(struct lam_crew *crew)
{
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
}

static void unlock(struct lam_crew *crew)
{
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
}

static uint32_t count_in_pool(const struct lam_crew *crew)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < crew->options.workers_max; i++)
        count += crew->places[i].is_in_pool;
    return count;
}

/* The mean of a window that is over, in thousandths. Under the lock. */
static int end_window(struct lam_crew *crew, uint64_t now_ns, uint32_t workers, uint64_t *load)
{
    uint64_t window_ns = now_ns - crew->window_ns;

    if (window_ns < crew->options.window_ns)
        return 0;
    crew->inside_ns += crew->inside * (now_ns - crew->noted_ns);
    *load = crew->inside_ns / (window_ns * workers / 1000 + 1);
    crew->inside_ns = 0;
    crew->noted_ns = now_ns;
    crew->window_ns = now_ns;
    return 1;
}

static void add_worker(struct lam_crew *crew)
{
    for (uint32_t i = 0; i < crew->options.workers_max; i++)
        if (!crew->places[i].is_in_pool && crew->places[i].step == PLACE_EMPTY) {
            crew->places[i].is_in_pool = 1;
            crew->places[i].has_died = 0;
            return;
        }
}

/* The last one that is idle. Behind it its turn is ours. Returns it, or NULL. */
static struct crew_place *remove_worker(struct lam_crew *crew)
{
    for (uint32_t i = crew->options.workers_max; i-- > 0;) {
        struct crew_place *place = &crew->places[i];

        if (place->is_in_pool && place->step == PLACE_READY && !place->is_taken) {
            place->is_in_pool = 0;
            place->is_taken = 1;
            return place;
        }
    }
    return NULL;
}

/* More, or fewer, by the load of the last window. */
static void scale(struct lam_crew *crew)
{
    struct crew_place *leaving = NULL;
    uint64_t now_ns = lam_clock_now_ns(), load;
    uint32_t workers;
    int decided;

    lock(crew);
    workers = count_in_pool(crew);
    if (end_window(crew, now_ns, workers, &load)) {
        decided = lam_pool_decide(&crew->options, workers, load, now_ns - crew->changed_ns);
        if (decided > 0)
            add_worker(crew);
        else if (decided < 0)
            leaving = remove_worker(crew);
        if (decided > 0 || leaving != NULL)
            crew->changed_ns = now_ns;
    }
    unlock(crew);
    if (leaving != NULL)
        lam_crew_stop(crew, leaving);
}

/* One that leaves: its turn is ours. Returns whether it is still on its way. */
static int tend_leaving(struct lam_crew *crew, struct crew_place *place)
{
    if (!lam_crew_has_stopped(crew, place, 0))
        return 1;
    lock(crew);
    place->is_taken = 0;
    unlock(crew);
    return 0;
}

/* Whether something is on its way. Who has the turn goes on by himself. */
static int tend_place(struct lam_crew *crew, struct crew_place *place)
{
    int is_leaving, rc = 0;

    lock(crew);
    is_leaving = place->step == PLACE_STOPPING;
    unlock(crew);
    if (is_leaving)
        return tend_leaving(crew, place);
    if (!place->is_in_pool || !lam_crew_try_take(crew, place))
        return 0;
    if (place->step != PLACE_READY && lam_clock_now_ns() >= place->left_alone_until_ns)
        rc = lam_crew_start(crew, place, PLACE_READY, 0, NULL);
    lam_crew_release(crew, place);
    return rc != 0 && rc != -ECANCELED;
}

static void tell(struct lam_crew *crew)
{
    uint32_t ready = 0, told;

    lock(crew);
    for (uint32_t i = 0; i < crew->options.workers_max; i++)
        ready += crew->places[i].is_in_pool && crew->places[i].step == PLACE_READY;
    told = crew->told;
    crew->told = ready;
    unlock(crew);
    if (ready != told && crew->has_options)
        lam_event_tell(crew->generation->module, LAM_EVENT_POOL, ready, NULL);
}

static uint64_t tend(struct lam_task *task)
{
    struct lam_crew *crew =
        (struct lam_crew *)(void *)((char *)task - offsetof(struct lam_crew, task));
    int is_under_way = 0;

    if (crew->options.workers_min < crew->options.workers_max)
        scale(crew);
    for (uint32_t i = 0; i < crew->options.workers_max; i++)
        is_under_way |= tend_place(crew, &crew->places[i]);
    lam_crew_make_spare(crew);
    tell(crew);
    if (is_under_way)
        return NEXT_STEP_NS;
    return crew->options.workers_min < crew->options.workers_max ? crew->options.window_ns
                                                                 : NOTHING_NS;
}

void lam_crew_hurry(struct lam_crew *crew)
{
    if (crew->is_kept)
        lam_keeper_hurry(&crew->generation->module->runtime->keeper, &crew->task);
}

int lam_crew_fill(struct lam_crew *crew)
{
    struct lam_runtime *runtime = crew->generation->module->runtime;
    uint32_t workers = crew->options.workers_min;
    int rc = 0;

    for (uint32_t i = 0; i < workers; i++) {
        crew->places[i].is_in_pool = 1;
        (void)lam_crew_start(crew, &crew->places[i], PLACE_READY, 0, NULL); /* side by side */
    }
    for (uint32_t i = 0; i < workers && rc == 0; i++)
        rc = lam_crew_start(crew, &crew->places[i], PLACE_READY, LAM_DEADLINE_NEVER, NULL);
    crew->window_ns = crew->noted_ns = crew->changed_ns = lam_clock_now_ns();
    crew->told = workers;
    crew->task.run = tend;
    if (rc == 0)
        rc = lam_keeper_add(&runtime->keeper, &crew->task, 0);
    crew->is_kept = rc == 0;
    return rc;
}

static void look_at(struct lam_crew *crew, struct lam_pool_stat *stat)
{
    lock(crew);
    stat->waiting = crew->waiting;
    for (uint32_t i = 0; i < crew->options.workers_max; i++) {
        const struct crew_place *place = &crew->places[i];
        struct lam_pool_worker *worker = &stat->all[i];

        stat->workers += place->is_in_pool;
        worker->is_ready = place->is_in_pool && place->step == PLACE_READY;
        worker->pid = worker->is_ready ? place->worker->process.pid : 0;
        worker->inside = place->inside;
        worker->health = place->health.state;
        worker->calls = place->calls;
        worker->restarts = place->restarts;
        stat->ready += worker->is_ready;
        stat->busy += worker->is_ready && place->is_taken;
        stat->calls += place->calls;
        stat->restarts += place->restarts;
    }
    unlock(crew);
}

int lam_pool_look(struct lam_module *module, struct lam_pool_stat *stat)
{
    struct lam_seat *seat = lam_seat_mine();
    struct lam_generation *generation;
    int rc = 0;

    memset(stat, 0, sizeof(*stat));
    if (seat == NULL)
        return -EUSERS;
    generation = lam_pin(seat, module);
    if (generation == NULL)
        rc = -ENODEV;
    else if ((void *)generation == (void *)&lam_generation_held)
        rc = -EAGAIN;
    else if (generation->crew == NULL)
        rc = -ENOTSUP;
    else
        look_at(generation->crew, stat);
    lam_unpin(seat);
    return rc;
}
