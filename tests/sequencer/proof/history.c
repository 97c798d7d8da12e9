/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/history.h"

#include <stdlib.h>
#include <string.h>

/* Of one operation or record: what the model says of it. */
struct known {
    const struct history_op *op;
    uint64_t sequence; /* where it was applied; 0: nowhere */
    struct model_result result;
};

struct check {
    const struct history *history;
    struct history_verdict *verdict;
    struct known *known;            /* by id */
    const struct history_op **turn; /* queries, by sequence */
    size_t turn_count;
    struct model_result *published; /* of each record; id 0: nothing */
};

static int broken(struct check *check, enum history_rule rule, uint64_t id, uint64_t sequence)
{
    *check->verdict = (struct history_verdict){rule, id, sequence};
    return 0;
}

static int by_id(const void *left, const void *right)
{
    uint64_t a = ((const struct history_op *)left)->op.id;
    uint64_t b = ((const struct history_op *)right)->op.id;

    return (a > b) - (a < b);
}

static int by_sequence(const void *left, const void *right)
{
    uint64_t a = (*(const struct history_op *const *)left)->sequence;
    uint64_t b = (*(const struct history_op *const *)right)->sequence;

    return (a > b) - (a < b);
}

static struct known *find(const struct check *check, uint64_t id)
{
    size_t low = 0, high = check->history->op_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (check->known[middle].op->op.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == check->history->op_count || check->known[low].op->op.id != id)
        return NULL;
    return &check->known[low];
}

/* All but what only the model fills in; its name is for the application alone. */
static int is_same(const struct model_result *told, const struct model_result *right)
{
    if (told->refused != 0 || right->refused != 0)
        return told->refused == right->refused;
    return memcmp(told, right, sizeof(*told)) == 0;
}

/* Queries that are answered at @sequence, which is where the model stands. */
static int check_queries(
    struct check *check, const struct model *model, size_t *next, uint64_t sequence)
{
    for (; *next < check->turn_count && check->turn[*next]->sequence <= sequence; ++*next) {
        const struct history_op *op = check->turn[*next];
        struct model_result right = model_get(model, &op->op);

        if (op->result.id != op->op.id)
            return broken(check, HISTORY_OTHER, op->op.id, op->sequence);
        if (op->sequence != sequence || !is_same(&op->result, &right))
            return broken(check, HISTORY_STALE, op->op.id, op->sequence);
    }
    return 1;
}

static int apply_record(struct check *check, struct model *model, size_t index)
{
    const struct history_record *record = &check->history->records[index];
    struct known *known;

    if (record->kind == HISTORY_TICK)
        model_tick(model);
    if (record->kind != HISTORY_EVENT || !record->is_applied)
        return 1;
    known = find(check, record->op.id);
    if (known == NULL || known->op->op.verb == MODEL_GET ||
        memcmp(&known->op->op, &record->op, sizeof(record->op)) != 0)
        return broken(check, HISTORY_STRANGE, record->op.id, record->sequence);
    if (known->sequence != 0)
        return broken(check, HISTORY_DOUBLE, record->op.id, record->sequence);
    known->sequence = record->sequence;
    known->result = model_apply(model, &record->op);
    if (known->result.refused == 0)
        check->published[index] = known->result;
    return 1;
}

/* The order from its beginning, in the model, and the queries where they stand in it. */
static int check_records(struct check *check)
{
    const struct history *history = check->history;
    struct model model;
    size_t next = 0;

    model_begin(&model);
    for (size_t i = 0; i < history->record_count; i++) {
        uint64_t sequence = history->records[i].sequence;

        if (i != 0 && sequence != history->records[i - 1].sequence + 1)
            return broken(check, HISTORY_GAP, 0, sequence);
        if (!apply_record(check, &model, i) || !check_queries(check, &model, &next, sequence))
            return 0;
    }
    if (next < check->turn_count) /* of a state that nobody has any more */
        return broken(check, HISTORY_LOST, check->turn[next]->op.id, check->turn[next]->sequence);
    return 1;
}

static int check_answer(struct check *check, const struct known *known)
{
    const struct history_op *op = known->op;

    if (op->end == HISTORY_REFUSED && known->sequence != 0)
        return broken(check, HISTORY_WAS_APPLIED, op->op.id, known->sequence);
    if (op->end != HISTORY_ANSWERED || op->op.verb == MODEL_GET)
        return 1;
    if (known->sequence == 0)
        return broken(check, HISTORY_LOST, op->op.id, op->sequence);
    if (op->result.refused == 0 && (op->sequence != known->sequence || op->result.id != op->op.id))
        return broken(check, HISTORY_OTHER, op->op.id, op->sequence);
    if (!is_same(&op->result, &known->result))
        return broken(check, HISTORY_WRONG, op->op.id, known->sequence);
    return 1;
}

/* A place in the order; a query stands behind the record that it names. */
struct place {
    uint64_t sequence, asked, answered, id;
    int is_query;
};

static int by_place(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return a->is_query - b->is_query;
}

