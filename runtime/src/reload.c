/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload.c: a module's next code, and its end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "path/path.h"
#include "path/split.h"

/* No call begins in @generation any more. Returns 0 it has ended; 1 it will, when its calls do. */
static int retire(
    struct lam_module *module, struct lam_generation *generation, uint64_t deadline_ns)
{
    if (lam_generation_drain(generation, deadline_ns) == 0) {
        lam_generation_close(generation);
        return 0;
    }
    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    generation->next = module->draining;
    module->draining = generation;
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
    return 1;
}

/* Let those go on who wait at the gate, in @generation. */
static void open_gate(struct lam_module *module, struct lam_generation *generation)
{
    LAM_ASSERT(pthread_mutex_lock(&module->gate) == 0);
    (void)lam_generation_publish(module, generation);
    LAM_ASSERT(pthread_cond_broadcast(&module->opened) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&module->gate) == 0);
}

static int hand_over(struct lam_module *module, struct lam_generation *old,
    struct lam_generation *fresh, uint64_t deadline_ns, struct lam_error *error)
{
    uint64_t bytes = 0;
    void *state = NULL;
    int rc = lam_generation_drain(old, deadline_ns);

    if (rc != 0)
        return lam_error_set(error, rc,
            "module %s: its calls did not end in time, so its state was not handed over",
            module->name);
    rc = old->kind->save(old, &state, &bytes);
    if (rc == -ENOTSUP)
        return lam_error_set(error, rc, "module %s: it cannot save its state", module->name);
    if (rc != 0)
        return lam_error_set(error, -ECANCELED, "module %s: save returned %d", module->name, rc);
    rc = fresh->kind->restore(fresh, state, bytes);
    free(state);
    if (rc == -ENOTSUP)
        return lam_error_set(
            error, rc, "module %s: its successor cannot restore a state", module->name);
    if (rc != 0)
        return lam_error_set(error, -ECANCELED, "module %s: restore of %llu bytes returned %d",
            module->name, (unsigned long long)bytes, rc);
    return 0;
}

/* With the old one's state: nobody calls meanwhile. */
static int replace_with_state(struct lam_module *module, struct lam_generation *fresh,
    uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_generation *old = lam_generation_publish(module, &lam_generation_held);
    int rc;

    lam_store_relaxed(&module->phase, LAM_MODULE_HOLDING); /* relaxed: for those who look */
    rc = hand_over(module, old, fresh, deadline_ns, error);
    open_gate(module, rc == 0 ? fresh : old);
    lam_depend_end(module, rc == 0);
    lam_generation_close(rc == 0 ? old : fresh);
    return rc;
}

static int replace(struct lam_module *module, const struct lam_found *found,
    const struct lam_reload_options *options, struct lam_error *error)
{
    uint64_t drain_ns =
        options->drain_ns != 0 ? options->drain_ns : module->runtime->options.drain_ns;
    struct lam_generation *fresh, *old;
    int rc;

    if (options->keep_state && module->pool.workers_max > 1)
        return lam_error_set(error, -ENOTSUP,
            "module %s: its pool has up to %u workers, and the state of each is its own",
            module->name, module->pool.workers_max);
    rc = lam_generation_open(&fresh, module->runtime, module->wish, found, error);

    if (rc != 0)
        return rc;
    rc = lam_depend_begin(module, fresh, error);
    if (rc != 0) {
        lam_generation_close(fresh);
        return rc;
    }
    rc = lam_generation_start(fresh, module, error);
    if (rc != 0) {
        lam_depend_end(module, 0);
        lam_generation_close(fresh);
        return rc;
    }
    if (options->keep_state)
        return replace_with_state(module, fresh, lam_deadline_after_ns(drain_ns), error);
    old = lam_generation_publish(module, fresh);
    lam_depend_end(module, 1);
    return retire(module, old, lam_deadline_after_ns(drain_ns));
}

/* Inside itself a module would wait for its own end. */
static int begin_change(struct lam_module *module, struct lam_error *error)
{
    for (const struct lam_frame *frame = lam_seat_own == NULL ? NULL : lam_seat_own->inner;
         frame != NULL; frame = frame->outer)
        if (frame->module == module)
            return lam_error_set(error, -EDEADLK,
                "module %s: it cannot be replaced or unloaded from inside itself", module->name);
    LAM_ASSERT(pthread_mutex_lock(&module->change) == 0);
    (void)lam_module_collect(module);
    /* Relaxed: changed under the mutex. */
    if (lam_load_relaxed(&module->current) != 0)
        return 0;
    LAM_ASSERT(pthread_mutex_unlock(&module->change) == 0);
    return lam_error_set(error, -ENODEV, "module %s is not loaded", module->name);
}

static void end_change(struct lam_module *module)
{
    lam_store_relaxed(&module->phase, /* relaxed: for those who look */
        lam_load_relaxed(&module->current) != 0 ? LAM_MODULE_SERVING : LAM_MODULE_UNLOADED);
    LAM_ASSERT(pthread_mutex_unlock(&module->change) == 0);
}

int lam_runtime_reload(
    struct lam_module *module, const struct lam_reload_options *options, struct lam_error *error)
{
    static const struct lam_reload_options defaults;
    struct lam_found found;
    char *reference = NULL;
    struct lam_error own; /* an observer wants the reason, even if the caller does not */
    uint64_t number;
    int rc = begin_change(module, error);

    if (rc != 0)
        return rc;
    if (options == NULL)
        options = &defaults;
    if (error == NULL)
        error = &own;
    lam_store_relaxed(&module->phase, LAM_MODULE_LOADING); /* relaxed: for those who look */
    if (options->reference != NULL) {
        reference = strdup(options->reference);
        rc = reference != NULL ? 0 : lam_error_set(error, -ENOMEM, "out of memory");
    }
    if (rc == 0)
        rc = lam_resolve(
            module->runtime, reference != NULL ? reference : module->reference, &found, error);
    if (rc == 0) {
        rc = replace(module, &found, options, error);
        lam_found_free(&found);
    }
    if (rc >= 0 && reference != NULL) {
        free(module->reference);
        module->reference = reference;
    } else {
        free(reference);
    }
    number = module->generations;
    end_change(module);
    if (rc >= 0)
        lam_event_tell(module, LAM_EVENT_RELOADED, (int64_t)number, NULL);
    else
        lam_event_tell(module, LAM_EVENT_RELOAD_FAILED, rc, error->text);
    return rc;
}

int lam_runtime_unload(struct lam_module *module, uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_path *path = lam_path_of(module);
    uint64_t number = 0;
    int rc = begin_change(module, error);

    if (rc == 0) {
        rc = lam_depend_leave(module, error);
        number = module->generations;
        if (rc == 0)
            rc = retire(module, lam_generation_publish(module, NULL), deadline_ns);
        end_change(module);
    }
    if (rc >= 0) {
        lam_split_end(path); /* without the lock: it may be about to reload the module */
        lam_event_tell(module, LAM_EVENT_UNLOADED, (int64_t)number, NULL);
    }
    lam_path_close(path);
    return rc;
}
