/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SRC_EVENTS_H
#define LAM_RUNTIME_SRC_EVENTS_H

/*
 * events.h: who wants to know what happens.
 */

#include "lamina/base/atomic.h"
#include "lamina/runtime/events.h"

struct lam_observer {
    lam_runtime_observe_fn observe;
    void *context;
};

/* Only grows, under the runtime's lock; read without it. */
struct lam_observers {
    lam_atomic_u32 count;
    struct lam_observer all[LAM_OBSERVERS_MAX];
};

/* Something happened to @module. @text may be NULL. Any thread; no lock may be held that an
 * observer, who looks at modules and calls them, could need. */
void lam_event_tell(
    struct lam_module *module, enum lam_runtime_event_kind kind, int64_t value, const char *text);

/* The same of a name that is no module. */
void lam_event_tell_name(struct lam_runtime *runtime, const char *name,
    enum lam_runtime_event_kind kind, int64_t value, const char *text);

#endif
