/* SPDX-License-Identifier: Apache-2.0 */
#include "machine_model.h"

#include <string.h>

struct model_session *model_find(struct model *model, uint64_t id)
{
    for (unsigned i = 0; i < MODEL_SESSIONS; i++)
        if (id != 0 && model->sessions[i].id == id)
            return &model->sessions[i];
    return NULL;
}

static struct model_item *add(struct model *model, enum machine_item_kind kind)
{
    struct model_item *item = &model->items[model->item_count++];

    memset(item, 0, sizeof(*item));
    item->kind = kind;
    item->sequence = model->next - (model->next != 0);
    return item;
}

static void put(struct model_item *item, const void *bytes, uint32_t count)
{
    memcpy(item->bytes + item->count, bytes, count);
    item->count += count;
}

static void refuse(struct model_item *item, uint32_t code, const char *text)
{
    item->kind = ITEM_REFUSED;
    item->count = 0;
    put(item, &code, 4);
    put(item, text, (uint32_t)strlen(text));
}

static void publish(struct model *model, const void *bytes, uint32_t count, uint32_t index)
{
    struct model_item *item = add(model, ITEM_PUBLISH);

    item->index = index;
    put(item, bytes, count);
}

/* What machine_app.h says. @item is the reply. */
static void app_apply(struct model *model, struct model_item *item, uint64_t session, uint32_t role,
    const uint8_t *event, uint32_t count)
{
    uint8_t op = count > 0 ? event[0] : 255, a = count > 1 ? event[1] : 0,
            b = count > 2 ? event[2] : 0, pattern[256], taken = 1;

    memset(pattern, b, sizeof(pattern));
    if (op == APP_ADD) {
        model->sums[a % APP_SUMS] += b;
        put(item, &model->sums[a % APP_SUMS], 8);
    } else if (op == APP_REFUSE) {
        refuse(item, REFUSED_APP + a, "because");
    } else if (op == APP_LONG) {
        put(item, pattern, a <= APP_REPLY_MAX ? a : 0);
    } else if (op == APP_PUBLISH) {
        uint32_t most = APP_PUBLISH_MAX / (b > 0 ? b : 1);

        taken = a < most ? a : (uint8_t)most;
        put(item, &taken, 1);
        for (uint32_t i = 0; i < taken; i++)
            publish(model, pattern, b, i);
    } else if (op == APP_TOO_LONG) {
        put(item, &taken, 1);
    } else if (op == APP_TIME) {
        put(item, &model->time_ns, 8);
        put(item, &session, 8);
        put(item, &role, 4);
    } else {
        refuse(item, REFUSED_APP + 99, "");
    }
}

static void raise_floor(struct model_session *session, uint64_t floor)
{
    if (floor > session->floor)
        session->floor = floor;
    for (unsigned i = 0; i < MODEL_WINDOW; i++)
        if (session->answers[i].request < session->floor)
            session->answers[i].is_kept = 0;
}

/* The answer to @request that is kept, or a free place where there is none. */
static struct model_answer *answer_of(struct model_session *session, uint64_t request, int is_kept)
{
    for (unsigned i = 0; i < MODEL_WINDOW; i++)
        if (session->answers[i].is_kept == is_kept &&
            (!is_kept || session->answers[i].request == request))
            return &session->answers[i];
    return NULL;
}

static uint32_t kept_bytes(const struct model_session *session)
{
    uint32_t bytes = 0;

    for (unsigned i = 0; i < MODEL_WINDOW; i++)
        if (session->answers[i].is_kept && session->answers[i].kind == ITEM_REPLY)
            bytes += session->answers[i].count;
    return bytes;
}

