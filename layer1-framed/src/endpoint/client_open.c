/* SPDX-License-Identifier: Apache-2.0 */
/* A client from connect to disconnect: what it asks for, and its memory. */
#include "client_internal.h"
#include "conduct.h"
#include "packet.h"
#include "shortage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define COPY_BYTES 4096
#define COPIES_MAX 1024

/* What no daemon could agree to; 0 is as the daemon likes. */
static int check_geometry(const struct lam_client_options *options, struct lam_error *error)
{
    uint32_t cell_bytes = options->cell_bytes;
    uint64_t depth = options->depth;

    if (cell_bytes != 0 && (cell_bytes < PACKET_CELL_MIN || cell_bytes > PACKET_CELL_MAX ||
                               (cell_bytes & (cell_bytes - 1)) != 0))
        return lam_error_set(error, -EINVAL, "cell_bytes is %u, not a power of two from %d to %d",
            cell_bytes, PACKET_CELL_MIN, PACKET_CELL_MAX);
    if (depth == 1 || depth > PACKET_DEPTH_MAX || (depth & (depth - 1)) != 0)
        return lam_error_set(error, -EINVAL, "depth is %llu, not a power of two from 2 to %llu",
            (unsigned long long)depth, (unsigned long long)PACKET_DEPTH_MAX);
    if (options->message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)options->message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
    return 0;
}

static int check_options(const struct lam_client_options *options, struct lam_error *error)
{
    /* A name that was cut short might be another daemon's. */
    if (options->endpoint == NULL ||
        strnlen(options->endpoint, LAM_ENDPOINT_NAME_MAX + 1) > LAM_ENDPOINT_NAME_MAX)
        return lam_error_set(error, -EINVAL, "the endpoint has no name, or one above %d bytes",
            LAM_ENDPOINT_NAME_MAX);
    if (options->version_min > options->version_max)
        return lam_error_set(error, -EINVAL, "version_min is %u, above version_max, %u",
            options->version_min, options->version_max);
    if ((options->features_required & ~options->features_offered) != 0)
        return lam_error_set(error, -EINVAL,
            "features_required has 0x%llx that features_offered, 0x%llx, has not",
            (unsigned long long)options->features_required,
            (unsigned long long)options->features_offered);
    if (lam_endpoint_check_conduct(options->extensions_offered, options->extensions_required,
            options->pressure_answer, options->pressure_max, error) != 0)
        return -EINVAL;
    if (options->streams_max > LAM_FRAMED_STREAMS_MAX)
        return lam_error_set(error, -EINVAL, "streams_max is %u: at most %d", options->streams_max,
            LAM_FRAMED_STREAMS_MAX);
    if (options->requests_max > LAM_CALL_PENDING_MAX ||
        (options->reconnect && options->requests_max > COPIES_MAX))
        return lam_error_set(error, -EINVAL, "requests_max is %u: at most %d",
            options->requests_max, options->reconnect ? COPIES_MAX : LAM_CALL_PENDING_MAX);
    if (options->directory != NULL &&
        strnlen(options->directory, LAM_ENDPOINT_PATH_MAX + 1) > LAM_ENDPOINT_PATH_MAX)
        return lam_error_set(error, -EINVAL, "the directory's name is too long");
    return check_geometry(options, error);
}

static void set_hello(struct lam_client *client)
{
    const struct lam_client_options *options = &client->options;
    const char *name = options->name != NULL ? options->name : program_invocation_short_name;
    struct lam_endpoint_hello *hello = &client->hello;

    *hello = (struct lam_endpoint_hello){.wire_min = LAM_ENDPOINT_WIRE,
        .wire_max = LAM_ENDPOINT_WIRE,
        .version_min = options->version_min,
        .version_max = options->version_max,
        .features_required = options->features_required,
        .features_offered = options->features_offered,
        .type_hash = options->type_hash,
        .depth = options->depth,
        .message_bytes_max = options->message_bytes_max,
        .cell_bytes = options->cell_bytes,
        .lanes = LAM_LANE_COUNT,
        .flags = options->pressure_required ? LAM_ENDPOINT_NEEDS_PRESSURE : 0,
        .extensions_offered = (uint8_t)options->extensions_offered,
        .extensions_required = (uint8_t)options->extensions_required,
        .pressure = (uint8_t)options->pressure_answer,
        .identity = lam_identity_self()};
    (void)snprintf(hello->name, sizeof(hello->name), "%s", name);
    if (getrandom(&hello->client_id, sizeof(hello->client_id), 0) !=
        (ssize_t)sizeof(hello->client_id))
        hello->client_id = lam_clock_now_ns() ^ (uint64_t)getpid() << 40;
    hello->client_id |= 1; /* never 0 */
    client->scope = hello->client_id & UINT32_MAX;
}

