/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the ladder learns how long to spin and how often to yield from the waits it has seen, and
 * uses the CPU's own waiting where it has it. Method: a simulated clock, and waits whose end comes
 * when the simulation says so; nothing here depends on how fast the machine is.
 */
#include "lamina/base/cpu_wait.h"
#include "lamina/base/wait.h"
#include "ops_internal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* What a look at the clock, 64 pauses, a yield and a wake-up take in the simulation. */
#define STEP_NS  1400
#define YIELD_NS 400
#define WAKE_NS  30000

static uint64_t now_ns = 1;
static unsigned yields;
static uint64_t ran_by_yield_ns; /* what another thread does in each yield */
static unsigned rests;

static uint64_t simulated_now_ns(void)
{
    return now_ns;
}

static void simulated_yield(void)
{
    yields++;
    now_ns += YIELD_NS + ran_by_yield_ns;
}

static int simulated_rest(const struct lam_watch *watch)
{
    (void)watch;
    rests++;
    now_ns += 5 * US;
    return 1;
}

static struct lam_base_ops simulated;

static void setup(void)
{
    simulated = lam_base_linux;
    simulated.now_ns = simulated_now_ns;
    simulated.yield = simulated_yield;
    simulated.cpu_wait = NULL;
    lam_base = &simulated;
}

static void teardown(void)
{
    lam_base = &lam_base_linux;
}

TestSuite(wait, .init = setup, .fini = teardown, .timeout = 20);

struct outcome {
    enum lam_wait_rung rung;
    uint64_t awake_ns; /* not asleep */
};

/* One wait, for something that happens @after_ns from now. */
static struct outcome wait_for(
    struct lam_cadence *cadence, enum lam_wait_mode mode, uint64_t after_ns)
{
    struct outcome outcome = {.awake_ns = 0};
    uint64_t happens_ns = now_ns + after_ns;
    uint64_t slept_ns = 0;
    uint64_t begin_ns = now_ns;
    struct lam_wait wait;

    lam_wait_begin(&wait, mode, cadence, LAM_DEADLINE_NEVER);
    while (now_ns < happens_ns) {
        int verdict = lam_wait_step(&wait);

        cr_assert(verdict >= 0);
        now_ns += verdict == LAM_WAIT_LOOK ? STEP_NS / 64 : 20;
        if (verdict == LAM_WAIT_PARK && now_ns < happens_ns) {
            uint64_t until_ns = lam_wait_park_until(&wait);
            int rung = happens_ns <= until_ns;
            uint64_t woken_ns = rung ? happens_ns + WAKE_NS : until_ns;

            slept_ns += woken_ns - now_ns;
            now_ns = woken_ns;
            lam_wait_woken(&wait, rung ? happens_ns : 0);
        }
    }
    outcome.rung = lam_wait_end(&wait);
    outcome.awake_ns = now_ns - begin_ns - slept_ns;
    return outcome;
}

static struct outcome wait_often(struct lam_cadence *cadence, uint64_t after_ns, unsigned times)
{
    struct outcome outcome = {.rung = LAM_WAIT_RUNG_SPIN};

    while (times-- > 0)
        outcome = wait_for(cadence, LAM_WAIT_HYBRID, after_ns);
    return outcome;
}

Test(wait, events_every_10_ms_are_slept_for_at_once)
{
    struct lam_cadence cadence;
    struct outcome outcome;

    lam_cadence_init(&cadence, 0);
    cr_assert(eq(u64, lam_cadence_spin_ns(&cadence), LAM_WAIT_SPIN_NS_DEFAULT));
    outcome = wait_often(&cadence, 10 * MS, 20);
    cr_assert(eq(int, outcome.rung, LAM_WAIT_RUNG_SLEEP));
    cr_assert(eq(u64, lam_cadence_spin_ns(&cadence), 0));
    cr_assert(eq(u32, cadence.yields, 1));
    /* Some looks at the clock, each after 64 pauses: a tenth of a percent of the time. */
    cr_assert(lt(u64, outcome.awake_ns, 10 * US));
}

Test(wait, events_every_10_us_are_spun_for_also_when_they_are_scattered)
{
    struct lam_cadence cadence;
    unsigned slept = 0;
    uint64_t random = 1;

    lam_cadence_init(&cadence, 0);
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        double uniform = ((double)(random >> 11) + 1) / 9007199254740993.0;
        uint64_t after_ns = (uint64_t)(-log(uniform) * 10000.0);

        slept += wait_for(&cadence, LAM_WAIT_HYBRID, after_ns).rung == LAM_WAIT_RUNG_SLEEP;
    }
    cr_assert(lt(u32, slept, 20)); /* one in a thousand */
}

