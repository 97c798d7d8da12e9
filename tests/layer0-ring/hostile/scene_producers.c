/* SPDX-License-Identifier: Apache-2.0 */
/* All that producers do: one of a ring, and several. */
#include "lamina/ring/batch.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/progress.h"
#include "lamina/ring/timestamp.h"
#include "scene.h"

#include "prey.h"
#include "world.h"

#include <errno.h>
#include <string.h>

static void heed(void *context, const struct lam_ring_alert *alert)
{
    (void)context;
    (void)strlen(alert->name);
}

static void require_some(struct scene *scene)
{
    struct lam_ring_required_options options = {.names = scene_names,
        .count = (uint32_t)(1 + world_pick(3)),
        .action = (enum lam_ring_failure_action)world_pick(3),
        .alert = heed};
    struct lam_error error;

    (void)CALL(
        lam_ring_producer_require(&scene->producer, &scene->required, &options, &error), EALREADY);
}

static void attach(struct scene *scene)
{
    struct lam_ring_producer_options options = {.wait = (enum lam_wait_mode)world_pick(4),
        .timestamp_every = (uint32_t)world_pick(3),
        .await_count = world_once_in(8) ? 1 : 0,
        .await_names = scene_names,
        .await_name_count = world_once_in(8) ? 1 : 0};
    struct lam_ring *ring = scene_side(scene, 0, SCENE_WRITER);
    struct lam_error error;

    if (ring == NULL)
        return;
    if (CALL(lam_ring_producer_attach(&scene->producer, ring, &options, &error), EPROTO, EBUSY) !=
        0)
        return;
    scene->has_producer = 1;
    if (world_once_in(6))
        require_some(scene);
}

void scene_leave_producer(struct scene *scene)
{
    if (!scene->has_producer)
        return;
    if (world_once_in(2))
        CALL_VOID(lam_ring_producer_close(&scene->producer));
    else if (world_once_in(3))
        CALL_VOID(lam_ring_producer_fail(&scene->producer, "it was told to"));
    CALL_VOID(lam_ring_producer_detach(&scene->producer));
    scene->has_producer = 0;
    if (world_once_in(2) && scene->is_mapped[0][SCENE_WRITER]) {
        CALL_VOID(lam_ring_detach(&scene->sides[0][SCENE_WRITER]));
        scene->is_mapped[0][SCENE_WRITER] = 0;
    }
}

#define CLAIM_CODES EMSGSIZE, EPIPE, ECANCELED, ENOTRECOVERABLE

static void publish_one(struct lam_ring_producer *producer)
{
    uint64_t bytes_max = lam_ring_payload_bytes_max(producer->ring);
    uint64_t bytes = world_pick(world_once_in(3) ? bytes_max + 3 : 200);
    uint64_t kept = world_once_in(4) ? world_pick(bytes + 1) : bytes;
    void *payload = NULL;
    int64_t rc =
        world_once_in(3)
            ? 1 + CALL(lam_ring_producer_claim_until(producer, bytes, world_soon(), &payload),
                      CLAIM_CODES, ETIMEDOUT)
            : CALL(lam_ring_producer_try_claim(producer, bytes, &payload), CLAIM_CODES);

    if (rc != 1)
        return;
    memset(payload, (int)bytes, bytes);
    if (world_once_in(6))
        CALL_VOID(lam_ring_producer_abort(producer));
    else
        CALL_VOID(lam_ring_producer_commit(producer, kept, 1, 0));
}

static void publish_timed(struct lam_ring_producer *producer)
{
    uint64_t bytes = world_pick(lam_ring_producer_timed_bytes_max(producer) + 2);
    void *payload = NULL;

    if (CALL(lam_ring_producer_try_claim_timed(producer, bytes, &payload), CLAIM_CODES) != 1)
        return;
    memset(payload, 7, bytes);
    CALL_VOID(lam_ring_producer_commit_timed(producer, bytes, 2, 0));
}

static void publish_batch(struct lam_ring_producer *producer)
{
    uint64_t cell_count = 1 + world_pick(producer->ring->depth + 1);
    struct lam_ring_batch batch;
    void *payload = NULL;
    int64_t rc =
        world_once_in(3)
            ? 1 + CALL(lam_ring_producer_claim_batch_until(
                           producer, cell_count, world_soon(), &batch),
                      CLAIM_CODES, ETIMEDOUT)
            : CALL(lam_ring_producer_try_claim_batch(producer, cell_count, &batch), CLAIM_CODES);

    if (rc != 1)
        return;
    for (uint64_t bytes = world_pick(200);
         !world_once_in(8) &&
         CALL(lam_ring_batch_stage(&batch, bytes, 3, 0, &payload), EMSGSIZE) == 1;
         bytes = world_pick(200))
        memset(payload, 9, bytes);
    if (world_once_in(4))
        CALL_VOID(lam_ring_batch_abort(&batch));
    else
        CALL_VOID(lam_ring_batch_commit(&batch));
}

