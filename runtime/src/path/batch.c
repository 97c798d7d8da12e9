/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c: the stage in which calls wait for each other.
 */
#include "lamina/runtime/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "later.h"
#include "path/methods.h"
#include "path/path.h"

/* Calls of one method of one generation. Guarded by the lock of its stage, but for what is marked
 * as the module's while the batch is in its hands. */
struct batch {
    struct batch *next; /* of those that are being collected, or of those that are unused */
    const struct lam_generation *generation;
    uint32_t method;
    uint32_t count;
    uint32_t is_closed; /* nobody comes any more */
    uint32_t is_done;
    uint32_t left;        /* calls that have not taken their result */
    uint64_t close_ns;    /* at the latest */
    uint64_t deadline_ns; /* the latest of them */
    pthread_cond_t closed, done;
    struct lam_passage **members;
    /* The module's. */
    struct lam_call *calls;
    int32_t *results;
    int status; /* 0, or what kept all of them from the module */
};

struct batching {
    pthread_mutex_t lock;
    struct batch *collecting, *unused;
    struct lam_batch_stat stat;
    uint64_t wait_ns;
    uint32_t count_max;
    struct lam_method_set methods; /* none: all */
};

static int check(const struct lam_module *module, const struct lam_batch_options *options,
    struct lam_error *error)
{
    if (options->count_max == 1 || options->count_max > LAM_BATCH_COUNT_MAX)
        return lam_error_set(error, -EINVAL,
            "module %s: batch.count_max is %u: it has to be from 2 to %d", module->name,
            options->count_max, LAM_BATCH_COUNT_MAX);
    return 0;
}

static void free_batch(struct batch *batch)
{
    (void)pthread_cond_destroy(&batch->closed);
    (void)pthread_cond_destroy(&batch->done);
    free((void *)batch->members);
    free(batch->calls);
    free(batch->results);
    free(batch);
}

static void close_stage(void *state)
{
    struct batching *batching = state;

    while (batching->unused != NULL) {
        struct batch *batch = batching->unused;

        batching->unused = batch->next;
        free_batch(batch);
    }
    (void)pthread_mutex_destroy(&batching->lock);
    lam_method_set_free(&batching->methods);
    free(batching);
}

static int open_stage(void **state, struct lam_module *module,
    const struct lam_module_options *given, struct lam_error *error)
{
    const struct lam_batch_options *options = given->batch;
    struct batching *made;
    int rc;

    if (options == NULL)
        return 0;
    rc = check(module, options, error);
    if (rc != 0)
        return rc;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    LAM_ASSERT(pthread_mutex_init(&made->lock, NULL) == 0);
    made->count_max = options->count_max != 0 ? options->count_max : LAM_BATCH_COUNT_DEFAULT;
    made->wait_ns = options->wait_ns != 0 ? options->wait_ns : LAM_BATCH_WAIT_DEFAULT;
    rc = lam_method_set_fill(
        &made->methods, module, "batch", options->methods, options->method_count, error);
    if (rc != 0) {
        close_stage(made);
        return rc;
    }
    *state = made;
    return 1;
}

static int admit(void *state, const struct lam_generation *generation, struct lam_error *error)
{
    const struct batching *batching = state;

    if (generation->kind != &lam_host_local)
        return lam_error_set(error, -ENOTSUP,
            "module %s: options.batch: a worker is given one call at a time: set options.host to "
            "LAM_MODULE_IN_PROCESS, or options.batch to NULL",
            generation->module->name);
    if (generation->descriptor->batch == NULL)
        return lam_error_set(error, -ENOTSUP,
            "module %s: options.batch: it has no batch entry: give it one (.batch), or set "
            "options.batch to NULL",
            generation->module->name);
    return lam_method_set_admit(&batching->methods, "batch", generation, error);
}

/* ---- who is in which ---- */

static struct batch *make(uint32_t count_max)
{
    struct batch *batch = calloc(1, sizeof(*batch));

