/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/workload.h"

static const struct {
    const char *name;
    uint32_t weight;
} acts[WORKLOAD_ACTS] = {
    [WORKLOAD_EVENT] = {"event", 300},
    [WORKLOAD_PIPELINE] = {"pipeline", 80},
    [WORKLOAD_FLOOD] = {"flood", 8},
    [WORKLOAD_QUERY] = {"query", 120},
    [WORKLOAD_REPEAT] = {"repeat", 60},
    [WORKLOAD_STALE] = {"stale", 10},
    [WORKLOAD_FAR] = {"far", 10},
    [WORKLOAD_OVERSIZED] = {"oversized", 4},
    [WORKLOAD_NONSENSE] = {"nonsense", 10},
    [WORKLOAD_CUT] = {"cut", 20},
    [WORKLOAD_DEAF] = {"deaf", 6},
    [WORKLOAD_BYE] = {"bye", 3},
    [WORKLOAD_GARBAGE] = {"garbage", 0},
};

void workload_begin(struct workload *workload, uint64_t seed)
{
    static const uint64_t gaps[] = {UINT64_C(200000), UINT64_C(5000000), UINT64_C(400000000)};

    *workload = (struct workload){.random = {seed}};
    for (int i = 0; i < WORKLOAD_ACTS; i++) {
        /* As it is, ten times, or, but for what there has to be, not at all. */
        uint64_t kind = random_below(&workload->random, 6);
        uint32_t factor = kind == 0 ? 10 : kind == 1 && i != WORKLOAD_EVENT ? 0 : 1;

        workload->weights[i] = acts[i].weight * factor;
        workload->total += workload->weights[i];
    }
    workload->gap_ns = gaps[random_below(&workload->random, 3)];
    workload->quiet_ns = UINT64_C(1000000000) * (1 + random_below(&workload->random, 40));
    workload->padding = random_once_in(&workload->random, 3) ? 470 : 24;
    workload->pipeline_max = 2 + (uint32_t)random_below(&workload->random, 24);
}

enum workload_act workload_next(struct workload *workload, struct workload_histogram *histogram)
{
    uint64_t at = random_below(&workload->random, workload->total);
    int act = 0;

    while (at >= workload->weights[act])
        at -= workload->weights[act++];
    histogram->acts[act]++;
    return (enum workload_act)act;
}

struct model_op workload_op(struct workload *workload, int is_query, uint64_t id)
{
    struct random *random = &workload->random;

    return (struct model_op){.id = id,
        .verb = is_query ? MODEL_GET : MODEL_ADD + (uint32_t)random_below(random, 4),
        /* Ticks count where nobody else writes, or no SET would ever be told from a tick. */
        .key = is_query ? (uint32_t)random_below(random, MODEL_KEYS)
                        : 1 + (uint32_t)random_below(random, MODEL_KEYS - 1),
        .a = (int64_t)random_below(random, random_once_in(random, 3) ? 1000 : 6),
        .b = (int64_t)random_below(random, 6)};
}

unsigned workload_bucket(uint64_t value)
{
    unsigned bucket = 0;

    while (value != 0 && bucket < 9) {
        value >>= 1;
        bucket++;
    }
    return bucket;
}

void workload_print(const struct workload_histogram *histogram, FILE *out)
{
    static const char *const verbs[MODEL_VERBS] = {NULL, "add", "set", "swap", "take", "get"};

    (void)fprintf(out, "acts:");
    for (int i = 0; i < WORKLOAD_ACTS; i++)
        (void)fprintf(out, " %s %llu", acts[i].name, (unsigned long long)histogram->acts[i]);
    (void)fprintf(out, "\nverbs:");
    for (int i = MODEL_ADD; i < MODEL_VERBS; i++)
        (void)fprintf(out, " %s %llu", verbs[i], (unsigned long long)histogram->verbs[i]);
    (void)fprintf(out, "\nbytes below 2^n:");
    for (int i = 0; i < 10; i++)
        (void)fprintf(out, " %llu", (unsigned long long)histogram->bytes[i]);
    (void)fprintf(out, "\nunder way below 2^n:");
    for (int i = 0; i < 10; i++)
        (void)fprintf(out, " %llu", (unsigned long long)histogram->depths[i]);
    (void)fprintf(out, "\n");
}