/* All that a client needs as long as it is one, in one piece. */
static int allocate(struct lam_client *client, struct lam_error *error)
{
    uint32_t slots = client->options.requests_max;
    uint64_t copies = client->options.reconnect ? slots : 0;
    uint64_t slot_bytes = slots * sizeof(struct lam_call_slot);
    uint64_t push_bytes = CLIENT_PUSHES * sizeof(struct lam_client_push);
    uint64_t owed_bytes = UINT64_C(2) * slots * sizeof(struct lam_client_owed);
    uint64_t copy_bytes = copies * sizeof(struct lam_client_copy);
    uint64_t fixed_bytes = slot_bytes + push_bytes + owed_bytes + copy_bytes;
    uint64_t kept_bytes = copies * client->options.request_bytes_max;
    uint8_t *memory = calloc(1, fixed_bytes + kept_bytes + slots);

    if (memory == NULL)
        return lam_error_set(error, -ENOMEM, "no memory for %u requests", slots);
    client->memory = memory;
    lam_call_table_init(&client->table, (struct lam_call_slot *)(void *)memory, slots);
    client->pushes = (struct lam_client_push *)(void *)(memory + slot_bytes);
    client->owed = (struct lam_client_owed *)(void *)(memory + slot_bytes + push_bytes);
    client->copies = (struct lam_client_copy *)(void *)(memory + fixed_bytes - copy_bytes);
    client->copy_bytes = memory + fixed_bytes;
    client->lanes = memory + fixed_bytes + kept_bytes;
    return 0;
}

/* What ran out is said, and where, whatever came upon it. Returns @rc. */
static int tell_shortage(const struct lam_client *client, int rc, struct lam_error *error)
{
    char text[LAM_ENDPOINT_REFUSED_TEXT_BYTES];

    if (!lam_endpoint_is_shortage(rc))
        return rc;
    lam_endpoint_say_shortage(rc, "this process", text, sizeof(text));
    return lam_error_set(error, rc, "endpoint %s: %s", client->endpoint, text);
}

int lam_client_connect(struct lam_client *client, const struct lam_client_options *options,
    uint64_t deadline_ns, struct lam_error *error)
{
    int rc;

    LAM_ASSERT(client != NULL && options != NULL);
    memset(client, 0, sizeof(*client));
    client->socket = -1;
    client->link = &client->links[0];
    rc = check_options(options, error);
    if (rc != 0)
        return rc;
    client->options = *options;
    if (client->options.requests_max == 0)
        client->options.requests_max = LAM_CALL_PENDING_DEFAULT;
    if (client->options.request_bytes_max == 0)
        client->options.request_bytes_max = COPY_BYTES;
    (void)snprintf(client->endpoint, sizeof(client->endpoint), "%s", options->endpoint);
    (void)snprintf(client->directory, sizeof(client->directory), "%s",
        options->directory == NULL ? "" : options->directory);
    set_hello(client);
    rc = allocate(client, error);
    if (rc == 0)
        rc = tell_shortage(client, lam_client_open_until(client, deadline_ns, error), error);
    client->owner = rc == 0 ? lam_endpoint_process : 0;
    if (rc == 0)
        return 0;
    free(client->memory);
    client->memory = NULL;
    return rc;
}

void lam_client_disconnect(struct lam_client *client, uint32_t reason, const char *text)
{
    if (client->owner == 0)
        return;
    if (client->socket >= 0) {
        if (client->owner == lam_endpoint_process) {
            lam_client_say_goodbye(client, reason, text);
            lam_lanes_sender_close(&client->link->sender);
        }
        (void)close(client->socket);
    }
    client->socket = -1;
    lam_client_close_link(&client->links[0]);
    lam_client_close_link(&client->links[1]);
    free(client->memory);
    client->memory = NULL;
    client->owner = 0;
}
