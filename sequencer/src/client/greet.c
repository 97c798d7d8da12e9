/* SPDX-License-Identifier: Apache-2.0 */
/* greet.c: how a connection begins, and how the node ends it. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "protocol/ed25519.h"
#include "protocol/greeting.h"

#define HEARTBEAT_MAX_NS (3600 * LAM_NS_PER_S)

static struct frame_hello hello_of(const struct lam_sequencer_client *client)
{
    return (struct frame_hello){
        .version = FRAME_VERSION, .session = client->session, .token = client->token};
}

void client_greet_hello(struct lam_sequencer_client *client)
{
    client_out_put(client, &(struct frame){.kind = FRAME_HELLO, .hello = hello_of(client)});
}

static void prove(struct lam_sequencer_client *client, const struct frame *frame)
{
    struct frame answer = {.kind = FRAME_PROOF};
    struct frame_hello hello = hello_of(client);
    uint8_t text[GREETING_TEXT_BYTES];

    if (!client->has_key) {
        client_fail(client, "the node wants a key, and this client has none: give it one (option "
                            "key, --key FILE)");
        return;
    }
    greeting_text(text, &hello, &frame->challenge);
    if (ed25519_sign(client->seed, text, sizeof(text), answer.proof.key, answer.proof.signature) !=
        0) {
        client_break(client, "no memory for a signature");
        return;
    }
    client_out_put(client, &answer);
}

/* Once in its life: a resumed session's numbers go on behind all that may have been used. */
static int first_welcome(struct lam_sequencer_client *client, const struct frame_welcome *welcome)
{
    uint32_t window = client->options.window;

    if (window == 0 || window > welcome->window)
        window = welcome->window;
    if (window > CLIENT_WINDOW_MAX)
        window = CLIENT_WINDOW_MAX;
    client->slots = calloc(window, sizeof(*client->slots));
    if (client->slots == NULL) {
        client_fail(client, "no memory for %u requests", window);
        return 0;
    }
    client->window = window;
    client->next = welcome->floor > 0 ? welcome->floor : 1;
    if (client->options.session != 0)
        client->next += welcome->window;
    client->floor = client->unsent = client->next;
    client->was_welcome = 1;
    return 1;
}

/* A connection that is open for the first time, or again: all without an answer is to be sent. */
static void open_link(struct lam_sequencer_client *client, const struct frame_welcome *welcome)
{
    client->session = welcome->session;
    client->token = welcome->token;
    client->bytes_max = welcome->bytes_max;
    if (client->bytes_max > FRAME_BYTES_MAX - FRAME_HEAD_BYTES_MAX)
        client->bytes_max = FRAME_BYTES_MAX - FRAME_HEAD_BYTES_MAX;
    client->node_window = welcome->window;
    client->heartbeat_ns = welcome->heartbeat_ns;
    if (client->heartbeat_ns > HEARTBEAT_MAX_NS)
        client->heartbeat_ns = HEARTBEAT_MAX_NS;
    client->is_session_lost = 0;
    client->failures = 0;
    client->failure.text[0] = '\0';
    client->busy_due_ns = UINT64_MAX;
    client->unsent = client->floor;
    for (uint32_t i = 0; i < client->window; i++) {
        client->slots[i].is_sent = 0;
        client->slots[i].due_ns = 0;
    }
    client->link = LINK_OPEN;
}

static void take_welcome(struct lam_sequencer_client *client, const struct frame_welcome *welcome)
{
    if (welcome->version != FRAME_VERSION || welcome->session == 0 || welcome->window == 0 ||
        welcome->floor > UINT64_MAX / 2 ||
        (client->session != 0 && welcome->session != client->session)) {
        client_break(client, "its welcome makes no sense");
        return;
    }
    if (client->was_welcome || first_welcome(client, welcome))
        open_link(client, welcome);
}

void client_greet_take(struct lam_sequencer_client *client, const struct frame *frame)
{
    if (frame->kind == FRAME_CHALLENGE)
        prove(client, frame);
    else if (frame->kind == FRAME_WELCOME)
        take_welcome(client, &frame->welcome);
    else if (frame->kind != FRAME_BEAT)
        client_break(client, "it does not begin with a welcome");
}

/* The node knows the session no more: a new one, if nothing is lost by that. */
static void lose_session(struct lam_sequencer_client *client, const char *text)
{
    if (!client->was_welcome)
        client_fail(client, "the session cannot be resumed: %s", text);
    else if (client_has_doubt(client))
        client_fail(client,
            "the session is gone, and with it what became of requests from %llu "
            "on: %s",
            (unsigned long long)client->floor, text);
    else {
        client->session = client->token = 0;
        client->is_session_lost = 0;
        client_break(client, "the session is gone: %s", text);
    }
}

void client_greet_goodbye(struct lam_sequencer_client *client, const struct frame *frame)
{
    const char *text = client_text(client, frame);

    switch (frame->code) {
    case REFUSED_SESSION:
        lose_session(client, text);
        break;
    case GOODBYE_VERSION:
    case GOODBYE_REPLACED:
    case REFUSED_DENIED:
    case REFUSED_MALFORMED:
        client_fail(client, "the node sends this client away: %s", text);
        break;
    default:
        client_break(client, "the node ends the connection: %s", text);
        break;
    }
}
