/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot_crash.c: power is cut at every call that writes a snapshot, before, in the middle of and
 * after it, and again at every call of the next one: there is always a whole one, never an older
 * one than was there, and what is left behind is taken away by the next. Size: LAMINA_EFFORT, how
 * dense the second cuts are.
 */
#include "check.h"
#include "snapshots.h"

#define COUNT  66000 /* two pieces */
#define STRIDE 7

static struct snapshots all;

static const enum sim_keep keeps[] = {SIM_KEEP_NONE, SIM_KEEP_ALL, SIM_KEEP_SOME, SIM_KEEP_CACHE};

/* Two are there; a third one is written, up to a cut. Returns what its writer did. */
static int script(uint64_t crash_at, enum sim_phase phase)
{
    snapshots_begin(&all, 1 + crash_at, COUNT);
    CHECK(snapshots_write(&all, 10, NULL) == -EALREADY);
    CHECK(snapshots_write(&all, 20, NULL) == -EALREADY);
    sim_restart(&all.sim, SIM_KEEP_NONE); /* both are durable */
    all.sim.faults.crash_at = crash_at;
    all.sim.faults.crash_phase = phase;
    return snapshots_write(&all, 30, NULL);
}

/* What the next process finds: the new one where that was verified, else one of the two. */
static void is_sound(uint64_t at_least)
{
    int64_t found = snapshots_load(&all, UINT64_MAX), before;

    CHECK(found >= (int64_t)at_least && found <= 40);
    before = snapshots_load(&all, (uint64_t)found - 1);
    CHECK(before > 0 && before < found); /* two, at any time */
    CHECK(snapshots_names(&all) <= 4);
}

/* A later one, without any fault: it takes away whatever was left. */
static void ends_clean(void)
{
    CHECK(snapshots_write(&all, 50, NULL) == -EALREADY);
    sim_restart(&all.sim, SIM_KEEP_ALL);
    CHECK(snapshots_names(&all) == 2);
    CHECK(snapshots_load(&all, UINT64_MAX) == 50);
    sim_fini(&all.sim);
}

static void second_cut(uint64_t first, enum sim_phase phase, enum sim_keep keep, uint64_t second)
{
    int is_there = script(first, phase) == -EALREADY;

    sim_restart(&all.sim, keep);
    is_sound(is_there ? 30 : 20);
    all.sim.faults.crash_at = second;
    all.sim.faults.crash_phase = (enum sim_phase)((first + second) % 3);
    is_there = snapshots_write(&all, 40, NULL) == -EALREADY;
    sim_restart(&all.sim, keeps[(first + second) % 4]);
    is_sound(is_there ? 40 : 20);
    ends_clean();
}

int main(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    uint64_t effort = text != NULL ? strtoull(text, NULL, 10) : 1, cuts = 0, pairs = 0, calls;
    uint64_t stride = effort < STRIDE ? STRIDE - effort : 1;

    CHECK(script(0, SIM_AFTER) == -EALREADY);
    calls = all.sim.calls;
    is_sound(30);
    ends_clean();
    for (uint64_t at = 1; at <= calls; at++)
        for (int phase = SIM_BEFORE; phase <= SIM_AFTER; phase++)
            for (size_t keep = 0; keep < sizeof(keeps) / sizeof(keeps[0]); keep++) {
                int is_there = script(at, (enum sim_phase)phase) == -EALREADY;

                CHECK(all.sim.is_off);
                sim_restart(&all.sim, keeps[keep]);
                is_sound(is_there ? 30 : 20);
                ends_clean();
                cuts++;
            }
    for (uint64_t pair = 0; pair < calls * calls; pair += stride, pairs++)
        second_cut(
            1 + pair / calls, (enum sim_phase)(pair % 3), keeps[pair / 3 % 4], 1 + pair % calls);
    (void)printf(
        "%llu cuts, %llu pairs of cuts\n", (unsigned long long)cuts, (unsigned long long)pairs);
    return 0;
}
