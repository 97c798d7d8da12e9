/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a connection, and the next one. */
#include "client_internal.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define RETRY_NS     (2 * LAM_NS_PER_MS)
#define RETRY_MAX_NS (100 * LAM_NS_PER_MS)

static uint64_t earliest(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* Whether it would be the same again: the daemon does not want us, or speaks otherwise. */
static int is_final(int rc)
{
    return rc == -EPROTO || rc == -EPROTOTYPE || rc == -EMSGSIZE || rc == -EUSERS ||
           rc == -EACCES || rc == -EPERM || rc == -ENOTRECOVERABLE || rc == -ENOTSUP;
}

/* Nobody is there, or about to go or to come: that may be otherwise at any moment. */
static int is_nobody(int rc)
{
    return rc == -ENOENT || rc == -ECONNREFUSED || rc == -EAGAIN || rc == -EOWNERDEAD ||
           rc == -EPIPE;
}

static void sleep_until(uint64_t until_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec left = {
        .tv_sec = (time_t)(left_ns / LAM_NS_PER_S), .tv_nsec = (long)(left_ns % LAM_NS_PER_S)};

    (void)nanosleep(&left, NULL);
}

/*
 * Connect anew, again and again until @deadline_ns, over calls: one after the other at a distance,
 * which grows while descriptors, memory or the like are short, here or there. Returns 0,
 * -ETIMEDOUT, -EBUSY, or what is final.
 */
static int reopen(struct lam_client *client, uint64_t deadline_ns)
{
    struct lam_error error;

    for (;;) {
        int rc;

        if (lam_clock_now_ns() < client->retry_at_ns)
            sleep_until(earliest(client->retry_at_ns, deadline_ns));
        if (lam_clock_now_ns() < client->retry_at_ns)
            return -ETIMEDOUT;
        rc = lam_client_open(client, deadline_ns, &error);
        if (rc == 0 || rc == -EBUSY || is_final(rc)) {
            client->retry_ns = 0;
            return rc;
        }
        client->retry_ns = is_nobody(rc) || client->retry_ns == 0
                               ? RETRY_NS
                               : earliest(2 * client->retry_ns, RETRY_MAX_NS);
        client->retry_at_ns = lam_clock_now_ns() + client->retry_ns;
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

/* It is there again: all that has no answer is to be sent. */
static void resume(struct lam_client *client, uint64_t deadline_ns)
{
    LAM_CRASH_POINT("endpoint.reconnected");
    client->counts.reconnects++;
    client->is_repeating = (1U << LAM_LANE_COUNT) - 1;
    client->frames_ns = LAM_WAIT_CHECK_NS;
    memset(client->repeat_from, 0, sizeof(client->repeat_from));
    lam_client_repeat(client, deadline_ns);
}

int lam_client_recover(struct lam_client *client, uint64_t deadline_ns)
{
    if (client->socket >= 0)
        lam_client_close(client);
    client->is_repeating = 0;
    if (client->options.reconnect && !is_final(client->lost)) {
        int rc = deadline_ns == 0 ? -ETIMEDOUT : reopen(client, deadline_ns);

        if (rc == 0)
            resume(client, deadline_ns);
        if (!is_final(rc))
            return rc;
        /* -EMSGSIZE would be one message's, and no end: it speaks of less than was agreed on. */
        client->lost = rc == -EMSGSIZE ? -EPROTO : rc;
    }
    (void)lam_call_table_fail(&client->table, client->lost);
    return client->lost;
}
