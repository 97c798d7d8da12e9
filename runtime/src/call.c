/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c: the way of one call.
 */
#include <errno.h>
#include <time.h>

#include "internal.h"
#include "path/path.h"
#include "pin.h"

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){
        .tv_sec = (time_t)(ns / LAM_NS_PER_S), .tv_nsec = (long)(ns % LAM_NS_PER_S)};
}

/* The module's state is being handed over: wait until calls may go on. Returns 0, or -ETIMEDOUT. */
static int wait_at_gate(struct lam_module *module, uint64_t deadline_ns)
{
    struct timespec deadline = timespec_of(deadline_ns);
    int rc = 0;

    LAM_ASSERT(pthread_mutex_lock(&module->gate) == 0);
    /* Relaxed: stored under the mutex. */
    while (
        rc == 0 && lam_load_relaxed(&module->current) == (uint64_t)(uintptr_t)&lam_generation_held)
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(&module->opened, &module->gate)
                 : pthread_cond_timedwait(&module->opened, &module->gate, &deadline);
    LAM_ASSERT(pthread_mutex_unlock(&module->gate) == 0);
    return -rc;
}

/* A call within a call of the same generation: that one cannot end before, so it goes in. */
static struct lam_generation *find_outer(const struct lam_seat *seat, struct lam_module *module)
{
    for (struct lam_frame *frame = seat->inner; frame != NULL; frame = frame->outer)
        if (frame->module == module)
            return frame->generation;
    return NULL;
}

/* As lam_pin(), and past the gate. Returns 0, or -ETIMEDOUT. */
static __attribute__((noinline)) int pin_behind_gate(struct lam_seat *seat,
    struct lam_module *module, uint64_t deadline_ns, struct lam_generation **generation)
{
    int rc = 0;

    for (;;) {
        lam_unpin(seat);
        *generation = find_outer(seat, module);
        if (*generation != NULL) {
            lam_store_relaxed(&seat->pins[seat->depth], (uint64_t)(uintptr_t)*generation);
            return 0;
        }
        rc = wait_at_gate(module, deadline_ns);
        if (rc != 0)
            return rc;
        *generation = lam_pin(seat, module);
        if ((void *)*generation != (void *)&lam_generation_held)
            return 0;
    }
}

/* A turn at a module that takes one call at a time. A call within its own call has it already. */
static int take_turn(struct lam_generation *generation, const struct lam_frame *frame,
    uint64_t deadline_ns, int *is_taken)
{
    struct timespec deadline = timespec_of(deadline_ns);
    int rc;

    *is_taken = 0;
    for (const struct lam_frame *outer = frame->outer; outer != NULL; outer = outer->outer)
        if (outer->generation == generation)
            return 0;
    rc = deadline_ns == LAM_DEADLINE_NEVER
             ? pthread_mutex_lock(&generation->turn)
             : pthread_mutex_clocklock(&generation->turn, CLOCK_MONOTONIC, &deadline);
    *is_taken = rc == 0;
    return -rc;
}

/* What is this call's own. */
static inline void fill(struct lam_frame *frame, struct lam_generation *generation,
    const char *caller, uint32_t method, const struct lam_module_reply *reply, uint64_t deadline_ns)
{
    const struct lam_runtime *runtime = frame->module->runtime;
    struct lam_call *call = &frame->call;

    call->bytes = sizeof(*call);
    call->method = method;
    call->host = runtime->host;
    call->state = generation->state;
    call->reply = reply->data;
    call->reply_capacity = reply->capacity;
    call->reply_bytes = 0;
    call->deadline_ns = deadline_ns;
    call->trace = (struct lam_trace){{0, 0}, 0, 0};
    call->caller = caller;
    call->depth = frame->seat->depth;
    call->depth_max = runtime->options.depth_max;
    call->pressure = 0;
    call->reserved = 0;
    call->arena = (struct lam_call_arena){frame->seat->arena, runtime->options.arena_bytes, 0};
    call->frame = frame;
    frame->later = NULL;
    frame->generation = generation;
    frame->place = NULL;
}

/* What a call has of the one that it is within: its trace, the rest of its arena, its deadline. */
static void inherit(struct lam_frame *frame)
{
    const struct lam_call *outer = &frame->outer->call;
    struct lam_call *call = &frame->call;
    uint64_t used = (outer->arena.used + 63) & ~UINT64_C(63);

    call->trace = outer->trace;
    if (outer->deadline_ns < call->deadline_ns)
        call->deadline_ns = outer->deadline_ns;
    if (used > outer->arena.bytes)
        used = outer->arena.bytes;
    call->arena.base = outer->arena.base + used;
    call->arena.bytes = outer->arena.bytes - used;
}

static int run_serially(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_module_reply *reply)
{
    int is_taken;
    int rc = take_turn(generation, frame, frame->call.deadline_ns, &is_taken);

    if (rc != 0)
        return lam_reply_fail(reply, LAM_FAILURE_BUSY, 0, rc);
    rc = generation->kind->call(generation, entry, frame, reply);
    if (is_taken)
        LAM_ASSERT(pthread_mutex_unlock(&generation->turn) == 0);
    return rc;
}

int lam_call_enter_batch(struct lam_generation *generation, struct lam_frame *frame,
    struct lam_call *calls, int32_t *results, uint32_t count, uint64_t deadline_ns)
{
    int is_taken = 0;
    int rc = generation->is_serial ? take_turn(generation, frame, deadline_ns, &is_taken) : 0;

