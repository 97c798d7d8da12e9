/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_EVENTS_H
#define LAM_RUNTIME_EVENTS_H

/*
 * lamina/runtime/events.h: what a runtime tells of itself while it works.
 *
 * Runtime, floor 6. The runtime emits these; nobody has to remember to. An observer is called in
 * the thread in which it happened, and may look at modules and call them, but not load, reload or
 * unload.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_OBSERVERS_MAX 16

enum lam_runtime_event_kind {
    LAM_EVENT_LOADED = 1,        /* value: the generation */
    LAM_EVENT_RELOADED = 2,      /* value: the new generation */
    LAM_EVENT_RELOAD_FAILED = 3, /* value: a negative errno; text: why */
    LAM_EVENT_UNLOADED = 4,      /* value: the generation that it was */
    LAM_EVENT_WORKER_DIED = 5,   /* value: the signal, or minus the status; text: which */
    LAM_EVENT_BREAKER = 6,       /* value: its new state, enum lam_breaker_state */
    LAM_EVENT_HEALTH = 7,        /* value: its new state, enum lam_health_state */
    LAM_EVENT_POOL = 8,          /* value: how many workers there are now */
    LAM_EVENT_SPLIT = 9,         /* value: the candidate's weight in percent; text: why */
    LAM_EVENT_DISCOVERY = 10,    /* no module (NULL); name: of the file; value: a negative errno */
    LAM_EVENT_KINDS,             /* how many, and zero, which is none */
};

struct lam_runtime_event {
    enum lam_runtime_event_kind kind;
    uint32_t reserved;         /* 0 */
    struct lam_module *module; /* NULL: of a name that is none */
    const char *name;          /* of the module; borrowed for the visit */
    const char *text;          /* never NULL; borrowed for the visit */
    int64_t value;             /* what it is, its kind says */
    uint64_t at_ns;            /* monotonic */
};

typedef void (*lam_runtime_observe_fn)(void *context, const struct lam_runtime_event *event);

/*
 * Tell @observe of every event from now on, until the runtime ends. Any thread.
 *
 * Returns 0, or -ENOSPC there are LAM_OBSERVERS_MAX already.
 */
int lam_runtime_observe(struct lam_runtime *runtime, lam_runtime_observe_fn observe, void *context);

#ifdef __cplusplus
}
#endif

#endif
