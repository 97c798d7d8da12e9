/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_KEEPER_H
#define LAM_RUNTIME_KEEPER_H

/*
 * keeper.h: a runtime's own thread, for what has to be done when nobody calls: probes of health,
 * scaling of pools, steps of a migration, looks at directories. It starts with the first task.
 */

#include <pthread.h>
#include <stdint.h>

/* One thing to do again and again. Its owner's memory, from add to remove. */
struct lam_task {
    /* Returns in how many ns to do it again. */
    uint64_t (*run)(struct lam_task *task);
    uint64_t due_ns;       /* the keeper's */
    struct lam_task *next; /* the keeper's */
};

struct lam_keeper {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lam_task *tasks;
    struct lam_task *running;
    pthread_t thread;
    uint32_t has_thread;
    uint32_t is_ending;
};

void lam_keeper_init(struct lam_keeper *keeper);

/* Behind it no task runs: none is inside a module. None is added either. */
void lam_keeper_stop(struct lam_keeper *keeper);

/* All tasks have been removed (asserted). Ends the thread. */
void lam_keeper_fini(struct lam_keeper *keeper);

/* Do @task in @after_ns for the first time. Any thread. Returns 0, or -errno of the thread. */
int lam_keeper_add(struct lam_keeper *keeper, struct lam_task *task, uint64_t after_ns);

/* Do @task at once; if it is running, once more behind that. Any thread. */
void lam_keeper_hurry(struct lam_keeper *keeper, struct lam_task *task);

/* Behind it @task does not run: waits for it, unless it is @task that removes itself. One that was
 * never added is allowed. Any thread, without a lock that @task takes. */
void lam_keeper_remove(struct lam_keeper *keeper, struct lam_task *task);

#endif
