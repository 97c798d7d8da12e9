/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to try. A schedule is a list of choices; the next one differs in the last choice
 * that has something left. Of two steps that commute only one order is tried (sleep sets): a
 * thread whose next step was tried before at an equal place sleeps until a step that does not
 * commute with it was made.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

struct choice {
    uint8_t is_actor;
    uint8_t taken;
    uint8_t count; /* values: how many; actors: unused */
    uint8_t ready; /* actors: who could go, who slept, who was tried */
    uint8_t sleep;
    uint8_t tried;
};

static struct choice choices[MODEL_CHOICE_COUNT];
static uint32_t choice_count; /* of the schedule before, then of this one */
static uint32_t choice_at;
static uint64_t random_state;

/* Random search: who goes first, and at which steps somebody falls behind. */
static uint32_t priority[MODEL_ACTOR_COUNT];
static uint32_t change_at[8];
static uint32_t actor_choices;
static uint32_t actor_choices_before = 50; /* of the schedule before: a guess at this one's */

uint64_t model_random(uint64_t below)
{
    /* splitmix64 */
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static uint32_t change_count(void)
{
    uint32_t changes = model_engine.options->changes;

    return changes == 0 ? 3 : changes > 8 ? 8 : changes;
}

static void begin_random(void)
{
    random_state =
        model_engine.options->seed + model_engine.result->schedules * UINT64_C(0x2545f4914f6cdd1d);
    for (uint32_t i = 0; i < MODEL_ACTOR_COUNT; i++)
        priority[i] = 1000 + (uint32_t)model_random(1000);
    if (actor_choices > actor_choices_before)
        actor_choices_before = actor_choices;
    for (uint32_t i = 0; i < change_count(); i++)
        change_at[i] = (uint32_t)model_random(actor_choices_before + 1);
    actor_choices = 0;
}

void model_choices_restart(void)
{
    choice_count = 0;
    choice_at = 0;
    actor_choices = 0;
    actor_choices_before = 50;
}

void model_choices_begin(void)
{
    choice_at = 0;
    if (model_engine.options->search == MODEL_RANDOM) {
        choice_count = 0;
        begin_random();
    }
}

static struct choice *next_choice(void)
{
    if (choice_at == MODEL_CHOICE_COUNT)
        model_fail("bound: more than %d choices", MODEL_CHOICE_COUNT);
    return &choices[choice_at++];
}

/*
 * Most loads see the newest; stores between old ones are rarer than those behind. How rare differs
 * from schedule to schedule: a short program needs many old values to go wrong, a long one few.
 */
static uint8_t random_value(uint32_t count, int is_load)
{
    static const uint8_t rarity[] = {2, 6, 24};
    uint64_t one_in = rarity[model_engine.result->schedules % sizeof(rarity)] * (is_load ? 1U : 2U);

    return model_random(one_in) == 0 ? (uint8_t)model_random(count) : 0;
}

/* Whether one more step off the plainest way is within the bound. */
static int may_deviate(void)
{
    uint32_t bound = model_engine.options->deviations;

    return bound == 0 || model_engine.deviations < bound;
}

static uint32_t choose_value(uint32_t count, uint8_t random)
{
    struct choice *choice = next_choice();

    if (model_engine.options->search == MODEL_RANDOM)
        *choice = (struct choice){.count = (uint8_t)count, .taken = random};
    else if (choice_at > choice_count)
        *choice = (struct choice){.count = (uint8_t)count};
    if (choice_at > choice_count)
        choice_count = choice_at;
    if (choice->is_actor || choice->count != (uint8_t)count)
        model_fail("a schedule does not repeat itself: the program is not deterministic");
    return choice->taken;
}

uint32_t model_choose(uint32_t count, int is_load)
{
    uint32_t taken;

    if (count == 1 || (model_engine.options->search == MODEL_ALL && !may_deviate()))
        return 0;
    taken = choose_value(count, random_value(count, is_load));
    if (taken != 0)
        model_engine.deviations++;
    return taken;
}

static int first_of(uint32_t set)
{
    return set == 0                         ? -1
           : (set >> model_engine.self & 1) ? (int)model_engine.self
                                            : __builtin_ctz(set);
}

static int random_actor(uint32_t ready)
{
    int best = -1;

    for (uint32_t i = 0; i < change_count(); i++) {
        if (change_at[i] == actor_choices)
            priority[model_engine.self] = i;
    }
    actor_choices++;
    for (uint32_t set = ready; set != 0; set &= set - 1) {
        int actor = __builtin_ctz(set);

        if (best < 0 || priority[actor] > priority[best])
            best = actor;
    }
    return best;
}

void model_prefer(uint32_t actor)
{
    priority[actor] = 2000 + actor_choices;
}

/* Depth first: within the bound on deviations, and not those that sleep. */
static int first_actor(struct choice *choice, uint32_t ready)
{
    uint32_t bound = model_engine.options->deviations;
    uint32_t allowed = ready;

    if (!may_deviate() && model_engine.may_stay)
        allowed = 1U << model_engine.self;
    *choice = (struct choice){.is_actor = 1,
        .ready = (uint8_t)allowed,
        .sleep = (uint8_t)(bound == 0 ? model_engine.sleep_set : 0)};
    return first_of(allowed & ~(uint32_t)choice->sleep);
}

int model_choose_actor(uint32_t ready)
{
    struct choice *choice = next_choice();
    int actor;

    if (model_engine.options->search == MODEL_RANDOM) {
        actor = random_actor(ready);
        *choice = (struct choice){.is_actor = 1};
    } else if (choice_at > choice_count) {
        actor = first_actor(choice, ready);
    } else {
        actor = choice->taken;
    }
    if (choice_at > choice_count)
        choice_count = choice_at;
    if (actor < 0) {
        choice_at--;
        choice_count--;
        return actor;
    }
    choice->taken = (uint8_t)actor;
    if (!choice->is_actor || !(ready >> actor & 1))
        model_fail("a schedule does not repeat itself: the program is not deterministic");
    /* Who was tried here sleeps on the way down. */
    model_engine.sleep_set = (uint32_t)choice->sleep | choice->tried;
    return actor;
}

int model_choices_next(void)
{
    while (choice_count > 0) {
        struct choice *choice = &choices[choice_count - 1];

        if (choice->is_actor) {
            uint32_t left;

            choice->tried |= (uint8_t)(1U << choice->taken);
            left = (uint32_t)choice->ready & ~((uint32_t)choice->sleep | choice->tried);
            if (left != 0) {
                choice->taken = (uint8_t)__builtin_ctz(left);
                return 1;
            }
        } else if (choice->taken + 1U < choice->count) {
            choice->taken++;
            return 1;
        }
        choice_count--;
    }
    return 0;
}

int model_choose_death(void)
{
    /* At random: about once in three schedules. */
    if (model_engine.options->search == MODEL_RANDOM)
        return model_random(3 * (uint64_t)actor_choices_before + 1) < 3;
    return (int)choose_value(2, 0);
}

int model_commute(const struct model_actor *a, const struct model_actor *b)
{
    if (a->kind == MODEL_NOTHING || b->kind == MODEL_NOTHING)
        return 1;
    if (a->kind == MODEL_KERNEL || b->kind == MODEL_KERNEL)
        return 0;
    if (a->kind == MODEL_FENCES || b->kind == MODEL_FENCES)
        return a->kind != b->kind;
    return a->location != b->location || (a->kind == MODEL_READS && b->kind == MODEL_READS);
}