    if (rc != 0)
        return rc;
    generation->descriptor->batch(calls, results, count);
    if (is_taken)
        LAM_ASSERT(pthread_mutex_unlock(&generation->turn) == 0);
    return 0;
}

int lam_call_enter(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_module_reply *reply)
{
    return generation->is_serial ? run_serially(generation, entry, frame, reply)
                                 : generation->kind->call(generation, entry, frame, reply);
}

/* Inside @generation. */
static inline int run_inside(struct lam_generation *generation, const char *caller, uint32_t method,
    struct lam_frame *frame, struct lam_module_reply *reply, uint64_t deadline_ns)
{
    const struct lam_method *entry = lam_generation_serve(generation, method);
    struct lam_seat *seat = frame->seat;
    int rc;

    if (__builtin_expect(entry == NULL, 0))
        return lam_reply_fail(reply, LAM_FAILURE_NO_METHOD, (int32_t)method, -ENOENT);
    fill(frame, generation, caller, method, reply, deadline_ns);
    if (frame->outer != NULL)
        inherit(frame);
    else if (__builtin_expect(seat->above != NULL, 0))
        frame->call.trace = *seat->above;
    seat->depth++;
    seat->inner = frame;
    reply->failure = LAM_FAILURE_NONE;
    reply->detail = 0;
    if (__builtin_expect(generation->path != NULL, 0))
        rc = lam_path_run(generation->path, generation, entry, frame, reply);
    else if (__builtin_expect(generation->is_serial, 0))
        rc = run_serially(generation, entry, frame, reply);
    else
        rc = generation->kind->call(generation, entry, frame, reply);
    seat->inner = frame->outer;
    seat->depth--;
    return rc;
}

int lam_call_run(struct lam_module *module, const char *caller, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns)
{
    struct lam_seat *seat = lam_seat_mine();
    struct lam_generation *generation;
    struct lam_frame frame;
    int rc = 0;

    if (__builtin_expect(seat == NULL, 0))
        return lam_reply_fail(reply, LAM_FAILURE_NO_THREAD, 0, -EUSERS);
    if (__builtin_expect(seat->depth >= module->runtime->options.depth_max, 0))
        return lam_reply_fail(
            reply, LAM_FAILURE_TOO_DEEP, (int32_t)module->runtime->options.depth_max, -ELOOP);
    frame.module = module;
    frame.seat = seat;
    frame.outer = seat->inner;
    frame.call.request = request;
    frame.call.request_bytes = request_bytes;
    frame.has_default_deadline = 0;
    if (deadline_ns == LAM_DEADLINE_NEVER && frame.outer == NULL &&
        module->runtime->options.call_ns != 0) {
        frame.has_default_deadline = 1;
        deadline_ns = lam_deadline_after_ns(module->runtime->options.call_ns);
    }
    generation = lam_pin(seat, module);
    if (__builtin_expect((void *)generation == (void *)&lam_generation_held, 0))
        rc = pin_behind_gate(seat, module, deadline_ns, &generation);
    if (__builtin_expect(rc != 0, 0))
        rc = lam_reply_fail(reply, LAM_FAILURE_BUSY, 0, rc);
    else if (__builtin_expect(generation == NULL, 0))
        rc = lam_reply_fail(reply, LAM_FAILURE_NO_MODULE, 0, -ENODEV);
    else
        rc = run_inside(generation, caller, method, &frame, reply, deadline_ns);
    lam_unpin(seat);
    return rc;
}

int lam_call_detour(
    struct lam_module *module, struct lam_frame *from, struct lam_module_reply *reply, int *rc)
{
    struct lam_seat *seat = from->seat;
    lam_atomic_u64 *place = &seat->pins[SEAT_DETOUR + seat->depth - 1];
    struct lam_generation *generation;
    struct lam_frame frame;

    if (lam_load_relaxed(place) != 0) /* relaxed: this thread's own */
        return 0;
    frame.module = module;
    frame.seat = seat;
    frame.outer = from;
    frame.call.request = from->call.request;
    frame.call.request_bytes = from->call.request_bytes;
    frame.has_default_deadline = from->has_default_deadline;
    generation = lam_pin_at(place, module);
    if (generation == NULL || (void *)generation == (void *)&lam_generation_held) {
        lam_store_release(place, 0); /* R2 */
        return 0;
    }
    seat->depth--; /* it is there that this one is */
    *rc = run_inside(
        generation, from->call.caller, from->call.method, &frame, reply, from->call.deadline_ns);
    seat->depth++;
    seat->inner = from;
    lam_store_release(place, 0); /* R2, pairs with S2 in lam_seat_count_pins() */
    return 1;
}

int lam_call_run_below(const struct lam_trace *above, struct lam_module *module, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns)
{
    struct lam_seat *seat = lam_seat_mine();
    int rc;

    if (seat != NULL)
        seat->above = above;
    rc = lam_call_run(module, "", method, request, request_bytes, reply, deadline_ns);
    if (seat != NULL)
        seat->above = NULL;
    return rc;
}

int lam_module_call(struct lam_module *module, uint32_t method, const void *request,
    uint64_t request_bytes, struct lam_module_reply *reply, uint64_t deadline_ns)
{
    return lam_call_run(module, "", method, request, request_bytes, reply, deadline_ns);
}
