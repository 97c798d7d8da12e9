/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads as coroutines of one thread of the machine: who goes on, who waits, and the loop over all
 * schedules.
 */
#include "engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define __asan_unpoison_memory_region(memory, bytes) ((void)0)
#endif

#define STACK_BYTES 131072

/* While all others wait, time passes: longer than any interval at which somebody looks again. */
#define PAUSE_NS UINT64_C(1000000000)

struct model_engine model_engine;

static ucontext_t contexts[MODEL_ACTOR_COUNT];
static ucontext_t loop_context;
static uint8_t stacks[MODEL_ACTOR_COUNT][STACK_BYTES] __attribute__((aligned(64)));
static int is_begun[MODEL_ACTOR_COUNT];

uint32_t model_self(void)
{
    return model_engine.self;
}

int model_is_dead(uint32_t index)
{
    return (int)model_engine.actors[index].dead;
}

/* --- failures --- */

void model_leave(void)
{
    model_engine.over = 1;
    (void)setcontext(&loop_context);
    __builtin_unreachable();
}

void model_skip(void)
{
    model_leave();
}

static void report(void)
{
    if (model_engine.options->quiet)
        return;
    (void)fprintf(stderr, "%s: schedule %llu: %s\n", model_engine.program->name,
        (unsigned long long)model_engine.result->schedules, model_engine.result->text);
    model_trace_print();
    if (model_engine.options->search == MODEL_RANDOM)
        (void)fprintf(stderr, "seed: %llu\n", (unsigned long long)model_engine.options->seed);
}

void model_fail(const char *format, ...)
{
    struct model_result *result = model_engine.result;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(result->text, sizeof(result->text), format, arguments);
    va_end(arguments);
    result->failed = 1;
    report();
    model_leave();
}

