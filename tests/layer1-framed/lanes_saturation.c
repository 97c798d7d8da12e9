/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: under saturation a waiting lower lane has its turn at least once per K messages of higher
 * lanes, each of the two; without a bound it starves; and each lane's own order holds.
 * Method: three processes send as fast as they can, one in each lane. The receiver looks before
 * each receive which lanes have something, and counts what goes by them. Sequences start near each
 * wrap. Every so often it pauses until all lanes are full.
 */
#include "lanes.h"
#include "processes.h"
#include "starts.h"

static const uint64_t bounds[] = {1, 4, 32, 0};

static struct three three;

static int send_all(enum lam_lane lane)
{
    struct lam_framed_sender sender;

    if (lam_framed_sender_attach(&sender, &three.lanes.rings[lane], NULL, NULL) != 0)
        return 1;
    for (uint64_t number = 0;; number++) {
        struct three_message what = {.lane = lane, .number = number};
        void *payload;

        if (lam_framed_sender_claim_until(&sender, sizeof(what), three_soon(), &payload) != 0)
            return 2;
        memcpy(payload, &what, sizeof(what));
        lam_framed_sender_commit(&sender, sizeof(what), 1);
    }
}

/* What went by each lane while it had something. */
struct suffering {
    uint64_t passed[LAM_LANE_COUNT];
    uint64_t worst[LAM_LANE_COUNT];
    uint64_t all_waited; /* receives before which all lanes had something */
};

static int receive_one(struct suffering *suffering)
{
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane;
    uint32_t waiting = 0;

    for (int at = 0; at < LAM_LANE_COUNT; at++)
        waiting |= (uint32_t)lam_lanes_is_there(&three.receiver.lanes[at]) << at;
    if (lam_lanes_receiver_receive_until(&three.receiver, three_soon(), &message, &lane) != 0)
        return -EIO;
    suffering->all_waited += waiting == 7;
    suffering->passed[lane] = 0;
    for (int below = (int)lane + 1; below < LAM_LANE_COUNT; below++)
        if ((waiting >> below & 1) != 0 && ++suffering->passed[below] > suffering->worst[below])
            suffering->worst[below] = suffering->passed[below];
    return three_take(&three, &message, lane);
}

static uint32_t fill_of(enum lam_lane lane)
{
    struct lam_pressure pressure;

    TEST_CHECK(lam_lanes_pressure(&three.lanes, lane, &pressure) == 0);
    return pressure.fill;
}

static void wait_until_full(void)
{
    uint64_t end_ns = three_soon();
    int lane = 0;

    while (lane < LAM_LANE_COUNT) {
        if (fill_of((enum lam_lane)lane) == LAM_PRESSURE_FULL)
            lane++;
        else
            (void)usleep(100);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
}

static void play(uint64_t turns_max, uint64_t count)
{
    struct three_options options = {.receiver.turns_max = turns_max};
    struct suffering suffering = {{0}, {0}, 0};
    pid_t senders[LAM_LANE_COUNT];
    struct lam_lanes_options lanes = {
        .ring = {.name = "saturation", .depth = 4096, .first_sequence = test_next_start()}};
    struct lam_error error = {""};

    memset(&three, 0, sizeof(three));
    TEST_OK(lam_lanes_create(&three.lanes, &lanes, &error), error);
    TEST_OK(
        lam_lanes_receiver_attach(&three.receiver, &three.lanes, &options.receiver, &error), error);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        senders[lane] = test_fork();
        if (senders[lane] == 0)
            _exit(send_all((enum lam_lane)lane));
    }
    for (uint64_t i = 0; i < count; i++) {
        if (i % 4096 == 0)
            wait_until_full();
        TEST_CHECK(receive_one(&suffering) >= 0);
    }
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        test_kill(senders[lane]);
    (void)printf("K %llu: of %llu receives all lanes waited in %llu; high was passed by %llu at "
                 "most, low by %llu; taken %llu, %llu, %llu\n",
        (unsigned long long)turns_max, (unsigned long long)count,
        (unsigned long long)suffering.all_waited,
        (unsigned long long)suffering.worst[LAM_LANE_HIGH],
        (unsigned long long)suffering.worst[LAM_LANE_LOW], (unsigned long long)three.received[0],
        (unsigned long long)three.received[1], (unsigned long long)three.received[2]);
    for (int lane = LAM_LANE_HIGH; lane < LAM_LANE_COUNT; lane++)
        if (turns_max != 0) {
            TEST_CHECK(suffering.worst[lane] <= turns_max);
            /* Not better than it says: else the test has seen no saturation. */
            TEST_CHECK(suffering.worst[lane] == turns_max);
        }
    /* Strictly: nothing of low while there is anything else. */
    if (turns_max == 0)
        TEST_CHECK(suffering.worst[LAM_LANE_LOW] > 100);
    TEST_CHECK(suffering.all_waited > 0);
    lam_lanes_receiver_detach(&three.receiver);
    (void)lam_lanes_destroy(&three.lanes);
}

int main(void)
{
    for (uint64_t round = 0; round < three_effort(); round++)
        for (unsigned i = 0; i < 4; i++)
            play(bounds[i], 60000);
    return 0;
}
