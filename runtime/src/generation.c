/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generation.c: how a code comes into the place of another, and how it ends.
 *
 * A call pins the generation that it finds current, and looks again: if that is still current, it
 * is inside. Whoever replaces a generation stores the new one first, has every thread fenced, and
 * reads all pins then: a call that it does not see pinned there looks again later than the store.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"
#include "path/path.h"
#include "usage.h"

#define DRAIN_NAP_NS 50000

char lam_generation_held;

int lam_generation_open(struct lam_generation **generation, const struct lam_runtime *runtime,
    const struct sandbox_wish *wish, const struct lam_found *found, struct lam_error *error)
{
    struct lam_generation *made = calloc(1, sizeof(*made));
    int rc;

    if (made != NULL && wish != NULL)
        made->sandbox = lam_sandbox_create(wish);
    if (made == NULL || (wish != NULL && made->sandbox == NULL)) {
        free(made);
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", found->path);
    }
    LAM_ASSERT(pthread_mutex_init(&made->turn, NULL) == 0);
    made->runtime = runtime;
    made->found = found;
    rc = wish != NULL ? lam_worker_open(made, runtime->worker, error) : lam_local_open(made, error);
    if (rc != 0) {
        free(made->needs.all);
        free(made->sandbox);
        free(made->methods);
        free(made);
        return rc;
    }
    made->found = NULL;
    rc = lam_found_check(found, &made->version, error);
    if (rc != 0) {
        lam_generation_close(made);
        return rc;
    }
    *generation = made;
    return 0;
}

int lam_generation_start(
    struct lam_generation *generation, struct lam_module *module, struct lam_error *error)
{
    int rc;

    generation->module = module;
    generation->path = lam_path_share(module->path);
    rc = lam_path_admit(generation->path, generation, error);
    if (rc != 0)
        return rc;
    if (lam_path_find(generation->path, &lam_stage_usage) != NULL &&
        lam_usage_open(generation) != 0)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    rc = generation->kind->start(generation);
    if (rc != 0)
        return lam_error_set(
            error, -ECANCELED, "module %s: its init returned %d", module->name, rc);
    generation->is_started = 1;
    generation->number = ++module->generations;
    if (generation->usage != NULL)
        lam_usage_begin(generation);
    return 0;
}

uint32_t lam_generation_count(const struct lam_generation *generation)
{
    uint32_t pins = lam_seat_count_pins(generation);

    /* H2, pairs with H1 in run() of hedge.c. Behind the pins: a guest came while its caller was
     * inside, so where that is no longer seen its guest is. */
    return pins + lam_load_acquire(&generation->guests);
}

void lam_generation_await_guests(struct lam_module *module)
{
    struct timespec nap = {.tv_nsec = DRAIN_NAP_NS};
    uint32_t guests;

    do {
        const struct lam_generation *one =
            (const struct lam_generation *)(uintptr_t)lam_load_acquire(&module->current); /* G2 */

        guests = one != NULL ? lam_load_acquire(&one->guests) : 0; /* H2 */
        LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
        for (one = module->draining; one != NULL; one = one->next)
            guests += lam_load_acquire(&one->guests); /* H2 */
        LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
        if (guests != 0)
            (void)nanosleep(&nap, NULL);
    } while (guests != 0);
}

void lam_generation_close(struct lam_generation *generation)
{
    LAM_ASSERT(lam_generation_count(generation) == 0);
    lam_usage_close(generation);
    lam_path_close(generation->path);
    generation->kind->close(generation);
    (void)pthread_mutex_destroy(&generation->turn);
    free(generation->sandbox);
    free(generation->methods);
    free(generation->needs.all);
    free(generation);
}

struct lam_generation *lam_generation_publish(struct lam_module *module, const void *generation)
{
    uint64_t old;

    /* G1, pairs with G2 in pin() of call.c: who finds the generation finds it complete. */
    old = lam_exchange_acq_rel(&module->current, (uint64_t)(uintptr_t)generation);
    lam_barrier_heavy();
    return (struct lam_generation *)(uintptr_t)old;
}

int lam_generation_drain(const struct lam_generation *generation, uint64_t deadline_ns)
{
    struct timespec nap = {.tv_nsec = DRAIN_NAP_NS};

    while (lam_generation_count(generation) != 0) {
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
        (void)nanosleep(&nap, NULL);
    }
    return 0;
}
