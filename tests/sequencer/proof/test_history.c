/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_history.c: the checker of histories finds each rule broken, and a history that keeps them
 * all good. A small one is made by hand; every test changes one thing of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "proof/history.h"

#define RECORDS 12
#define FIRST   5

static struct history_op ops[16];
static struct history_record records[RECORDS];
static struct history_publication told[16];
static struct history history;
static struct history_verdict verdict;

/* Ask at @asked, as the @id-th; nobody knows yet what comes of it. */
static struct history_op *ask(uint64_t id, uint32_t verb, uint32_t key, int64_t a, uint64_t asked)
{
    struct history_op *op = &ops[history.op_count++];

    op->op = (struct model_op){.id = id, .verb = verb, .key = key, .a = a};
    op->asked = asked;
    return op;
}

static void answer(struct history_op *op, uint64_t at, uint64_t sequence, uint64_t count, int64_t v)
{
    op->end = HISTORY_ANSWERED;
    op->answered = at;
    op->sequence = sequence;
    op->result = (struct model_result){op->op.id, count, v, 1, 0};
}

static void put(uint64_t sequence, const struct history_op *op)
{
    records[sequence - FIRST] = (struct history_record){sequence, HISTORY_EVENT, 1, op->op};
}

static void publish(const struct history_op *op)
{
    told[history.publication_count++] =
        (struct history_publication){op->sequence, 3, 0, op->result};
}

/*
 * ADD 10 at 7, unanswered ADD 5 at 8, a tick at 9, GET behind 9, TAKE 99 refused at 10, SET at 11,
 * a repeat of the first at 12, and one that was never applied.
 */
static void setup(void)
{
    struct history_op *op;

    memset(ops, 0, sizeof(ops));
    memset(told, 0, sizeof(told));
    history = (struct history){
        .ops = ops, .records = records, .record_count = RECORDS, .publications = told};
    for (uint64_t i = 0; i < RECORDS; i++)
        records[i] = (struct history_record){.sequence = FIRST + i};
    answer(op = ask(1, MODEL_ADD, 2, 10, 100), 200, 7, 3, 10);
    put(7, op);
    publish(op);
    put(8, ask(2, MODEL_ADD, 2, 5, 150));
    told[history.publication_count++] = (struct history_publication){8, 3, 0, {2, 4, 15, 1, 0}};
    records[9 - FIRST].kind = HISTORY_TICK;
    answer(ask(3, MODEL_GET, 2, 0, 210), 300, 9, 4, 15);
    op = ask(4, MODEL_TAKE, 2, 99, 310);
    put(10, op);
    op->end = HISTORY_ANSWERED;
    op->answered = 320;
    op->result.refused = MODEL_TOO_LITTLE;
    answer(op = ask(5, MODEL_SET, 2, 1, 330), 400, 11, 5, 1);
    put(11, op);
    publish(op);
    put(12, &ops[0]);
    records[12 - FIRST].is_applied = 0;
    ask(6, MODEL_ADD, 2, 1, 340)->end = HISTORY_REFUSED;
    answer(ask(7, MODEL_GET, MODEL_TICKS, 0, 410), 500, 12, 5, 1);
}

TestSuite(history, .init = setup, .timeout = 60);

static int found(void)
{
    int is_good = history_check(&history, &verdict);

    cr_assert(eq(int, is_good, verdict.rule == HISTORY_GOOD));
    return (int)verdict.rule;
}

static struct history_op *of(uint64_t id)
{
    for (size_t i = 0; i < history.op_count; i++)
        if (ops[i].op.id == id)
            return &ops[i];
    cr_fatal("no such operation");
    return NULL;
}

Test(history, what_keeps_all_rules_is_good)
{
    cr_assert(eq(int, found(), HISTORY_GOOD));
    cr_assert(eq(int, found(), HISTORY_GOOD)); /* sorted by now */
}

Test(history, nothing_at_all_is_good)
{
    history = (struct history){0};
    cr_assert(eq(int, found(), HISTORY_GOOD));
}

Test(history, a_gap_is_found)
{
    for (int i = 8; i < RECORDS; i++)
        records[i].sequence++;
    cr_assert(eq(int, found(), HISTORY_GAP));
    cr_assert(eq(u64, verdict.sequence, FIRST + 9));
}

Test(history, a_double_application_is_found)
{
    records[12 - FIRST].is_applied = 1;
    cr_assert(eq(int, found(), HISTORY_DOUBLE));
    cr_assert(eq(u64, verdict.id, 1));
}

/* Twice in the state, and once in the journal: every count behind it tells. */
Test(history, a_hidden_double_application_is_found)
{
    of(5)->result.count++;
    cr_assert(eq(int, found(), HISTORY_WRONG));
    cr_assert(eq(u64, verdict.id, 5));
}

Test(history, a_double_application_of_what_was_never_answered_is_found)
{
    put(13, of(2));
    cr_assert(eq(int, found(), HISTORY_DOUBLE));
}

Test(history, a_lost_acknowledged_one_is_found)
{
    records[11 - FIRST].kind = HISTORY_OTHER_RECORD;
    of(7)->result.count--;
    cr_assert(eq(int, found(), HISTORY_LOST));
    cr_assert(eq(u64, verdict.id, 5));
}

Test(history, a_lost_end_is_found)
{
    history.record_count = 6; /* up to 10 */
    history.publication_count = 2;
    of(7)->end = HISTORY_UNKNOWN;
    cr_assert(eq(int, found(), HISTORY_LOST));
}

