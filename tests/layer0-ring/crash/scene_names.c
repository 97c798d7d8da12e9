/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever makes a ring, replaces a dead one, removes its own, or cleans up dies on the way. A name
 * that is there is a whole ring's; the next one makes, removes and cleans what the dead left, and
 * never what is alive.
 */
#include "crash.h"

#include "lamina/base/segment.h"
#include "lamina/ring/stat.h"

#define LIVE_EVENTS 60

static struct lam_ring_options options_of(const char *name)
{
    return (struct lam_ring_options){
        .backing = crash_is(CRASH_FILE) ? LAM_BACKING_FILE : LAM_BACKING_NAMED,
        .name = name,
        .directory = crash.directory,
        .depth = CRASH_DEPTH,
        .keep = crash_is(CRASH_FILE),
        .first_sequence = crash.first};
}

/* Make a ring, publish and read through it, and destroy it. */
static void live_on(const char *name)
{
    struct lam_ring_options options = options_of(name);
    struct lam_ring_consumer_options reading = {.start = LAM_RING_HEAD};
    struct crash_reader reader = {.next = 0};
    struct lam_ring_producer producer;
    struct lam_ring ring;

    TEST_OK(lam_ring_create(&ring, &options, &crash_error), crash_error);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &crash_error), crash_error);
    TEST_OK(lam_ring_consumer_attach(&reader.end, &ring, &reading, &crash_error), crash_error);
    while (reader.next < LIVE_EVENTS) {
        TEST_CHECK(crash_publish(&producer, reader.next, crash_soon()) > 0);
        TEST_CHECK(crash_read_all(&reader) == 0);
    }
    lam_ring_consumer_detach(&reader.end);
    lam_ring_producer_detach(&producer);
    crash_check_ring(&ring);
    TEST_OK(lam_ring_destroy(&ring), crash_error);
}

static void peer_makes(void)
{
    live_on(crash.name);
}

/* A ring that nobody holds. */
static void leave_dead(void)
{
    struct lam_ring_options options = options_of(crash.name);
    struct lam_ring_producer producer;

    TEST_OK(lam_ring_create(&crash_ring, &options, &crash_error), crash_error);
    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, NULL, &crash_error), crash_error);
    (void)crash_publish(&producer, 0, crash_soon());
    crash_die();
}

/* The ring is there, whole, or it is not. */
static void look(void)
{
    struct lam_ring_attach_options options = {
        .name = crash.name, .directory = crash.directory, .access = LAM_ACCESS_READ};
    struct lam_ring ring;
    int rc = lam_ring_attach(&ring, &options, &crash_error);

    if (rc == -EPROTO) { /* halves of two, for a moment, where one takes the other's place */
        options.deadline_ns = lam_deadline_after_ns(20 * LAM_NS_PER_MS);
        rc = lam_ring_attach(&ring, &options, &crash_error);
    }
    if (rc != -ENOENT)
        TEST_OK(rc, crash_error);
    lam_ring_detach(&ring);
}

/* Look for it while it is made. */
static int look_until_end(pid_t child)
{
    uint64_t end_ns = crash_soon();
    int how;

    while (!crash_has_ended(child, &how)) {
        look();
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
    return how;
}

void crash_scene_create(void)
{
    if (crash_is(CRASH_PREDECESSOR))
        TEST_CHECK(test_wait(crash_start_other(leave_dead)) == 128 + SIGKILL);
    crash_check_end(look_until_end(crash_start_peer(peer_makes)));
    if ((crash.random >> 9) % 2 == 0)
        crash_check_directory(); /* a cleaner comes first */
    live_on(crash.name);
    crash_check_directory();
}

static void peer_cleans(void)
{
    (void)crash_clean(1, 1);
}

static void leave_half(void)
{
    struct lam_segment_options options = {.backing = LAM_BACKING_NAMED,
        .directory = crash.directory,
        .name = "lamina.half.control",
        .head_bytes = lam_segment_page_bytes()};
    struct lam_segment segment;

    TEST_OK(lam_segment_create(&segment, &options, &crash_error), crash_error);
    crash_die();
}

/* Two dead rings, one half made, and one that lives and goes on. */
void crash_scene_clean(void)
{
    char live[80], first[64];
    struct lam_ring_options options;
    struct lam_ring_producer producer;
    struct crash_reader reader = {.next = 0};
    struct lam_ring ring;

    (void)snprintf(live, sizeof(live), "%s-live", crash.name);
    (void)snprintf(first, sizeof(first), "%s", crash.name);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(crash.name, sizeof(crash.name), "%.40s-dead%c", first, "01"[i]);
        TEST_CHECK(test_wait(crash_start_other(leave_dead)) == 128 + SIGKILL);
    }
    TEST_CHECK(test_wait(crash_start_other(leave_half)) == 128 + SIGKILL);
    options = options_of(live);
    TEST_OK(lam_ring_create(&ring, &options, &crash_error), crash_error);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &crash_error), crash_error);
    TEST_OK(lam_ring_consumer_attach(&reader.end, &ring, NULL, &crash_error), crash_error);
    TEST_CHECK(crash_publish(&producer, 0, crash_soon()) > 0);
    crash_check_end(test_wait(crash_start_peer(peer_cleans)));
    TEST_CHECK(crash_clean(0, 1) <= 3); /* a dry run takes nothing away */
    (void)crash_clean(1, 1);
    TEST_CHECK(crash_clean(0, 1) == 0 && crash_count_files() == 2);
    TEST_CHECK(crash_read_all(&reader) == 0);
    for (int i = 0; i < LIVE_EVENTS; i++) {
        TEST_CHECK(crash_publish(&producer, reader.next, crash_soon()) > 0);
        TEST_CHECK(crash_read_all(&reader) == 0);
    }
    lam_ring_consumer_detach(&reader.end);
    lam_ring_producer_detach(&producer);
    crash_check_ring(&ring);
    crash_check_places(&ring);
    TEST_OK(lam_ring_destroy(&ring), crash_error);
    TEST_CHECK(crash_count_files() == 0);
}