Test(wait, what_was_slow_and_is_fast_again_is_learned_anew_though_waking_takes_longer)
{
    struct lam_cadence cadence;

    lam_cadence_init(&cadence, 0);
    (void)wait_often(&cadence, 10 * MS, 50);
    cr_assert(eq(int, wait_often(&cadence, 10 * US, 1).rung, LAM_WAIT_RUNG_SLEEP));
    cr_assert(eq(int, wait_often(&cadence, 10 * US, 20).rung, LAM_WAIT_RUNG_SPIN));
}

Test(wait, one_long_pause_does_not_change_a_fast_cadence)
{
    struct lam_cadence cadence;

    lam_cadence_init(&cadence, 0);
    (void)wait_often(&cadence, 5 * US, 50);
    (void)wait_often(&cadence, 100 * MS, 1);
    cr_assert(eq(int, wait_often(&cadence, 5 * US, 1).rung, LAM_WAIT_RUNG_SPIN));
}

Test(wait, a_window_that_was_asked_for_is_kept)
{
    struct lam_cadence cadence;

    lam_cadence_init(&cadence, 70 * US);
    cr_assert(lt(u64, 70 * US, wait_often(&cadence, 10 * MS, 50).awake_ns));
    cr_assert(eq(u64, lam_cadence_spin_ns(&cadence), 70 * US));
    lam_cadence_init(&cadence, UINT64_MAX);
    cr_assert(eq(int, wait_often(&cadence, 10 * MS, 1).rung, LAM_WAIT_RUNG_SPIN));
}

Test(wait, a_hybrid_waiter_yields_before_it_sleeps_as_often_as_it_pays)
{
    struct lam_cadence cadence;

    lam_cadence_init(&cadence, 0);
    yields = 0;
    cr_assert(eq(int, wait_often(&cadence, 10 * MS, 1).rung, LAM_WAIT_RUNG_SLEEP));
    cr_assert(eq(u32, yields, LAM_WAIT_YIELDS_MAX));
    (void)wait_often(&cadence, 10 * MS, 20);
    yields = 0;
    (void)wait_often(&cadence, 10 * MS, 1);
    cr_assert(eq(u32, yields, 1)); /* never none: it would not see that it pays again */
    /* The other end gets the core by a yield, and does what is waited for. */
    ran_by_yield_ns = 300 * US;
    cr_assert(eq(int, wait_often(&cadence, 200 * US, 1).rung, LAM_WAIT_RUNG_YIELD));
    cr_assert(eq(u32, cadence.yields, LAM_WAIT_YIELDS_MAX));
    /* And soon it no longer spins before: the core is wanted by that end. */
    (void)wait_often(&cadence, 200 * US, 20);
    cr_assert(eq(u64, lam_cadence_spin_ns(&cadence), 0));
    cr_assert(lt(u64, wait_often(&cadence, 200 * US, 1).awake_ns, 310 * US));
}

Test(wait, a_waiter_that_only_sleeps_yields_twice_at_most)
{
    struct lam_cadence cadence;

    lam_cadence_init(&cadence, 0);
    yields = 0;
    cr_assert(eq(int, wait_for(&cadence, LAM_WAIT_FUTEX, MS).rung, LAM_WAIT_RUNG_SLEEP));
    cr_assert(eq(u32, yields, LAM_WAIT_FUTEX_YIELDS_MAX));
}

Test(wait, a_time_of_ringing_that_cannot_be_is_not_believed)
{
    struct lam_wait wait;

    lam_wait_init(&wait, LAM_WAIT_FUTEX, 0, LAM_DEADLINE_NEVER);
    now_ns = 1000 * US;
    cr_assert(eq(int, lam_wait_step(&wait), LAM_WAIT_PARK));
    now_ns += 100 * US;
    lam_wait_woken(&wait, 999 * US);
    cr_assert(eq(u64, wait.last_ns, now_ns));
    lam_wait_woken(&wait, now_ns + 1);
    cr_assert(eq(u64, wait.last_ns, now_ns));
    lam_wait_woken(&wait, 1050 * US);
    cr_assert(eq(u64, wait.last_ns, 1050 * US));
}

Test(wait, a_wait_with_a_deadline_ends_also_at_the_first_tick_of_the_clock)
{
    struct lam_wait wait;

    now_ns = 0;
    lam_wait_init(&wait, LAM_WAIT_FUTEX, 0, 10);
    cr_assert(eq(int, lam_wait_step(&wait), LAM_WAIT_PARK));
    now_ns = 10;
    cr_assert(eq(int, lam_wait_step(&wait), -ETIMEDOUT));
}