static void ask(struct lam_ring_producer *producer)
{
    struct lam_ring_blocker blocker;
    struct lam_error error;
    lam_atomic_u64 *counter;
    uint64_t cursor;

    (void)CALL(lam_ring_producer_blocker(producer, &blocker), 0);
    (void)CALL(lam_ring_producer_lowest(producer, &cursor), 0);
    (void)CALL(lam_ring_producer_cursor_of(producer, scene_name(), &cursor), ENOENT);
    (void)CALL(lam_ring_producer_count(producer, world_once_in(2) ? NULL : "a"), 0);
    CALL_VOID(lam_ring_producer_lacks(producer, world_pick(producer->ring->depth)));
    (void)CALL(lam_ring_producer_is_consumed(producer, producer->next - 1), 0);
    (void)CALL(lam_ring_producer_await_consumed_until(
                   producer, producer->next - 1 - world_pick(3), world_soon()),
        ETIMEDOUT, EINVAL, ECANCELED, ENOTRECOVERABLE);
    (void)CALL(
        lam_ring_producer_wait_consumers_until(producer, (uint32_t)world_pick(4), world_soon()),
        ETIMEDOUT);
    (void)CALL(lam_ring_producer_wait_names_until(producer, scene_names, 2, world_soon(), &error),
        ETIMEDOUT);
    (void)CALL(lam_ring_producer_check(producer), ECANCELED, EPIPE, ENOTRECOVERABLE);
    if (CALL(lam_ring_producer_counter(producer, scene_name(), &counter), ENOSPC) == 0)
        lam_ring_counter_add(counter, 1);
}

void scene_produce(struct scene *scene)
{
    struct lam_ring_producer *producer = &scene->producer;

    if (!scene->has_producer)
        attach(scene);
    else if (world_once_in(40))
        scene_leave_producer(scene);
    else if (world_once_in(8))
        ask(producer);
    else if (world_once_in(4))
        publish_batch(producer);
    else if (producer->timestamp_every != 0 && world_once_in(2))
        publish_timed(producer);
    else
        publish_one(producer);
    if (scene->has_producer)
        prey_hint(producer->next);
}

void scene_leave_many(struct scene *scene, uint32_t at)
{
    struct scene_many *many = &scene->many[at];

    if (!many->is_there)
        return;
    if (world_once_in(2))
        CALL_VOID(lam_ring_many_close(&many->producer));
    CALL_VOID(lam_ring_many_detach(&many->producer));
    many->is_there = 0;
}

static void attach_many(struct scene *scene, struct scene_many *many)
{
    struct lam_ring_many_options options = {
        .name = world_once_in(2) ? NULL : scene_name(), .wait = (enum lam_wait_mode)world_pick(4)};
    struct lam_ring *ring = scene_side(scene, 1, SCENE_WRITER);
    struct lam_error error;

    if (ring != NULL)
        many->is_there = CALL(lam_ring_many_attach(&many->producer, ring, &options, &error), EPROTO,
                             EUSERS) == 0;
}

static void publish_as_one_of_many(struct lam_ring_many_producer *producer)
{
    uint64_t bytes =
        world_pick(world_once_in(3) ? lam_ring_payload_bytes_max(producer->ring) + 3 : 200);
    uint64_t kept = world_once_in(4) ? world_pick(bytes + 1) : bytes;
    void *payload = NULL;
    int64_t rc = world_once_in(3)
                     ? 1 + CALL(lam_ring_many_claim_until(producer, bytes, world_soon(), &payload),
                               CLAIM_CODES, ETIMEDOUT)
                     : CALL(lam_ring_many_try_claim(producer, bytes, &payload), CLAIM_CODES);

    if (rc != 1)
        return;
    prey_hint(producer->start);
    memset(payload, (int)bytes, bytes);
    if (world_once_in(5))
        CALL_VOID(lam_ring_many_abort(producer));
    else
        CALL_VOID(lam_ring_many_commit(producer, kept, 1, 0));
}

void scene_produce_many(struct scene *scene)
{
    uint32_t at = (uint32_t)world_pick(SCENE_MANY);
    struct lam_ring_many_producer *producer = &scene->many[at].producer;
    struct lam_ring_many_blocker blocker;

    if (!scene->many[at].is_there) {
        attach_many(scene, &scene->many[at]);
    } else if (world_once_in(40)) {
        scene_leave_many(scene, at);
    } else if (world_once_in(8)) {
        (void)CALL(lam_ring_many_blocker(producer, &blocker), 0);
        (void)CALL(
            lam_ring_many_wait_consumers_until(producer, (uint32_t)world_pick(4), world_soon()),
            ETIMEDOUT);
    } else {
        publish_as_one_of_many(producer);
    }
}
