/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put.c: the places where sequence, time and ordinal are given.
 */
#include <string.h>

#include "pipeline/reader.h"

/* Strictly increasing, over restarts and whatever the clock does. */
static uint64_t next_time_ns(const struct reader *reader)
{
    uint64_t now_ns = reader->env->ops->now_ns(reader->env) + reader->time_offset_ns;

    return now_ns > reader->last_time_ns ? now_ns : reader->last_time_ns + 1;
}

int reader_try_put(struct reader *reader, const struct put *put)
{
    uint32_t bytes = put->head_bytes + put->bytes;
    int is_record = put->kind < ENTRY_RECORDS_END;
    struct input_entry entry = {.sequence = reader->next_sequence - !is_record,
        .time_ns = is_record ? next_time_ns(reader) : reader->last_time_ns,
        .connection = put->client != NULL ? put->client->connection : 0,
        .ordinal = put->ordinal,
        .session = put->session,
        .request = put->request,
        .kind = put->kind};
    void *payload = NULL;
    int result = lam_framed_sender_try_claim(&reader->input, sizeof(entry) + bytes, &payload);

    LAM_ASSERT(result >= 0); /* every entry fits: rings.c and the limits of events */
    if (result == 0 || payload == NULL)
        return 0;
    memcpy(payload, &entry, sizeof(entry));
    if (put->head_bytes != 0)
        memcpy((uint8_t *)payload + sizeof(entry), put->head, put->head_bytes);
    if (put->bytes != 0)
        memcpy((uint8_t *)payload + sizeof(entry) + put->head_bytes, put->data, put->bytes);
    lam_framed_sender_commit(&reader->input, sizeof(entry) + bytes, 0);
    if (is_record) {
        reader->next_sequence++;
        reader->last_time_ns = entry.time_ns;
    }
    return 1;
}

int reader_try_tell(
    struct reader *reader, const struct control_entry *entry, const void *data, uint32_t bytes)
{
    void *payload = NULL;
    int result;

    LAM_ASSERT(bytes <= CONTROL_BYTES_MAX);
    /* What is in the ring and what the writer keeps for its turn: both have room for so many. */
    if (reader->control_sent - lam_load_acquire(&reader->node->control_done) >=
        CONTROL_PENDING_MAX - 1)
        return 0;
    result = lam_framed_sender_try_claim(&reader->control, sizeof(*entry) + bytes, &payload);
    LAM_ASSERT(result >= 0);
    if (result == 0 || payload == NULL)
        return 0;
    memcpy(payload, entry, sizeof(*entry));
    if (bytes != 0)
        memcpy((uint8_t *)payload + sizeof(*entry), data, bytes);
    lam_framed_sender_commit(&reader->control, sizeof(*entry) + bytes, 0);
    reader->control_sent++;
    return 1;
}

static int tell_code(struct reader *reader, struct control_entry *entry, struct client *client,
    uint32_t code, const char *text)
{
    uint8_t data[CONTROL_BYTES_MAX];
    size_t count = strnlen(text, sizeof(data) - sizeof(code));

    memcpy(data, &code, sizeof(code));
    memcpy(data + sizeof(code), text, count);
    entry->connection = client->connection;
    entry->ordinal = client->ordinal + 1;
    if (!reader_try_tell(reader, entry, data, (uint32_t)(sizeof(code) + count)))
        return 0;
    client->ordinal++;
    return 1;
}

int reader_try_refuse(
    struct reader *reader, struct client *client, uint64_t request, uint32_t code, const char *text)
{
    struct control_entry entry = {.request = request, .kind = CONTROL_REFUSED};

    return tell_code(reader, &entry, client, code, text);
}

int reader_try_close(struct reader *reader, struct client *client, uint32_t code, const char *text)
{
    struct control_entry entry = {.handle = client->handle, .kind = CONTROL_CLOSE};

    if (!tell_code(reader, &entry, client, code, text))
        return 0;
    client->state = CLIENT_ENDING;
    return 1;
}
