/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_ENDPOINT_ONE_CLIENT_H
#define LAM_TEST_ENDPOINT_ONE_CLIENT_H

/*
 * one_client.h: a suite of one daemon, in a process of its own, and one client in this one.
 */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "stage.h"

static struct stage stage;
static struct lam_client client;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it"};
static const struct lam_client_options to_it = {.endpoint = "it", .requests_max = 8};

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

static inline struct lam_ticket begin(uint16_t kind, uint64_t number, uint64_t deadline_ns)
{
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket ticket = {0};
    int rc = lam_client_begin_until(&client, LAM_LANE_HIGH, &part, 1, kind, deadline_ns, &ticket);

    cr_assert(eq(int, rc, 0), "%s", strerror(-rc));
    return ticket;
}

static inline void start(void)
{
    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
}

static inline void stop(void)
{
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
}

#endif
