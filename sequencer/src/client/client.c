/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: what the caller asks for. The rest is done by steps. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

#define BUFFER_BYTES 65536
/* Of one step: a node that never stops sending what is for nobody holds nobody up. */
#define TURNS_MAX 64

static int check(const struct lam_sequencer_client_options *options, struct lam_error *error)
{
    const char *address = options->address;

    if (address == NULL)
        return lam_error_set(error, -EINVAL, "address: it is not given");
    if (strncmp(address, "shm:", 4) == 0)
        return lam_error_set(error, -ENOTSUP,
            "address %s: this client does not speak over shared memory yet; use unix:PATH",
            address);
    if ((strncmp(address, "unix:", 5) != 0 || address[5] == '\0') &&
        (strncmp(address, "tcp:", 4) != 0 || address[4] == '\0'))
        return lam_error_set(
            error, -EINVAL, "address %s: it is none of unix:PATH, tcp:HOST:PORT", address);
    if ((options->session == 0) != (options->token == 0))
        return lam_error_set(
            error, -EINVAL, "session, token: a session is resumed by both, a new one has neither");
    return 0;
}

int client_create(struct lam_sequencer_client **client, struct lam_env *env,
    const struct lam_sequencer_client_options *options, const uint8_t *seed,
    struct lam_error *error)
{
    struct lam_sequencer_client *made;
    int rc = check(options, error);

    if (rc != 0)
        return rc;
    made = calloc(1, sizeof(*made));
    if (made != NULL) {
        made->env = env;
        made->options = *options;
        if (made->options.retry_ns == 0)
            made->options.retry_ns = CLIENT_RETRY_NS;
        made->session = options->session;
        made->token = options->token;
        made->floor = made->next = made->unsent = 1;
        made->busy_due_ns = UINT64_MAX;
        if (seed != NULL) {
            memcpy(made->seed, seed, sizeof(made->seed));
            made->has_key = 1;
        }
    }
    if (made == NULL || client_buffer_grow(&made->in, BUFFER_BYTES) != 0 ||
        client_buffer_grow(&made->out, BUFFER_BYTES) != 0) {
        lam_sequencer_client_destroy(made);
        return lam_error_set(error, -ENOMEM, "out of memory for a client");
    }
    *client = made;
    return 0;
}

/* What the env has in flight has to end before its memory does. */
static void end_link(struct lam_sequencer_client *client)
{
    client_fail(client, "the client has ended");
    while (!client_link_is_quiet(client))
        if (client->env->ops->poll(client->env) == 0)
            client->env->ops->wait(client->env, UINT64_MAX);
}

void lam_sequencer_client_destroy(struct lam_sequencer_client *client)
{
    if (client == NULL)
        return;
    end_link(client);
    if (client->end_env != NULL)
        client->end_env(client);
    for (uint32_t i = 0; i < client->window; i++)
        free(client->slots[i].bytes);
    free(client->slots);
    free(client->in.bytes);
    free(client->out.bytes);
    free(client->lent);
    explicit_bzero(client->seed, sizeof(client->seed));
    free(client);
}

static int is_over(const struct lam_sequencer_client *client)
{
    return client->is_failed || client->link == LINK_OVER;
}

/* Its copy is kept until its answer comes; the memory until the client ends. */
static int keep(struct client_slot *slot, const void *bytes, size_t count)
{
    if (count > slot->room) {
        uint8_t *more = realloc(slot->bytes, count);

        if (more == NULL)
            return -ENOMEM;
        slot->bytes = more;
        slot->room = (uint32_t)count;
    }
    if (count != 0)
        memcpy(slot->bytes, bytes, count);
    slot->count = (uint32_t)count;
    return 0;
}

int lam_sequencer_client_try_send(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t *request)
{
    struct client_slot *slot;
    int rc;

    if (is_over(client))
        return -ENOTRECOVERABLE;
    if (client->is_subscribed || client->is_leaving)
        return -EINVAL;
    if (!client->was_welcome || client->next - client->floor >= client->window)
        return 0;
    if (count > client->bytes_max)
        return -EMSGSIZE;
    slot = &client->slots[client->next % client->window];
    rc = keep(slot, bytes, count);
    if (rc != 0)
        return rc;
    slot->request = client->next++;
    slot->is_query = is_query;
    slot->is_sent = 0;
    slot->tries = 0;
    slot->due_ns = 0;
    *request = slot->request;
    /* On its way at once, where nothing is in front of it: a step may be long in coming. */
    if (client->link == LINK_OPEN && !client->send.is_flying && client_link_step(client))
        client->has_hint = 1; /* it may be done already, which no descriptor tells */
    return 1;
}

