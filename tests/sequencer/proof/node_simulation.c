/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_simulation.c: whole nodes in simulation, one for each seed: crashes, failing disks, broken
 * connections, clocks that leap; and all that clients were told is one order, kept.
 *
 *     node_simulation                as many seeds as LAMINA_EFFORT says, from 1 on
 *     node_simulation --seed N       that one alone, and the hash of all that happened
 *     node_simulation --seeds N M    from N on, M of them
 *     node_simulation --canary N M   the same, where one seed in a hundred loses something
 *
 * A failure is one line, with the seed; the exit status is then 1.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "proof/world.h"

#define SEEDS       20  /* for an effort of one */
#define SEEDS_EACH  110 /* for each of more */
#define TWICE_EVERY 10  /* seeds one is run twice, and must do the same */

static struct world world;
static struct world_totals totals;

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    long value = text != NULL ? strtol(text, NULL, 10) : 1;

    return value < 1 ? 1 : (uint64_t)value;
}

static int report(uint64_t seed, const char *invariant, const char *detail)
{
    (void)fprintf(stderr, "node_simulation: seed %llu: %s (%s); again by --seed %llu\n",
        (unsigned long long)seed, invariant, detail, (unsigned long long)seed);
    return 1;
}

/* Returns 0, or 1 where something is broken and was said. */
static int run_seed(uint64_t seed, int is_twice)
{
    struct world_totals again = {0};
    uint64_t trace;

    if (!world_run(&world, seed, &totals))
        return report(seed, world.broken, world.detail);
    trace = world.trace;
    if (!is_twice)
        return 0;
    if (!world_run(&world, seed, &again) || world.trace != trace)
        return report(seed, "the same seed does the same", "another trace");
    return 0;
}

static void print_totals(void)
{
    (void)printf("%llu seeds, %.1f simulated hours, %llu lives, %llu steps, %llu stopped\n",
        (unsigned long long)totals.seeds, (double)totals.simulated_ns / 3.6e12,
        (unsigned long long)totals.lives, (unsigned long long)totals.steps,
        (unsigned long long)totals.stopped);
    (void)printf("%llu answers, %llu repeats, %llu refusals, %llu sessions, %llu publications, "
                 "%llu records, %llu digests\nfaults:",
        (unsigned long long)totals.answers, (unsigned long long)totals.repeats,
        (unsigned long long)totals.refusals, (unsigned long long)totals.sessions,
        (unsigned long long)totals.publications, (unsigned long long)totals.records,
        (unsigned long long)totals.digests);
    for (int i = 0; i < WORLD_FAULTS; i++)
        (void)printf(" %s %llu%s", world_fault_text((enum world_fault)i),
            (unsigned long long)totals.faults[i], i + 1 < WORLD_FAULTS ? "," : "\n");
    workload_print(&totals.workload, stdout);
    (void)fflush(stdout);
}

/* Returns 0, or 1 where any is broken; every broken one is said. */
static int run_seeds(uint64_t first, uint64_t count)
{
    int result = 0;

    for (uint64_t seed = first; seed < first + count; seed++)
        result |= run_seed(seed, seed % TWICE_EVERY == 0);
    print_totals();
    return result;
}

/* The seeds around one that loses something; what they say goes to the pipe @argument. */
static int run_canary(void *argument)
{
    const int *ends = argument;

    CHECK(dup2(ends[1], STDERR_FILENO) >= 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    totals.is_canary = 1;
    return run_seeds(world_canary_seed(1) - 1, 3);
}

/* In a process of its own it fails, and says with which seed. */
static int canary_is_reported(void)
{
    char wanted[64], line[1024];
    int ends[2], is_told = 0;
    pid_t pid;
    FILE *out;

    (void)snprintf(wanted, sizeof(wanted), "seed %llu: acknowledged and lost",
        (unsigned long long)world_canary_seed(1));
    CHECK(pipe(ends) == 0);
    pid = check_fork(run_canary, ends);
    (void)close(ends[1]);
    out = fdopen(ends[0], "r");
    CHECK(out != NULL);
    while (fgets(line, sizeof(line), out) != NULL)
        is_told |= strstr(line, wanted) != NULL;
    (void)fclose(out);
    return check_wait(pid) == 1 && is_told;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    int result;

    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        result = run_seed(number(argv[2]), 0);
        (void)printf("trace %016llx\n", (unsigned long long)world.trace);
        return result;
    }
    if (argc == 4) {
        totals.is_canary = strcmp(argv[1], "--canary") == 0;
        return run_seeds(number(argv[2]), number(argv[3]));
    }
    result = run_seeds(1, effort() == 1 ? SEEDS : SEEDS_EACH * effort());
    if (!canary_is_reported())
        result = report(world_canary_seed(1), "the canary is reported", "it is not");
    return result;
}