static void apply_request(struct model *model, const struct machine_record *record)
{
    const uint64_t *asked = record->data;
    uint32_t count = record->bytes - 24;
    struct model_session *session = model_find(model, asked[0]);
    struct model_item *item = add(model, ITEM_REPLY);
    struct model_answer *answer;

    item->session = asked[0];
    item->request = asked[1];
    if (session == NULL) {
        refuse(item, REFUSED_SESSION, "no such session");
        return;
    }
    session->last = record->sequence;
    raise_floor(session, asked[2]);
    answer = answer_of(session, asked[1], 1);
    if (asked[1] < session->floor) {
        refuse(item, REFUSED_STALE, "below the floor: answered before");
    } else if (asked[1] - session->floor >= MODEL_WINDOW) {
        refuse(item, REFUSED_WINDOW, "too far above the floor");
    } else if (answer != NULL) {
        item->kind = answer->kind;
        item->is_repeat = 1;
        item->sequence = answer->sequence;
        put(item, answer->bytes, answer->count);
    } else if (kept_bytes(session) + APP_REPLY_MAX > MODEL_REPLY) {
        refuse(item, REFUSED_WINDOW, "too many bytes of replies are kept");
    } else if (count > APP_EVENT_MAX) {
        refuse(item, REFUSED_SIZE, "too large for the application");
    } else {
        app_apply(model, item, session->id, session->role, (const uint8_t *)&asked[3], count);
        answer = answer_of(session, 0, 0);
        *answer = (struct model_answer){.is_kept = 1,
            .kind = item->kind,
            .request = asked[1],
            .sequence = record->sequence,
            .count = item->count};
        memcpy(answer->bytes, item->bytes, item->count);
    }
}

static void close_session(struct model *model, struct model_session *session)
{
    add(model, ITEM_CLOSED)->session = session->id;
    memset(session, 0, sizeof(*session));
}

static void apply_open(struct model *model, const struct machine_record *record)
{
    struct model_session *session = NULL;
    struct model_item *item;

    for (unsigned i = 0; i < MODEL_SESSIONS; i++)
        if (session == NULL || model->sessions[i].last < session->last)
            session = &model->sessions[i]; /* one that is not open has no last word */
    if (session->id != 0)
        close_session(model, session);
    session->id = session->last = record->sequence;
    memcpy(&session->role, (const uint8_t *)record->data + 8, 4);
    item = add(model, ITEM_OPENED);
    item->session = session->id;
    put(item, record->data, record->bytes);
}

void model_apply(struct model *model, const struct machine_record *record)
{
    const uint64_t *data = record->data;
    struct model_item nobody = {0};

    model->item_count = 0;
    model->next = record->sequence + 1;
    model->time_ns = record->time_ns;
    if (record->kind == RECORD_APP) {
        apply_request(model, record);
    } else if (record->kind == RECORD_OPEN) {
        apply_open(model, record);
    } else if (record->kind == RECORD_CLOSE) {
        if (model_find(model, data[0]) != NULL)
            close_session(model, model_find(model, data[0]));
    } else if (record->kind == RECORD_TICK) {
        model->sums[0] = 31 * model->sums[0] + record->time_ns;
        publish(model, &model->sums[0], 8, 0);
    } else if (record->kind == RECORD_EPOCH) {
        model->epoch = data[0];
    } else if (record->kind == RECORD_STARTUP) {
        model->started++;
        app_apply(model, &nobody, 0, 0, (const uint8_t *)&data[1], record->bytes - 8);
    } else if (record->kind == RECORD_STARTED) {
        model->started = UINT32_MAX;
    }
}

void model_query(struct model *model, uint64_t session, uint64_t request)
{
    uint64_t before = model->next - 1;
    struct model_item *item;

    model->item_count = 0;
    item = add(model, ITEM_REPLY);
    item->session = session;
    item->request = request;
    if (session != 0 && model_find(model, session) == NULL) {
        refuse(item, REFUSED_SESSION, "no such session");
        return;
    }
    put(item, &before, 8);
    put(item, &model->time_ns, 8);
    put(item, model->sums, sizeof(model->sums));
}