void model_assert_failed(const char *file, int line, const char *condition)
{
    if (model_engine.running)
        model_fail("%s:%d: assertion failed: %s", file, line, condition);
    (void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}

/* --- who goes on --- */

static _Noreturn void finish(void)
{
    (void)setcontext(&loop_context);
    __builtin_unreachable();
}

static int choose_next(void);

/* The first choice, by nobody: whoever is first preempts nobody. */
static void begin(void)
{
    int next = choose_next();

    model_engine.begins = 0;
    if (next >= 0) {
        model_engine.self = (uint32_t)next;
        (void)setcontext(&contexts[next]);
    }
}

static void body(void)
{
    uint32_t self = model_engine.self;

    if (self == MODEL_FINALLY) {
        if (model_engine.begins)
            begin();
        else
            model_engine.program->finally();
        finish();
    }
    model_engine.program->threads[self]();
    model_block(MODEL_ENDED);
    __builtin_unreachable();
}

static int is_ready(const struct model_actor *actor)
{
    return actor->wait == MODEL_READY ||
           (actor->wait == MODEL_PAUSED &&
               actor->stores_seen + actor->stores_own != model_engine.stores);
}

/* Two that wait and store wake each other: a third that is ready goes on all the same. */
static uint32_t ready_threads(void)
{
    uint32_t ready = 0;
    uint32_t passed_over = 0;

    for (uint32_t i = 0; i < model_engine.program->thread_count; i++) {
        const struct model_actor *actor = &model_engine.actors[i];

        if (!is_ready(actor))
            continue;
        ready |= 1U << i;
        if (actor->passed_over > MODEL_LOOKS_BEFORE)
            passed_over |= 1U << i;
    }
    return passed_over != 0 ? passed_over : ready;
}

static void pass_over_others(void)
{
    for (uint32_t i = 0; i < model_engine.program->thread_count; i++) {
        if (i != model_engine.self && is_ready(&model_engine.actors[i]))
            model_engine.actors[i].passed_over++;
    }
}

/*
 * Nobody is ready. Who pauses sees by and by what was stored; who sleeps wakes at its deadline,
 * where the program lets it. Otherwise some bell was not rung. Returns who is ready now.
 */
static uint32_t settle(void)
{
    struct model_actor *first = NULL;
    uint32_t ended = 0;

    for (uint32_t i = 0; i < model_engine.program->thread_count; i++) {
        struct model_actor *actor = &model_engine.actors[i];

        if (actor->wait == MODEL_PAUSED && actor->refreshed_at != model_engine.stores + 1) {
            actor->refreshed_at = model_engine.stores + 1;
            model_refresh(actor);
            actor->now_ns += PAUSE_NS;
            actor->wait = MODEL_READY;
        }
        if (actor->wait == MODEL_ASLEEP && actor->deadline_ns != UINT64_MAX &&
            (first == NULL || actor->deadline_ns < first->deadline_ns))
            first = actor;
        ended += actor->wait == MODEL_ENDED;
    }
    if (ready_threads() == 0 && first != NULL && model_engine.program->timeouts) {
        first->now_ns = first->deadline_ns;
        first->wait = MODEL_READY;
        model_refresh(first);
    }
    if (ready_threads() == 0 && ended != model_engine.program->thread_count)
        model_fail("nobody can go on: somebody sleeps, or looks for what does not come");
    return ready_threads();
}

/* Who goes on, or -1: all have ended. */
static int choose_next(void)
{
    uint32_t ready = ready_threads();
    uint32_t self = model_engine.self;
    int next;

    if (ready == 0)
        ready = settle();
    if (ready == 0)
        return -1;
    model_engine.may_stay = (ready >> self & 1) && model_engine.actors[self].wait == MODEL_READY;
    if ((ready & (ready - 1)) == 0 && !(model_engine.sleep_set & ready)) {
        next = __builtin_ctz(ready);
    } else {
        next = model_choose_actor(ready);
        if (next < 0)
            model_leave(); /* an equal schedule was tried */
    }
    if (model_engine.actors[next].passed_over > MODEL_LOOKS_BEFORE)
        model_prefer((uint32_t)next);
    if (model_engine.may_stay && (uint32_t)next != self)
        model_engine.deviations++;
    return next;
}

static void wake_sleep_set(void)
{
    const struct model_actor *me = model_me();

    for (uint32_t set = model_engine.sleep_set; set != 0; set &= set - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(set);

        if (i == model_engine.self || !model_commute(me, &model_engine.actors[i]))
            model_engine.sleep_set &= ~(1U << i);
    }
}

/* Let others go; comes back when it is this thread's turn. */
static void give_way(void)
{
    uint32_t self = model_engine.self;
    int next;

    if (is_begun[self] == 1) {
        /* The way to the first step is nobody's business: all begin there. */
        is_begun[self] = 2;
        (void)swapcontext(&contexts[self], &loop_context);
    } else {
        next = choose_next();
        if (next < 0)
            finish();
        if ((uint32_t)next != self) {
            model_engine.self = (uint32_t)next;
            (void)swapcontext(&contexts[self], &contexts[next]);
        }
    }
    model_me()->passed_over = 0;
    wake_sleep_set();
}

static void die(void)
{
    (void)model_trace(MODEL_SITE("death", MODEL_RELAXED), "dies", NULL, 0, 0);
    model_engine.killed = 1;
    model_me()->dead = 1;
    model_drop_locks_of_dead(model_engine.self);
    model_engine.stores++;
    model_block(MODEL_ENDED);
}

void model_step(enum model_kind kind, struct model_location *location)
{
    struct model_actor *actor = model_me();

    if (model_engine.in_kernel || (location != NULL && !model_is_shared(location)))
        return;
    actor->kind = kind;
    actor->location = location;
    give_way();
    if ((model_engine.program->mortal >> model_engine.self & 1) && !model_engine.killed &&
        model_choose_death())
        die();
}

void model_block(enum model_wait wait)
{
    struct model_actor *actor = model_me();

    actor->wait = wait;
    actor->kind = wait == MODEL_PAUSED ? MODEL_NOTHING : MODEL_KERNEL;
    actor->location = NULL;
    if (wait == MODEL_PAUSED)
        pass_over_others();
    give_way();
    actor->wait = MODEL_READY;
    actor->stores_seen = model_engine.stores;
    actor->stores_own = 0;
}

void model_pause(void)
{
    if (model_engine.running && model_engine.self != MODEL_FINALLY)
        model_block(MODEL_PAUSED);
}

/* Run the coroutine @index until one of them comes back. */
static void enter(uint32_t index)
{
    model_engine.self = index;
    (void)swapcontext(&loop_context, &contexts[index]);
}

static void make_ready(uint32_t index)
{
    (void)getcontext(&contexts[index]);
    /* A schedule that was left in the middle leaves frames there. */
    __asan_unpoison_memory_region(stacks[index], STACK_BYTES);
    contexts[index].uc_stack.ss_sp = stacks[index];
    contexts[index].uc_stack.ss_size = STACK_BYTES;
    contexts[index].uc_link = NULL;
    makecontext(&contexts[index], body, 0);
    is_begun[index] = 1;
    model_engine.actors[index].now_ns = 1;
}

static void run_finally(void)
{
    struct model_actor *last = &model_engine.actors[MODEL_FINALLY];

    make_ready(MODEL_FINALLY);
    for (uint32_t i = 0; i < model_engine.program->thread_count; i++)
        model_learn(last, &model_engine.actors[i].now);
    model_refresh(last);
    enter(MODEL_FINALLY);
}

void model_run_schedule(void)
{
    uint32_t count = model_engine.program->thread_count;

    for (uint32_t i = 0; i < count && !model_engine.over; i++) {
        make_ready(i);
        enter(i);
    }
    if (model_engine.over)
        return;
    model_engine.begins = 1;
    make_ready(MODEL_FINALLY);
    enter(MODEL_FINALLY);
    if (!model_engine.over && model_engine.program->finally != NULL)
        run_finally();
}
