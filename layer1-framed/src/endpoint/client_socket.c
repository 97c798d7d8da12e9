/* SPDX-License-Identifier: Apache-2.0 */
/* What a client and its daemon say to each other beside the messages. */
#include "client_internal.h"
#include "packet.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define HEAR_AT_ONCE 16

void lam_client_say_refusal(
    const struct lam_endpoint_refused *refused, char *text, size_t text_bytes)
{
    int length = snprintf(text, text_bytes, "%s", refused->text);

    if (refused->field != LAM_ENDPOINT_FIELD_NONE && length >= 0 && (size_t)length < text_bytes)
        (void)snprintf(text + length, text_bytes - (size_t)length,
            " (field %s: found 0x%llx, expected 0x%llx to 0x%llx)",
            lam_endpoint_field_name(refused->field), (unsigned long long)refused->found,
            (unsigned long long)refused->expected_min, (unsigned long long)refused->expected_max);
}

void lam_client_note_refusal(struct lam_client *client, const struct lam_endpoint_refused *refused)
{
    int is_dropped = refused->code == LAM_ENDPOINT_NOT_ALLOWED;

    client->goodbye.reason = is_dropped ? (uint32_t)refused->found : (uint32_t)refused->code;
    lam_client_say_refusal(refused, client->goodbye.text, sizeof(client->goodbye.text));
}

/* We are sent away: for good, or because there is no memory for us now. */
static void be_sent_away(struct lam_client *client, const struct lam_endpoint_refused *refused)
{
    int rc = lam_endpoint_refusal_error(refused->code);

    lam_client_note_refusal(client, refused);
    if (rc == -EPIPE || rc == -ENOMEM)
        client->said_goodbye = 1;
    else
        client->sent_away = rc == -EMSGSIZE ? -EPROTO : rc; /* that would be one message's */
}

int lam_client_reason(const struct lam_client *client, int rc)
{
    if (client->sent_away != 0)
        return client->sent_away;
    return rc == -EOWNERDEAD && client->said_goodbye ? -EPIPE : rc;
}

static void hear_packet(struct lam_client *client, const uint8_t *bytes, size_t count)
{
    struct lam_endpoint_refused wrong, refused;
    uint8_t answer[LAM_ENDPOINT_PING_BYTES];

    switch (lam_endpoint_packet_type(bytes, count, &wrong)) {
    case LAM_ENDPOINT_GOODBYE:
        if (lam_endpoint_read_goodbye(bytes, &client->goodbye, &wrong) == 0)
            client->said_goodbye = 1;
        break;
    case LAM_ENDPOINT_REFUSED:
        if (lam_endpoint_read_refused(bytes, &refused, &wrong) == 0)
            be_sent_away(client, &refused);
        break;
    case LAM_ENDPOINT_PING:
        (void)lam_packet_send(client->socket, answer,
            lam_endpoint_write_small(LAM_ENDPOINT_PONG, lam_endpoint_read_number(bytes), answer));
        break;
    case LAM_ENDPOINT_PONG:
        client->asked_ns = 0;
        client->heard_ns = lam_clock_now_ns();
        break;
    default:
        client->lost = -EPROTO; /* no daemon of this library says that */
    }
}

void lam_client_hear(struct lam_client *client)
{
    for (int i = 0; i < HEAR_AT_ONCE && client->socket >= 0 && !client->hung_up; i++) {
        uint8_t bytes[LAM_ENDPOINT_PACKET_MAX];
        size_t count = 0;
        int rc = lam_packet_receive(client->socket, bytes, &count);

        if (rc == 0)
            return;
        if (rc == 1)
            hear_packet(client, bytes, count);
        else if (rc == -EPROTO)
            client->lost = -EPROTO;
        else if (i > 0 || rc != -EPIPE)
            client->hung_up = 1;
        else /* a reset comes before what was said, once */
            client->hung_up = lam_packet_receive(client->socket, bytes, &count) != 1;
        if (rc == -EPIPE && !client->hung_up)
            hear_packet(client, bytes, count);
    }
}

/* A request waits, and nothing has come for a while: is the daemon there? */
static void ask(struct lam_client *client, uint64_t now_ns)
{
    uint8_t bytes[LAM_ENDPOINT_PING_BYTES];

    if (client->came != client->came_last ||
        lam_call_table_count(&client->table, LAM_CALL_WAITING) == 0) {
        client->came_last = client->came;
        client->heard_ns = now_ns;
        client->asked_ns = 0;
    } else if (client->asked_ns == 0 && now_ns - client->heard_ns >= client->options.silent_ns) {
        client->asked_ns = now_ns;
        (void)lam_packet_send(
            client->socket, bytes, lam_endpoint_write_small(LAM_ENDPOINT_PING, now_ns, bytes));
    }
}

void lam_client_tend(struct lam_client *client, uint64_t now_ns)
{
    if (now_ns < client->look_at_ns || client->socket < 0)
        return;
    client->look_at_ns = now_ns + LAM_WAIT_CHECK_NS / 2;
    if (client->owed_count != 0)
        lam_client_pay(client);
    lam_client_hear(client);
    if (client->options.silent_ns != 0)
        ask(client, now_ns);
}

uint64_t lam_client_silence_ns(const struct lam_client *client)
{
    return client->asked_ns == 0 ? 0 : lam_clock_now_ns() - client->asked_ns;
}

int lam_client_is_connected(struct lam_client *client)
{
    LAM_ASSERT_CONNECTED(client);
    lam_client_hear(client);
    return client->socket >= 0 && client->lost == 0 && !client->hung_up && !client->said_goodbye &&
           client->sent_away == 0;
}

void lam_client_say_goodbye(struct lam_client *client, uint32_t reason, const char *text)
{
    struct lam_endpoint_goodbye goodbye = {.reason = reason};
    uint8_t bytes[LAM_ENDPOINT_GOODBYE_BYTES];

    (void)snprintf(goodbye.text, sizeof(goodbye.text), "%s", text == NULL ? "" : text);
    lam_endpoint_write_goodbye(&goodbye, bytes);
    (void)lam_packet_send(client->socket, bytes, sizeof(bytes));
}
