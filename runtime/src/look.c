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
    memcpy(stat->name, module->name, sizeof(stat->name));
    /* Relaxed, both: each stands for itself. */
    stat->phase = (enum lam_module_phase)lam_load_relaxed(&module->phase);
    stat->is_brought = lam_load_relaxed(&module->is_brought);
    look_at_current(module, stat);
    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    for (const struct lam_generation *one = module->draining; one != NULL; one = one->next) {
        stat->draining++;
        stat->calls += lam_seat_count_pins(one);
    }
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
}

/* The values of a histogram that move meanwhile are from between before and now. */
static uint64_t quantile(const struct lam_histogram *histogram, uint32_t per_mille)
{
    uint64_t value = 0;

    (void)lam_histogram_quantile(histogram, per_mille, &value);
    return value;
}

uint32_t lam_module_metrics(struct lam_module *module, lam_module_metric_fn visit, void *context)
{
    /* N2, pairs with N1 in add() of metrics.c: the entries below are complete. */
    uint32_t count = lam_load_acquire(&module->metrics.count);

    for (uint32_t i = 0; visit != NULL && i < count; i++) {
        const struct lam_metric_value *value = module->metrics.values[i];
        struct lam_module_metric metric = {.name = value->name, .kind = value->kind};

        if (value->histogram == NULL) {
            metric.value = lam_load_relaxed(&value->value); /* relaxed: it stands for itself */
        } else {
            metric.value = lam_histogram_total(value->histogram);
            metric.median = quantile(value->histogram, 500);
            metric.p90 = quantile(value->histogram, 900);
            metric.p99 = quantile(value->histogram, 990);
            metric.max = quantile(value->histogram, 1000);
        }
        visit(context, &metric);
    }
    return count;
}