    if (batch == NULL)
        return NULL;
    LAM_ASSERT(pthread_cond_init(&batch->closed, NULL) == 0);
    LAM_ASSERT(pthread_cond_init(&batch->done, NULL) == 0);
    batch->members = (struct lam_passage **)calloc(count_max, sizeof(*batch->members));
    batch->calls = calloc(count_max, sizeof(*batch->calls));
    batch->results = calloc(count_max, sizeof(*batch->results));
    if (batch->members != NULL && batch->calls != NULL && batch->results != NULL)
        return batch;
    free_batch(batch);
    return NULL;
}

/* Nobody comes to @batch any more: its first call goes on. */
static void close_batch(struct batching *batching, struct batch *batch)
{
    struct batch **at = &batching->collecting;

    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    batch->is_closed = 1;
    batching->stat.waiting -= batch->count;
    LAM_ASSERT(pthread_cond_signal(&batch->closed) == 0);
}

static struct batch *begin(struct batching *batching, const struct lam_passage *passage)
{
    struct batch *batch = batching->unused;

    if (batch != NULL)
        batching->unused = batch->next;
    else
        batch = make(batching->count_max);
    if (batch == NULL)
        return NULL;
    batch->generation = passage->generation;
    batch->method = passage->frame->call.method;
    batch->count = 0;
    batch->is_closed = 0;
    batch->is_done = 0;
    batch->status = 0;
    batch->close_ns = lam_deadline_after_ns(batching->wait_ns);
    batch->deadline_ns = 0;
    batch->next = batching->collecting;
    batching->collecting = batch;
    return batch;
}

/* Returns this call's place in @batch. */
static uint32_t join(struct batching *batching, struct batch *batch, struct lam_passage *passage)
{
    uint64_t deadline_ns = passage->frame->call.deadline_ns;
    uint32_t place = batch->count++;

    batch->members[place] = passage;
    batching->stat.waiting++;
    if (deadline_ns > batch->deadline_ns)
        batch->deadline_ns = deadline_ns;
    if (deadline_ns < batch->close_ns) {
        batch->close_ns = deadline_ns;
        LAM_ASSERT(pthread_cond_signal(&batch->closed) == 0); /* waits for less, now */
    }
    if (batch->count == batching->count_max)
        close_batch(batching, batch);
    return place;
}

static void wait_for_others(struct batching *batching, struct batch *batch)
{
    while (!batch->is_closed) {
        struct timespec until = {.tv_sec = (time_t)(batch->close_ns / LAM_NS_PER_S),
            .tv_nsec = (long)(batch->close_ns % LAM_NS_PER_S)};

        if (lam_clock_now_ns() >= batch->close_ns)
            close_batch(batching, batch);
        else
            (void)pthread_cond_clockwait(&batch->closed, &batching->lock, CLOCK_MONOTONIC, &until);
    }
}

/* ---- what becomes of them ---- */

static void run_batch(struct batch *batch, struct lam_passage *first)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->calls[i] = batch->members[i]->frame->call;
        batch->calls[i].arena.used = 0;
        batch->results[i] = LAM_LATER; /* and no place for it: what the module says nothing of */
    }
    batch->status = lam_call_enter_batch(first->generation, first->frame, batch->calls,
        batch->results, batch->count, batch->deadline_ns);
}

/* Its own result: by the thread of the call. */
static int settle(const struct batch *batch, uint32_t place, struct lam_passage *passage)
{
    struct lam_frame *frame = passage->frame;

    if (batch->status != 0)
        return lam_reply_fail(passage->reply, LAM_FAILURE_BUSY, 0, batch->status);
    frame->call.reply_bytes = batch->calls[place].reply_bytes;
    return lam_entry_settle(frame, passage->reply, batch->results[place]);
}

static void leave(struct batching *batching, struct batch *batch)
{
    if (--batch->left != 0)
        return;
    batch->next = batching->unused;
    batching->unused = batch;
}

