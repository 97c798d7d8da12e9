/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/path.h"

int lam_usage_open(struct lam_generation *generation)
{
    generation->usage = calloc(LAM_RUNTIME_THREADS_MAX, sizeof(*generation->usage));
    return generation->usage == NULL ? -ENOMEM : 0;
}

void lam_usage_begin(struct lam_generation *generation)
{
    struct lam_module *module = generation->module;

    LAM_ASSERT(pthread_mutex_lock(&module->counted) == 0);
    generation->next_counted = module->generations_counted;
    module->generations_counted = generation;
    LAM_ASSERT(pthread_mutex_unlock(&module->counted) == 0);
}

static struct lam_usage_method *block_at(const struct lam_generation *generation, uint32_t seat)
{
    /* U2, pairs with U1 in make_block(): the block is all zeros or counts. */
    return (struct lam_usage_method *)(uintptr_t)lam_load_acquire(&generation->usage[seat]);
}

/* The thread's own counters: nobody else writes them. */
static void add(lam_atomic_u64 *counter, uint64_t value)
{
    /* Relaxed, both: one writer, and each stands for itself. */
    lam_store_relaxed(counter, lam_load_relaxed(counter) + value);
}

static uint32_t bucket_of(uint64_t duration_ns)
{
    uint32_t bucket = duration_ns <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(duration_ns - 1);

    return bucket < USAGE_BUCKETS ? bucket : USAGE_BUCKETS - 1;
}

static __attribute__((noinline)) struct lam_usage_method *make_block(
    struct lam_generation *generation, uint32_t seat)
{
    struct lam_usage_method *block = calloc(generation->mask + 1, sizeof(*block));

    if (block != NULL)
        lam_store_release(&generation->usage[seat], (uint64_t)(uintptr_t)block); /* U1 */
    return block;
}

static void note(struct lam_generation *generation, const struct lam_method *entry, int rc,
    uint32_t failure, uint64_t duration_ns)
{
    uint32_t seat = lam_seat_index(lam_seat_own);
    struct lam_usage_method *block = block_at(generation, seat), *method;

    if (__builtin_expect(block == NULL, 0))
        block = make_block(generation, seat);
    if (block == NULL)
        return;
    method = &block[entry - generation->methods];
    add(&method->failures, rc < 0 && rc != -ENOSPC);
    add(&method->timeouts, failure == LAM_FAILURE_DEADLINE);
    add(&method->crashes, failure == LAM_FAILURE_CRASHED || failure == LAM_FAILURE_EXITED);
    add(&method->total_ns, duration_ns);
    add(&method->buckets[bucket_of(duration_ns)], 1);
}

static int open_stage(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    (void)error;
    *state = module;
    return options->counts_calls != 0;
}

/* Timed and counted, however it ends. */
static int run_stage(void *state, struct lam_passage *passage)
{
    uint64_t started_ns = lam_clock_now_ns();
    int rc = lam_path_go_on(passage);

    (void)state;
    note(passage->generation, passage->method, rc, passage->reply->failure,
        lam_clock_now_ns() - started_ns);
    return rc;
}

const struct lam_stage_kind lam_stage_usage = {
    .name = "counts_calls", .open = open_stage, .run = run_stage};

/* ---- reading ---- */

static void sum_up(
    const struct lam_generation *generation, uint32_t place, struct lam_usage_sum *sum)
{
    for (uint32_t seat = 0; seat < LAM_RUNTIME_THREADS_MAX; seat++) {
        const struct lam_usage_method *block = block_at(generation, seat);

        if (block == NULL)
            continue;
        /* Relaxed: counts that move are from between before and now. Calls are what their buckets
         * say, so that the two never differ. */
        sum->failures += lam_load_relaxed(&block[place].failures);
        sum->timeouts += lam_load_relaxed(&block[place].timeouts);
        sum->crashes += lam_load_relaxed(&block[place].crashes);
        sum->total_ns += lam_load_relaxed(&block[place].total_ns);
        for (uint32_t i = 0; i < USAGE_BUCKETS; i++) {
            uint64_t count = lam_load_relaxed(&block[place].buckets[i]);

            sum->buckets[i] += count;
            sum->calls += count;
        }
    }
}

