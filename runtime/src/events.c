/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>

#include "internal.h"

int lam_runtime_observe(struct lam_runtime *runtime, lam_runtime_observe_fn observe, void *context)
{
    struct lam_observers *observers = &runtime->observers;
    uint32_t count;

    LAM_ASSERT(pthread_mutex_lock(&runtime->lock) == 0);
    count = lam_load_relaxed(&observers->count); /* relaxed: changed under the lock */
    if (count < LAM_OBSERVERS_MAX) {
        observers->all[count] = (struct lam_observer){observe, context};
        lam_store_release(&observers->count, count + 1); /* E1, pairs with E2 */
    }
    LAM_ASSERT(pthread_mutex_unlock(&runtime->lock) == 0);
    return count < LAM_OBSERVERS_MAX ? 0 : -ENOSPC;
}

static void tell(struct lam_runtime *runtime, struct lam_runtime_event *event)
{
    const struct lam_observers *observers = &runtime->observers;
    /* E2, pairs with E1 in lam_runtime_observe(): the observers below are complete. */
    uint32_t count = lam_load_acquire(&observers->count);

    if (count == 0)
        return;
    event->at_ns = lam_clock_now_ns();
    for (uint32_t i = 0; i < count; i++)
        observers->all[i].observe(observers->all[i].context, event);
}

void lam_event_tell(
    struct lam_module *module, enum lam_runtime_event_kind kind, int64_t value, const char *text)
{
    struct lam_runtime_event event = {.kind = kind,
        .module = module,
        .name = module->name,
        .text = text != NULL ? text : "",
        .value = value};

    (void)lam_add_acq_rel(&module->told[kind], 1);
    tell(module->runtime, &event);
}

void lam_event_tell_name(struct lam_runtime *runtime, const char *name,
    enum lam_runtime_event_kind kind, int64_t value, const char *text)
{
    struct lam_runtime_event event = {.kind = kind, .name = name, .text = text, .value = value};

    tell(runtime, &event);
}
