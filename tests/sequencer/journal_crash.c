/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_crash.c: power is cut at every call of a script, before, in the middle of and after it,
 * and while the journal recovers from that; and at random, with failing calls and a slow disk, over
 * seeds. Size: LAMINA_EFFORT, the events of the script, how dense the cuts in recoveries are, and
 * the number of seeds.
 */
#include <errno.h>

#include "life.h"

#define SCRIPT_EVENTS 120
#define SEEDS         100

static struct life life;
static uint64_t script_events;

static void script(uint64_t seed, uint64_t crash_at, enum sim_phase phase)
{
    life_begin(&life, seed);
    life.config.mark_batches = 1; /* so that there is always one on its way beside a batch */
    life.sim.faults.crash_at = crash_at;
    life.sim.faults.crash_phase = phase;
    if (life_open(&life) == 0 && life_run(&life, script_events) == 0)
        (void)life_settle(&life);
}

static uint64_t calls_of_script(uint64_t seed)
{
    uint64_t calls;

    script(seed, 0, SIM_AFTER);
    CHECK(life.acknowledged == script_events);
    calls = life.sim.calls;
    life_end(&life);
    return calls;
}

/* It recovers, and once more, and goes on: life_open looks that all is there. */
static void recovers(void)
{
    uint64_t found;

    if (life_open(&life) != 0) {
        (void)fprintf(stderr, "%s\n", life.error.text);
        CHECK(!"recovers");
    }
    found = life.sent;
    life_kill(&life, SIM_KEEP_NONE); /* what was found was durable when it was found */
    CHECK(life_open(&life) == 0);
    CHECK(life.sent == found && life.report.torn_bytes == 0);
    CHECK(life_run(&life, 5) == 0 && life_settle(&life) == 0);
    life_kill(&life, SIM_KEEP_NONE);
    CHECK(life_open(&life) == 0 && life.sent == found + 5);
}

static const enum sim_keep keeps[] = {SIM_KEEP_NONE, SIM_KEEP_ALL, SIM_KEEP_SOME, SIM_KEEP_CACHE};

static void every_call_of_a_script(uint64_t calls)
{
    uint64_t points = 0;

    for (uint64_t at = 1; at <= calls; at++)
        for (int phase = SIM_BEFORE; phase <= SIM_AFTER; phase++) {
            script(1, at, (enum sim_phase)phase);
            CHECK(life.sim.is_off);
            life_kill(&life, keeps[(at + (uint64_t)phase) % 4]);
            recovers();
            life_end(&life);
            points++;
        }
    (void)printf("%llu cuts of a script\n", (unsigned long long)points);
}

/* A cut, and then another one at each call of the recovery from it. */
static void every_call_of_recoveries(uint64_t calls, uint64_t stride)
{
    uint64_t pairs = 0;

    for (uint64_t first = 1; first <= calls; first += stride)
        for (uint64_t second = 1, was_off = 1; was_off != 0; second++) {
            script(1, first, SIM_HALF);
            life_kill(&life, SIM_KEEP_SOME);
            life.sim.faults.crash_at = second;
            life.sim.faults.crash_phase = (enum sim_phase)((first + second) % 3);
            was_off = life_open(&life) != 0;
            CHECK(was_off == (uint64_t)life.sim.is_off);
            life_kill(&life, keeps[second % 4]);
            recovers();
            life_end(&life);
            pairs++;
        }
    (void)printf("%llu cuts of recoveries\n", (unsigned long long)pairs);
}

/* One life of several processes, each of which ends by a cut, a kill, or a call that fails. */
static uint64_t random_life(uint64_t seed)
{
    uint64_t trace;

    life_begin(&life, seed);
    life.name = seed;
    for (int process = 0; process < 12; process++) {
        struct sim_faults *faults = &life.sim.faults;

        faults->slow_ns = 5000000;
        if (sim_random(&life.sim) % 2 == 0) {
            faults->crash_at = 1 + sim_random(&life.sim) % 300;
            faults->crash_phase = (enum sim_phase)(sim_random(&life.sim) % 3);
        }
        if (sim_random(&life.sim) % 3 == 0)
            faults->fail_at[sim_random(&life.sim) % LAM_ENV_CALLS] = 1 + sim_random(&life.sim) % 40;
        faults->fail_error = sim_random(&life.sim) % 2 == 0 ? -EIO : -ENOSPC;
        faults->short_at = sim_random(&life.sim) % 40;
        if (life_open(&life) == 0)
            (void)life_run(&life, sim_random(&life.sim) % 100);
        life_kill(&life, keeps[sim_random(&life.sim) % 4]);
    }
    recovers();
    trace = life.sim.trace ^ life.sent;
    life_end(&life);
    return trace;
}

static void random_lives(uint64_t seeds)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        uint64_t trace = random_life(seed);

        CHECK(seed % 16 != 0 || random_life(seed) == trace);
    }
    (void)printf("%llu random lives\n", (unsigned long long)seeds);
}

int main(void)
{
    uint64_t effort = life_effort(), calls;

    script_events = effort < 8 ? SCRIPT_EVENTS * effort : 1000;
    calls = calls_of_script(1);
    every_call_of_a_script(calls);
    script_events = UINT64_C(2) * SCRIPT_EVENTS; /* each pair of cuts runs all of it */
    calls = calls_of_script(1);
    every_call_of_recoveries(calls, effort < 63 ? 63 / effort : 1);
    random_lives(SEEDS * effort);
    return 0;
}