static void merge(struct lam_usage_sum *into, const struct lam_usage_sum *from)
{
    into->calls += from->calls;
    into->failures += from->failures;
    into->timeouts += from->timeouts;
    into->crashes += from->crashes;
    into->total_ns += from->total_ns;
    for (uint32_t i = 0; i < USAGE_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

static struct lam_usage_past *find_past(
    struct lam_usage_past *past, const struct lam_version *version, const char *method)
{
    while (past != NULL && (memcmp(&past->version, version, sizeof(*version)) != 0 ||
                               strcmp(past->method, method) != 0))
        past = past->next;
    return past;
}

static void keep(struct lam_module *module, const struct lam_version *version, const char *method,
    const struct lam_usage_sum *sum)
{
    struct lam_usage_past *past = find_past(module->usage_past, version, method);

    if (past == NULL) {
        past = calloc(1, sizeof(*past));
        if (past == NULL)
            return; /* what it counted is lost, and nothing else */
        past->version = *version;
        memcpy(past->method, method, strlen(method)); /* a method's name, which was checked */
        past->next = module->usage_past;
        module->usage_past = past;
    }
    merge(&past->sum, sum);
}

static void unlink_counted(struct lam_generation *generation)
{
    struct lam_generation **at = &generation->module->generations_counted;

    while (*at != NULL && *at != generation)
        at = &(*at)->next_counted;
    if (*at != NULL)
        *at = generation->next_counted;
}

void lam_usage_close(struct lam_generation *generation)
{
    struct lam_module *module = generation->module;

    if (generation->usage == NULL)
        return;
    if (module != NULL) {
        LAM_ASSERT(pthread_mutex_lock(&module->counted) == 0);
        unlink_counted(generation);
        for (uint32_t place = 0; place <= generation->mask; place++) {
            struct lam_usage_sum sum = {.calls = 0};

            sum_up(generation, place, &sum);
            if (sum.calls != 0)
                keep(module, &generation->version, generation->methods[place].name, &sum);
        }
        LAM_ASSERT(pthread_mutex_unlock(&module->counted) == 0);
    }
    for (uint32_t seat = 0; seat < LAM_RUNTIME_THREADS_MAX; seat++)
        free(block_at(generation, seat));
    free(generation->usage);
}

void lam_usage_forget(struct lam_module *module)
{
    while (module->usage_past != NULL) {
        struct lam_usage_past *past = module->usage_past;

        module->usage_past = past->next;
        free(past);
    }
}

/* @generation's own counts, those of other generations of its version, and what is past. */
static void visit_method(struct lam_module *module, const struct lam_generation *generation,
    uint32_t place, lam_usage_visit_fn visit, void *context)
{
    const char *name = generation->methods[place].name;
    const struct lam_usage_past *past = find_past(module->usage_past, &generation->version, name);
    struct lam_usage_sum sum = {.calls = 0};

    for (const struct lam_generation *other = module->generations_counted; other != NULL;
         other = other->next_counted) {
        const struct lam_method *same = lam_generation_find(other, generation->methods[place].id);

        if (same == NULL ||
            memcmp(&other->version, &generation->version, sizeof(other->version)) != 0)
            continue;
        if (other->number > generation->number)
            return; /* told with the newest of its version */
        sum_up(other, (uint32_t)(same - other->methods), &sum);
    }
    if (past != NULL)
        merge(&sum, &past->sum);
    if (sum.calls != 0)
        visit(context, &generation->version, name, &sum);
}

static int is_alive(
    const struct lam_module *module, const struct lam_version *version, const char *method)
{
    for (const struct lam_generation *one = module->generations_counted; one != NULL;
         one = one->next_counted)
        if (memcmp(&one->version, version, sizeof(*version)) == 0 &&
            lam_generation_find(one, lam_method_id(method)) != NULL)
            return 1;
    return 0;
}

void lam_usage_visit(struct lam_module *module, lam_usage_visit_fn visit, void *context)
{
    LAM_ASSERT(pthread_mutex_lock(&module->counted) == 0);
    for (const struct lam_generation *one = module->generations_counted; one != NULL;
         one = one->next_counted)
        for (uint32_t place = 0; place <= one->mask; place++)
            if (one->methods[place].call != NULL)
                visit_method(module, one, place, visit, context);
    for (const struct lam_usage_past *past = module->usage_past; past != NULL; past = past->next)
        if (!is_alive(module, &past->version, past->method))
            visit(context, &past->version, past->method, &past->sum);
    LAM_ASSERT(pthread_mutex_unlock(&module->counted) == 0);
}
