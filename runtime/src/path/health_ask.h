/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_HEALTH_ASK_H
#define LAM_RUNTIME_HEALTH_ASK_H

/*
 * health_ask.h: the health entry of a module in this process, in a thread that nobody waits for.
 *
 * Nobody can take a thread out of a module's code, so the keeper, which looks after all modules,
 * never goes in: an asker does, is a guest of the generation meanwhile, and says when it is back.
 * One that does not come back keeps its thread and its generation, and nothing else.
 */

#include "internal.h"

struct lam_asker;

/* Of one module: threads that were made when the first probe of a code came, and are kept. */
struct lam_askers {
    pthread_mutex_t lock;
    struct lam_asker *all;
    uint32_t is_ending;
    void (*answered)(void *context); /* by the asker's thread: there is an answer */
    void *context;
};

void lam_askers_init(struct lam_askers *askers, void (*answered)(void *context), void *context);

/* No generation has a guest of theirs any more. Ends the threads. */
void lam_askers_fini(struct lam_askers *askers);

/*
 * Have the health entry of @generation, which the caller is inside, run until @deadline_ns, of
 * which it is told. Returns who does, or NULL: there is no thread or no memory for it.
 */
struct lam_asker *lam_ask(
    struct lam_askers *askers, struct lam_generation *generation, uint64_t deadline_ns);

struct lam_answer {
    int status;     /* what it returned */
    int is_busy;    /* it was not called: a call has the turn of its module */
    uint64_t at_ns; /* when */
};

/* Returns 1 and sets *@answer; @asker is then free for others. 0: it is not back. */
int lam_ask_take(struct lam_askers *askers, struct lam_asker *asker, struct lam_answer *answer);

/* Nobody waits for @asker any more. */
void lam_ask_leave(struct lam_askers *askers, struct lam_asker *asker);

#endif
