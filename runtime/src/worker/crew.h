/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CREW_H
#define LAM_RUNTIME_CREW_H

/*
 * crew.h: the workers of a generation, and who has the turn at which of them.
 *
 * A worker sits in a place. Whoever has a place's turn, a caller or the runtime's keeper, may touch
 * its worker; everything else here is guarded by the crew's lock, which is held for some tens of
 * instructions and never over a call into a worker. A turn that ends is handed to who waits, by
 * name: nobody wakes for nothing, and none is overtaken.
 */

#include <pthread.h>

#include "health.h"
#include "lamina/runtime/pool.h"
#include "worker/worker.h"

/* How far the worker of a place is. It only goes on by who has the turn. */
enum place_step {
    PLACE_EMPTY = 0,
    PLACE_JOINING,      /* its process was begun */
    PLACE_CONFINING,    /* it was asked to confine itself */
    PLACE_OPENING,      /* to load the image */
    PLACE_OPEN,         /* and has */
    PLACE_INITIALISING, /* to run init */
    PLACE_READY,
    PLACE_STOPPING, /* it was asked to run shutdown */
};

struct crew_place {
    struct lam_worker *worker; /* NULL where it is empty */
    enum place_step step;
    uint32_t is_in_pool;
    uint32_t is_taken; /* somebody has its turn */
    uint32_t inside;   /* who have it or wait for it */
    /* Of a worker that is being started or stopped. */
    uint64_t asked_id;
    uint64_t step_deadline_ns;
    struct lam_module_reply answer;
    /* Its ends. */
    uint64_t deaths_since_ns;
    uint32_t deaths;
    uint32_t has_died; /* and no other one serves in its place yet */
    uint64_t left_alone_until_ns;
    int64_t death; /* to be told when the turn ends, if there is a text */
    char death_text[64];
    uint64_t calls, restarts;
    /* By its probes: probe.c. */
    struct health_row health;
    uint64_t probe_due_ns; /* when one that is not judged should have been answered; or 0 */
};

/* A thread in line, on its own stack. */
struct crew_wait {
    struct crew_wait *next;
    uint32_t place;
    uint32_t is_served;
    pthread_cond_t served;
};

struct lam_crew {
    struct lam_generation *generation;
    char *program;
    char argument[WORKER_LETTERS_MAX + 1]; /* of the program */
    struct lam_pool_options options;
    uint32_t has_options;
    struct lam_task task; /* the keeper's: pool.c */
    uint32_t is_kept;
    pthread_mutex_t lock;
    struct lam_worker *spare;       /* begun, not opened; or NULL */
    struct crew_wait *first, *last; /* in line */
    uint32_t waiting;
    uint32_t next;   /* round robin */
    uint64_t random; /* xorshift */
    /* Load, where the number of workers may change. */
    uint32_t inside;
    uint64_t inside_ns; /* calls inside, times how long */
    uint64_t noted_ns;
    uint64_t window_ns;  /* since when inside_ns is summed */
    uint64_t changed_ns; /* when the number of workers changed */
    uint32_t told;       /* the number that was told last */
    struct crew_place places[LAM_POOL_WORKERS_MAX];
};

/* ---- crew.c: turns ---- */

/*
 * Take the turn at the place that the pool's choice gives to this call, until @deadline_ns. NULL is
 * no call, in a pool of one.
 *
 * Returns 0, -ETIMEDOUT, or -ECANCELED: all places are left alone because they died too often.
 */
int lam_crew_take(struct lam_crew *crew, const struct lam_call *call, uint64_t deadline_ns,
    struct crew_place **place);

/* The turn at @place, if nobody has it or waits for it. Returns 1, or 0. */
int lam_crew_try_take(struct lam_crew *crew, struct crew_place *place);

/* Give the turn back: to who waits. */
void lam_crew_release(struct lam_crew *crew, struct crew_place *place);

/* ---- choice.c: under the lock ---- */

/* The place for @call, or NULL. */
struct crew_place *lam_crew_choose(struct lam_crew *crew, const struct lam_call *call);

/* Of a pool with @workers whose mean load was @load thousandths: 1 one more, -1 one less, 0. */
int lam_pool_decide(const struct lam_pool_options *options, uint32_t workers, uint64_t load,
    uint64_t since_change_ns);

/* ---- enter.c: by who has the turn ---- */

/*
 * Go on with the start of the place's worker, from whatever step it has reached to @goal, until
 * @until_ns: the start itself has its own time, and goes on behind that with the next one who
 * comes.
 *
 * Returns 0; -ETIMEDOUT with place->step not PLACE_EMPTY: not yet; or why it failed, with @error:
 * the place is empty then. -ECANCELED: it died too often.
 */
int lam_crew_start(struct lam_crew *crew, struct crew_place *place, enum place_step goal,
    uint64_t until_ns, struct lam_error *error);

/* Its worker has ended, and @reply says how: the place is empty. LAM_EVENT_WORKER_DIED is told when
 * the turn is given back. */
void lam_crew_bury(
    struct lam_crew *crew, struct crew_place *place, const struct lam_module_reply *reply);

/* A worker that is begun for a place that will be empty. */
void lam_crew_make_spare(struct lam_crew *crew);

/* ---- ask.c: the parts of a start, by who has the turn ---- */

void lam_crew_set_step(struct lam_crew *crew, struct crew_place *place, enum place_step step);

/* Each asks what the next step is, or reads what was answered. 0, or an error that ends it. */
int lam_crew_ask_confine(struct lam_crew *crew, struct crew_place *place);
int lam_crew_read_confined(
    struct lam_crew *crew, struct crew_place *place, struct lam_error *error);
int lam_crew_ask_open(struct lam_crew *crew, struct crew_place *place);
int lam_crew_read_opened(struct lam_crew *crew, struct crew_place *place, struct lam_error *error);
int lam_crew_ask_init(struct lam_crew *crew, struct crew_place *place);

/* The answer to what was asked, until @until_ns: as lam_worker_hear(). */
int lam_crew_hear(struct lam_crew *crew, struct crew_place *place, uint64_t until_ns, int *status);

/* ---- leave.c ---- */

/* Ask it to run shutdown, and, in another call, whether it has. Behind 1 the place is empty. */
void lam_crew_stop(struct lam_crew *crew, struct crew_place *place);
int lam_crew_has_stopped(struct lam_crew *crew, struct crew_place *place, uint64_t until_ns);

/* No call is inside. All of its workers end, and the crew. */
void lam_crew_end(struct lam_crew *crew);

/* ---- pool.c: by the keeper ---- */

/* All workers of the pool, ready, and the keeper's task. Returns 0 or a negative errno. */
int lam_crew_fill(struct lam_crew *crew);

/* There is something to be done. */
void lam_crew_hurry(struct lam_crew *crew);

#endif
