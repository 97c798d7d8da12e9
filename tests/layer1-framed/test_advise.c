/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: advice on sizes follows from what was seen: cells that waste little, a depth that holds the
 * bursts and the messages, a bound where frames stay; and nothing that is seen breaks it.
 * Method: made-up sights, and the memory of advised rings asked for at layer 0.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "lamina/framed/framed.h"

static struct lam_advise_seen seen;
static struct lam_advice advice;

static void begin(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.cell_bytes = 64;
    seen.depth = 4096;
    seen.watched_ns = LAM_NS_PER_S;
}

TestSuite(advise, .init = begin, .timeout = 20);

static void see(uint64_t count, uint32_t bytes)
{
    const struct lam_event event = {.payload_bytes = bytes, .kind = 1};

    while (count-- > 0)
        lam_advise_see(&seen, &event, NULL, 0);
}

/* The frames of a message of @total bytes, as a sender cuts them. */
static void see_frames(uint64_t total, uint32_t piece_bytes)
{
    struct lam_frame_header header;

    for (uint64_t offset = 0; offset < total; offset += piece_bytes) {
        uint64_t left = total - offset;
        uint32_t bytes = left < piece_bytes ? (uint32_t)left : piece_bytes;
        struct lam_event event = {.payload_bytes = LAM_FRAME_HEADER_BYTES + bytes,
            .kind = LAM_FRAMED_KIND_FRAME,
            .sequence = 77 + offset,
            .flags = (uint16_t)((offset == 0 ? LAM_EVENT_FIRST_FRAME : 0) |
                                (bytes == left ? LAM_EVENT_LAST_FRAME : 0))};

        lam_store_relaxed(&header.message, 77);
        lam_store_relaxed(&header.total, total);
        lam_store_relaxed(&header.offset, offset);
        lam_store_relaxed(&header.shape, 5);
        lam_advise_see(&seen, &event, &header, sizeof(header));
    }
}

static void ask(void)
{
    cr_assert(eq(int, lam_advise(&seen, &advice), 0));
}

Test(advise, nothing_seen_is_no_data)
{
    cr_assert(eq(int, lam_advise(&seen, &advice), -ENODATA));
    see(1, 8);
    seen.cell_bytes = 100;
    cr_assert(eq(int, lam_advise(&seen, &advice), -EINVAL));
    cr_assert(eq(int, lam_advise_cells(&seen, 32, &advice), -EINVAL));
}

Test(advise, messages_of_48_bytes_fit_cells_of_64_exactly)
{
    see(1000, 48);
    seen.used_cells_max = 100;
    ask();
    cr_assert(eq(u32, advice.cell_bytes, 64));
    cr_assert(eq(u32, advice.waste_per_mille, 0));
    cr_assert(eq(u64, advice.depth, 256)); /* twice 100, and the one that stays free */
    cr_assert(eq(u64, advice.message_bytes_max, 0));
    cr_assert(eq(u32, advice.reasons, LAM_ADVISE_FOR_BURSTS));
    cr_assert(lt(u64, advice.ring_bytes, advice.ring_bytes_now));
}

Test(advise, cells_that_are_mostly_empty_are_made_smaller)
{
    seen.cell_bytes = 1024;
    see(1000, 40);
    seen.used_cells_max = 1000;
    ask();
    cr_assert(eq(u32, advice.cell_bytes, 64));
    cr_assert(eq(u32, advice.waste_per_mille_now, 945));
    cr_assert(eq(u64, advice.depth, 2048 * 1));
    cr_assert(ne(u32, advice.reasons & LAM_ADVISE_CELL_SMALLER, 0));
}

Test(advise, messages_of_many_cells_get_the_largest_that_waste_a_tenth)
{
    see(1000, 1008);
    seen.used_cells_max = 1600;
    ask();
    cr_assert(eq(u32, advice.cell_bytes, 1024));
    cr_assert(eq(u64, advice.depth, 256)); /* 100 messages in use */
    cr_assert(ne(u32, advice.reasons & LAM_ADVISE_CELL_LARGER, 0));
    begin();
    see(1000, 1024);
    seen.used_cells_max = 1700;
    ask();
    cr_assert(eq(u32, advice.cell_bytes, 128)); /* 9 of them: 6 per cent more; 5 of 256: 18 */
    cr_assert(eq(u64, advice.depth, 2048));     /* 900 in use */
}

Test(advise, half_of_the_ring_holds_the_messages_in_place)
{
    seen.depth = 64;
    see_frames(100000, 1000);
    for (int i = 0; i < 50; i++)
        see_frames(90000, 1000);
    seen.used_cells_max = 60;
    ask();
    cr_assert(eq(u64, seen.messages, 51));
    cr_assert(eq(u64, seen.framed_messages, 51));
    cr_assert(eq(u64, seen.bytes_max, 100000));
    cr_assert(ge(u64, advice.depth / 2 * advice.cell_bytes, 100016));
    cr_assert(lt(u64, advice.depth / 4 * advice.cell_bytes, 100016 + advice.cell_bytes));
    cr_assert(eq(u64, advice.message_bytes_max, 0));
}

