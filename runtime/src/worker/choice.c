/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choice.c: which worker a call goes to, and how many there are to be.
 */
#include <errno.h>

#include "worker/crew.h"

#define WORKERS_MAX_DEFAULT 4
#define LOAD_UP_DEFAULT     800
#define LOAD_DOWN_DEFAULT   300
#define COOLDOWN_DEFAULT    (30 * LAM_NS_PER_S)

int lam_pool_check(struct lam_pool_options *options, struct lam_error *error)
{
    if (options->workers_min == 0)
        options->workers_min = 1;
    if (options->workers_max == 0)
        options->workers_max =
            options->workers_min > WORKERS_MAX_DEFAULT ? options->workers_min : WORKERS_MAX_DEFAULT;
    if (options->workers_max > LAM_POOL_WORKERS_MAX || options->workers_max < options->workers_min)
        return lam_error_set(error, -EINVAL,
            "pool: workers_min is %u and workers_max %u: from the one to the other, at most %d",
            options->workers_min, options->workers_max, LAM_POOL_WORKERS_MAX);
    if ((unsigned)options->choice > LAM_POOL_RANDOM)
        return lam_error_set(error, -EINVAL, "pool: there is no choice %d", (int)options->choice);
    if (options->load_up == 0)
        options->load_up = LOAD_UP_DEFAULT;
    if (options->load_down == 0)
        options->load_down = LOAD_DOWN_DEFAULT;
    if (options->load_down >= options->load_up)
        return lam_error_set(error, -EINVAL,
            "pool: load_down is %u, and has to be below load_up %u", options->load_down,
            options->load_up);
    if (options->window_ns == 0)
        options->window_ns = LAM_NS_PER_S;
    if (options->window_ns < LAM_NS_PER_MS)
        return lam_error_set(error, -EINVAL, "pool: window_ns is %llu, at least %llu",
            (unsigned long long)options->window_ns, (unsigned long long)LAM_NS_PER_MS);
    if (options->cooldown_ns == 0)
        options->cooldown_ns = COOLDOWN_DEFAULT;
    return 0;
}

int lam_pool_decide(const struct lam_pool_options *options, uint32_t workers, uint64_t load,
    uint64_t since_change_ns)
{
    if (since_change_ns < options->cooldown_ns)
        return 0;
    if (load > options->load_up && workers < options->workers_max)
        return 1;
    return load < options->load_down && workers > options->workers_min ? -1 : 0;
}

static uint64_t draw(struct lam_crew *crew)
{
    crew->random ^= crew->random << 13;
    crew->random ^= crew->random >> 7;
    crew->random ^= crew->random << 17;
    return crew->random;
}

/* Every bit of the result depends on every bit of @x. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ (x >> 32);
}

/* Eight bytes at a time, each bound to what was before it. */
static uint64_t hash(const uint8_t *bytes, uint64_t count)
{
    uint64_t state = mix(count + 1);

    for (uint64_t at = 0; at < count; at += 8) {
        uint64_t word = 0, left = count - at < 8 ? count - at : 8;

        for (uint64_t i = 0; i < left; i++)
            word |= (uint64_t)bytes[at + i] << (8 * i);
        state = mix(state ^ word);
    }
    return state;
}

static uint64_t key_of(const struct lam_pool_options *options, const struct lam_call *call)
{
    uint64_t bytes = call->request_bytes;

    if (options->key != NULL)
        return options->key(options->key_context, call->method, call->request, bytes);
    if (options->key_bytes != 0 && options->key_bytes < bytes)
        bytes = options->key_bytes;
    return hash(call->request, bytes);
}

/* Each place draws a number with the key, and the highest has it: who goes leaves its own keys to
 * the others, and nobody else's change. */
static struct crew_place *choose_by_key(
    struct lam_crew *crew, struct crew_place **among, uint32_t count, const struct lam_call *call)
{
    uint64_t key = key_of(&crew->options, call), highest = 0;
    struct crew_place *chosen = NULL;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t drawn = mix(key ^ mix((uint64_t)(among[i] - crew->places) + 1));

        if (chosen == NULL || drawn > highest) {
            highest = drawn;
            chosen = among[i];
        }
    }
    return chosen;
}

static struct crew_place *choose_next(
    struct lam_crew *crew, struct crew_place **among, uint32_t count)
{
    uint32_t first = crew->next % count, turn = first;

    for (uint32_t i = 0; i < count; i++)
        if (among[(first + i) % count]->inside == 0) {
            turn = (first + i) % count;
            break;
        }
    crew->next = turn + 1;
    return among[turn];
}

static struct crew_place *choose_least(struct crew_place **among, uint32_t count)
{
    struct crew_place *least = among[0];

    for (uint32_t i = 1; i < count; i++)
        if (among[i]->inside < least->inside)
            least = among[i];
    return least;
}

static struct crew_place *choose_of_two(
    struct lam_crew *crew, struct crew_place **among, uint32_t count)
{
    uint64_t drawn = draw(crew);
    struct crew_place *pair[2];

    pair[0] = among[(uint32_t)drawn % count];
    /* Another one. */
    pair[1] = among[((uint32_t)drawn % count + 1 + (uint32_t)(drawn >> 32) % (count - 1)) % count];
    return choose_least(pair, 2);
}

/* 0: no call goes there. */
static uint32_t rank_of(const struct crew_place *place, uint64_t now_ns)
{
    if (!place->is_in_pool || now_ns < place->left_alone_until_ns)
        return 0;
    if (place->step == PLACE_READY && place->health.state == LAM_HEALTH_UNREADY)
        return 1;
    return place->step == PLACE_READY ? 3 : 2;
}

/* The best there are: those that serve, or else those on their way, or else those whose probes say
 * that they are not ready. A key has its place on its way, too. */
static uint32_t find_among(
    const struct lam_crew *crew, struct crew_place *places, struct crew_place **among)
{
    uint64_t now_ns = 0;
    uint32_t best = 1, count = 0;

    for (uint32_t i = 0; i < crew->options.workers_max; i++) {
        uint32_t rank;

        if (places[i].left_alone_until_ns != 0 && now_ns == 0)
            now_ns = lam_clock_now_ns();
        rank = rank_of(&places[i], now_ns);
        if (crew->options.choice == LAM_POOL_BY_KEY && rank == 3)
            rank = 2;
        if (rank > best) {
            best = rank;
            count = 0;
        }
        if (rank == best)
            among[count++] = &places[i];
    }
    return count;
}

struct crew_place *lam_crew_choose(struct lam_crew *crew, const struct lam_call *call)
{
    struct crew_place *among[LAM_POOL_WORKERS_MAX];
    uint32_t count = find_among(crew, crew->places, among);

    if (count <= 1)
        return count == 0 ? NULL : among[0];
    switch (crew->options.choice) {
    case LAM_POOL_LEAST_LOADED:
        return choose_least(among, count);
    case LAM_POOL_TWO_CHOICES:
        return choose_of_two(crew, among, count);
    case LAM_POOL_BY_KEY:
        return choose_by_key(crew, among, count, call);
    case LAM_POOL_RANDOM:
        return among[(draw(crew) >> 32) % count];
    case LAM_POOL_ROUND_ROBIN:
    default:
        return choose_next(crew, among, count);
    }
}
