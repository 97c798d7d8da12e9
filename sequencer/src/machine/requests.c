/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.c: what clients ask, and how often: a request is applied once, whatever they repeat.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/parts.h"

void machine_add_item(struct machine *machine, const struct machine_item *item)
{
    machine->items[machine->item_count++] = *item;
}

/* The answer to one request: a reply or a refusal, as the output has it. */
static void add_answer(struct machine *machine, uint64_t session, uint64_t request)
{
    const struct lam_app_output *output = &machine->output;
    int is_refused = output->refusal_count != 0;

    machine_add_item(
        machine, &(struct machine_item){.kind = is_refused ? ITEM_REFUSED : ITEM_REPLY,
                     .sequence = machine->item_sequence,
                     .session = session,
                     .request = request,
                     .bytes = is_refused ? output->refusal : output->reply,
                     .count = is_refused ? output->refusal_count : output->reply_count});
}

void machine_begin(struct machine *machine, uint64_t sequence, enum output_mode mode)
{
    machine->item_count = 0;
    machine->item_sequence = sequence;
    output_begin(&machine->output, mode);
}

/* A refusal of the machine's own: of what was not applied. */
static int refuse(
    struct machine *machine, const struct record_app *asked, uint32_t code, const char *text)
{
    output_refuse(&machine->output, code, text);
    add_answer(machine, asked->session, asked->request);
    return 0;
}

static int repeat(
    struct machine *machine, const struct session *session, const struct record_app *asked)
{
    const struct reply_slot *slot = replies_slot(&session->replies, asked->request);

    machine_add_item(machine, &(struct machine_item){.kind = (enum machine_item_kind)slot->kind,
                                  .is_repeat = 1,
                                  .sequence = slot->sequence,
                                  .session = asked->session,
                                  .request = asked->request,
                                  .bytes = replies_bytes(&session->replies, slot),
                                  .count = slot->count});
    return 0;
}

/* The application's answer is the client's as often as it asks. */
static int apply_new(struct machine *machine, const struct machine_record *record,
    struct session *session, const struct record_app *asked)
{
    const struct lam_app_context context = {.sequence = record->sequence,
        .time_ns = record->time_ns,
        .session = session->id,
        .role = session->open.role};
    const struct machine_item *answer = &machine->items[0];
    struct reply_slot slot = {.sequence = record->sequence};

    machine->config.app->apply(machine->state, &context,
        (const uint8_t *)record->data + sizeof(*asked), record->bytes - sizeof(*asked),
        &machine->output);
    if (machine->output.error != 0)
        return machine->output.error;
    add_answer(machine, asked->session, asked->request);
    slot.kind = answer->kind;
    slot.count = answer->count;
    return replies_keep(&session->replies, asked->request, &slot, answer->bytes);
}

int machine_apply_request(struct machine *machine, const struct machine_record *record)
{
    const struct lam_app *app = machine->config.app;
    struct record_app asked;
    struct session *session;
    struct replies *replies;

    if (record->bytes < sizeof(asked))
        return -EBADMSG;
    memcpy(&asked, record->data, sizeof(asked));
    asked.session = le64toh(asked.session);
    asked.request = le64toh(asked.request);
    asked.floor = le64toh(asked.floor);
    session = sessions_find(&machine->sessions, asked.session);
    if (session == NULL)
        return refuse(machine, &asked, REFUSED_SESSION, "no such session");
    sessions_touch(&machine->sessions, session, record->sequence);
    replies = &session->replies;
    replies_raise(replies, asked.floor);
    if (asked.request < replies->floor)
        return refuse(machine, &asked, REFUSED_STALE, "below the floor: answered before");
    if (!replies_in_window(replies, asked.request))
        return refuse(machine, &asked, REFUSED_WINDOW, "too far above the floor");
    if (replies_slot(replies, asked.request)->kind != 0)
        return repeat(machine, session, &asked);
    if (machine->config.reply_bytes - replies->reply_bytes < app->reply_bytes_max)
        return refuse(machine, &asked, REFUSED_WINDOW, "too many bytes of replies are kept");
    if (record->bytes - sizeof(asked) > app->event_bytes_max)
        return refuse(machine, &asked, REFUSED_SIZE, "too large for the application");
    return apply_new(machine, record, session, &asked);
}

void machine_query(
    struct machine *machine, uint64_t session, uint64_t request, const void *bytes, size_t count)
{
    const struct lam_app *app = machine->config.app;
    const struct session *found = sessions_find(&machine->sessions, session);
    const struct record_app asked = {.session = session, .request = request};
    struct lam_app_context context = {
        .sequence = machine->next == 0 ? 0 : machine->next - 1, .time_ns = machine->time_ns};

    machine_begin(machine, context.sequence, OUTPUT_QUERY);
    if (session != 0 && found == NULL) {
        (void)refuse(machine, &asked, REFUSED_SESSION, "no such session");
        return;
    }
    if (app->query == NULL) {
        (void)refuse(machine, &asked, REFUSED_NO_QUERY, "the application answers no queries");
        return;
    }
    if (count > app->event_bytes_max) {
        (void)refuse(machine, &asked, REFUSED_SIZE, "too large for the application");
        return;
    }
    context.session = session;
    context.role = found != NULL ? found->open.role : 0;
    app->query(machine->state, &context, bytes, count, &machine->output);
    add_answer(machine, session, request);
}
