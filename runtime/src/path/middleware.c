/* SPDX-License-Identifier: Apache-2.0 */
#include "path/middleware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/path.h"

static int check(
    const char *whose, const struct lam_middleware_options *options, struct lam_error *error)
{
    if (options->count > LAM_MIDDLEWARE_MAX || (options->count > 0 && options->pairs == NULL))
        return lam_error_set(error, -EINVAL,
            "%s: middleware.count is %u: it has to say how many pairs there are, %d at most", whose,
            options->count, LAM_MIDDLEWARE_MAX);
    if (options->reserved != 0)
        return lam_error_set(error, -EINVAL, "%s: middleware.reserved is %u, and must be 0", whose,
            options->reserved);
    for (uint32_t i = 0; i < options->count; i++)
        if (options->pairs[i].before == NULL && options->pairs[i].after == NULL)
            return lam_error_set(
                error, -EINVAL, "%s: middleware.pairs[%u] has neither before nor after", whose, i);
    return 0;
}

/* Those of @first, then those of @second: both are checked. */
static struct lam_middleware_options *join(
    const struct lam_middleware_options *first, const struct lam_middleware_options *second)
{
    uint32_t count = first->count + second->count;
    struct lam_middleware_options *made =
        calloc(1, sizeof(*made) + count * sizeof(struct lam_middleware));
    struct lam_middleware *pairs = (struct lam_middleware *)(made + 1);

    if (made == NULL)
        return NULL;
    if (first->count != 0)
        memcpy(pairs, first->pairs, first->count * sizeof(*pairs));
    if (second->count != 0)
        memcpy(pairs + first->count, second->pairs, second->count * sizeof(*pairs));
    made->pairs = pairs;
    made->count = count;
    return made;
}

static const struct lam_middleware_options none;

int lam_middleware_copy(struct lam_middleware_options **copy,
    const struct lam_middleware_options *options, struct lam_error *error)
{
    int rc;

    *copy = NULL;
    if (options == NULL)
        return 0;
    rc = check("the runtime", options, error);
    if (rc != 0)
        return rc;
    *copy = join(options, &none);
    return *copy != NULL ? 0 : lam_error_set(error, -ENOMEM, "out of memory for middleware");
}

static int open_stage(void **state, struct lam_module *module,
    const struct lam_module_options *given, struct lam_error *error)
{
    const struct lam_middleware_options *own =
        given->middleware != NULL ? given->middleware : &none;
    const struct lam_middleware_options *outer =
        module->runtime->middleware != NULL ? module->runtime->middleware : &none;
    char whose[LAM_NAME_BYTES_MAX + sizeof("module ")];
    int rc;

    (void)snprintf(whose, sizeof(whose), "module %s", module->name);
    rc = check(whose, own, error);
    if (rc != 0)
        return rc;
    if (outer->count + own->count == 0)
        return 0;
    *state = join(outer, own);
    return *state != NULL ? 1
                          : lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
}

/* On the way in. Returns how many said that it may go on; *@veto is what the next one said. */
static uint32_t go_in(
    const struct lam_middleware_options *all, struct lam_middleware_call *call, int *veto)
{
    uint32_t i;

    *veto = 0;
    for (i = 0; i < all->count; i++) {
        if (all->pairs[i].before != NULL)
            *veto = all->pairs[i].before(all->pairs[i].context, call);
        if (*veto != 0)
            break;
    }
    return i;
}

static int run_stage(void *state, struct lam_passage *passage)
{
    const struct lam_middleware_options *all = state;
    struct lam_call *inner = &passage->frame->call;
    struct lam_middleware_call call = {.module = passage->frame->module,
        .module_name = passage->frame->module->name,
        .method_name = passage->method->name,
        .caller = inner->caller,
        .method = inner->method,
        .depth = inner->depth,
        .generation = passage->generation->number,
        .deadline_ns = inner->deadline_ns,
        .trace = inner->trace,
        .request = inner->request,
        .request_bytes = inner->request_bytes,
        .reply = passage->reply};
    int veto, rc;
    uint32_t entered = go_in(all, &call, &veto);

    inner->request = call.request;
    inner->request_bytes = call.request_bytes;
    rc = veto == 0 ? lam_path_go_on(passage)
                   : lam_reply_fail(passage->reply, LAM_FAILURE_VETOED, veto, -ECANCELED);
    while (entered-- > 0) {
        const struct lam_middleware *pair = &all->pairs[entered];

        if (pair->after != NULL)
            rc = pair->after(pair->context, &call, rc);
        if (rc == 0 && passage->reply->bytes > passage->reply->capacity)
            rc = -ENOSPC;
    }
    return rc;
}

const struct lam_stage_kind lam_stage_middleware = {
    .name = "middleware", .open = open_stage, .run = run_stage, .close = free};
