/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor pipeline: alarms overtake the telemetry that waits before them, in one buffer of 512. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { READING = 1, READING_COUNT = 200, LIMIT = 90 };

struct reading {
    uint32_t number;
    uint32_t celsius;
};

/* The sensor: every reading is telemetry; one above the limit is an alarm, too. */
static int sense(struct lam_lanes *lanes, uint64_t end_ns)
{
    struct lam_lanes_sender sender;

    if (lam_lanes_sender_attach(&sender, lanes, NULL, NULL) != 0)
        return 1;
    for (uint32_t i = 0; i < READING_COUNT; i++) {
        struct reading now = {.number = i, .celsius = 60 + i * 7 % 32};
        struct iovec part = {&now, sizeof(now)};
        enum lam_lane low = LAM_LANE_LOW, critical = LAM_LANE_CRITICAL;

        if (lam_lanes_sender_send_until(&sender, &low, &part, 1, READING, NULL, end_ns) != 0)
            return 1;
        if (now.celsius > LIMIT &&
            lam_lanes_sender_send_until(&sender, &critical, &part, 1, READING, NULL, end_ns) != 0)
            return 1;
    }
    lam_lanes_sender_close(&sender);
    lam_lanes_sender_detach(&sender);
    return 0;
}

/* The pipeline: what is urgent first; at least one reading in nine even while alarms pour in. */
static int process(struct lam_lanes_receiver *receiver, uint64_t end_ns)
{
    uint32_t counts[LAM_LANE_COUNT] = {0, 0, 0};
    struct lam_framed_message message;
    enum lam_lane lane;
    int rc;

    while ((rc = lam_lanes_receiver_receive_until(receiver, end_ns, &message, &lane)) == 0) {
        const struct reading *reading = message.payload;

        if (lane == LAM_LANE_CRITICAL)
            printf("alarm: %u degrees in reading %u, %u readings seen so far\n", reading->celsius,
                reading->number, counts[LAM_LANE_LOW]);
        counts[lane]++;
        lam_lanes_receiver_release(receiver, lane, &message);
    }
    printf("%u alarms, %u readings\n", counts[LAM_LANE_CRITICAL], counts[LAM_LANE_LOW]);
    return rc != -EPIPE || counts[LAM_LANE_LOW] != READING_COUNT;
}

int main(void)
{
    const struct lam_lanes_options options = {.ring = {.name = "sensors", .depth = 512}};
    const struct lam_lanes_receiver_options turns = {.turns_max = 8};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_lanes_receiver receiver;
    struct lam_lanes lanes;
    int status = 0;

    if (lam_lanes_create(&lanes, &options, NULL) != 0 ||
        lam_lanes_receiver_attach(&receiver, &lanes, &turns, NULL) != 0)
        return 1;
    if (fork() == 0)
        return sense(&lanes, end_ns);
    /* A pipeline that was busy elsewhere: all has been sent before it looks. */
    if (wait(&status) < 0 || status != 0 || process(&receiver, end_ns) != 0)
        return 1;
    lam_lanes_receiver_detach(&receiver);
    return lam_lanes_destroy(&lanes) != 0;
}