Test(advise, a_few_large_messages_stay_in_frames_and_have_a_bound)
{
    seen.depth = 64;
    see(1000, 48);
    see_frames(1000000, 1000);
    seen.used_cells_max = 60;
    ask();
    cr_assert(eq(u32, advice.cell_bytes, 64));
    cr_assert(eq(u64, advice.bytes_p99, 48));
    cr_assert(eq(u64, advice.message_bytes_max, UINT64_C(1) << 20));
    cr_assert(ne(u32, advice.reasons & LAM_ADVISE_FRAMES_STAY, 0));
    cr_assert(le(u64, advice.depth, 4096));
}

Test(advise, huge_messages_do_not_ask_for_a_huge_ring)
{
    for (int i = 0; i < 10; i++)
        see_frames(UINT64_C(1) << 30, 1U << 20);
    seen.used_cells_max = 3000;
    ask();
    cr_assert(le(u64, advice.ring_bytes, UINT64_C(1) << 33));
    cr_assert(eq(u64, advice.message_bytes_max, UINT64_C(1) << 30));
}

Test(advise, a_full_ring_is_doubled_and_a_slow_receiver_named)
{
    see(1000, 48);
    seen.used_cells_max = 4095;
    seen.full = 3;
    seen.blocked_ns = 1000;
    ask();
    cr_assert(eq(u64, advice.depth, 8192));
    cr_assert(eq(u32, advice.reasons, (LAM_ADVISE_FOR_BURSTS | LAM_ADVISE_WAS_FULL)));
    seen.blocked_ns = seen.watched_ns / 2 + 1;
    ask();
    cr_assert(ne(u32, advice.reasons & LAM_ADVISE_RECEIVER_SLOW, 0));
}

Test(advise, without_a_receiver_that_gates_the_room_stays_as_it_is)
{
    see(100, 100);
    ask();
    cr_assert(ne(u32, advice.reasons & LAM_ADVISE_FULLNESS_UNKNOWN, 0));
    cr_assert(eq(u32, advice.cell_bytes, 128));
    cr_assert(eq(u64, advice.depth, 2048)); /* of 4096 cells of 64, two a message */
}

Test(advise, what_it_says_of_memory_is_what_layer_0_says)
{
    static const uint32_t sizes[] = {8, 48, 100, 500, 1008, 4000, 70000};

    for (int i = 0; i < 7; i++) {
        struct lam_ring_options options = {.name = "advice"};
        uint64_t bytes;

        begin();
        see(100, sizes[i]);
        seen.used_cells_max = 1000;
        ask();
        options.depth = advice.depth;
        options.cell_bytes = advice.cell_bytes;
        cr_assert(eq(int, lam_ring_bytes(&options, &bytes, NULL), 0));
        cr_assert(eq(u64, advice.ring_bytes, bytes));
        for (uint32_t cell_bytes = 64; cell_bytes <= 65536; cell_bytes *= 2) {
            cr_assert(eq(int, lam_advise_cells(&seen, cell_bytes, &advice), 0));
            cr_assert(eq(u64, advice.depth & (advice.depth - 1), 0));
            cr_assert(ge(u64, advice.depth / 2 * cell_bytes, sizes[i] + 16));
        }
    }
}

Test(advise, a_frame_whose_header_is_not_at_hand_is_an_event_like_others)
{
    struct lam_frame_header header;
    struct lam_event event = {.payload_bytes = 40,
        .kind = LAM_FRAMED_KIND_FRAME,
        .sequence = 9,
        .flags = LAM_EVENT_FIRST_FRAME};

    lam_store_relaxed(&header.message, 9);
    lam_store_relaxed(&header.total, 1000);
    lam_store_relaxed(&header.offset, 0);
    lam_store_relaxed(&header.shape, 5);
    lam_advise_see(&seen, &event, &header, sizeof(header) - 1);
    cr_assert(eq(u64, seen.framed_messages, 0));
    cr_assert(eq(u64, seen.bytes_max, 40));
    lam_advise_see(&seen, &event, &header, sizeof(header));
    cr_assert(eq(u64, seen.framed_messages, 1));
    cr_assert(eq(u64, seen.bytes_max, 1000));
}

/* Frames that cannot be are events like others; words at random are advised on, too. */
Test(advise, impossible_events_break_nothing)
{
    _Alignas(16) uint8_t bytes[LAM_ADVISE_LOOK_BYTES];
    uint64_t random = 7;

    for (int i = 0; i < 300000; i++) {
        struct lam_event event;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        event = (struct lam_event){.payload_bytes = (uint32_t)(random >> 20 >> (random >> 59)),
            .kind = (random >> 8 & 1) != 0 ? LAM_FRAMED_KIND_FRAME : (uint16_t)(random >> 16),
            .flags = (uint16_t)((random >> 9 & 1) != 0 ? random >> 40 & 31 : random >> 32)};
        memset(bytes, (int)(random >> 33), sizeof(bytes));
        memcpy(bytes + random % 64, &random, sizeof(random));
        lam_advise_see(&seen, &event, bytes, random >> 50 & 127);
        if (i % 1000 == 0)
            (void)lam_advise(&seen, &advice);
    }
    (void)lam_advise(&seen, &advice);
}
