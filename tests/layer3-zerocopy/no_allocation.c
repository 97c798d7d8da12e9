/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between attach and detach no call of layers 2 and 3 allocates, whatever it answers: full, empty,
 * refused, too large, in frames, copied. Each call of the allocator in that time is counted; the
 * attach before it shows that the counter counts.
 */
#include "check.h"
#include "count_malloc.h"
#include "notes.h"

#include "lamina/typed/typed.h"
#include "lamina/zerocopy/zerocopy.h"

#include <string.h>

static _Alignas(16) unsigned char scratch[1 << 17];
static _Alignas(16) unsigned char frames[1 << 17];
static _Alignas(16) unsigned char copy[1 << 14];
static unsigned char arena_memory[1 << 17];
static uint32_t many[12000];

static void typed_round(struct lam_typed_sender *sender, struct lam_typed_receiver *receiver,
    struct lam_arena *arena, uint64_t number)
{
    struct note_room room;
    struct test_Note note, got;

    note_make(&note, &room, number);
    CHECK(lam_typed_sender_try_send(sender, &note, NULL) == 1);
    lam_arena_reset(arena);
    CHECK(lam_typed_receiver_try_receive(receiver, &got, arena, NULL) == 1);
    CHECK(note_is(&got, number));
}

/* All that is rare: refusals, deadlines, frames. */
static void typed_rarities(
    struct lam_typed_sender *sender, struct lam_typed_receiver *receiver, struct lam_arena *arena)
{
    struct iovec noise = {many, 40};
    struct note_room room;
    struct test_Note note, got;
    int sent = 0;

    CHECK(lam_framed_sender_try_send(&sender->framed, &noise, 1, 0, NULL) == 1);
    CHECK(lam_typed_receiver_try_receive(receiver, &got, arena, NULL) == -EBADMSG);
    CHECK(lam_typed_receiver_receive_until(
              receiver, lam_deadline_after_ns(LAM_NS_PER_MS), &got, arena, NULL) == -ETIMEDOUT);

    note_make(&note, &room, 3);
    note.marks.data = many;
    note.marks.count = sizeof(many) / sizeof(many[0]);
    CHECK(
        lam_typed_sender_send_until(sender, &note, NULL, lam_deadline_after_ns(LAM_NS_PER_S)) == 0);
    lam_arena_reset(arena);
    CHECK(lam_typed_receiver_receive_until(
              receiver, lam_deadline_after_ns(LAM_NS_PER_S), &got, arena, NULL) == 0);
    CHECK(got.marks.count == note.marks.count);

    note_make(&note, &room, 3);
    while (lam_typed_sender_try_send(sender, &note, NULL) == 1)
        sent++;
    CHECK(lam_typed_sender_send_until(sender, &note, NULL, lam_deadline_after_ns(LAM_NS_PER_MS)) ==
          -ETIMEDOUT);
    for (; sent > 0; sent--) {
        lam_arena_reset(arena);
        CHECK(lam_typed_receiver_try_receive(receiver, &got, arena, NULL) == 1);
    }
}

static void typed(const struct lam_codec *codec)
{
    struct lam_ring_options options = {.name = "typed", .depth = 1024};
    static struct lam_typed_sender sender;
    static struct lam_typed_receiver receiver;
    struct lam_typed_sender_options sends = {.framed.message_bytes_max = sizeof(scratch),
        .scratch = scratch,
        .scratch_bytes = sizeof(scratch)};
    struct lam_typed_receiver_options receives = {
        .framed = {.message_bytes_max = sizeof(frames), .buffer = frames}};
    uint64_t before = malloc_calls;
    struct lam_arena arena;
    struct lam_ring ring;

    CHECK(lam_typed_channel_create(&ring, &options, codec, NULL) == 0);
    CHECK(lam_typed_sender_attach(&sender, &ring, codec, &sends, NULL) == 0);
    CHECK(lam_typed_receiver_attach(&receiver, &ring, codec, &receives, NULL) == 0);
    CHECK(malloc_calls > before); /* the map of worn cells: the counter counts */
    lam_arena_init(&arena, arena_memory, sizeof(arena_memory));

    before = malloc_calls;
    for (uint64_t number = 0; number < 5000; number++)
        typed_round(&sender, &receiver, &arena, number);
    typed_rarities(&sender, &receiver, &arena);
    CHECK(malloc_calls == before);

    lam_typed_receiver_detach(&receiver);
    lam_typed_sender_detach(&sender);
    CHECK(lam_ring_destroy(&ring) == 0);
}

static void zerocopy(void *copy_memory, size_t copy_bytes)
{
    struct lam_ring_options options = {.name = "zerocopy", .depth = 1024};
    static struct lam_zerocopy_sender sender;
    static struct lam_zerocopy_receiver receiver;
    struct lam_zerocopy_receiver_options receives = {.copy = copy_memory, .copy_bytes = copy_bytes};
    struct lam_zerocopy_view views[8];
    struct lam_fb_builder builder;
    struct lam_ring ring;
    uint64_t before;

    CHECK(lam_typed_channel_create(&ring, &options, &test_Note_flatbuffers, NULL) == 0);
    CHECK(lam_zerocopy_sender_attach(&sender, &ring, &test_Note_flatbuffers, NULL, NULL) == 0);
    CHECK(lam_zerocopy_receiver_attach(&receiver, &ring, &test_Note_flatbuffers, &receives, NULL) ==
          0);

    before = malloc_calls;
    for (uint64_t number = 0; number < 5000; number++) {
        CHECK(lam_zerocopy_sender_try_claim(&sender, 64, &builder) == 1);
        note_build(&builder, number);
        CHECK(lam_zerocopy_sender_commit(&sender, &builder, 0) == -ENOSPC);
        for (uint64_t i = 0; i < 8; i++) {
            CHECK(lam_zerocopy_sender_try_claim(&sender, NOTE_BYTES_MAX, &builder) == 1);
            note_build(&builder, number + i);
            CHECK(lam_zerocopy_sender_commit(&sender, &builder, 0) == 0);
            CHECK(lam_zerocopy_receiver_try_view(&receiver, &views[i]) == 1);
        }
        for (uint64_t i = 8; i-- > 0;) {
            CHECK(note_view_is(views[i].payload, number + i));
            lam_zerocopy_receiver_release(&receiver, &views[i]);
        }
        CHECK(lam_zerocopy_sender_try_claim(&sender, 64, &builder) == 1);
        memset(builder.base, 0x5a, 64);
        lam_zerocopy_sender_commit_bytes(&sender, 64, 0);
        CHECK(lam_zerocopy_receiver_try_view(&receiver, &views[0]) == -EBADMSG);
        CHECK(lam_zerocopy_receiver_try_view(&receiver, &views[0]) == 0);
    }
    CHECK(malloc_calls == before);

    lam_zerocopy_receiver_detach(&receiver);
    lam_zerocopy_sender_detach(&sender);
    CHECK(lam_ring_destroy(&ring) == 0);
}

int main(void)
{
    typed(&test_Note_msgpack);
    typed(&test_Note_flatbuffers);
    zerocopy(NULL, 0);
    zerocopy(copy, sizeof(copy));
    return 0;
}
