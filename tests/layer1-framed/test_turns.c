/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whose turn it is, is fair: in every state that can come about.
 * Method: all patterns of who is ready, in all orders, for small numbers of members; then shares by
 * weight, with debts as large as can be.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "lamina/framed/turns.h"

TestSuite(turns, .timeout = 60);

static struct lam_turns turns;

static void members(uint32_t count, uint32_t weight)
{
    lam_turns_init(&turns);
    for (uint32_t i = 0; i < count; i++)
        lam_turns_add(&turns, i, weight);
}

/* One that waits sees each other one served once, at most, before it is served. */
static void note_wait(uint32_t since[4], uint32_t served, int waits)
{
    cr_assert(eq(u32, waits ? since[served] : 0, 0));
    if (waits)
        since[served]++;
    else
        memset(since, 0, 4 * sizeof(*since));
}

/* The choice of one that is ready, where there is one. Returns it. */
static uint32_t choose(uint64_t ready)
{
    uint32_t served = lam_turns_next(&turns, ready);

    cr_assert(eq(int, served == LAM_TURNS_NONE, ready == 0));
    cr_assert(eq(int, ready == 0 || (ready >> served & 1) != 0, 1));
    return served;
}

/* From this state, every pattern of the ready for @left steps more. @waited: services of others. */
static void every_pattern(uint32_t count, uint32_t left, uint32_t waited[][4])
{
    struct lam_turns before = turns;

    for (uint64_t ready = 0; left != 0 && ready < UINT64_C(1) << count; ready++) {
        uint32_t since[4][4];
        uint32_t served;

        memcpy(since, waited, sizeof(since));
        turns = before;
        served = choose(ready);
        if (ready == 0)
            continue;
        lam_turns_charge(&turns, served, 1);
        for (uint32_t i = 0; i < count; i++)
            note_wait(since[i], served, (ready >> i & 1) != 0 && i != served);
        every_pattern(count, left - 1, since);
    }
}

Test(turns, nobody_waits_longer_than_one_message_of_each_other)
{
    for (uint32_t count = 1; count <= 4; count++) {
        uint32_t waited[4][4] = {{0}};

        members(count, 1);
        every_pattern(count, count == 4 ? 5 : 7, waited);
    }
}

Test(turns, whoever_is_ready_alone_is_served_at_once)
{
    for (uint32_t count = 1; count <= 64; count++) {
        members(count, 3);
        for (uint32_t i = 0; i < 500; i++) {
            uint32_t only = (uint32_t)rand() % count;

            cr_assert(eq(u32, lam_turns_next(&turns, UINT64_C(1) << only), only));
            lam_turns_charge(&turns, only, UINT64_MAX);
        }
    }
}

Test(turns, busy_members_share_by_weight)
{
    static const uint32_t weights[] = {1, 2, 5, 1000, 7};
    uint64_t served[5] = {0};
    uint64_t total = 0;

    lam_turns_init(&turns);
    for (uint32_t i = 0; i < 5; i++)
        lam_turns_add(&turns, 13 * i, weights[i]);
    for (uint32_t i = 0; i < 10150; i++) {
        uint32_t next = lam_turns_next(&turns, UINT64_MAX);

        lam_turns_charge(&turns, next, 1);
        served[next / 13]++;
    }
    for (uint32_t i = 0; i < 5; i++) {
        cr_assert(eq(u64, served[i], UINT64_C(10) * weights[i]));
        total += served[i];
    }
    cr_assert(eq(u64, total, 10150));
}

Test(turns, shares_hold_where_costs_differ_and_are_larger_than_a_turn)
{
    uint64_t cost[3] = {0};

    lam_turns_init(&turns);
    lam_turns_add(&turns, 0, 100);
    lam_turns_add(&turns, 1, 100);
    lam_turns_add(&turns, 63, 300);
    srand(7);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t next = lam_turns_next(&turns, UINT64_MAX);
        uint64_t one = next == 0 ? 1 : (uint64_t)rand() % 5000;

        lam_turns_charge(&turns, next, one);
        cost[next == 63 ? 2 : next] += one;
    }
    /* Within one turn and one message of each. */
    cr_assert(lt(u64, (uint64_t)llabs((int64_t)(cost[0] - cost[1])), 5200));
    cr_assert(lt(u64, (uint64_t)llabs((int64_t)(cost[2] - 3 * cost[1])), 20000));
}

Test(turns, debts_of_any_size_are_counted_down_at_once)
{
    members(64, LAM_TURNS_WEIGHT_MAX);
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t next = lam_turns_next(&turns, UINT64_MAX);

        cr_assert(lt(u32, next, 64));
        lam_turns_charge(&turns, next, i % 3 == 0 ? UINT64_MAX : UINT64_C(1) << i % 64);
    }
    members(2, 1);
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t next = lam_turns_next(&turns, 3);

        cr_assert(lt(u32, next, 2));
        lam_turns_charge(&turns, next, UINT64_C(1) << 60);
    }
}

Test(turns, silence_saves_nothing_up)
{
    members(2, 10);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert(eq(u32, lam_turns_next(&turns, 1), 0));
        lam_turns_charge(&turns, 0, 1);
    }
    for (uint32_t i = 0; i < 10; i++) {
        cr_assert(eq(u32, lam_turns_next(&turns, i == 0 ? 2 : 3), 1));
        lam_turns_charge(&turns, 1, 1);
    }
    cr_assert(eq(u32, lam_turns_next(&turns, 3), 0));
}

Test(turns, debts_are_not_forgotten_by_one_silence)
{
    members(2, 1);
    cr_assert(eq(u32, lam_turns_next(&turns, 1), 0));
    lam_turns_charge(&turns, 0, 10);
    cr_assert(eq(u32, lam_turns_next(&turns, 2), 1));
    lam_turns_charge(&turns, 1, 1);
    for (uint32_t i = 0; i < 7; i++) {
        cr_assert(eq(u32, lam_turns_next(&turns, 3), 1));
        lam_turns_charge(&turns, 1, 1);
    }
}

Test(turns, members_come_and_go)
{
    uint64_t there = 0;

    lam_turns_init(&turns);
    srand(3);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t index = (uint32_t)rand() % 64;
        uint64_t ready = ((uint64_t)rand() << 33) ^ ((uint64_t)rand() << 11) ^ (uint64_t)rand();
        uint32_t next;

        if (there >> index & 1)
            lam_turns_remove(&turns, index);
        else
            lam_turns_add(&turns, index, 1 + (uint32_t)rand() % 5);
        there ^= UINT64_C(1) << index;
        next = lam_turns_next(&turns, ready);
        cr_assert(eq(int, next == LAM_TURNS_NONE, (ready & there) == 0));
        if (next == LAM_TURNS_NONE)
            continue;
        cr_assert(eq(u64, (ready & there) >> next & 1, 1));
        lam_turns_charge(&turns, next, (uint64_t)rand() % 9);
        if (rand() % 4 == 0)
            lam_turns_pass(&turns, next);
    }
}