/* The first call, when nobody comes any more. Returns how many they are. */
static uint32_t count_batch(struct batching *batching, struct batch *batch)
{
    batch->left = batch->count;
    if (batch->count == 1) {
        batching->stat.alone++;
        return 1;
    }
    batching->stat.batches++;
    batching->stat.calls += batch->count;
    if (batch->count > batching->stat.largest)
        batching->stat.largest = batch->count;
    return batch->count;
}

/* Under the lock: this call's place in a batch that is done, or -1: it goes alone. */
static int take_part(struct batching *batching, struct batch *batch, struct lam_passage *passage)
{
    uint32_t place = join(batching, batch, passage);

    if (place != 0) {
        while (!batch->is_done)
            (void)pthread_cond_wait(&batch->done, &batching->lock);
        return (int)place;
    }
    wait_for_others(batching, batch);
    if (count_batch(batching, batch) == 1) {
        leave(batching, batch);
        return -1;
    }
    LAM_ASSERT(pthread_mutex_unlock(&batching->lock) == 0);
    run_batch(batch, passage);
    LAM_ASSERT(pthread_mutex_lock(&batching->lock) == 0);
    batch->is_done = 1;
    LAM_ASSERT(pthread_cond_broadcast(&batch->done) == 0);
    return 0;
}

static int is_wanted(const struct batching *batching, const struct lam_passage *passage)
{
    if (passage->frame->outer != NULL)
        return 0;
    if (batching->methods.count == 0)
        return 1;
    return lam_method_set_has(&batching->methods, passage);
}

static struct batch *find(const struct batching *batching, const struct lam_passage *passage)
{
    struct batch *batch = batching->collecting;

    while (batch != NULL && (batch->generation != passage->generation ||
                                batch->method != passage->frame->call.method))
        batch = batch->next;
    return batch;
}

static int run_stage(void *state, struct lam_passage *passage)
{
    struct batching *batching = state;
    struct batch *batch;
    int place = -1, rc;

    if (!is_wanted(batching, passage))
        return lam_path_go_on(passage);
    LAM_ASSERT(pthread_mutex_lock(&batching->lock) == 0);
    batch = find(batching, passage);
    if (batch == NULL)
        batch = begin(batching, passage);
    if (batch != NULL) /* or there is no memory */
        place = take_part(batching, batch, passage);
    LAM_ASSERT(pthread_mutex_unlock(&batching->lock) == 0);
    if (place < 0)
        return lam_path_go_on(passage);
    rc = settle(batch, (uint32_t)place, passage);
    LAM_ASSERT(pthread_mutex_lock(&batching->lock) == 0);
    leave(batching, batch);
    LAM_ASSERT(pthread_mutex_unlock(&batching->lock) == 0);
    return rc;
}

const struct lam_stage_kind lam_stage_batch = {
    .name = "batch", .open = open_stage, .admit = admit, .run = run_stage, .close = close_stage};

/* ---- from outside ---- */

int lam_batch_look(struct lam_module *module, struct lam_batch_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    struct batching *batching = lam_path_find(path, &lam_stage_batch);

    memset(stat, 0, sizeof(*stat));
    if (batching != NULL) {
        LAM_ASSERT(pthread_mutex_lock(&batching->lock) == 0);
        *stat = batching->stat;
        LAM_ASSERT(pthread_mutex_unlock(&batching->lock) == 0);
    }
    lam_path_close(path);
    return batching != NULL ? 0 : -ENOENT;
}

int lam_batch_flush(struct lam_module *module)
{
    struct lam_path *path = lam_path_of(module);
    struct batching *batching = lam_path_find(path, &lam_stage_batch);

    if (batching != NULL) {
        LAM_ASSERT(pthread_mutex_lock(&batching->lock) == 0);
        while (batching->collecting != NULL)
            close_batch(batching, batching->collecting);
        LAM_ASSERT(pthread_mutex_unlock(&batching->lock) == 0);
    }
    lam_path_close(path);
    return batching != NULL ? 0 : -ENOENT;
}
