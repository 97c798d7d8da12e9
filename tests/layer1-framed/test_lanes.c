/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: three lanes have their shares, their order and their own room, and one that is full or
 * busy with frames leaves the others alone.
 * Method: one thread holds both ends; counting starts near each wrap.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lanes.h"

static const uint64_t starts[] = {
    0, (UINT64_C(1) << 32) - 40, (UINT64_C(1) << 63) - 40, UINT64_MAX - 40};

static struct three three;

TestSuite(lanes, .timeout = 30);

static void open_at(uint64_t depth, uint64_t start, uint64_t turns_max)
{
    struct three_options options = {
        .depth = depth, .first_sequence = start, .receiver.turns_max = turns_max};

    three_open(&three, &options);
}

Test(lanes, have_their_share_or_up_to_twice_of_it)
{
    static const uint8_t shares[][3] = {{0, 0, 0}, {20, 50, 30}, {1, 1, 98}, {33, 33, 34}};

    for (uint64_t depth = 3; depth < 5000; depth += 1 + depth / 7)
        for (int i = 0; i < 4; i++) {
            struct lam_lanes_options options = {.ring.depth = depth};
            uint64_t depths[LAM_LANE_COUNT];

            memcpy(options.share_percent, shares[i], 3);
            cr_assert(eq(int, lam_lanes_depths(&options, depths, NULL), 0));
            for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
                uint64_t share = depth * shares[i == 0 ? 1 : i][lane];

                cr_assert(ge(u64, depths[lane] * 100, share));
                cr_assert(depths[lane] == 2 || (depths[lane] / 2) * 100 < share);
                cr_assert(eq(u64, depths[lane] & (depths[lane] - 1), 0));
            }
        }
}

Test(lanes, of_256_cells_hold_52_128_and_76_and_more)
{
    struct lam_lanes_options options = {.ring = {.name = "shares", .depth = 256}};
    uint64_t depths[LAM_LANE_COUNT];
    uint64_t together, one, sum = 0;

    cr_assert(eq(int, lam_lanes_depths(&options, depths, NULL), 0));
    cr_assert(eq(u64, depths[LAM_LANE_CRITICAL], 64));
    cr_assert(eq(u64, depths[LAM_LANE_HIGH], 128));
    cr_assert(eq(u64, depths[LAM_LANE_LOW], 128));
    cr_assert(eq(int, lam_lanes_bytes(&options, &together, NULL), 0));
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        options.ring.depth = depths[lane];
        cr_assert(eq(int, lam_ring_bytes(&options.ring, &one, NULL), 0));
        sum += one;
    }
    cr_assert(eq(u64, together, sum));
}

