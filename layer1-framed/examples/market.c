/* SPDX-License-Identifier: Apache-2.0 */
/* Market data to two readers: prices before trades before the order book, whatever is behind. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { READERS = 2, STEPS = 1000, PRICE = 1, TRADE = 2, BOOK = 3 };

struct tick {
    uint64_t number;
    uint64_t cents;
};

/* The lane of each kind. */
static const enum lam_lane lane_of[] = {
    [PRICE] = LAM_LANE_CRITICAL, [TRADE] = LAM_LANE_HIGH, [BOOK] = LAM_LANE_LOW};

static int publish(struct lam_lanes_sender *sender, uint16_t kind, uint64_t number, uint64_t end_ns)
{
    void *payload;
    int rc =
        lam_lanes_sender_claim_until(sender, lane_of[kind], sizeof(struct tick), end_ns, &payload);

    if (rc != 0)
        return rc;
    *(struct tick *)payload = (struct tick){.number = number, .cents = 10000 + number % 77};
    lam_lanes_sender_commit(sender, lane_of[kind], sizeof(struct tick), kind);
    return 0;
}

/* Each reader gets everything: every lane in its order, the price first. */
static int read_all(struct lam_lanes *lanes, uint64_t end_ns)
{
    const struct lam_lanes_receiver_options options = {.turns_max = 16};
    struct lam_lanes_receiver receiver;
    struct lam_framed_message message;
    uint64_t next[LAM_LANE_COUNT] = {0, 0, 0};
    enum lam_lane lane;
    int rc = lam_lanes_receiver_attach(&receiver, lanes, &options, NULL);

    while (rc == 0 &&
           (rc = lam_lanes_receiver_receive_until(&receiver, end_ns, &message, &lane)) == 0) {
        const struct tick *tick = message.payload;

        if (lane_of[message.kind] != lane || tick->number != next[lane]++)
            return 1;
        lam_lanes_receiver_release(&receiver, lane, &message);
    }
    lam_lanes_receiver_detach(&receiver);
    return rc != -EPIPE || next[0] != STEPS || next[1] != STEPS || next[2] != STEPS;
}

int main(void)
{
    const struct lam_lanes_options options = {.ring = {.name = "market", .depth = 1024}};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_lanes_sender sender;
    struct lam_lanes lanes;
    int status, failed = 0;

    if (lam_lanes_create(&lanes, &options, NULL) != 0)
        return 1;
    for (int i = 0; i < READERS; i++)
        if (fork() == 0)
            return read_all(&lanes, end_ns);
    if (lam_lanes_sender_attach(&sender, &lanes, NULL, NULL) != 0 ||
        lam_lanes_sender_wait_receivers_until(&sender, READERS, end_ns) != 0)
        return 1;
    for (uint64_t i = 0; i < STEPS; i++)
        for (uint16_t kind = BOOK; kind >= PRICE; kind--)
            failed |= publish(&sender, kind, i, end_ns) != 0;
    lam_lanes_sender_close(&sender);
    lam_lanes_sender_detach(&sender);
    for (int i = 0; i < READERS; i++)
        failed |= wait(&status) < 0 || status != 0;
    printf("%d readers, %d prices, trades and books each%s\n", READERS, STEPS,
        failed ? ": something is missing" : "");
    return lam_lanes_destroy(&lanes) != 0 || failed;
}
