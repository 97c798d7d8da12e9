/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenarios of the ring, in the checker: each is tried in all schedules within its bounds, and
 * then at random. ../README.md lists them.
 *
 *     model_ring              all of them
 *     model_ring NAME         those whose name holds it
 *     model_ring --weak       each must fail without the orders that it names (--weak NAME: some)
 *     model_ring --orders     which orders are needed, by any of them: a table
 */
#include "scenario.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* For each of many mutants, and where all is slower, a part of the schedules has to do. */
#ifndef MODEL_SHARE
#ifdef __SANITIZE_ADDRESS__
#define MODEL_SHARE 4
#else
#define MODEL_SHARE 1
#endif
#endif

#define RANDOM_SCHEDULES 6000
#define QUICK_SCHEDULES  8000 /* of a scenario without a bound, where a part has to do */
#define SITE_COUNT_MAX   512

#ifndef MODEL_TABLES
#define MODEL_TABLES                                                                               \
    scenarios_publish, scenarios_room, scenarios_lossy, scenarios_sleep, scenarios_join,           \
        scenarios_death, scenarios_required, scenarios_many, scenarios_repair, scenarios_after,    \
        scenarios_group
#endif

static const struct scenario *const tables[] = {MODEL_TABLES};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

/* A quarter of what is asked for: at 10 all scenarios take a few minutes of one CPU as it is. */
static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    uint64_t factor = text == NULL ? 1 : strtoull(text, NULL, 10);

    return 1 + factor / 4;
}

/* Of this processor's time: others may be busy beside us. */
static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int try(const struct scenario *scenario, const struct model_options *options,
    struct model_result *result)
{
    struct model_program program = scenario->program;

    program.describe = world_describe;
    return model_run(&program, options, result);
}

/* All schedules; where there is a bound on deviations, first those with few. */
static int try_all(
    const struct scenario *scenario, struct model_options options, struct model_result *result)
{
    options.search = MODEL_ALL;
    options.schedules_max = scenario->schedules_max * effort() / MODEL_SHARE;
    if (options.schedules_max == 0 && MODEL_SHARE > 1)
        options.schedules_max = QUICK_SCHEDULES;
    for (uint32_t bound = scenario->deviations != 0; bound <= scenario->deviations; bound++) {
        options.deviations = bound;
        if (try(scenario, &options, result) != 0)
            return 1;
    }
    return 0;
}

static int try_random(const struct scenario *scenario, struct model_options options, uint64_t seed,
    struct model_result *result)
{
    options.search = MODEL_RANDOM;
    options.seed = seed;
    options.schedules_max = RANDOM_SCHEDULES * effort() / MODEL_SHARE;
    return try(scenario, &options, result);
}

/* Returns 1 where it fails. */
static int run(const struct scenario *scenario)
{
    const struct model_options loud = {.quiet = 0};
    struct model_result all, random;
    double begin = seconds();
    int failed = 0;

    model_forget_marks();
    if (try_all(scenario, loud, &all) != 0 || try_random(scenario, loud, 1, &random) != 0)
        return 1;
    (void)printf("%-52s %7llu", scenario->program.name, (unsigned long long)all.schedules);
    if (scenario->deviations == 0)
        (void)printf(all.complete ? " (all)" : " (some)");
    else
        (void)printf(all.complete ? " (all with %u deviations)" : " (some with %u deviations)",
            scenario->deviations);
    (void)printf(" and %llu random schedules, %.1f s\n", (unsigned long long)random.schedules,
        seconds() - begin);
    for (uint32_t mark = 0; mark < scenario->marks; mark++) {
        if (model_marks(mark) == 0) {
            (void)printf("%s: never came to its mark %u\n", scenario->program.name, mark);
            failed = 1;
        }
    }
    return failed;
}

/* What did not fit into the checker shows nothing. */
static int is_killed(int failed, const struct model_result *result)
{
    return failed != 0 && strncmp(result->text, "bound:", 6) != 0;
}

static int fails(const struct scenario *scenario, const char *function, const char *operation,
    struct model_result *result)
{
    const struct model_options weak = {
        .weak_function = function, .weak_operation = operation, .quiet = 1};

    /* More at random than in a plain run: most fail within a few hundred. */
    for (uint64_t seed = 1; seed <= 4; seed++) {
        if (is_killed(try_random(scenario, weak, seed, result), result))
            return 1;
    }
    return result->weakened != 0 && is_killed(try_all(scenario, weak, result), result);
}

static int run_weak(const struct scenario *scenario)
{
    struct model_result result;
    int alive = 0;

    for (const struct weakening *weak = scenario->kills; weak->function != NULL; weak++) {
        int killed = fails(scenario, weak->function, weak->operation, &result);

        (void)printf("%s %s: %s in %s%s%.60s\n",
            killed                 ? "killed"
            : result.weakened == 0 ? "NOT MET"
                                   : "ALIVE ",
            scenario->program.name, weak->operation, weak->function, killed ? ": " : "",
            killed ? result.text : "");
        alive += !killed;
    }
    return alive;
}

/* --- which orders are needed --- */

struct order {
    const char *function;
    const char *operation;
    const char *killed_by;
};

static void add_orders(struct order *orders, uint32_t *count)
{
    for (const struct model_site *site = model_sites(); site != NULL; site = site->next) {
        uint32_t i = 0;

        while (i < *count && (strcmp(orders[i].function, site->function) != 0 ||
                                 strcmp(orders[i].operation, site->operation) != 0))
            i++;
        if (i == *count && site->order != MODEL_RELAXED && *count < SITE_COUNT_MAX)
            orders[(*count)++] =
                (struct order){.function = site->function, .operation = site->operation};
    }
}

static void print_orders(void)
{
    static struct order orders[SITE_COUNT_MAX];
    struct model_result result;
    uint32_t count = 0;

    for (size_t table = 0; table < TABLE_COUNT; table++) {
        for (const struct scenario *one = tables[table]; one->program.name != NULL; one++) {
            (void)try_random(one, (struct model_options){.quiet = 1}, 1, &result);
        }
    }
    add_orders(orders, &count);
    for (uint32_t i = 0; i < count; i++) {
        for (size_t table = 0; table < TABLE_COUNT && orders[i].killed_by == NULL; table++) {
            for (const struct scenario *one = tables[table];
                 one->program.name != NULL && orders[i].killed_by == NULL; one++) {
                if (fails(one, orders[i].function, orders[i].operation, &result))
                    orders[i].killed_by = one->program.name;
            }
        }
        (void)printf("%-40s %-18s %s\n", orders[i].function, orders[i].operation,
            orders[i].killed_by == NULL ? "NOT NEEDED" : orders[i].killed_by);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    int weak = argc > 1 && strcmp(argv[1], "--weak") == 0;
    const char *wanted = argc > 1 + weak ? argv[1 + weak] : "";
    int failed = 0;

    if (strcmp(wanted, "--orders") == 0) {
        print_orders();
        return 0;
    }
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        for (const struct scenario *one = tables[table]; one->program.name != NULL; one++) {
            if (strstr(one->program.name, wanted) != NULL)
                failed += weak ? run_weak(one) : run(one);
            if (failed && MODEL_SHARE > 1)
                return 1; /* a mutant: to be killed once is enough */
        }
    }
    return failed != 0;
}
