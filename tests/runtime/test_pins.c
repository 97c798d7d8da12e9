/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pins.c: being inside a generation while it is replaced. What another thread could do between
 * a call's two looks is done there, by this test's own barrier.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

/* In the place of linux/barrier.h, for the code that is included here. */
#define LAM_RUNTIME_BARRIER_H
static void (*between_looks)(void);

static inline void lam_barrier_light(void)
{
    if (between_looks != NULL)
        between_looks();
}

#include "pin.h"

static struct lam_generation first, second; /* of which only the address and the guests matter */
static struct lam_module *module;
static struct lam_seat *seat;
static uint32_t times;

static void setup(void)
{
    module = aligned_alloc(128, sizeof(*module));
    seat = lam_seat_mine();
    cr_assert(module != NULL && seat != NULL);
    memset(module, 0, sizeof(*module));
    cr_assert(lam_generation_publish(module, &first) == NULL);
    between_looks = NULL;
}

static void teardown(void)
{
    free(module);
}

TestSuite(pins, .init = setup, .fini = teardown, .timeout = 10);

/* Whoever replaces the first one sees that somebody may be in it. */
static void replace(void)
{
    between_looks = NULL;
    cr_assert(eq(u32, lam_seat_count_pins(&first), 1));
    cr_assert(lam_generation_publish(module, &second) == (void *)&first);
}

Test(pins, who_looks_twice_at_the_same_is_inside_until_it_leaves)
{
    cr_assert(lam_pin(seat, module) == &first);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 1));
    cr_assert(lam_generation_publish(module, &second) == (void *)&first);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 1));
    cr_assert(eq(u32, lam_seat_count_pins(&second), 0));
    lam_unpin(seat);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 0));
}

Test(pins, who_was_overtaken_goes_to_the_new_one)
{
    between_looks = replace;
    cr_assert(lam_pin(seat, module) == &second);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 0));
    cr_assert(eq(u32, lam_seat_count_pins(&second), 1));
    lam_unpin(seat);
}

static void replace_again(void)
{
    if (times++ < 100)
        (void)lam_generation_publish(module, times % 2 == 0 ? &first : &second);
}

Test(pins, who_is_overtaken_a_hundred_times_goes_to_the_last_one)
{
    between_looks = replace_again;
    cr_assert(lam_pin(seat, module) == &first);
    cr_assert(eq(u32, times, 101));
    cr_assert(eq(u32, lam_seat_count_pins(&second), 0));
    lam_unpin(seat);
}

static void unload(void)
{
    (void)lam_generation_publish(module, NULL);
}

static void hold(void)
{
    (void)lam_generation_publish(module, &lam_generation_held);
}

Test(pins, who_is_overtaken_by_an_unload_or_a_held_gate_is_told)
{
    between_looks = unload;
    cr_assert(lam_pin(seat, module) == NULL);
    between_looks = hold;
    cr_assert(lam_pin(seat, module) == (void *)&lam_generation_held);
    lam_unpin(seat);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 0));
}

Test(pins, a_call_within_a_call_has_a_pin_of_its_own)
{
    cr_assert(lam_pin(seat, module) == &first);
    seat->depth++;
    cr_assert(lam_pin(seat, module) == &first);
    cr_assert(eq(u32, lam_seat_count_pins(&first), 2));
    (void)lam_generation_publish(module, &second);
    lam_unpin(seat);
    cr_assert(lam_pin(seat, module) == (void *)&second); /* and again, deeper in */
    seat->depth--;
    cr_assert(eq(u32, lam_seat_count_pins(&first), 1)); /* the outer one is where it was */
    seat->depth++;
    lam_unpin(seat);
    seat->depth--;
    lam_unpin(seat);
}

static void *leave(void *own)
{
    (void)usleep(20000);
    lam_unpin(own);
    return NULL;
}

Test(pins, a_drain_lasts_until_the_last_has_left_or_its_deadline)
{
    const struct lam_generation *generation = (const void *)&first;
    pthread_t thread;

    cr_assert(eq(int, lam_generation_drain(generation, 0), 0));
    cr_assert(lam_pin(seat, module) == &first);
    cr_assert(eq(int, lam_generation_drain(generation, 0), -ETIMEDOUT));
    cr_assert(
        eq(int, lam_generation_drain(generation, lam_deadline_after_ns(1000000)), -ETIMEDOUT));
    cr_assert(eq(int, pthread_create(&thread, NULL, leave, seat), 0));
    cr_assert(eq(int, lam_generation_drain(generation, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(u32, lam_seat_count_pins(&first), 0));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
}
