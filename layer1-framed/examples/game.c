/* SPDX-License-Identifier: Apache-2.0 */
/* Physics to rendering: states are never held up, draw commands are dropped under pressure. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { STATE = 1, DRAW = 2, STEPS = 600, DRAWS = 4 };

struct state {
    uint64_t step;
    double position[3];
};

/* A draw command that the renderer has no time for is of no use later. Returns 1 it was sent. */
static int try_draw(struct lam_lanes_sender *sender, uint64_t step)
{
    struct iovec part = {&step, sizeof(step)};
    enum lam_lane lane = LAM_LANE_LOW;

    return lam_lanes_sender_try_send(sender, &lane, &part, 1, DRAW, NULL) == 1;
}

static int simulate(struct lam_lanes *lanes, uint64_t end_ns)
{
    /* Draw commands are refused while their lane is half full. */
    const struct lam_lanes_sender_options options = {
        .answer = LAM_PRESSURE_REJECT, .pressure_max = 500};
    struct lam_lanes_sender sender;
    unsigned dropped = 0;

    if (lam_lanes_sender_attach(&sender, lanes, &options, NULL) != 0)
        return 1;
    for (uint64_t step = 0; step < STEPS; step++) {
        void *payload;

        /* A claim takes the room that there is: pressure is for sends alone. */
        if (lam_lanes_sender_claim_until(
                &sender, LAM_LANE_HIGH, sizeof(struct state), end_ns, &payload) != 0)
            return 1;
        *(struct state *)payload = (struct state){.step = step, .position = {(double)step, 0, 0}};
        lam_lanes_sender_commit(&sender, LAM_LANE_HIGH, sizeof(struct state), STATE);
        for (int i = 0; i < DRAWS; i++)
            dropped += !try_draw(&sender, step);
    }
    printf("physics: %d steps, %u draw commands dropped\n", STEPS, dropped);
    (void)fflush(stdout);
    lam_lanes_sender_close(&sender);
    lam_lanes_sender_detach(&sender);
    return 0;
}

static int render(struct lam_lanes_receiver *receiver, uint64_t end_ns)
{
    struct lam_framed_message message;
    unsigned states = 0, draws = 0;
    enum lam_lane lane;
    int rc;

    while ((rc = lam_lanes_receiver_receive_until(receiver, end_ns, &message, &lane)) == 0) {
        if (message.kind == STATE && ((const struct state *)message.payload)->step != states++)
            return 1;
        if (message.kind == DRAW && ++draws % 8 == 0)
            (void)usleep(100); /* drawing takes its time */
        lam_lanes_receiver_release(receiver, lane, &message);
    }
    printf("rendering: %u states, %u draw commands\n", states, draws);
    return rc != -EPIPE || states != STEPS;
}

int main(void)
{
    const struct lam_lanes_options options = {.ring = {.name = "game", .depth = 256}};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_lanes_receiver receiver;
    struct lam_lanes lanes;
    int status = 0;

    if (lam_lanes_create(&lanes, &options, NULL) != 0 ||
        lam_lanes_receiver_attach(&receiver, &lanes, NULL, NULL) != 0)
        return 1;
    if (fork() == 0)
        return simulate(&lanes, end_ns);
    if (render(&receiver, end_ns) != 0 || wait(&status) < 0 || status != 0)
        return 1;
    lam_lanes_receiver_detach(&receiver);
    return lam_lanes_destroy(&lanes) != 0;
}
