/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c: how a module is, for those who watch it.
 */
#include <string.h>

#include "internal.h"
#include "pin.h"

/* Inside the generation for a moment, as a call is. */
static void look_at_current(struct lam_module *module, struct lam_module_stat *stat)
{
    struct lam_seat *seat = lam_seat_mine();
    struct lam_generation *generation;

    if (seat == NULL)
        return;
    generation = lam_pin(seat, module);
    if (generation != NULL && (void *)generation != (void *)&lam_generation_held) {
        stat->version = generation->version;
        stat->generation = generation->number;
        stat->calls = lam_seat_count_pins(generation) - 1;
    }
    lam_unpin(seat);
}

void lam_module_look(struct lam_module *module, struct lam_module_stat *stat)
{
    memset(stat, 0, sizeof(*stat));
    (void)strcpy(stat->name, module->name);
    /* Relaxed: it stands for itself. */
    stat->phase = (enum lam_module_phase)lam_load_relaxed(&module->phase);
    look_at_current(module, stat);
    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    for (const struct lam_generation *one = module->draining; one != NULL; one = one->next) {
        stat->draining++;
        stat->calls += lam_seat_count_pins(one);
    }
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
}
