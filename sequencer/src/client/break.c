/* SPDX-License-Identifier: Apache-2.0 */
/* break.c: a connection ends, and when the next one is tried. */
#include "client/client.h"

void client_start(
    struct lam_sequencer_client *client, struct client_call *call, enum lam_env_call what)
{
    call->is_flying = 1;
    call->io.file = client->file;
    lam_env_start(client->env, &call->io, what);
}

/* Doubled from time to time, and not at the same moment as all who lost the same node. */
static uint64_t retry_delay_ns(struct lam_sequencer_client *client)
{
    uint64_t delay_ns = client->options.retry_ns;

    for (uint32_t i = 1; i < client->failures && delay_ns < CLIENT_RETRY_MAX; i++)
        delay_ns *= 2;
    if (delay_ns > CLIENT_RETRY_MAX && client->options.retry_ns <= CLIENT_RETRY_MAX)
        delay_ns = CLIENT_RETRY_MAX;
    return delay_ns - client->env->ops->random(client->env) % (delay_ns / 2 + 1);
}

static void close_link(struct lam_sequencer_client *client)
{
    if (client->link == LINK_CONNECTING && client->connect.is_flying)
        client->env->ops->cancel(client->env, &client->connect.io);
    else if (client->link == LINK_GREETING || client->link == LINK_OPEN)
        client_start(client, &client->close, LAM_ENV_CLOSE);
    client->link = LINK_CLOSING;
}

static void say(struct lam_sequencer_client *client)
{
    (void)lam_error_prefix(&client->said, -EIO, "%s: ", client->options.address);
    client->failure = client->said;
}

void client_break_said(struct lam_sequencer_client *client, int code)
{
    (void)code;
    if (client->link == LINK_CLOSING || client->link == LINK_OVER)
        return; /* the first reason is the one to tell */
    say(client);
    client->failures += client->failures < UINT32_MAX;
    client->is_failed = client->has_left; /* the session is over: that is how it was to end */
    client->retry_at_ns =
        client_after(client->env->ops->now_ns(client->env), retry_delay_ns(client));
    close_link(client);
}

void client_fail_said(struct lam_sequencer_client *client, int code)
{
    (void)code;
    if (client->is_failed || client->link == LINK_OVER)
        return;
    say(client);
    client->is_failed = 1;
    if (client->link != LINK_CLOSING)
        close_link(client);
}
