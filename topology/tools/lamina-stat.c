/* SPDX-License-Identifier: Apache-2.0 */
/* lamina stat: rates, lag, and who waits for whom, in a running topology. */
#include "arguments.h"
#include "ring_stat.h"
#include "stat_print.h"

#include "lamina/config/config.h"
#include "lamina/topology/observe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: lamina stat NAME|FILE [--once] [--json] [--interval SECONDS]\n"
    "       lamina stat [--ring] RING ...       one ring; --ring --help says more\n"
    "       lamina stat --rings                 all rings\n"
    "\n"
    "Looks into the topology that is up under NAME, or under the name in FILE: processes, rings,\n"
    "rates, lag of each consumer, who waits for whom. Attaches read-only and slows nobody down.\n"
    "\n"
    "  --once       one sample, then end; rates are those since the start\n"
    "  --json       one JSON object a sample and line\n"
    "  --interval   seconds between samples, 1 by default\n"
    "\n"
    "exit: 0, 2 wrong command line or file, 3 no such topology is up\n";

static void find_name(const struct arguments *arguments, char *name, size_t bytes)
{
    struct lam_machine machine;
    struct lam_plan *plan;

    (void)snprintf(name, bytes, "%s", arguments->file);
    if (strpbrk(arguments->file, "./") == NULL)
        return;
    plan = arguments_plan(arguments, &machine);
    (void)snprintf(name, bytes, "%s", plan->name);
    lam_plan_destroy(plan);
}

static void look(const struct lam_observer *observer, struct lam_observed_ring *rings)
{
    for (uint32_t i = 0; i < lam_observer_ring_count(observer); i++)
        if (lam_observer_ring(observer, i, &rings[i]) != 0)
            rings[i].stat.state = LAM_RING_POISONED;
}

static void pause_for(double seconds)
{
    struct timespec pause = {
        .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    (void)nanosleep(&pause, NULL);
}

/* Samples until the topology ends, or one. */
static void sample(const struct arguments *arguments, const struct lam_observer *observer,
    struct lam_observed_ring *now, struct lam_observed_ring *before)
{
    uint32_t count = lam_observer_ring_count(observer);

    for (uint32_t i = 0; i < count; i++) {
        before[i].at_ns = lam_observer_started_ns(observer);
        before[i].stat.events = 0;
        before[i].stat.bytes = 0;
    }
    for (;;) {
        look(observer, now);
        if (arguments->json)
            stat_print_json(observer, now, before);
        else
            stat_print_text(observer, now, before);
        if (fflush(stdout) != 0 || arguments->once)
            return;
        memcpy(before, now, count * sizeof(*now));
        pause_for(arguments->interval_s);
        if (!lam_observer_is_up(observer)) {
            (void)fprintf(stderr, "lamina stat: %s has ended\n", lam_observer_plan(observer)->name);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct lam_observed_ring *rings;
    struct lam_observer *observer;
    struct arguments arguments;
    struct lam_error error;
    char name[1024];

    if (ring_stat_is_asked(argc, argv))
        return ring_stat_main(argc, argv);
    arguments_read(&arguments, argc, argv, " --once --json --interval", help);
    find_name(&arguments, name, sizeof(name));
    if (lam_observer_attach(&observer, name, &error) != 0) {
        (void)fprintf(stderr, "lamina stat: %s\n", error.text);
        return EXIT_NOT_STARTED;
    }
    if (!lam_observer_is_up(observer))
        (void)fprintf(stderr,
            "lamina stat: %s is what a dead `lamina up` (process %u) has left behind\n", name,
            lam_observer_up_pid(observer));
    rings = calloc(2 * (size_t)lam_observer_ring_count(observer) + 1, sizeof(*rings));
    if (rings != NULL)
        sample(&arguments, observer, rings, rings + lam_observer_ring_count(observer));
    free(rings);
    lam_observer_detach(observer);
    return rings != NULL ? 0 : EXIT_NOT_STARTED;
}
