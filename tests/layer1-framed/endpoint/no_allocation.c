/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: once a client is connected, neither it nor the daemon allocates, whatever they say to each
 * other, awake or asleep. Method: this program counts all calls of malloc (count_malloc.h), with
 * the daemon on a thread of its own; that it counts is shown by the connecting.
 */
#include "count_malloc.h"
#include "stage.h"

static struct stage stage;
static struct lam_client client;

static void use(void)
{
    struct lam_framed_message message;
    struct lam_ticket ticket;
    struct lam_reply reply;
    uint64_t number = 1;
    struct iovec part = {&number, sizeof(number)};
    enum lam_lane lane;

    for (uint64_t i = 0; i < 3000; i++)
        STAGE_CHECK(stage_echo(&client, i, stage_soon()) == 0);
    for (uint32_t i = 0; i < 20; i++) {
        (void)usleep(2000); /* it sleeps */
        STAGE_CHECK(stage_say(&client, STAGE_PUSH, 5, i % LAM_LANE_COUNT) == 0);
        for (uint32_t n = 0; n < 5; n++) {
            STAGE_CHECK(lam_client_receive_until(&client, stage_soon(), &message, &lane) == 0);
            lam_client_release(&client, lane, &message);
        }
    }
    STAGE_CHECK(lam_client_begin_until(
                    &client, LAM_LANE_LOW, &part, 1, STAGE_NEVER, stage_ms(30), &ticket) == 0);
    STAGE_CHECK(lam_client_take_until(&client, &ticket, stage_soon(), &reply) == 0);
    STAGE_CHECK(reply.outcome == -ETIMEDOUT);
    STAGE_CHECK(lam_client_is_connected(&client));
}

int main(void)
{
    struct lam_daemon_options it = {.name = "it", .silent_ns = LAM_NS_PER_MS};
    struct lam_client_options to_it = {
        .endpoint = "it", .reconnect = 1, .silent_ns = LAM_NS_PER_MS};
    struct lam_error error;
    uint64_t before;

    stage_make();
    before = malloc_calls;
    stage_start(&stage, &it);
    STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
    STAGE_CHECK(stage_echo(&client, 0, stage_soon()) == 0);
    STAGE_CHECK(malloc_calls > before);
    before = malloc_calls;
    use();
    STAGE_CHECK(malloc_calls == before);
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    stage_clear();
    return 0;
}
