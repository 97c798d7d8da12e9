/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever another process writes into one lane, at any time, the other two deliver every
 * message in order, and nobody crashes, loops or is held: an impossible demand is none, a possible
 * one presses its own lane alone.
 * Method: words at random are stored into one lane between any two calls of both ends, by a second
 * mapping: into both objects, as its sender could, or into control, as a receiver could; sanitizers
 * and an alarm watch. Then demands, by one who may write control.
 */
#include "lanes.h"
#include "layout.h"
#include "nasty_word.h"
#include "processes.h"
#include "starts.h"

#define LIMIT_S 100

static struct three three;
static struct lam_ring theirs; /* of the lane that is spoilt */
static uint64_t seed;
static int by_sender; /* it is the lane's sender that means harm: it writes data, too */

static uint64_t draw(uint64_t count)
{
    return pick_from(&seed, count);
}

static void spoil(void)
{
    uint64_t data_words = (theirs.data.head_bytes + theirs.data.body_bytes) / 8;
    uint64_t control_words = theirs.control.head_bytes / 8;
    uint64_t at;

    if (by_sender && draw(2) == 0) {
        /* Mostly where the ends look: the head's second part, and the first cells. */
        at = draw(4) == 0 ? draw(data_words) : 64 + draw(1024) % (data_words - 64);
        lam_store_relaxed(
            (lam_atomic_u64 *)theirs.data.base + at, nasty_word(&seed, three.sent[LAM_LANE_LOW]));
    } else {
        at = draw(3) == 0 ? draw(control_words) : draw(512);
        lam_store_relaxed((lam_atomic_u64 *)theirs.control.base + at,
            nasty_word(&seed, three.sent[LAM_LANE_LOW]));
    }
}

static void open_round(enum lam_lane victim, enum lam_pressure_answer answer)
{
    struct three_options options = {.depth = 64,
        .first_sequence = test_start(draw(3)),
        .sender = {.answer = answer, .sender.message_bytes_max = 4096},
        .receiver = {.receiver.message_bytes_max = 4096, .turns_max = draw(5)}};
    struct lam_lanes_options lanes = {.ring = {.name = "hostile",
                                          .backing = LAM_BACKING_MEMFD,
                                          .depth = 64,
                                          .first_sequence = options.first_sequence}};
    struct lam_ring_attach_options attach = {.access = LAM_ACCESS_WRITE};
    struct lam_error error = {""};
    int data_fd, control_fd;

    memset(&three, 0, sizeof(three));
    TEST_OK(lam_lanes_create(&three.lanes, &lanes, &error), error);
    lam_ring_fds(&three.lanes.rings[victim], &data_fd, &control_fd);
    TEST_OK(lam_ring_attach_fds(&theirs, data_fd, control_fd, &attach, &error), error);
    TEST_OK(lam_lanes_sender_attach(&three.sender, &three.lanes, &options.sender, &error), error);
    TEST_OK(
        lam_lanes_receiver_attach(&three.receiver, &three.lanes, &options.receiver, &error), error);
}

static void close_round(void)
{
    lam_ring_detach(&theirs);
    three_close(&three);
}

/* Of the victim's anything is right; of another lane's that lane's next alone. */
static void take(enum lam_lane victim, enum lam_lane lane, const struct lam_framed_message *message)
{
    uint64_t sum = 0;

    if (lane != victim) {
        TEST_CHECK(three_take(&three, message, lane) == (int)lane);
        return;
    }
    for (uint64_t i = 0; i < message->payload_bytes; i++)
        sum += ((const uint8_t *)message->payload)[i];
    (void)sum;
    (void)lam_lanes_receiver_release(&three.receiver, lane, message);
}

static void receive_some(enum lam_lane victim, uint64_t rounds)
{
    while (rounds-- > 0) {
        struct lam_framed_message message = {.payload = NULL};
        enum lam_lane lane = LAM_LANE_COUNT;
        int rc = draw(4) == 0 ? lam_lanes_receiver_receive_until(
                                    &three.receiver, lam_deadline_after_ns(1000), &message, &lane)
                              : lam_lanes_receiver_try_receive(&three.receiver, &message, &lane);

        TEST_CHECK(rc >= 0 || rc == -ETIMEDOUT || lane == victim);
        if (message.payload != NULL)
            take(victim, lane, &message);
        if (draw(2) == 0)
            spoil();
    }
}

static void send_some(enum lam_lane victim)
{
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        int rc;

        if (lane == (int)victim && by_sender)
            continue;
        rc = three_send(&three, (enum lam_lane)lane);
        /* The others are never refused while they have room; nor is their room touched. */
        if (lane != (int)victim)
            TEST_CHECK(rc == 1 || (rc == 0 && three.sent[lane] - three.received[lane] >=
                                                  three.lanes.rings[lane].depth - 1));
        if (draw(2) == 0)
            spoil();
    }
}

