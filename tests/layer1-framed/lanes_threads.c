/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages of three lanes, in place and in frames, reach a receiver that runs beside the
 * sender whole and in their lanes' order, however both wait; no wake-up is lost.
 * Method: a thread each over one mapping, small lanes, so that both sleep often; the sender minds
 * pressure and the receiver makes some. A sleep has no end of its own: one that nobody ends hangs.
 * Under ThreadSanitizer a missing order is a report.
 */
#include <pthread.h>

#include "lanes.h"
#include "processes.h"
#include "starts.h"

#define LIMIT_S    60
#define WORDS_MAX  600
#define BYTES_MAX  UINT64_C(4800)
#define KIND_LANES 7

static struct three three;
static uint64_t message_count;
static struct lam_base_ops ops;

/* As though the other end's death were no matter: only a bell ends it. */
static void long_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait(word, expected, lam_deadline_after_ns(LIMIT_S * LAM_NS_PER_S));
}

static void long_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait_any(
        words, expected, count, lam_deadline_after_ns(LIMIT_S * LAM_NS_PER_S));
}

static enum lam_lane lane_of(uint64_t number)
{
    return (enum lam_lane)(number * 2654435761U >> 7 & 0xffff) % LAM_LANE_COUNT;
}

/* The first is the number within the lane; mostly small, now and then many times the lane. */
static uint64_t words_of(enum lam_lane lane, uint64_t number)
{
    return number % 17 == 3 ? 1 + (number * 29 + (uint64_t)lane) % WORDS_MAX : 1 + number % 30;
}

static void *send_all(void *argument)
{
    static uint64_t words[WORDS_MAX];

    (void)argument;
    for (uint64_t number = 0; number < message_count; number++) {
        enum lam_lane lane = lane_of(number), to = lane;
        uint64_t count = words_of(lane, three.sent[lane]);
        struct iovec parts[2] = {{words, 8}, {words + 1, 8 * (count - 1)}};

        for (uint64_t i = 0; i < count; i++)
            words[i] = three.sent[lane] + i * (1 + (uint64_t)lane);
        TEST_CHECK(lam_lanes_sender_send_until(
                       &three.sender, &to, parts, 2, KIND_LANES, NULL, LAM_DEADLINE_NEVER) == 0);
        TEST_CHECK(to == lane);
        three.sent[lane]++;
    }
    lam_lanes_sender_close(&three.sender);
    return NULL;
}

static void check(const struct lam_framed_message *message, enum lam_lane lane)
{
    const uint64_t *words = message->payload;
    uint64_t number = three.received[lane]++;
    uint64_t count = words_of(lane, number);

    TEST_CHECK(message->payload_bytes == 8 * count && message->kind == KIND_LANES);
    for (uint64_t i = 0; i < count; i++)
        TEST_CHECK(words[i] == number + i * (1 + (uint64_t)lane));
}

/* A moment of it: the sender sleeps on that, now and then. */
static void press(enum lam_lane lane)
{
    TEST_CHECK(lam_lanes_receiver_demand(&three.receiver, lane, 900) == 0);
    (void)usleep(50);
    TEST_CHECK(lam_lanes_receiver_demand(&three.receiver, lane, 0) == 0);
}

static void receive_all(void)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t total = 0;
    enum lam_lane lane;
    int rc;

    while ((rc = lam_lanes_receiver_receive_until(
                &three.receiver, LAM_DEADLINE_NEVER, &message, &lane)) == 0) {
        check(&message, lane);
        TEST_CHECK(lam_lanes_receiver_release(&three.receiver, lane, &message) == 0);
        if (++total % 64 == 0)
            press(lane);
        if (total % 1000 == 0)
            (void)usleep(200); /* the sender fills up and sleeps */
    }
    TEST_CHECK(rc == -EPIPE && lane == LAM_LANE_COUNT);
    TEST_CHECK(total == message_count);
}

static void play(enum lam_wait_mode wait, enum lam_pressure_answer answer, uint64_t turns_max)
{
    struct three_options options = {.depth = 100,
        .first_sequence = test_next_start(),
        .sender = {.answer = answer,
            .sender = {.producer.wait = wait, .message_bytes_max = BYTES_MAX}},
        .receiver = {.receiver = {.consumer.wait = wait, .message_bytes_max = BYTES_MAX},
            .turns_max = turns_max}};
    pthread_t sender;

    three_open(&three, &options);
    TEST_CHECK(pthread_create(&sender, NULL, send_all, NULL) == 0);
    receive_all();
    TEST_CHECK(pthread_join(sender, NULL) == 0);
    three_close(&three);
}

int main(void)
{
    (void)alarm((unsigned)(LIMIT_S * three_effort()));
    ops = lam_base_linux;
    ops.futex_wait = long_futex_wait;
    ops.futex_wait_any = long_futex_wait_any;
    lam_base = &ops;
    message_count = 5000 * three_effort();
    play(LAM_WAIT_FUTEX, LAM_PRESSURE_IGNORE, 0);
    play(LAM_WAIT_FUTEX, LAM_PRESSURE_WAIT, 3);
    play(LAM_WAIT_HYBRID, LAM_PRESSURE_WAIT, 1);
    play(LAM_WAIT_YIELD, LAM_PRESSURE_IGNORE, 8);
    return 0;
}