Test(wait, a_spinning_waiter_rests_on_the_word_it_watches_and_looks_at_the_clock_between)
{
    lam_atomic_u64 word;
    struct lam_wait wait;
    int verdict;

    simulated.cpu_wait = simulated_rest;
    lam_store_relaxed(&word, 1);
    lam_wait_init(&wait, LAM_WAIT_SPIN, 0, now_ns + 100 * US);
    lam_wait_watch(&wait, &word, 2, 1);
    rests = 0;
    while ((verdict = lam_wait_step(&wait)) >= 0)
        cr_assert(verdict == LAM_WAIT_LOOK || verdict == LAM_WAIT_LOOK_WIDE);
    cr_assert(eq(u32, rests, 20));
    cr_assert(le(u64, now_ns - wait.deadline_ns, 5 * US)); /* no later than one rest */
}

Test(wait, what_the_cpu_can_do_is_chosen_by_its_flags_and_can_be_switched_off)
{
    struct lam_cpu_flags none = {0};
    struct lam_cpu_flags intel = {.leaf7_ecx = 1U << 5};
    struct lam_cpu_flags amd = {.extended_ecx = 1U << 29};
    struct lam_cpu_flags arm = {.hwcap = 1U << 2};
    struct lam_cpu_flags others = {
        .leaf7_ecx = ~(1U << 5), .extended_ecx = ~(1U << 29), .hwcap = ~UINT64_C(4)};

    cr_assert(eq(int, lam_cpu_wait_choose(&none, NULL), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&none, "umwait"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&others, "auto"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, NULL), LAM_CPU_WAIT_UMWAIT));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, ""), LAM_CPU_WAIT_UMWAIT));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, "auto"), LAM_CPU_WAIT_UMWAIT));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, "umwait"), LAM_CPU_WAIT_UMWAIT));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, "off"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, "mwaitx"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&intel, "on"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&amd, NULL), LAM_CPU_WAIT_MWAITX));
    cr_assert(eq(int, lam_cpu_wait_choose(&amd, "off"), LAM_CPU_WAIT_NONE));
    cr_assert(eq(int, lam_cpu_wait_choose(&arm, NULL), LAM_CPU_WAIT_WFE));
    cr_assert(eq(int, lam_cpu_wait_choose(&arm, "off"), LAM_CPU_WAIT_NONE));
}

/* Whatever this machine has: a rest ends, by itself and by a store, and a met condition is seen. */
Test(wait, a_rest_of_this_cpu_ends)
{
    lam_atomic_u64 word;
    struct lam_watch watch = {.word = &word, .value = 7, .until_equal = 1};
    int can = lam_cpu_wait_kind() != LAM_CPU_WAIT_NONE;

    lam_store_relaxed(&word, 1);
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, lam_cpu_wait(&watch), can));
    lam_store_relaxed(&word, 7);
    cr_assert(lam_watch_is_over(&watch));
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, lam_cpu_wait(&watch), can));
    watch.until_equal = 0;
    cr_assert(not(lam_watch_is_over(&watch)));
    (void)printf("this CPU waits by %s\n", lam_cpu_wait_name(lam_cpu_wait_kind()));
}

/* One of several words is changed: both ways of waiting for any see it. */
Test(wait, a_wait_for_any_of_several_words_ends_by_each_and_by_its_deadline)
{
    static lam_atomic_u32 words[LAM_FUTEX_WORDS_MAX];
    lam_atomic_u32 *at[LAM_FUTEX_WORDS_MAX];
    uint32_t expected[LAM_FUTEX_WORDS_MAX] = {0};

    teardown();
    for (uint32_t i = 0; i < LAM_FUTEX_WORDS_MAX; i++) {
        at[i] = &words[i];
        lam_store_relaxed(&words[i], 0);
    }
    for (uint32_t i = 0; i < LAM_FUTEX_WORDS_MAX; i++) {
        lam_store_relaxed(&words[i], 1);
        lam_base->futex_wait_any(at, expected, LAM_FUTEX_WORDS_MAX, LAM_DEADLINE_NEVER);
        lam_futex_wait_any_by_naps(at, expected, LAM_FUTEX_WORDS_MAX, LAM_DEADLINE_NEVER);
        lam_store_relaxed(&words[i], 0);
    }
    uint64_t end_ns = lam_deadline_after_ns(5 * MS);

    while (lam_clock_now_ns() < end_ns)
        lam_base->futex_wait_any(at, expected, LAM_FUTEX_WORDS_MAX, end_ns);
    end_ns = lam_deadline_after_ns(5 * MS);
    while (lam_clock_now_ns() < end_ns)
        lam_futex_wait_any_by_naps(at, expected, LAM_FUTEX_WORDS_MAX, end_ns);
}
