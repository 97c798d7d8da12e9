/* SPDX-License-Identifier: Apache-2.0 */
#include "path/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/path.h"

struct lam_tracing {
    struct lam_trace_options options;
    pthread_mutex_t lock;
    /* Guarded by it: the spans from first on, of which count are there. */
    struct lam_span *ring;
    uint32_t first, count;
    uint64_t lost;
};

_Static_assert(sizeof(struct lam_span) == 200, "as trace.h says");

int lam_tracing_open(
    struct lam_tracing **tracing, const struct lam_trace_options *options, struct lam_error *error)
{
    struct lam_tracing *made;

    *tracing = NULL;
    if (options == NULL)
        return 0;
    if (options->sink == NULL && options->ring_spans == 0)
        return lam_error_set(error, -EINVAL,
            "trace has neither sink nor ring_spans: nobody would see what is traced");
    if (options->ring_spans > LAM_TRACE_RING_MAX ||
        (options->ring_spans & (options->ring_spans - 1)) != 0)
        return lam_error_set(error, -EINVAL,
            "trace.ring_spans is %u: it has to be a power of two up to %d", options->ring_spans,
            LAM_TRACE_RING_MAX);
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a trace");
    made->options = *options;
    LAM_ASSERT(pthread_mutex_init(&made->lock, NULL) == 0);
    if (options->ring_spans != 0) {
        made->ring = calloc(options->ring_spans, sizeof(*made->ring));
        if (made->ring == NULL) {
            lam_tracing_close(made);
            return lam_error_set(error, -ENOMEM, "out of memory for %u spans", options->ring_spans);
        }
    }
    *tracing = made;
    return 0;
}

void lam_tracing_close(struct lam_tracing *tracing)
{
    if (tracing == NULL)
        return;
    (void)pthread_mutex_destroy(&tracing->lock);
    free(tracing->ring);
    free(tracing);
}

/* A number that no other thread has, in this process or another, but by a chance of 2^-64. */
static uint64_t draw(void)
{
    static _Thread_local uint64_t state;
    uint64_t mixed;

    if (state == 0)
        state = lam_clock_now_ns() ^ (uint64_t)(uintptr_t)&state << 20;
    do {
        state += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
        mixed ^= mixed >> 31;
    } while (mixed == 0);
    return mixed;
}

/* This call's place in a trace. Returns 0 where it is in none. */
static int take_place(const struct lam_tracing *tracing, struct lam_frame *frame)
{
    struct lam_trace *trace = &frame->call.trace;

    if (frame->outer == NULL && frame->seat->above == NULL) {
        if (tracing->options.sample_every > 1 && draw() % tracing->options.sample_every != 0)
            return 0;
        trace->id[0] = draw();
        trace->id[1] = draw();
        trace->span = 0;
    } else if (trace->id[0] == 0 && trace->id[1] == 0) {
        return 0;
    }
    trace->parent = trace->span;
    trace->span = draw();
    return 1;
}

static void keep(struct lam_tracing *tracing, const struct lam_span *span)
{
    uint32_t size = tracing->options.ring_spans;

    LAM_ASSERT(pthread_mutex_lock(&tracing->lock) == 0);
    tracing->ring[(tracing->first + tracing->count) & (size - 1)] = *span;
    if (tracing->count < size) {
        tracing->count++;
    } else {
        tracing->first = (tracing->first + 1) & (size - 1);
        tracing->lost++;
    }
    LAM_ASSERT(pthread_mutex_unlock(&tracing->lock) == 0);
}

static void tell(
    struct lam_tracing *tracing, const struct lam_passage *passage, uint64_t start_ns, int rc)
{
    const struct lam_call *call = &passage->frame->call;
    struct lam_span span = {.id = {call->trace.id[0], call->trace.id[1]},
        .span = call->trace.span,
        .parent = call->trace.parent,
        .start_ns = start_ns,
        .duration_ns = lam_clock_now_ns() - start_ns,
        .generation = passage->generation->number,
        .rc = rc,
        .failure = passage->reply->failure,
        .method = call->method,
        .depth = call->depth};

    /* Names that were checked. */
    memcpy(span.module, passage->frame->module->name, sizeof(span.module));
    memcpy(span.method_name, passage->method->name, strlen(passage->method->name));
    if (tracing->options.sink != NULL)
        tracing->options.sink(tracing->options.context, &span);
    if (tracing->ring != NULL)
        keep(tracing, &span);
}

static int open_stage(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    (void)options;
    (void)error;
    *state = module->runtime->tracing;
    return *state != NULL;
}

static int run_stage(void *state, struct lam_passage *passage)
{
    struct lam_trace place;
    uint64_t start_ns;
    int rc;

    if (!take_place(state, passage->frame))
        return lam_path_go_on(passage);
    place = passage->frame->call.trace;
    start_ns = lam_clock_now_ns();
    rc = lam_path_go_on(passage);
    passage->frame->call.trace = place; /* the module may have written there */
    tell(state, passage, start_ns, rc);
    return rc;
}

const struct lam_stage_kind lam_stage_trace = {
    .name = "trace", .open = open_stage, .run = run_stage};

uint32_t lam_trace_read(
    struct lam_runtime *runtime, struct lam_span *spans, uint32_t capacity, uint64_t *lost)
{
    struct lam_tracing *tracing = runtime->tracing;
    uint32_t taken = 0;

    if (lost != NULL)
        *lost = 0;
    if (tracing == NULL || tracing->ring == NULL)
        return 0;
    LAM_ASSERT(pthread_mutex_lock(&tracing->lock) == 0);
    for (; taken < capacity && tracing->count > 0; taken++, tracing->count--) {
        spans[taken] = tracing->ring[tracing->first];
        tracing->first = (tracing->first + 1) & (tracing->options.ring_spans - 1);
    }
    if (lost != NULL) {
        *lost = tracing->lost;
        tracing->lost = 0;
    }
    LAM_ASSERT(pthread_mutex_unlock(&tracing->lock) == 0);
    return taken;
}
