/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: between attach and detach lanes allocate nothing, whatever is sent, waited for and pressed.
 * Method: the allocator counts its calls. That it does is shown by those of attach.
 */
#include "count_malloc.h"
#include "lanes.h"
#include "processes.h"

static struct three three;

static void use_frames(void)
{
    static uint8_t bytes[3000];
    struct iovec part = {bytes, sizeof(bytes)};
    struct lam_framed_message message;
    enum lam_lane to = LAM_LANE_LOW, lane;

    /* Some frames have left, and the rest has no room. */
    TEST_CHECK(lam_lanes_sender_send_until(&three.sender, &to, &part, 1, 1, NULL,
                   lam_deadline_after_ns(LAM_NS_PER_MS)) == -ETIMEDOUT);
    TEST_CHECK(lam_lanes_receiver_try_receive(&three.receiver, &message, &lane) == -ECANCELED);
}

static void use_all(void)
{
    struct three_message what = {.lane = 0, .number = 0};
    struct iovec part = {&what, sizeof(what)};
    struct lam_framed_message message;
    struct lam_pressure pressure;
    enum lam_lane lane;

    for (int i = 0; i < 3000; i++) {
        lane = (enum lam_lane)(i % LAM_LANE_COUNT);
        TEST_CHECK(three_send(&three, lane) == 1);
        TEST_CHECK(three_receive(&three) == (int)lane);
        TEST_CHECK(lam_lanes_pressure(&three.lanes, lane, &pressure) == 0);
    }
    TEST_CHECK(lam_lanes_receiver_demand(&three.receiver, LAM_LANE_CRITICAL, 900) == 0);
    lane = LAM_LANE_CRITICAL;
    TEST_CHECK(lam_lanes_sender_try_send(&three.sender, &lane, &part, 1, 1, NULL) == 1);
    TEST_CHECK(lane == LAM_LANE_HIGH);
    TEST_CHECK(lam_lanes_receiver_try_receive(&three.receiver, &message, &lane) == 1);
    TEST_CHECK(lam_lanes_receiver_release(&three.receiver, lane, &message) == 0);
    TEST_CHECK(lam_lanes_receiver_receive_until(&three.receiver,
                   lam_deadline_after_ns(LAM_NS_PER_MS), &message, &lane) == -ETIMEDOUT);
    use_frames();
    lam_lanes_sender_close(&three.sender);
    TEST_CHECK(lam_lanes_receiver_try_receive(&three.receiver, &message, &lane) == -EPIPE);
}

int main(void)
{
    struct three_options options = {.depth = 64,
        .sender = {.answer = LAM_PRESSURE_DEGRADE, .sender.message_bytes_max = 4096},
        .receiver = {.receiver.message_bytes_max = 4096, .turns_max = 2}};
    uint64_t before;

    three_open(&three, &options);
    TEST_CHECK(malloc_calls > 0);
    before = malloc_calls;
    use_all();
    TEST_CHECK(malloc_calls == before);
    three_close(&three);
    return 0;
}