static size_t gather_places(const struct check *check, struct place *places)
{
    size_t count = 0;

    for (size_t i = 0; i < check->history->op_count; i++) {
        const struct known *known = &check->known[i];
        int is_query = known->op->op.verb == MODEL_GET;
        uint64_t sequence = is_query ? known->op->sequence : known->sequence;

        /* What was applied unanswered was asked for all the same, and orders the others. */
        if (is_query ? known->op->end == HISTORY_ANSWERED : sequence != 0)
            places[count++] = (struct place){sequence, known->op->asked,
                known->op->end == HISTORY_ANSWERED ? known->op->answered : UINT64_MAX,
                known->op->op.id, is_query};
    }
    qsort(places, count, sizeof(*places), by_place);
    return count;
}

/* @late was answered before @early was asked. Who is to blame: a query, where there is one. */
static int blame(struct check *check, const struct place *early, const struct place *late)
{
    const struct place *one = early->is_query ? early : late;

    return broken(check, one->is_query ? HISTORY_STALE : HISTORY_ORDER, one->id, one->sequence);
}

/*
 * Nothing may stand behind what was asked for only after it was answered. Queries of one state have
 * no order among themselves.
 */
static int check_real_time(struct check *check, const struct place *places, size_t count)
{
    const struct place *latest = places;

    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && by_place(&places[i], &places[end]) == 0; end++)
            if (i != 0 && places[end].answered < latest->asked)
                return blame(check, latest, &places[end]);
        for (size_t j = i; j < end; j++)
            if (places[j].asked > latest->asked)
                latest = &places[j];
    }
    return 1;
}

static size_t record_at(const struct history *history, uint64_t sequence)
{
    uint64_t first = history->record_count == 0 ? 0 : history->records[0].sequence;

    if (sequence < first || sequence - first >= history->record_count)
        return history->record_count;
    return (size_t)(sequence - first);
}

/* @from and @to were told one behind the other: nothing was published between them. */
static int is_all_told(const struct check *check, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++)
        if (check->published[i].id != 0)
            return 0;
    return 1;
}

static int check_publications(struct check *check)
{
    const struct history *history = check->history;

    for (size_t i = 0; i < history->publication_count; i++) {
        const struct history_publication *one = &history->publications[i];
        size_t at = record_at(history, one->sequence), before = history->record_count;

        for (size_t j = i; j-- > 0 && before == history->record_count;)
            if (history->publications[j].subscriber == one->subscriber)
                before = record_at(history, history->publications[j].sequence);
        if (at == history->record_count || one->index != 0 || one->result.id == 0 ||
            !is_same(&one->result, &check->published[at]) ||
            (before != history->record_count && (before >= at || !is_all_told(check, before, at))))
            return broken(check, HISTORY_PUBLISHED, one->result.id, one->sequence);
    }
    return 1;
}

static int check_answers(struct check *check)
{
    for (size_t i = 0; i < check->history->op_count; i++)
        if (!check_answer(check, &check->known[i]))
            return 0;
    return 1;
}

static int check_all(struct check *check, struct place *places)
{
    const struct history *history = check->history;

    if (history->op_count != 0)
        qsort(history->ops, history->op_count, sizeof(*history->ops), by_id);
    for (size_t i = 0; i < history->op_count; i++) {
        const struct history_op *op = &history->ops[i];

        check->known[i].op = op;
        if (op->op.verb == MODEL_GET && op->end == HISTORY_ANSWERED)
            check->turn[check->turn_count++] = op;
    }
    if (check->turn_count != 0)
        qsort(check->turn, check->turn_count, sizeof(const struct history_op *), by_sequence);
    return check_records(check) && check_answers(check) &&
           check_real_time(check, places, gather_places(check, places)) &&
           check_publications(check);
}

static void *room(size_t count, size_t bytes)
{
    void *memory = calloc(count + 1, bytes);

    if (memory == NULL)
        abort(); /* a verdict of nothing would be one of all is well */
    return memory;
}

int history_check(const struct history *history, struct history_verdict *verdict)
{
    struct known *known = room(history->op_count, sizeof(*known));
    const struct history_op **turn = room(history->op_count, sizeof(const struct history_op *));
    struct model_result *published = room(history->record_count, sizeof(*published));
    struct check check = {history, verdict, known, turn, 0, published};
    struct place *places = room(history->op_count, sizeof(*places));
    int is_good;

    *verdict = (struct history_verdict){HISTORY_GOOD, 0, 0};
    is_good = check_all(&check, places);
    free(places);
    free(known);
    free(turn);
    free(published);
    return is_good;
}

const char *history_rule_text(enum history_rule rule)
{
    static const char *const texts[HISTORY_RULES] = {
        [HISTORY_GOOD] = "good",
        [HISTORY_GAP] = "a gap in the sequences",
        [HISTORY_STRANGE] = "applied and not asked for",
        [HISTORY_DOUBLE] = "applied twice",
        [HISTORY_LOST] = "acknowledged and lost",
        [HISTORY_OTHER] = "the answer to another request",
        [HISTORY_WRONG] = "a wrong result",
        [HISTORY_STALE] = "a stale read",
        [HISTORY_ORDER] = "an order against real time",
        [HISTORY_WAS_APPLIED] = "refused and applied",
        [HISTORY_PUBLISHED] = "published wrongly",
    };

    return (unsigned)rule < HISTORY_RULES ? texts[rule] : "?";
}
