/* SPDX-License-Identifier: Apache-2.0 */
/* A renderer: the physics' state comes at high priority, draw commands of the scene at low. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { STATE = 1, DRAW = 2, FRAMES = 60, DRAWS_A_FRAME = 8 };

struct state {
    uint32_t frame;
    float x, y, speed;
};

static void enter(struct lam_client *client, const char *name, uint64_t end_ns)
{
    struct lam_client_options options = {.endpoint = "renderer", .name = name};
    struct lam_error error;

    if (lam_client_connect(client, &options, end_ns, &error) != 0)
        exit(fprintf(stderr, "%s\n", error.text) > 0);
}

/* A ball falls; its state is written where the renderer will read it. */
static int run_physics(uint64_t end_ns)
{
    static struct lam_client client;
    struct state state = {.y = 100};
    int rc = 0;

    enter(&client, "physics", end_ns);
    for (; rc == 0 && state.frame < FRAMES; state.frame++) {
        void *place;

        state.speed += 9.81F / FRAMES;
        state.y -= state.speed / FRAMES;
        rc = lam_lanes_sender_claim_until(
            lam_client_lanes(&client), LAM_LANE_HIGH, sizeof(state), end_ns, &place);
        if (rc == 0) {
            memcpy(place, &state, sizeof(state));
            lam_lanes_sender_commit(lam_client_lanes(&client), LAM_LANE_HIGH, sizeof(state), STATE);
        }
    }
    lam_client_disconnect(&client, 0, "landed");
    return rc != 0;
}

static int run_scene(uint64_t end_ns)
{
    static struct lam_client client;
    struct iovec part = {(void *)"triangle", 8};
    int rc = 0;

    enter(&client, "scene", end_ns);
    for (int i = 0; rc == 0 && i < FRAMES * DRAWS_A_FRAME; i++)
        rc = lam_client_send_until(&client, LAM_LANE_LOW, &part, 1, DRAW, end_ns);
    lam_client_disconnect(&client, 0, "all drawn");
    return rc != 0;
}

int main(void)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_daemon_options options = {.name = "renderer"};
    static struct lam_daemon daemon;
    struct lam_daemon_event event;
    struct lam_error error;
    struct state last = {.frame = 0};
    int states = 0, draws = 0, gone = 0, failed = 0, status;

    if (lam_daemon_create(&daemon, &options, &error) != 0)
        return fprintf(stderr, "%s\n", error.text) > 0;
    if (fork() == 0)
        exit(run_physics(end_ns));
    if (fork() == 0)
        exit(run_scene(end_ns));
    while (gone < 2 && lam_daemon_wait_until(&daemon, end_ns, &event) == 0) {
        gone += event.type == LAM_DAEMON_GONE;
        if (event.type != LAM_DAEMON_MESSAGE)
            continue;
        failed |= event.lane != (event.message.kind == STATE ? LAM_LANE_HIGH : LAM_LANE_LOW);
        draws += event.message.kind == DRAW;
        states += event.message.kind == STATE;
        if (event.message.kind == STATE)
            memcpy(&last, event.message.payload, sizeof(last));
    }
    for (int i = 0; i < 2; i++)
        failed |= wait(&status) < 0 || status != 0;
    lam_daemon_destroy(&daemon);
    printf("%d states, %d draw commands; at frame %u y is %.1f\n", states, draws, last.frame,
        (double)last.y);
    return failed || states != FRAMES || draws != FRAMES * DRAWS_A_FRAME;
}