/* All that was sent in the other two comes. */
static void drain(enum lam_lane victim)
{
    enum lam_lane one = (enum lam_lane)((victim + 1) % LAM_LANE_COUNT);
    enum lam_lane other = (enum lam_lane)((victim + 2) % LAM_LANE_COUNT);
    uint64_t end_ns = three_soon();

    while (three.received[one] != three.sent[one] || three.received[other] != three.sent[other]) {
        receive_some(victim, 10);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
}

static void play(void)
{
    enum lam_lane victim = (enum lam_lane)draw(LAM_LANE_COUNT);
    struct lam_pressure pressure;

    by_sender = draw(2) == 0;
    open_round(victim, LAM_PRESSURE_IGNORE);
    if (by_sender)
        lam_framed_sender_detach(&three.sender.lanes[victim]);
    for (uint64_t rounds = 20 + draw(60); rounds > 0; rounds--) {
        send_some(victim);
        receive_some(victim, draw(6));
        if (lam_lanes_pressure(&three.lanes, victim, &pressure) == 0)
            TEST_CHECK(pressure.level <= LAM_PRESSURE_FULL);
    }
    drain(victim);
    close_round();
}

/* Of one who may write control: what a demand can do, and what it cannot. */
static void demand(uint64_t word, int is_one)
{
    enum lam_lane victim = (enum lam_lane)draw(LAM_LANE_COUNT);
    uint64_t end_ns = three_soon();
    struct lam_pressure pressure;

    open_round(victim, LAM_PRESSURE_REJECT);
    for (uint32_t i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++)
        lam_store_relaxed(&theirs.control_head->entries[i].demand, word);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        enum lam_lane to = (enum lam_lane)lane;
        struct three_message what = {.lane = to, .number = three.sent[lane]};
        struct iovec part = {&what, sizeof(what)};
        int rc = lam_lanes_sender_try_send(&three.sender, &to, &part, 1, 1, NULL);
        int presses = lane == (int)victim && is_one && word > LAM_PRESSURE_MAX_DEFAULT;

        TEST_CHECK(rc == (presses ? -ECANCELED : 1));
        TEST_CHECK(lam_lanes_pressure(&three.lanes, (enum lam_lane)lane, &pressure) == 0);
        TEST_CHECK(pressure.demand == (lane == (int)victim && is_one ? word : 0));
        TEST_CHECK(pressure.level <= LAM_PRESSURE_FULL);
        three.sent[lane] += rc == 1;
    }
    while (three.received[0] + three.received[1] + three.received[2] <
           three.sent[0] + three.sent[1] + three.sent[2]) {
        TEST_CHECK(three_receive(&three) >= 0);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
    close_round();
}

/* A cursor that cannot be is nobody's: it neither fills the lane nor empties it below nothing. */
static void lie_about_cursors(void)
{
    enum lam_lane victim = (enum lam_lane)draw(LAM_LANE_COUNT);
    struct lam_pressure pressure;

    open_round(victim, LAM_PRESSURE_IGNORE);
    TEST_CHECK(three_send(&three, victim) == 1);
    for (unsigned bit = 0; bit < 64; bit++) {
        lam_store_relaxed(
            &theirs.control_head->entries[0].cursor, theirs.first_sequence + (UINT64_C(1) << bit));
        TEST_CHECK(lam_lanes_pressure(&three.lanes, victim, &pressure) == 0);
        TEST_CHECK(pressure.level <= LAM_PRESSURE_FULL);
        lam_store_relaxed(
            &theirs.control_head->entries[0].cursor, theirs.first_sequence - (UINT64_C(1) << bit));
        TEST_CHECK(lam_lanes_pressure(&three.lanes, victim, &pressure) == 0);
        TEST_CHECK(pressure.level <= LAM_PRESSURE_FULL);
    }
    close_round();
}

int main(void)
{
    (void)alarm(LIMIT_S * (unsigned)three_effort());
    for (uint64_t round = 0; round < 600 * three_effort(); round++) {
        seed = round * UINT64_C(0x9e3779b97f4a7c15) + 1;
        play();
    }
    for (uint64_t word = 0; word <= 1000; word += 1 + word / 9)
        demand(word, 1);
    demand(1000, 1);
    for (unsigned bit = 10; bit < 64; bit++)
        demand((UINT64_C(1) << bit) + draw(23), 0);
    demand(1001, 0);
    lie_about_cursors();
    demand(UINT64_MAX, 0);
    return 0;
}
