/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views between processes: readers that hold up to sixteen messages and release them in any order
 * see every byte of every message as it was built, and so does one that copies first, and one that
 * takes values by layer 2 from the same channel.
 */
#include "check.h"
#include "notes.h"

#include "lamina/typed/receiver.h"
#include "lamina/zerocopy/zerocopy.h"

#include <errno.h>

#define NOTE_COUNT 20000
#define HELD_COUNT 16
/* The oldest one held goes before the ring is full of what came after it. */
#define SPREAD 30

static char name[64];
static _Alignas(16) unsigned char copy[32768];
static unsigned char arena_memory[8192];

static void attach(struct lam_ring *ring)
{
    struct lam_ring_attach_options options = {.name = name,
        .access = LAM_ACCESS_READ,
        .deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S)};

    CHECK(lam_typed_channel_attach(ring, &options, &test_Note_flatbuffers, NULL) == 0);
}

/* Hold what comes; past sixteen, or at the end, check one of those held, any, and release it. */
static int holder(void *copies)
{
    struct lam_zerocopy_receiver_options options = {
        .copy = copies, .copy_bytes = copies != NULL ? sizeof(copy) : 0};
    uint64_t end_ns = lam_deadline_after_ns(50 * LAM_NS_PER_S);
    struct lam_zerocopy_view views[HELD_COUNT];
    uint64_t numbers[HELD_COUNT];
    uint32_t held = 0, seed = (uint32_t)getpid();
    struct lam_zerocopy_receiver receiver;
    struct lam_ring ring;
    uint64_t next = 0;
    int rc = 0;

    attach(&ring);
    CHECK(lam_zerocopy_receiver_attach(&receiver, &ring, &test_Note_flatbuffers, &options, NULL) ==
          0);
    while (rc == 0 || held > 0) {
        uint32_t victim;

        if (rc == 0 && held < HELD_COUNT) {
            rc = lam_zerocopy_receiver_view_until(&receiver, end_ns, &views[held]);
            if (rc == 0)
                numbers[held++] = next++;
            continue;
        }
        seed = seed * 1664525 + 1013904223;
        victim = (seed >> 16) % held;
        for (uint32_t i = 0; i < held; i++)
            if (next - numbers[i] > SPREAD)
                victim = i;
        CHECK(note_view_is(views[victim].payload, numbers[victim]));
        lam_zerocopy_receiver_release(&receiver, &views[victim]);
        held--;
        views[victim] = views[held];
        numbers[victim] = numbers[held];
    }
    CHECK(rc == -EPIPE && next == NOTE_COUNT);
    lam_zerocopy_receiver_detach(&receiver);
    return 0;
}

static int taker(void *unused)
{
    uint64_t end_ns = lam_deadline_after_ns(50 * LAM_NS_PER_S);
    struct lam_typed_receiver receiver;
    struct lam_arena arena;
    struct lam_ring ring;
    struct test_Note note;
    uint64_t next = 0;
    int rc;

    (void)unused;
    attach(&ring);
    CHECK(lam_typed_receiver_attach(&receiver, &ring, &test_Note_flatbuffers, NULL, NULL) == 0);
    lam_arena_init(&arena, arena_memory, sizeof(arena_memory));
    while ((rc = lam_typed_receiver_receive_until(&receiver, end_ns, &note, &arena, NULL)) == 0) {
        CHECK(note_is(&note, next));
        next++;
        lam_arena_reset(&arena);
    }
    CHECK(rc == -EPIPE && next == NOTE_COUNT);
    lam_typed_receiver_detach(&receiver);
    return 0;
}

int main(void)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .name = name, .depth = 512};
    uint64_t end_ns = lam_deadline_after_ns(50 * LAM_NS_PER_S);
    struct lam_zerocopy_sender sender;
    struct lam_fb_builder builder;
    struct lam_ring ring;
    pid_t readers[3];

    (void)snprintf(name, sizeof(name), "lamina-test-zerocopy.%d", (int)getpid());
    CHECK(lam_typed_channel_create(&ring, &options, &test_Note_flatbuffers, NULL) == 0);
    CHECK(lam_zerocopy_sender_attach(&sender, &ring, &test_Note_flatbuffers, NULL, NULL) == 0);
    readers[0] = check_fork(holder, NULL);
    readers[1] = check_fork(holder, copy);
    readers[2] = check_fork(taker, NULL);
    CHECK(lam_zerocopy_sender_wait_receivers_until(&sender, 3, end_ns) == 0);
    for (uint64_t number = 0; number < NOTE_COUNT; number++) {
        CHECK(lam_zerocopy_sender_claim_until(&sender, NOTE_BYTES_MAX, end_ns, &builder) == 0);
        note_build(&builder, number);
        CHECK(lam_zerocopy_sender_commit(&sender, &builder, 0) == 0);
    }
    lam_zerocopy_sender_close(&sender);
    for (int i = 0; i < 3; i++)
        CHECK(check_wait(readers[i]) == 0);
    lam_zerocopy_sender_detach(&sender);
    CHECK(lam_ring_destroy(&ring) == 0);
    return 0;
}
