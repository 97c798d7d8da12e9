/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.c: generations whose code runs in this process.
 *
 * The loader knows objects by their name, and hands out the one that it has when a name comes
 * again. So each image keeps its descriptor open as long as it is loaded: its name, which holds the
 * descriptor's number, is then nobody else's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "later.h"
#include "trust.h"

/* A state is asked for with this much room first. */
#define STATE_BYTES_FIRST 4096

static int call(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_module_reply *reply)
{
    int status = entry->call(&frame->call);

    (void)generation;
    return lam_entry_settle(frame, reply, status);
}

/* An entry beside the methods. Returns what it returned. */
static int enter(struct lam_generation *generation, lam_entry_fn entry, struct lam_frame *frame)
{
    int rc;

    frame->call.state = generation->state;
    rc = entry(&frame->call);
    generation->state = frame->call.state;
    return rc;
}

/* How long a state is, its module says when it is given too little room. */
static int save(struct lam_generation *generation, void **state, uint64_t *bytes)
{
    uint64_t capacity = STATE_BYTES_FIRST;

    if (generation->descriptor->save == NULL)
        return -ENOTSUP;
    *state = NULL;
    for (;;) {
        struct lam_frame frame;
        void *larger = realloc(*state, capacity);
        int rc = larger == NULL ? -ENOMEM : 0;

        if (rc == 0) {
            *state = larger;
            lam_frame_init(&frame, generation->module, NULL, 0, *state, capacity);
            rc = enter(generation, generation->descriptor->save, &frame);
            *bytes = frame.call.reply_bytes;
        }
        if (rc == 0 && *bytes <= capacity)
            return 0;
        if (rc != -ENOSPC || *bytes <= capacity) {
            free(*state);
            return rc == 0 ? -EPROTO : rc;
        }
        capacity = *bytes;
    }
}

static int restore(struct lam_generation *generation, const void *state, uint64_t bytes)
{
    struct lam_frame frame;

    if (generation->descriptor->restore == NULL)
        return -ENOTSUP;
    lam_frame_init(&frame, generation->module, state, bytes, NULL, 0);
    return enter(generation, generation->descriptor->restore, &frame);
}

static void unload(struct lam_generation *generation)
{
    (void)dlclose(generation->handle);
    image_close(&generation->image);
}

static void close_local(struct lam_generation *generation)
{
    struct lam_frame frame;

    if (generation->is_started && generation->descriptor->shutdown != NULL) {
        lam_frame_init(&frame, generation->module, NULL, 0, NULL, 0);
        (void)enter(generation, generation->descriptor->shutdown, &frame);
    }
    unload(generation);
}

static int start(struct lam_generation *generation)
{
    const struct lam_module *module = generation->module;
    struct lam_frame frame;

    if (generation->descriptor->init == NULL)
        return 0;
    lam_frame_init(&frame, generation->module, module->config, module->config_bytes, NULL, 0);
    return enter(generation, generation->descriptor->init, &frame);
}

int lam_local_open_image(
    struct lam_generation *generation, const char *path, struct lam_error *error)
{
    int rc = 0;

    generation->handle = dlopen(generation->image.name, RTLD_NOW | RTLD_LOCAL);
    if (generation->handle == NULL) {
        rc = lam_error_set(error, -ENOEXEC, "module %s: %s", path, dlerror());
        image_close(&generation->image);
        return rc;
    }
    generation->kind = &lam_host_local;
    generation->descriptor = dlsym(generation->handle, LAM_ABI_SYMBOL);
    if (generation->descriptor == NULL)
        rc = lam_error_set(error, -ENOEXEC,
            dlsym(generation->handle, "memlink_call") != NULL
                ? "module %s: built to memlink's interface, in which nobody says how long an "
                  "answer may be: it runs in a worker only: set options.host to "
                  "LAM_MODULE_IN_WORKER"
                : "module %s: it has no " LAM_ABI_SYMBOL ": is LAM_MODULE() in one of its sources?",
            path);
    if (rc == 0)
        rc = lam_descriptor_check(path, generation->descriptor, error);
    if (rc == 0)
        rc = lam_descriptor_keep(generation, generation->descriptor);
    if (rc != 0)
        unload(generation);
    return rc;
}

int lam_local_open(struct lam_generation *generation, struct lam_error *error)
{
    int rc = lam_trust_open(generation, error);

    return rc != 0 ? rc : lam_local_open_image(generation, generation->found->path, error);
}

const struct lam_host_kind lam_host_local = {
    .call = call, .start = start, .save = save, .restore = restore, .close = close_local};
