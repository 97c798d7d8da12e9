/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/client.h"

struct raw {
    struct lam_client client;
};

struct raw *raw_connect(const char *directory, uint32_t version)
{
    struct lam_client_options options = {.endpoint = "runtime",
        .directory = directory,
        .name = "raw",
        .version_min = version,
        .version_max = version};
    struct raw *raw = calloc(1, sizeof(*raw));
    struct lam_error error = {""};

    if (raw != NULL && lam_client_connect(&raw->client, &options,
                           lam_deadline_after_ns(20 * LAM_NS_PER_S), &error) == 0)
        return raw;
    printf("raw: %s\n", error.text);
    free(raw);
    return NULL;
}

void raw_disconnect(struct raw *raw)
{
    lam_client_disconnect(&raw->client, 0, NULL);
    free(raw);
}

int raw_ask(struct raw *raw, const void *bytes, uint64_t count, void *answer, uint64_t capacity,
    uint64_t *answer_count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct lam_reply reply;
    int rc = lam_client_request_until(
        &raw->client, LAM_LANE_HIGH, &part, 1, 0, lam_deadline_after_ns(20 * LAM_NS_PER_S), &reply);

    if (rc != 0)
        return rc;
    *answer_count = reply.payload_bytes < capacity ? reply.payload_bytes : capacity;
    memcpy(answer, reply.payload, *answer_count);
    lam_client_release_reply(&raw->client, &reply);
    return 0;
}

int raw_begin(struct raw *raw, const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct lam_ticket ticket;

    return lam_client_begin_until(&raw->client, LAM_LANE_HIGH, &part, 1, 0,
        lam_deadline_after_ns(20 * LAM_NS_PER_S), &ticket);
}

int raw_tell(struct raw *raw, const void *bytes, uint64_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};

    return lam_client_send_until(
        &raw->client, LAM_LANE_HIGH, &part, 1, 0, lam_deadline_after_ns(20 * LAM_NS_PER_S));
}

void raw_scribble(struct raw *raw, uint64_t seed)
{
    struct lam_lanes_sender *lanes = lam_client_lanes(&raw->client);
    uint8_t *payload = NULL;

    for (unsigned i = 0; i < 64; i++) {
        enum lam_lane lane = (enum lam_lane)((seed >> 60) % 3);
        uint64_t bytes = 1 + seed % 900;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (lam_lanes_sender_try_claim(lanes, lane, bytes, (void **)&payload) != 1)
            return;
        memset(payload, 0, bytes);
        lam_lanes_sender_commit(lanes, lane, bytes, 0);
        /* While it is read: its header, itself, and what lies behind it. */
        for (uint64_t at = 0; at < bytes + 128; at++)
            payload[(int64_t)at - 16] = (uint8_t)(seed >> (at % 57));
    }
}
