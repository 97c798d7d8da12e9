/* SPDX-License-Identifier: Apache-2.0 */
#include "path/path.h"

#include <errno.h>
#include <stdlib.h>

/* From the caller to the code. What a stage sees is what those before it let through. */
static const struct lam_stage_kind *const order[] = {
    &lam_stage_trace,
    &lam_stage_split,
    &lam_stage_middleware,
    &lam_stage_usage,
    &lam_stage_limits,
    &lam_stage_cache,
    &lam_stage_health,
    &lam_stage_breaker,
    &lam_stage_retry,
    &lam_stage_batch,
};

#define STAGES_MAX (sizeof(order) / sizeof(order[0]))

struct lam_path {
    lam_atomic_u32 owners;
    uint32_t count;
    struct lam_stage stages[STAGES_MAX + 1];
};

static void close_stages(struct lam_path *path)
{
    for (uint32_t i = 0; i < path->count; i++)
        if (path->stages[i].kind->end != NULL)
            path->stages[i].kind->end(path->stages[i].state);
    while (path->count-- > 0)
        if (path->stages[path->count].kind->close != NULL)
            path->stages[path->count].kind->close(path->stages[path->count].state);
    free(path);
}

static int begin_stages(struct lam_path *path, struct lam_error *error)
{
    int rc = 0;

    for (uint32_t i = 0; i < path->count && rc == 0; i++)
        if (path->stages[i].kind->begin != NULL)
            rc = path->stages[i].kind->begin(path->stages[i].state, path, error);
    return rc;
}

int lam_path_open(struct lam_path **path, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    struct lam_path *made = calloc(1, sizeof(*made));
    int rc = 0;

    *path = NULL;
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    for (size_t i = 0; i < STAGES_MAX && rc >= 0; i++) {
        void *state = NULL;

        rc = order[i]->open(&state, module, options, error);
        if (rc > 0)
            made->stages[made->count++] = (struct lam_stage){order[i], state};
    }
    if (rc >= 0)
        rc = begin_stages(made, error);
    if (rc < 0 || made->count == 0) {
        close_stages(made);
        return rc < 0 ? rc : 0;
    }
    *path = lam_path_share(made);
    return 0;
}

int lam_path_admit(
    const struct lam_path *path, const struct lam_generation *generation, struct lam_error *error)
{
    int rc = 0;

    for (uint32_t i = 0; path != NULL && i < path->count && rc == 0; i++)
        if (path->stages[i].kind->admit != NULL)
            rc = path->stages[i].kind->admit(path->stages[i].state, generation, error);
    return rc;
}

struct lam_path *lam_path_share(struct lam_path *path)
{
    if (path != NULL)
        (void)lam_add_acq_rel(&path->owners, 1);
    return path;
}

void lam_path_close(struct lam_path *path)
{
    /* Both ways: what the other owners did with it is done. */
    if (path != NULL && lam_add_acq_rel(&path->owners, UINT32_MAX) == 1)
        close_stages(path);
}

struct lam_path *lam_path_of(struct lam_module *module)
{
    struct lam_path *path;

    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    path = lam_path_share(module->path);
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
    return path;
}

void *lam_path_find(const struct lam_path *path, const struct lam_stage_kind *kind)
{
    for (uint32_t i = 0; path != NULL && i < path->count; i++)
        if (path->stages[i].kind == kind)
            return path->stages[i].state;
    return NULL;
}

int lam_path_go_on(struct lam_passage *passage)
{
    const struct lam_stage *stage = passage->next;
    int rc;

    passage->reply->failure = LAM_FAILURE_NONE;
    passage->reply->detail = 0;
    if (stage->kind == NULL) {
        passage->frame->call.arena.used = 0;
        return lam_call_enter(passage->generation, passage->method, passage->frame, passage->reply);
    }
    passage->next = stage + 1;
    rc = stage->kind->run(stage->state, passage);
    passage->next = stage;
    return rc;
}

int lam_path_run(const struct lam_path *path, struct lam_generation *generation,
    const struct lam_method *method, struct lam_frame *frame, struct lam_module_reply *reply)
{
    struct lam_passage passage = {generation, method, frame, reply, path->stages};

    return lam_path_go_on(&passage);
}
