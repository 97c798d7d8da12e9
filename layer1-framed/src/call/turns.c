/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/framed/turns.h"

/* No debt is larger: sums of debts and weights stay far from what 63 bits hold. */
#define DEBT_MAX (INT64_C(1) << 61)

void lam_turns_init(struct lam_turns *turns)
{
    turns->members = 0;
    turns->current = 0;
}

void lam_turns_add(struct lam_turns *turns, uint32_t index, uint32_t weight)
{
    LAM_ASSERT(index < LAM_TURNS_MEMBER_COUNT_MAX && weight > 0 && weight <= LAM_TURNS_WEIGHT_MAX);
    LAM_ASSERT((turns->members >> index & 1) == 0);
    turns->members |= UINT64_C(1) << index;
    turns->weight[index] = weight;
    turns->credit[index] = 0;
}

void lam_turns_remove(struct lam_turns *turns, uint32_t index)
{
    LAM_ASSERT(index < LAM_TURNS_MEMBER_COUNT_MAX && (turns->members >> index & 1) != 0);
    turns->members &= ~(UINT64_C(1) << index);
}

/* The first member behind @index, round the circle: @index itself comes last. */
static uint32_t member_after(uint64_t members, uint32_t index)
{
    uint64_t behind;

    LAM_ASSERT(index < LAM_TURNS_MEMBER_COUNT_MAX && members != 0);
    behind = index == 63 ? 0 : members & ~((UINT64_C(2) << index) - 1);

    return (uint32_t)__builtin_ctzll(behind != 0 ? behind : members);
}

/* What was saved is lost; what is owed is not. */
static void forfeit(struct lam_turns *turns, uint32_t index)
{
    if (turns->credit[index] > 0)
        turns->credit[index] = 0;
}

/* Once round the circle: the first that is ready and in credit has its turn. */
static uint32_t go_round(struct lam_turns *turns, uint64_t ready)
{
    uint32_t count = (uint32_t)__builtin_popcountll(turns->members);
    uint32_t index = turns->current;

    for (uint32_t i = 0; i < count; i++) {
        index = member_after(turns->members, index);
        turns->credit[index] += turns->weight[index];
        if ((ready >> index & 1) == 0) {
            forfeit(turns, index);
        } else if (turns->credit[index] > 0) {
            turns->current = index;
            return index;
        }
    }
    return LAM_TURNS_NONE;
}

/* After how many rounds more the first of the ready is in credit: all that are ready owe. */
static int64_t rounds_to_credit(const struct lam_turns *turns, uint64_t ready)
{
    int64_t fewest = INT64_MAX;

    for (; ready != 0; ready &= ready - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(ready);
        int64_t rounds = -turns->credit[index] / turns->weight[index];

        if (rounds < fewest)
            fewest = rounds;
    }
    return fewest;
}

/* As many rounds at once: nobody's debt is too long to be counted down. */
static void skip_rounds(struct lam_turns *turns, int64_t rounds)
{
    for (uint64_t left = turns->members; left != 0; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(left);

        if (-turns->credit[index] / turns->weight[index] < rounds)
            turns->credit[index] = 0; /* not one that is ready: they all owe as much */
        else
            turns->credit[index] += rounds * turns->weight[index];
    }
}

uint32_t lam_turns_next(struct lam_turns *turns, uint64_t ready)
{
    uint32_t current = turns->current;
    uint32_t index;

    ready &= turns->members;
    if (ready == 0)
        return LAM_TURNS_NONE;
    if ((ready >> current & 1) != 0 && turns->credit[current] > 0)
        return current;
    forfeit(turns, current);
    index = go_round(turns, ready);
    if (index != LAM_TURNS_NONE)
        return index;
    skip_rounds(turns, rounds_to_credit(turns, ready));
    return go_round(turns, ready);
}

void lam_turns_charge(struct lam_turns *turns, uint32_t index, uint64_t cost)
{
    int64_t room = turns->credit[index] + DEBT_MAX;

    LAM_ASSERT(index < LAM_TURNS_MEMBER_COUNT_MAX);
    turns->credit[index] = cost < (uint64_t)room ? turns->credit[index] - (int64_t)cost : -DEBT_MAX;
}

void lam_turns_pass(struct lam_turns *turns, uint32_t index)
{
    LAM_ASSERT(index < LAM_TURNS_MEMBER_COUNT_MAX);
    forfeit(turns, index);
}
