/* SPDX-License-Identifier: Apache-2.0 */
/*
 * application.c: the stage that applies records as they come, answers what is asked between them,
 * and hands on what comes of it. It never waits for the disk: the gate is further behind.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/parts.h"

static struct application *of(struct stage *stage)
{
    return (struct application *)stage;
}

/*
 * Room in the output ring behind a head of @entry. NULL: *@result is 0, it is full, or negative
 * errno.
 */
static uint8_t *claim(
    struct application *application, const struct output_entry *entry, uint32_t bytes, int *result)
{
    void *payload = NULL;

    *result = lam_framed_sender_try_claim(&application->output, sizeof(*entry) + bytes, &payload);
    if (*result < 0)
        (void)lam_error_set(&application->stage.error, *result,
            "application: an item of %u bytes does not fit the output ring", bytes);
    if (*result != 1 || payload == NULL)
        return NULL;
    memcpy(payload, entry, sizeof(*entry));
    return (uint8_t *)payload + sizeof(*entry);
}

static void commit(struct application *application, uint32_t bytes)
{
    lam_framed_sender_commit(&application->output, sizeof(struct output_entry) + bytes, 0);
}

static int put_opened(
    struct application *application, const struct output_entry *entry, uint64_t session)
{
    struct opened_entry opened = {.floor = 0};
    int result;
    uint8_t *data = claim(application, entry, sizeof(opened), &result);

    if (data == NULL)
        return result;
    (void)machine_session(application->machine, session, &opened.open, &opened.floor);
    memcpy(data, &opened, sizeof(opened));
    commit(application, sizeof(opened));
    return 1;
}

static int put_item(struct application *application, const struct input_entry *from,
    const struct machine_item *item)
{
    struct output_entry entry = {.sequence = from->sequence,
        .connection = item->kind == ITEM_PUBLISH ? 0 : from->connection,
        .ordinal = item->kind == ITEM_PUBLISH ? 0 : from->ordinal,
        .session = item->session,
        .request = item->request,
        .made_at = item->sequence,
        .index = item->index,
        .kind = (uint16_t)item->kind,
        .is_repeat = (uint16_t)item->is_repeat};
    uint8_t *data;
    int result;

    if (item->kind == ITEM_CLOSED || (item->kind != ITEM_PUBLISH && from->connection == 0))
        return 1; /* nobody to tell */
    if (item->kind == ITEM_OPENED)
        return put_opened(application, &entry, item->session);
    data = claim(application, &entry, item->count, &result);
    if (data == NULL)
        return result;
    memcpy(data, item->bytes, item->count);
    commit(application, item->count);
    return 1;
}

/* What the entry at hand has brought about. Returns 1, 0: the ring is full, or negative errno. */
static int put_items(struct application *application)
{
    const struct input_entry *entry = application->input.message.payload;
    struct machine_item item;

    while (machine_item(application->machine, application->item_index, &item)) {
        int result = put_item(application, entry, &item);

        if (result != 1)
            return result;
        application->item_index++;
    }
    return 1;
}

static int put_denied(
    struct application *application, const struct input_entry *from, uint32_t code)
{
    static const char *const texts[] = {"there is no such session", "the session is another's"};
    const char *text = texts[code == REFUSED_DENIED];
    struct output_entry entry = {.sequence = from->sequence,
        .connection = from->connection,
        .ordinal = from->ordinal,
        .session = from->session,
        .kind = ENTRY_DENIED};
    uint32_t bytes = (uint32_t)(sizeof(code) + strlen(text));
    int result;
    uint8_t *data = claim(application, &entry, bytes, &result);

    if (data == NULL)
        return result;
    memcpy(data, &code, sizeof(code));
    memcpy(data + sizeof(code), text, strlen(text));
    commit(application, bytes);
    return 1;
}

/* May who asks go on with the session? Told to the reader, which holds it, and to the client. */
static int resume(struct application *application)
{
    const struct input_entry *from = application->input.message.payload;
    const struct record_open *asks = (const void *)intake_data(&application->input, sizeof(*from));
    struct output_entry entry = {.sequence = from->sequence,
        .connection = from->connection,
        .ordinal = from->ordinal,
        .session = from->session,
        .kind = ITEM_OPENED};
    struct record_open open;
    uint64_t floor;
    int is_there = machine_session(application->machine, from->session, &open, &floor);
    int is_granted = is_there && open.token == asks->token && open.role == asks->role &&
                     memcmp(open.identity, asks->identity, sizeof(open.identity)) == 0;
    int result = is_granted
                     ? put_opened(application, &entry, from->session)
                     : put_denied(application, from, is_there ? REFUSED_DENIED : REFUSED_SESSION);

    if (result == 1)
        lam_store_release(&application->node->places[place_of(from->connection)].verdict,
            place_verdict(from->connection, is_granted));
    return result;
}

/* The digest that all copies keep of here, for the reader to put into the order. */
static void publish_digest(struct application *application)
{
    struct node *node = application->node;
    uint8_t digest[BLAKE3_BYTES];
    uint64_t sequence = machine_kept_digest(application->machine, digest);

    /* The reader asks for no other before it has taken this one. */
    memcpy(node->digest, digest, sizeof(digest));
    lam_store_release(&node->digest_sequence, sequence);
}

static int apply(struct application *application)
{
    const struct input_entry *entry = application->input.message.payload;
    struct machine_record record = {.sequence = entry->sequence,
        .time_ns = entry->time_ns,
        .data = intake_data(&application->input, sizeof(*entry)),
        .bytes = intake_bytes(&application->input, sizeof(*entry)),
        .kind = entry->kind};
    int result = machine_apply(application->machine, &record, &application->stage.error);

    if (result < 0)
        return lam_error_prefix(&application->stage.error, result, "application: ");
    if (entry->kind == RECORD_DIGEST)
        publish_digest(application);
    return 0;
}

/* The entry at hand. Returns 1: it is dealt with, 0: the output ring is full, or negative errno. */
static int handle(struct application *application)
{
    const struct input_entry *entry = application->input.message.payload;
    int result;

    if (entry->kind == ENTRY_RESUME)
        return resume(application);
    if (!application->is_applied) {
        application->item_index = 0;
        if (entry->kind == ENTRY_QUERY)
            machine_query(application->machine, entry->session, entry->request,
                intake_data(&application->input, sizeof(*entry)),
                intake_bytes(&application->input, sizeof(*entry)));
        else if ((result = apply(application)) < 0)
            return result;
        application->is_applied = 1;
    }
    result = put_items(application);
    if (result == 1)
        application->is_applied = 0;
    return result;
}

static int step(struct stage *stage, unsigned budget)
{
    struct application *application = of(stage);
    unsigned worked = 0;
    int taken;

    stage->blocked_on = NULL;
    while ((taken = intake_peek(&application->input)) == 1 && worked < budget) {
        int result = handle(application);

        if (result == 0) {
            stage->blocked_on = "the output ring";
            break;
        }
        if (result < 0)
            return result;
        intake_release(&application->input);
        worked++;
    }
    if (taken == -EPIPE && !stage_is_done(application->node, NODE_APPLICATION)) {
        lam_framed_sender_close(&application->output);
        (void)stage_done(application->node, NODE_APPLICATION);
        worked++;
    }
    return (int)worked;
}

void application_init(struct application *application, struct node *node)
{
    application->node = node;
    application->stage = (struct stage){.name = "application", .step = step, .due_ns = UINT64_MAX};
}
