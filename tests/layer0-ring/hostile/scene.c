/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include "prey.h"
#include "processes.h"
#include "ring_stream.h"
#include "world.h"

#include <string.h>

const char *const scene_names[5] = {"a", "b", "c", "d", "e"};

/* Where counting starts: near each wrap. */
static const uint64_t starts[] = {
    0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2, UINT64_MAX - 200};

const char *scene_name(void)
{
    return scene_names[world_pick(5)];
}

static void make_ring(struct lam_ring *ring, enum lam_ring_producers producers)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "hostile",
        .depth = UINT64_C(2) << world_pick(8),
        .cell_bytes = world_once_in(4) ? 128 : 64,
        .waiting = world_once_in(4) ? LAM_RING_SPIN_ONLY : LAM_RING_MAY_SLEEP,
        .producers = producers,
        .schema = "a schema",
        .schema_bytes = 8,
        .histograms = 2,
        .first_sequence = starts[world_pick(5)]};
    struct lam_error error;

    TEST_OK(lam_ring_create(ring, &options, &error), error);
    prey_add(ring);
}

void scene_make(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    make_ring(&scene->made[0], LAM_RING_ONE_PRODUCER);
    make_ring(&scene->made[1], LAM_RING_MANY_PRODUCERS);
    lam_ring_merge_init(&scene->merge, NULL);
}

struct lam_ring *scene_side(struct scene *scene, uint32_t ring, enum scene_side side)
{
    struct lam_ring_attach_options options = {
        .access = side == SCENE_WRITER ? LAM_ACCESS_WRITE : LAM_ACCESS_READ,
        .observe = side == SCENE_OBSERVER};
    struct lam_ring *mapped = &scene->sides[ring][side];
    struct lam_error error;
    int data_fd, control_fd;

    if (scene->is_mapped[ring][side])
        return mapped;
    if (world_hostile != NULL && world_once_in(2))
        prey_mutate(); /* attach looks at all that it believes later */
    lam_ring_fds(&scene->made[ring], &data_fd, &control_fd);
    if (CALL(lam_ring_attach_fds(mapped, data_fd, control_fd, &options, &error), EPROTO,
            EOWNERDEAD) != 0)
        return NULL;
    scene->is_mapped[ring][side] = 1;
    return mapped;
}

void scene_read(const struct lam_event *event)
{
    const uint8_t *bytes = event->payload;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < event->payload_bytes; i++)
        sum += bytes[i];
    __asm__("" ::"r"(sum)); /* keep the loads */
    prey_hint(event->end);
}

void scene_call(struct scene *scene)
{
    switch (world_pick(8)) {
    case 0:
    case 1:
        scene_produce(scene);
        break;
    case 2:
        scene_produce_many(scene);
        break;
    case 3:
    case 4:
        scene_consume(scene);
        break;
    case 5:
        scene_share(scene);
        break;
    case 6:
        scene_merge(scene);
        break;
    default:
        scene_look(scene);
    }
}

void scene_leave(struct scene *scene)
{
    for (uint32_t i = 0; i < SCENE_MEMBERS; i++)
        scene_leave_member(scene, i);
    for (uint32_t i = 0; i < SCENE_CONSUMERS; i++)
        scene_leave_consumer(scene, i);
    for (uint32_t i = 0; i < SCENE_MANY; i++)
        scene_leave_many(scene, i);
    scene_leave_producer(scene);
}

void scene_end(struct scene *scene)
{
    scene_leave(scene);
    for (uint32_t ring = 0; ring < SCENE_RINGS; ring++) {
        for (uint32_t side = 0; side < SCENE_SIDES; side++)
            if (scene->is_mapped[ring][side])
                CALL_VOID(lam_ring_detach(&scene->sides[ring][side]));
        (void)CALL(lam_ring_destroy(&scene->made[ring]), EBUSY);
    }
    prey_drop();
}