Test(history, a_lost_refusal_of_the_application_is_found)
{
    records[10 - FIRST].is_applied = 0;
    cr_assert(eq(int, found(), HISTORY_LOST));
    cr_assert(eq(u64, verdict.id, 4));
}

Test(history, a_read_of_a_lost_state_is_found)
{
    of(7)->sequence = FIRST + RECORDS;
    cr_assert(eq(int, found(), HISTORY_LOST));
}

Test(history, the_reply_of_another_request_is_found)
{
    of(5)->result = of(1)->result;
    of(5)->sequence = of(1)->sequence;
    cr_assert(eq(int, found(), HISTORY_OTHER));
    cr_assert(eq(u64, verdict.id, 5));
}

Test(history, the_place_of_another_request_is_found)
{
    of(5)->sequence = 8;
    cr_assert(eq(int, found(), HISTORY_OTHER));
}

Test(history, the_reply_to_another_query_is_found)
{
    of(3)->result.id = 7;
    cr_assert(eq(int, found(), HISTORY_OTHER));
}

Test(history, a_wrong_value_is_found)
{
    of(1)->result.value++;
    cr_assert(eq(int, found(), HISTORY_WRONG));
}

Test(history, a_wrong_refusal_is_found)
{
    of(4)->result.refused = MODEL_TOO_LITTLE + 1;
    cr_assert(eq(int, found(), HISTORY_WRONG));
}

Test(history, an_untrue_swap_is_found)
{
    of(5)->result.is_done = 0;
    cr_assert(eq(int, found(), HISTORY_WRONG));
}

Test(history, a_stale_read_is_found)
{
    answer(of(3), 300, 7, 3, 10); /* right for 7, and 5 was... */
    of(2)->end = HISTORY_ANSWERED;
    of(2)->answered = 205; /* ...answered at 8 before it was asked */
    of(2)->sequence = 8;
    of(2)->result = (struct model_result){2, 4, 15, 1, 0};
    cr_assert(eq(int, found(), HISTORY_STALE));
    cr_assert(eq(u64, verdict.id, 3));
}

Test(history, a_read_older_than_it_says_is_found)
{
    of(3)->result = (struct model_result){3, 3, 10, 1, 0};
    cr_assert(eq(int, found(), HISTORY_STALE));
}

/* A query that was answered later than an event was asked that stands before it is no harm. */
Test(history, queries_of_one_state_have_no_order)
{
    answer(ask(8, MODEL_GET, 2, 0, 600), 700, 12, 5, 1);
    answer(ask(9, MODEL_GET, 2, 0, 410), 420, 12, 5, 1);
    cr_assert(eq(int, found(), HISTORY_GOOD));
}

Test(history, an_order_against_real_time_is_found)
{
    of(1)->answered = 149; /* before the one at 8 was asked: good */
    cr_assert(eq(int, found(), HISTORY_GOOD));
    of(5)->answered = 149; /* and this one stands behind it */
    of(5)->asked = 148;
    cr_assert(eq(int, found(), HISTORY_ORDER));
    cr_assert(eq(u64, verdict.id, 5));
}

/* Even where the one that was asked for later never got an answer. */
Test(history, an_order_against_what_was_never_answered_is_found)
{
    of(2)->asked = 1000;
    cr_assert(eq(int, found(), HISTORY_STALE));
    of(3)->end = HISTORY_UNKNOWN;
    of(7)->end = HISTORY_UNKNOWN;
    cr_assert(eq(int, found(), HISTORY_ORDER));
}

/* With others in between that are in order with both. */
Test(history, an_order_against_what_is_far_ahead_is_found)
{
    of(3)->end = HISTORY_UNKNOWN;
    of(2)->asked = 1000;
    of(4)->answered = 2000;
    cr_assert(eq(int, found(), HISTORY_ORDER));
    cr_assert(eq(u64, verdict.id, 5));
}

Test(history, what_was_refused_and_is_applied_is_found)
{
    of(2)->end = HISTORY_REFUSED;
    cr_assert(eq(int, found(), HISTORY_WAS_APPLIED));
    cr_assert(eq(u64, verdict.id, 2));
}

Test(history, what_nobody_asked_for_is_found)
{
    struct history_op stranger = {.op = {.id = 99, .verb = MODEL_ADD}};

    put(13, &stranger);
    cr_assert(eq(int, found(), HISTORY_STRANGE));
}

Test(history, changed_bytes_are_found)
{
    records[8 - FIRST].op.a++;
    cr_assert(eq(int, found(), HISTORY_STRANGE));
}

Test(history, an_applied_query_is_found)
{
    put(13, of(3));
    cr_assert(eq(int, found(), HISTORY_STRANGE));
}

Test(history, a_publication_of_what_is_not_there_is_found)
{
    told[2].sequence = 12;
    cr_assert(eq(int, found(), HISTORY_PUBLISHED));
}

Test(history, a_publication_twice_is_found)
{
    told[history.publication_count++] = told[2];
    cr_assert(eq(int, found(), HISTORY_PUBLISHED));
}

Test(history, a_missed_publication_is_found)
{
    told[1] = told[--history.publication_count];
    cr_assert(eq(int, found(), HISTORY_PUBLISHED));
}

Test(history, each_subscriber_has_its_own_order)
{
    told[history.publication_count] = told[1];
    told[history.publication_count++].subscriber = 4;
    cr_assert(eq(int, found(), HISTORY_GOOD));
}

Test(history, every_rule_has_a_name_of_its_own)
{
    for (int i = 0; i < HISTORY_RULES; i++)
        for (int j = 0; j < i; j++)
            cr_assert(strcmp(history_rule_text((enum history_rule)i),
                          history_rule_text((enum history_rule)j)) != 0);
}