Test(lanes, with_impossible_shares_or_names_are_refused_with_the_reason)
{
    static const uint8_t shares[][3] = {{100, 0, 0}, {50, 50, 50}, {30, 30, 30}};
    struct lam_lanes_options options = {.ring.name = "none"};
    struct lam_error error = {""};
    char name[LAM_LANES_NAME_MAX + 2];
    uint64_t depths[LAM_LANE_COUNT];
    struct lam_lanes lanes;

    for (int i = 0; i < 3; i++) {
        memcpy(options.share_percent, shares[i], 3);
        cr_assert(eq(int, lam_lanes_create(&lanes, &options, &error), -EINVAL));
        cr_assert(strstr(error.text, "share_percent") != NULL);
        lam_lanes_detach(&lanes);
    }
    memset(options.share_percent, 0, 3);
    options.ring.depth = (UINT64_C(1) << 36) + 1;
    cr_assert(eq(int, lam_lanes_depths(&options, depths, &error), -EINVAL));
    options.ring.depth = 64;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    options.ring.name = name;
    cr_assert(eq(int, lam_lanes_create(&lanes, &options, &error), -EINVAL));
    name[LAM_LANES_NAME_MAX] = '\0';
    cr_assert(eq(int, lam_lanes_create(&lanes, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_lanes_destroy(&lanes), 0));
}

Test(lanes, give_the_most_urgent_first_and_keep_the_order_within_a_lane)
{
    for (unsigned at = 0; at < 4; at++) {
        open_at(64, starts[at], 0);
        for (int i = 0; i < 10; i++)
            for (int lane = LAM_LANE_LOW; lane >= 0; lane--)
                cr_assert(eq(int, three_send(&three, (enum lam_lane)lane), 1));
        for (int i = 0; i < 30; i++)
            cr_assert(eq(int, three_receive(&three), i / 10));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        three_close(&three);
    }
}

Test(lanes, that_are_full_do_not_block_the_others)
{
    for (unsigned at = 0; at < 4; at++)
        for (int full = 0; full < LAM_LANE_COUNT; full++) {
            open_at(64, starts[at], 0);
            while (three_send(&three, (enum lam_lane)full) == 1)
                ;
            /* One cell is always free. */
            cr_assert(eq(u64, three.sent[full], three.lanes.rings[full].depth - 1));
            for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
                for (int i = 0; lane != full && i < 10; i++)
                    cr_assert(eq(int, three_send(&three, (enum lam_lane)lane), 1));
            while (three_receive(&three) != LAM_LANE_COUNT)
                ;
            for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
                cr_assert(eq(u64, three.received[lane], three.sent[lane]));
            three_close(&three);
        }
}

Test(lanes, that_are_paused_give_nothing_and_hold_no_other_up)
{
    for (int paused = 0; paused < LAM_LANE_COUNT; paused++) {
        open_at(64, starts[paused], 3);
        lam_lanes_receiver_pause(&three.receiver, (enum lam_lane)paused);
        for (int i = 0; i < 10; i++)
            for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
                cr_assert(eq(int, three_send(&three, (enum lam_lane)lane), 1));
        for (int i = 0; i < 20; i++)
            cr_assert(ne(int, three_receive(&three), LAM_LANE_COUNT));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        cr_assert(eq(u64, three.received[paused], 0));
        lam_lanes_receiver_resume(&three.receiver, (enum lam_lane)paused);
        for (int i = 0; i < 10; i++)
            cr_assert(eq(int, three_receive(&three), paused));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        three_close(&three);
    }
}

/* Whose counts drift says full when it is not, and goes on saying it. */
Test(lanes, are_never_full_without_reason_however_often_they_are_emptied)
{
    for (unsigned at = 0; at < 4; at++) {
        open_at(16, starts[at], 3);
        for (int round = 0; round < 3000; round++) {
            enum lam_lane lane = (enum lam_lane)(round % LAM_LANE_COUNT);
            uint64_t room = three.lanes.rings[lane].depth - 1;
            uint64_t count = (uint64_t)round / 3 % room + 1;

            for (uint64_t i = 0; i < count; i++)
                cr_assert(eq(int, three_send(&three, lane), 1));
            if (count == room)
                cr_assert(eq(int, three_send(&three, lane), 0));
            for (uint64_t i = 0; i < count; i++)
                cr_assert(eq(int, three_receive(&three), (int)lane));
            cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        }
        three_close(&three);
    }
}

Test(lanes, with_a_bound_let_each_waiting_lane_have_its_turn)
{
    uint64_t since_high = 0, since_low = 0;

    open_at(256, UINT64_MAX - 300, 5);
    for (int i = 0; i < 20000; i++) {
        int lane;

        for (int fill = 0; fill < LAM_LANE_COUNT; fill++)
            while (three_send(&three, (enum lam_lane)fill) == 1)
                ;
        lane = three_receive(&three);
        cr_assert(ge(int, lane, 0));
        since_low = lane == LAM_LANE_LOW ? 0 : since_low + 1;
        since_high = lane == LAM_LANE_HIGH ? 0 : since_high + (lane == LAM_LANE_CRITICAL);
        cr_assert(le(u64, since_low, 5));
        cr_assert(le(u64, since_high, 5));
    }
    /* One of six for low, and of the other five one of six for high. */
    cr_assert(ge(u64, three.received[LAM_LANE_LOW], 3333));
    cr_assert(ge(u64, three.received[LAM_LANE_HIGH], 2700));
    three_close(&three);
}

/* The stamps say nothing of them: frames come in one by one. */
Test(lanes, are_not_held_up_by_a_message_of_frames_in_one_of_them)
{
    static uint8_t bytes[20000];
    struct three_options options = {.depth = 256,
        .sender.sender.message_bytes_max = sizeof(bytes),
        .receiver = {.receiver.message_bytes_max = sizeof(bytes)}};
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane;

    memset(bytes, 7, sizeof(bytes));
    for (int slow = 0; slow < LAM_LANE_COUNT; slow++) {
        struct lam_framed_sender *stream;
        uint64_t piece_bytes;
        void *piece;
        int pieces = 0;

        three_open(&three, &options);
        stream = &three.sender.lanes[slow];
        cr_assert(eq(int, lam_framed_sender_open_stream(stream, sizeof(bytes), 9, NULL), 0));
        while (lam_framed_sender_is_streaming(stream)) {
            cr_assert(eq(int, lam_framed_sender_try_claim_piece(stream, &piece, &piece_bytes), 1));
            memset(piece, 7, piece_bytes);
            lam_framed_sender_commit_piece(stream, piece_bytes);
            pieces++;
            if (!lam_framed_sender_is_streaming(stream))
                break;
            for (int other = 0; other < LAM_LANE_COUNT; other++) {
                if (other == slow)
                    continue;
                cr_assert(eq(int, three_send(&three, (enum lam_lane)other), 1));
                cr_assert(eq(int, three_receive(&three), other));
            }
            cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        }
        cr_assert(lt(int, 3, pieces));
        cr_assert(
            eq(int, lam_lanes_receiver_receive_until(&three.receiver, 0, &message, &lane), 0));
        cr_assert(eq(int, (int)lane, slow));
        cr_assert(eq(u64, message.payload_bytes, sizeof(bytes)));
        cr_assert(eq(int, memcmp(message.payload, bytes, sizeof(bytes)), 0));
        cr_assert(eq(int, lam_lanes_receiver_release(&three.receiver, lane, &message), 0));
        three_close(&three);
    }
}

Test(lanes, hold_several_messages_each_and_release_them_by_lane)
{
    struct lam_framed_message held[LAM_LANE_COUNT][4];
    enum lam_lane lane;

    open_at(64, 0, 0);
    for (int i = 0; i < 4 * LAM_LANE_COUNT; i++)
        cr_assert(eq(int, three_send(&three, (enum lam_lane)(i % LAM_LANE_COUNT)), 1));
    for (int i = 0; i < 4 * LAM_LANE_COUNT; i++) {
        cr_assert(eq(
            int, lam_lanes_receiver_try_receive(&three.receiver, &held[i / 4][i % 4], &lane), 1));
        cr_assert(eq(int, (int)lane, i / 4));
    }
    for (int at = LAM_LANE_LOW; at >= 0; at--)
        cr_assert(eq(
            int, lam_lanes_receiver_release(&three.receiver, (enum lam_lane)at, &held[at][3]), 0));
    for (int at = 0; at < LAM_LANE_COUNT; at++)
        while (three_send(&three, (enum lam_lane)at) == 1)
            ;
    for (int at = 0; at < LAM_LANE_COUNT; at++)
        cr_assert(eq(u64, three.sent[at], three.lanes.rings[at].depth - 1 + 4));
    three_close(&three);
}

Test(lanes, reach_another_process_by_descriptors)
{
    struct lam_lanes_options options = {
        .ring = {.name = "passed", .depth = 64, .backing = LAM_BACKING_MEMFD}};
    struct lam_ring_attach_options attach = {.access = LAM_ACCESS_READ};
    struct lam_error error = {""};
    struct lam_lanes theirs;
    int data[LAM_LANE_COUNT], control[LAM_LANE_COUNT];

    memset(&three, 0, sizeof(three));
    cr_assert(eq(int, lam_lanes_create(&three.lanes, &options, &error), 0), "%s", error.text);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_ring_fds(&three.lanes.rings[lane], &data[lane], &control[lane]);
    cr_assert(eq(int, lam_lanes_attach_fds(&theirs, data, control, &attach, &error), 0), "%s",
        error.text);
    cr_assert(eq(int, lam_lanes_sender_attach(&three.sender, &three.lanes, NULL, &error), 0));
    cr_assert(eq(int, lam_lanes_receiver_attach(&three.receiver, &theirs, NULL, &error), 0));
    for (int lane = LAM_LANE_LOW; lane >= 0; lane--)
        cr_assert(eq(int, three_send(&three, (enum lam_lane)lane), 1));
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        cr_assert(eq(int, three_receive(&three), lane));
    lam_lanes_receiver_detach(&three.receiver);
    lam_lanes_sender_detach(&three.sender);
    lam_lanes_detach(&theirs);
    cr_assert(eq(int, lam_lanes_destroy(&three.lanes), 0));
    /* A ring of the two is none. */
    control[LAM_LANE_LOW] = -1;
    cr_assert(lt(int, lam_lanes_attach_fds(&theirs, data, control, &attach, &error), 0));
}

Test(lanes, take_receivers_that_gate_and_rings_of_one_producer)
{
    struct lam_lanes_options lanes = {
        .ring = {.name = "many", .depth = 64, .producers = LAM_RING_MANY_PRODUCERS}};
    struct lam_lanes_receiver_options options = {
        .receiver.consumer.policy = LAM_RING_LOSSY, .turns_max = 3};
    struct lam_lanes_receiver receiver;
    struct lam_error error = {""};
    char buffer[64];

    open_at(64, 0, 0);
    cr_assert(
        eq(int, lam_lanes_receiver_attach(&receiver, &three.lanes, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "lossy") != NULL);
    options.receiver.consumer.policy = LAM_RING_GATE;
    options.receiver.buffer = buffer;
    cr_assert(
        eq(int, lam_lanes_receiver_attach(&receiver, &three.lanes, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "buffers") != NULL);
    three_close(&three);
    cr_assert(eq(int, lam_lanes_create(&three.lanes, &lanes, &error), 0));
    cr_assert(eq(int, lam_lanes_receiver_attach(&receiver, &three.lanes, NULL, &error), -EINVAL));
    cr_assert(strstr(error.text, "many producers") != NULL);
    cr_assert(eq(int, lam_lanes_destroy(&three.lanes), 0));
}