int lam_sequencer_client_subscribe(struct lam_sequencer_client *client, uint64_t from_sequence)
{
    if (is_over(client))
        return -ENOTRECOVERABLE;
    if (client->is_subscribed || client->floor != client->next || client->is_leaving)
        return -EINVAL;
    client->is_subscribed = 1;
    client->from = from_sequence;
    return 0;
}

int lam_sequencer_client_step(
    struct lam_sequencer_client *client, struct lam_sequencer_reply *reply)
{
    client->has_hint = 0;
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        enum client_link before = client->link;
        unsigned did = client->env->ops->poll(client->env);

        if (client_in_take(client, reply)) {
            client->has_hint = 1;
            return 1;
        }
        /* A call that was started may be done at once, which no descriptor tells: once more. */
        did |= client->link != before;
        did |= (unsigned)client_link_step(client);
        if (did == 0)
            return client->link == LINK_OVER ? -ENOTRECOVERABLE : 0;
    }
    client->has_hint = 1;
    return 0;
}

int lam_sequencer_client_fd(const struct lam_sequencer_client *client, uint64_t *due_ns)
{
    *due_ns = client_due_ns(client);
    return client->env_fd != NULL ? client->env_fd(client) : -ENOTSUP;
}

int lam_sequencer_client_wait_until(
    struct lam_sequencer_client *client, uint64_t deadline_ns, struct lam_sequencer_reply *reply)
{
    for (;;) {
        int rc = lam_sequencer_client_step(client, reply);
        uint64_t due_ns = client_due_ns(client);

        if (rc != 0)
            return rc == 1 ? 0 : rc;
        if (client->env->ops->now_ns(client->env) >= deadline_ns)
            return -ETIMEDOUT;
        if (!client->has_hint)
            client->env->ops->wait(client->env, due_ns < deadline_ns ? due_ns : deadline_ns);
    }
}

int lam_sequencer_client_welcome_until(struct lam_sequencer_client *client, uint64_t deadline_ns)
{
    struct lam_sequencer_reply reply;

    while (!client->was_welcome) {
        int rc = lam_sequencer_client_step(client, &reply); /* nothing is asked: none will come */
        uint64_t due_ns = client_due_ns(client);

        if (rc < 0)
            return rc;
        if (client->was_welcome)
            break;
        if (client->env->ops->now_ns(client->env) >= deadline_ns)
            return -ETIMEDOUT;
        if (!client->has_hint)
            client->env->ops->wait(client->env, due_ns < deadline_ns ? due_ns : deadline_ns);
    }
    return 0;
}

int lam_sequencer_client_call_until(struct lam_sequencer_client *client, int is_query,
    const void *bytes, size_t count, uint64_t deadline_ns, struct lam_sequencer_reply *reply)
{
    uint64_t request;
    int rc;

    if (client->floor != client->next)
        return -EINVAL;
    rc = lam_sequencer_client_welcome_until(client, deadline_ns);
    if (rc == 0)
        rc = lam_sequencer_client_try_send(client, is_query, bytes, count, &request);
    LAM_ASSERT(rc != 0); /* the window is empty */
    return rc < 0 ? rc : lam_sequencer_client_wait_until(client, deadline_ns, reply);
}

int lam_sequencer_client_end_until(struct lam_sequencer_client *client, uint64_t deadline_ns)
{
    struct lam_sequencer_reply reply;

    if (client->floor != client->next)
        return -EINVAL;
    client->is_leaving = 1;
    while (!is_over(client)) {
        int rc = lam_sequencer_client_wait_until(client, deadline_ns, &reply);

        if (rc == -ETIMEDOUT)
            return rc;
    }
    return client->has_left ? 0 : -ENOTRECOVERABLE;
}

uint64_t lam_sequencer_client_session(const struct lam_sequencer_client *client, uint64_t *token)
{
    *token = client->was_welcome ? client->token : 0;
    return client->was_welcome ? client->session : 0;
}

const char *lam_sequencer_client_failure(const struct lam_sequencer_client *client)
{
    return client->failure.text;
}
