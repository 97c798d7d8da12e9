/* SPDX-License-Identifier: Apache-2.0 */
/* Who only looks, and rings that have names: made, joined, revived, cleaned. */
#include "lamina/ring/clean.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/event_crc.h"
#include "lamina/ring/stat.h"
#include "scene.h"

#include "prey.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void observe(const struct lam_ring *ring)
{
    static uint8_t buffer[1 << 15];
    struct lam_ring_observer observer;
    struct lam_event event = {.payload = NULL};
    enum lam_ring_start start = (enum lam_ring_start)world_pick(2);
    uint64_t lost;

    if (CALL(lam_ring_observer_begin(&observer, ring, start), EPROTO) != 0)
        return;
    for (uint64_t left = world_pick(20); left > 0; left--)
        (void)CALL(lam_ring_observer_try_read(
                       &observer, buffer, world_pick(sizeof(buffer)), &event, &lost),
            EOVERFLOW, EPROTO);
}

static void count(const struct lam_ring *ring)
{
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    const struct lam_histogram *latency;
    uint64_t value_ns;

    for (uint32_t i = 0; i < 3; i++) {
        latency = lam_ring_latency(ring, i);
        if (latency != NULL)
            (void)CALL(lam_histogram_quantile(latency, 990, &value_ns), ENODATA);
        (void)CALL(lam_ring_counters_read(ring, i == 2 ? LAM_RING_PRODUCER_INDEX : i, values), 0);
    }
}

void scene_look(struct scene *scene)
{
    uint32_t at = (uint32_t)world_pick(SCENE_RINGS);
    enum scene_side side = world_once_in(3) ? SCENE_READER : SCENE_OBSERVER;
    struct lam_ring *ring = scene_side(scene, at, side);
    char type_name[LAM_RING_TYPE_NAME_MAX + 1];
    struct lam_ring_stat stat;
    const void *schema;
    uint64_t sum = 0;
    int64_t bytes;

    if (ring == NULL)
        return;
    if (CALL(lam_ring_stat_read(ring, &stat), EPROTO) == 0)
        for (uint32_t i = 0; i < stat.consumer_count; i++)
            sum += strlen(stat.consumers[i].name);
    CALL_VOID(lam_ring_state_read(ring));
    observe(ring);
    count(ring);
    bytes = CALL(lam_ring_schema(ring, &schema), EPROTO);
    for (int64_t i = 0; i < bytes; i++)
        sum += ((const uint8_t *)schema)[i];
    CALL_VOID(lam_ring_type_name(ring, type_name));
    sum += strlen(type_name);
    __asm__("" ::"r"(sum));
    if (side == SCENE_OBSERVER && !world_once_in(4)) {
        CALL_VOID(lam_ring_detach(ring));
        scene->is_mapped[at][side] = 0;
    }
}

static void publish_vouched(struct lam_ring *ring)
{
    struct lam_ring_producer producer;
    struct lam_error error;
    void *payload = NULL;

    if (CALL(lam_ring_producer_attach(&producer, ring, NULL, &error), EPROTO, EBUSY) != 0)
        return;
    for (uint64_t left = world_pick(80); left > 0; left--) {
        uint32_t bytes = 16 + (uint32_t)world_pick(100);

        if (CALL(lam_ring_producer_try_claim(&producer, bytes, &payload), EPIPE, ENOTRECOVERABLE,
                EMSGSIZE) != 1)
            break;
        memset(payload, 3, bytes);
        lam_event_crc_write(payload, bytes, 1, LAM_EVENT_CRC32C);
        CALL_VOID(lam_ring_producer_commit(&producer, bytes, 1, LAM_EVENT_CRC32C));
    }
    prey_hint(producer.next);
    CALL_VOID(lam_ring_producer_detach(&producer));
}

static void found(void *context, const struct lam_ring_found *finding)
{
    (void)context;
    (void)strlen(finding->text);
}

#define ATTACH_CODES EPROTO, EPROTOTYPE, ENOENT, EOWNERDEAD, EINVAL, EEXIST, EBUSY

/* Join it as it is now: a producer revives what the machine was stopped over. */
static void join(const char *folder)
{
    struct lam_ring_attach_options options = {.name = "h",
        .directory = folder,
        .access = world_once_in(2) ? LAM_ACCESS_WRITE : LAM_ACCESS_READ};
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    struct lam_error error;
    struct lam_ring ring;

    if (CALL(lam_ring_attach(&ring, &options, &error), ATTACH_CODES) != 0)
        return;
    if (options.access == LAM_ACCESS_WRITE)
        publish_vouched(&ring);
    if (CALL(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), EPROTO, EUSERS, EEXIST,
            ESTALE, ENOENT) == 0) {
        while (CALL(lam_ring_consumer_try_peek(&consumer, &event), EPIPE, EOWNERDEAD, EPROTO,
                   ESTALE, ENOTRECOVERABLE, ECANCELED) == 1)
            scene_read(&event);
        CALL_VOID(lam_ring_consumer_detach(&consumer));
    }
    CALL_VOID(lam_ring_detach(&ring));
}

/* What no mark vouches for any more is left alone by all calls: its owner's to remove. */
static void remove_by_hand(const char *folder)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/lamina.h.data", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/lamina.h.control", folder);
    (void)unlink(path);
}

void scene_lifecycle(const char *folder)
{
    int is_file = world_once_in(2);
    struct lam_ring_options options = {.backing = is_file ? LAM_BACKING_FILE : LAM_BACKING_NAMED,
        .name = "h",
        .directory = folder,
        .depth = 64,
        .keep = world_once_in(2),
        .first_sequence = UINT64_MAX - 2};
    struct lam_ring_clean_options clean = {
        .directory = folder, .remove = 1, .files = world_once_in(2)};
    struct lam_error error;
    struct lam_ring ring;

    if (CALL(lam_ring_create(&ring, &options, &error), ATTACH_CODES) == 0) {
        prey_add(&ring);
        publish_vouched(&ring);
        for (int i = 0; i < 3; i++) {
            prey_mutate();
            join(folder);
        }
        if (world_once_in(4))
            (void)CALL(lam_ring_destroy(&ring), EBUSY);
        else
            CALL_VOID(lam_ring_detach(&ring)); /* left as by one that died */
        prey_mutate();
        prey_drop();
    } else if (world_once_in(8)) {
        remove_by_hand(folder);
    }
    join(folder);
    if (world_once_in(3))
        (void)CALL(lam_ring_clean(&clean, found, NULL, &error), 0);
}
