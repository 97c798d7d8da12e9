/* SPDX-License-Identifier: Apache-2.0 */
/* Pressure through daemons and clients, and what either may ask for. */
#include "conduct.h"

#include "client_internal.h"
#include "daemon_internal.h"

#include <errno.h>

int lam_endpoint_check_conduct(uint16_t offered, uint16_t required, enum lam_pressure_answer answer,
    uint32_t pressure_max, struct lam_error *error)
{
    const uint16_t known = LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C;

    if ((offered & ~known) != 0 || (required & ~offered) != 0)
        return lam_error_set(error, -EINVAL,
            "extensions_offered is 0x%x and extensions_required 0x%x: of LAM_EVENT_TIMESTAMP and "
            "LAM_EVENT_CRC32C, and what is required is offered",
            offered, required);
    if ((unsigned)answer > LAM_PRESSURE_DEGRADE || pressure_max > LAM_PRESSURE_FULL)
        return lam_error_set(error, -EINVAL,
            "pressure_answer is %d and pressure_max %u: at most %d, per mille", (int)answer,
            pressure_max, LAM_PRESSURE_FULL);
    return 0;
}

int lam_client_pressure(
    const struct lam_client *client, enum lam_lane lane, struct lam_pressure *pressure)
{
    LAM_ASSERT_CONNECTED(client);
    if (client->lost != 0 || client->link->is_over)
        return -ENOTCONN;
    lam_lanes_sender_pressure(&client->link->sender, lane, pressure);
    return 0;
}

int lam_client_incoming_pressure(
    const struct lam_client *client, enum lam_lane lane, struct lam_pressure *pressure)
{
    LAM_ASSERT_CONNECTED(client);
    if (client->lost != 0 || client->link->is_over)
        return -ENOTCONN;
    return lam_lanes_pressure(&client->link->in, lane, pressure);
}

int lam_client_demand(struct lam_client *client, enum lam_lane lane, uint32_t per_mille)
{
    LAM_ASSERT_CONNECTED(client);
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    if (per_mille > LAM_PRESSURE_FULL)
        return -EINVAL;
    client->demands[lane] = per_mille;
    if (client->lost != 0 || client->link->is_over)
        return -ENOTCONN;
    return lam_lanes_receiver_demand(&client->link->receiver, lane, per_mille);
}

int lam_daemon_pressure(const struct lam_daemon *daemon, uint64_t client, enum lam_lane lane,
    struct lam_pressure *pressure)
{
    const struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    if (slot == NULL)
        return -ENOTCONN;
    lam_lanes_sender_pressure(&slot->sender, lane, pressure);
    return 0;
}

int lam_daemon_incoming_pressure(const struct lam_daemon *daemon, uint64_t client,
    enum lam_lane lane, struct lam_pressure *pressure)
{
    const struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    return slot == NULL ? -ENOTCONN : lam_lanes_pressure(&slot->in, lane, pressure);
}

int lam_daemon_demand(
    struct lam_daemon *daemon, uint64_t client, enum lam_lane lane, uint32_t per_mille)
{
    struct lam_daemon_slot *slot = lam_daemon_find(daemon, client);

    return slot == NULL ? -ENOTCONN : lam_lanes_receiver_demand(&slot->receiver, lane, per_mille);
}
