/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file ring of before a power cut: who revives it dies, before, on the way, or behind it. The
 * next one does it again, and of its events those are there that a CRC vouches for, and no others.
 */
#include "crash.h"

#include "lamina/ring/event_crc.h"
#include "lamina/ring/stat.h"
#include "layout.h"

#define EVENTS 12
#define LAPS   (UINT64_C(3) * CRASH_DEPTH)

static uint64_t vouched(void)
{
    return (crash.random >> 30) % EVENTS;
}

static struct lam_ring_options options(void)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_FILE,
        .name = crash.name,
        .directory = crash.directory,
        .depth = CRASH_DEPTH,
        .keep = 1,
        .first_sequence = crash.first};
}

static void publish(struct lam_ring_producer *producer, uint64_t number, int is_vouched)
{
    uint8_t *payload = NULL;
    uint32_t bytes = LAM_EVENT_EXTENSION_BYTES + 24;

    TEST_CHECK(lam_ring_producer_try_claim(producer, bytes, (void **)&payload) == 1);
    for (uint32_t offset = 0; offset < 24; offset += 8) {
        uint64_t word = number + (offset == 0 ? 0 : producer->next);

        memcpy(payload + LAM_EVENT_EXTENSION_BYTES + offset, &word, 8);
    }
    lam_event_crc_write(payload, bytes, 5, LAM_EVENT_CRC32C);
    payload[bytes - 1] ^= is_vouched ? 0 : 0x40; /* as a torn page would */
    lam_ring_producer_commit(producer, bytes, 5, LAM_EVENT_CRC32C);
}

/* Events, the last of them torn; and the machine starts anew. */
static void leave_a_cut(void)
{
    struct lam_ring_options making = options();
    struct lam_ring_producer producer;

    TEST_OK(lam_ring_create(&crash_ring, &making, &crash_error), crash_error);
    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, NULL, &crash_error), crash_error);
    for (uint64_t number = 0; number < EVENTS; number++)
        publish(&producer, number, number < vouched());
    lam_store_relaxed(&crash_ring.data_head->boot, 1);
    crash_die();
}

static void peer(void)
{
    struct lam_ring_options keeping = options();

    TEST_OK(lam_ring_create(&crash_ring, &keeping, &crash_error), crash_error);
}

static void check_event(const struct lam_event *event, uint64_t number)
{
    uint64_t found;

    TEST_CHECK(event->payload != NULL && lam_event_crc_is_right(event));
    memcpy(&found, (const uint8_t *)event->payload + LAM_EVENT_EXTENSION_BYTES, 8);
    TEST_CHECK(found == number);
}

void crash_scene_revive(void)
{
    struct lam_ring_options keeping = options();
    struct lam_ring_consumer_options reading = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer consumer;
    struct lam_ring_producer producer;
    struct lam_ring_stat stat;
    struct lam_event event = {.payload = NULL};

    TEST_CHECK(test_wait(crash_start_other(leave_a_cut)) == 128 + SIGKILL);
    crash_check_end(test_wait(crash_start_peer(peer)));
    TEST_OK(lam_ring_create(&crash_ring, &keeping, &crash_error), crash_error);
    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, NULL, &crash_error), crash_error);
    TEST_OK(lam_ring_consumer_attach(&consumer, &crash_ring, &reading, &crash_error), crash_error);
    for (uint64_t number = 0; number < vouched() + LAPS; number++) {
        if (number >= vouched())
            publish(&producer, number, 1);
        TEST_CHECK(lam_ring_consumer_try_peek(&consumer, &event) == 1);
        check_event(&event, number);
        TEST_CHECK(lam_ring_consumer_release(&consumer) == 0);
    }
    TEST_CHECK(lam_ring_consumer_try_peek(&consumer, &event) == 0);
    TEST_CHECK(lam_ring_stat_read(&crash_ring, &stat) == 0);
    TEST_CHECK(stat.events == vouched() + LAPS);
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    crash_destroy_ring();
}
