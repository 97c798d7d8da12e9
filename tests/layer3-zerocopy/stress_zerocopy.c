/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of layers 2 and 3 as threads over one mapping, for ThreadSanitizer: a sender that
 * builds in place; readers that hold, copy first, and decode. Every byte is checked.
 */
#include "check.h"
#include "notes.h"

#include "lamina/typed/typed.h"
#include "lamina/zerocopy/zerocopy.h"

#include <errno.h>
#include <pthread.h>

#define NOTE_COUNT 4000
#define HELD_COUNT 5

static const struct lam_codec *const codec = &test_Note_flatbuffers;
static struct lam_ring ring;
static _Alignas(16) unsigned char copy[16384];
static uint64_t end_ns;

static void *hold(void *copies)
{
    struct lam_zerocopy_receiver_options options = {
        .copy = copies, .copy_bytes = copies != NULL ? sizeof(copy) : 0};
    struct lam_zerocopy_view views[HELD_COUNT];
    struct lam_zerocopy_receiver receiver;
    uint64_t next = 0;
    int rc = 0;

    CHECK(lam_zerocopy_receiver_attach(&receiver, &ring, codec, &options, NULL) == 0);
    while (rc == 0) {
        uint64_t first = next;
        uint32_t held = 0;

        while (held < HELD_COUNT &&
               (rc = lam_zerocopy_receiver_view_until(&receiver, end_ns, &views[held])) == 0) {
            held++;
            next++;
        }
        /* The middle first, then the rest from behind. */
        for (uint32_t i = held; i-- > 0;) {
            uint32_t at = (i + held / 2) % held;

            CHECK(note_view_is(views[at].payload, first + at));
            lam_zerocopy_receiver_release(&receiver, &views[at]);
        }
    }
    CHECK(rc == -EPIPE && next == NOTE_COUNT);
    lam_zerocopy_receiver_detach(&receiver);
    return NULL;
}

static void *take(void *unused)
{
    unsigned char memory[4096];
    struct lam_typed_receiver receiver;
    struct lam_arena arena;
    struct test_Note note;
    uint64_t next = 0;
    int rc;

    CHECK(lam_typed_receiver_attach(&receiver, &ring, codec, NULL, NULL) == 0);
    lam_arena_init(&arena, memory, sizeof(memory));
    while ((rc = lam_typed_receiver_receive_until(&receiver, end_ns, &note, &arena, NULL)) == 0) {
        CHECK(note_is(&note, next));
        next++;
        lam_arena_reset(&arena);
    }
    CHECK(rc == -EPIPE && next == NOTE_COUNT);
    lam_typed_receiver_detach(&receiver);
    return unused;
}

static void build_notes(uint64_t from, uint64_t to)
{
    struct lam_zerocopy_sender sender;
    struct lam_fb_builder builder;

    CHECK(lam_zerocopy_sender_attach(&sender, &ring, codec, NULL, NULL) == 0);
    CHECK(lam_zerocopy_sender_wait_receivers_until(&sender, 3, end_ns) == 0);
    for (uint64_t number = from; number < to; number++) {
        CHECK(lam_zerocopy_sender_claim_until(&sender, NOTE_BYTES_MAX, end_ns, &builder) == 0);
        note_build(&builder, number);
        CHECK(lam_zerocopy_sender_commit(&sender, &builder, 0) == 0);
    }
    lam_zerocopy_sender_close(&sender);
    lam_zerocopy_sender_detach(&sender);
}

int main(void)
{
    struct lam_ring_options options = {.name = "stress", .depth = 256};
    pthread_t threads[3];

    end_ns = lam_deadline_after_ns(100 * LAM_NS_PER_S);
    CHECK(lam_typed_channel_create(&ring, &options, codec, NULL) == 0);
    CHECK(pthread_create(&threads[0], NULL, hold, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, hold, copy) == 0);
    CHECK(pthread_create(&threads[2], NULL, take, NULL) == 0);
    build_notes(0, NOTE_COUNT);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(lam_ring_destroy(&ring) == 0);
    return 0;
}
