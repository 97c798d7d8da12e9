/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A required consumer that leaves while its producer finds it for the first time: its place is
 * kept, or it has not come yet, and all is kept for it.
 */
#include "scenario.h"

#include "lamina/ring/required.h"

static const char *const names[] = {"needed"};
static const struct lam_ring_consumer_options resuming = {
    .name = "needed", .start = LAM_RING_RESUME, .wait = LAM_WAIT_SPIN};
static struct lam_ring_required required;

/* Full: the next event lies over the first one, which nobody has read. */
static void set_up(void)
{
    const struct lam_ring_required_options options = {.names = names, .count = 1};

    world_begin(2, LAM_RING_SPIN_ONLY, UINT64_MAX - 1);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &resuming);
    world_publish(&world.producers[0], 1, 1);
    LAM_ASSERT(lam_ring_producer_require(&world.producers[0], &required, &options, NULL) == 0);
    world_ready();
    model_region(&required, sizeof(required));
}

static void try_to_publish(void)
{
    void *payload;

    model_mark((uint32_t)lam_ring_producer_try_claim(
        &world.producers[0], world_payload_bytes(1), &payload));
}

static void leave(void)
{
    lam_ring_consumer_detach(&world.consumers[0]);
}

static void its_place_is_there(void)
{
    struct lam_ring_consumer *successor = &world.consumers[1];
    struct lam_event event;
    uint64_t lost = 9;

    MODEL_CHECK(lam_ring_consumer_attach(successor, &world.ring, &resuming, NULL) == 0);
    MODEL_CHECK(lam_ring_consumer_resumed(successor, &lost) == 1 && lost == 0);
    MODEL_CHECK(lam_ring_consumer_try_peek(successor, &event) == 1);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
    model_mark(world.producers[0].required->ones[0].came ? 2 : 1);
}

const struct scenario scenarios_required[] = {
    {.program = {.name = "who is required and leaves keeps its place",
         .thread_count = 2,
         .threads = {try_to_publish, leave},
         .set_up = set_up,
         .finally = its_place_is_there},
        .marks = 3,
        .kills = {{"lam_ring_required_keep", "fence_seq_cst"}, {"keeps_gating", "fence_seq_cst"}}},
    {.program = {.name = NULL}},
};
