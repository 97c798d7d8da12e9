/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the table of requests never lets one id stand for two, and ends each request once.
 * Method: directly, with generations just before their 32 bits are used up, and at random against a
 * plain list.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "lamina/framed/call_table.h"

#define SLOTS 5

static struct lam_call_slot slots[SLOTS];
static struct lam_call_table table;

static void setup(void)
{
    memset(slots, 0, sizeof(slots));
    for (uint32_t i = 0; i < SLOTS; i++)
        slots[i].generation = UINT32_MAX - 1;
    lam_call_table_init(&table, slots, SLOTS);
}

TestSuite(call_table, .init = setup, .timeout = 20);

Test(call_table, ids_are_never_0_and_not_used_again_soon)
{
    static uint64_t seen[SLOTS * 40];
    struct lam_reply reply;

    for (uint32_t i = 0; i < SLOTS * 40; i++) {
        struct lam_ticket ticket;
        uint64_t id = 0;

        cr_assert(eq(int, lam_call_table_next(&table, &id), 0));
        ticket.id = lam_call_table_begin(&table, 5);
        cr_assert(eq(u64, ticket.id, id));
        cr_assert(ne(u64, id >> 32, 0));
        cr_assert(lt(u32, lam_ticket_slot(ticket), SLOTS));
        for (uint32_t k = 0; k < i; k++)
            cr_assert(ne(u64, seen[k], id));
        seen[i] = id;
        (void)lam_call_table_finish(&table, lam_call_table_waiting(&table, id), 0);
        cr_assert(eq(int, lam_call_table_take(&table, &ticket, &reply), 1));
        for (uint32_t k = 0; k <= i; k++)
            cr_assert(eq(ptr, (void *)lam_call_table_find(&table, seen[k]), NULL));
    }
}

Test(call_table, what_nobody_began_is_not_found)
{
    uint64_t id = lam_call_table_begin(&table, 5);

    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, 0), NULL));
    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, UINT64_MAX), NULL));
    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, id + SLOTS), NULL));
    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, id + (UINT64_C(1) << 32)), NULL));
    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, (uint32_t)id), NULL));
    cr_assert(eq(ptr, (void *)lam_call_table_find(&table, id), &slots[0]));
}

Test(call_table, deadlines_end_what_is_due_and_nothing_else)
{
    struct lam_reply reply;
    uint64_t ids[4];

    ids[0] = lam_call_table_begin(&table, 100);
    ids[1] = lam_call_table_begin(&table, 50);
    ids[2] = lam_call_table_begin(&table, LAM_DEADLINE_NEVER);
    ids[3] = lam_call_table_begin(&table, 51);
    cr_assert(eq(u64, lam_call_table_earliest_ns(&table), 50));
    cr_assert(eq(u32, lam_call_table_expire(&table, 49), 0));
    cr_assert(eq(u32, lam_call_table_expire(&table, 50), 1));
    cr_assert(eq(u64, lam_call_table_earliest_ns(&table), 51));
    cr_assert(eq(u32, lam_call_table_expire(&table, 99), 1));
    cr_assert(eq(u32, lam_call_table_expire(&table, UINT64_MAX), 1));
    cr_assert(eq(u64, lam_call_table_earliest_ns(&table), LAM_DEADLINE_NEVER));
    cr_assert(eq(u32, lam_call_table_expire(&table, UINT64_MAX), 0));
    cr_assert(eq(u32, lam_call_table_count(&table, LAM_CALL_WAITING), 1));
    for (int i = 0; i < 3; i++) {
        static const int order[3] = {1, 3, 0};

        cr_assert(eq(int, lam_call_table_take(&table, NULL, &reply), 1));
        cr_assert(eq(u64, reply.ticket.id, ids[order[i]]));
        cr_assert(eq(i32, reply.outcome, -ETIMEDOUT));
    }
    cr_assert(eq(int, lam_call_table_take(&table, NULL, &reply), 0));
    cr_assert(not(eq(ptr, (void *)lam_call_table_waiting(&table, ids[2]), NULL)));
}

Test(call_table, failure_ends_all_that_wait_and_keeps_what_has_ended)
{
    struct lam_ticket first = {lam_call_table_begin(&table, 100)};
    struct lam_ticket second = {lam_call_table_begin(&table, 100)};
    struct lam_reply reply;

    (void)lam_call_table_finish(&table, lam_call_table_waiting(&table, first.id), 0);
    cr_assert(eq(u32, lam_call_table_fail(&table, -EPIPE), 1));
    cr_assert(eq(u32, lam_call_table_fail(&table, -EOWNERDEAD), 0));
    cr_assert(eq(int, lam_call_table_take(&table, &second, &reply), 1));
    cr_assert(eq(i32, reply.outcome, -EPIPE));
    cr_assert(eq(int, lam_call_table_take(&table, &first, &reply), 1));
    cr_assert(eq(i32, reply.outcome, 0));
    cr_assert(eq(int, lam_call_table_take(&table, &first, &reply), -ENOENT));
    cr_assert(eq(int, lam_call_table_take(&table, NULL, &reply), -ENOENT));
}

/* What the table should hold: in the order of their ends, 0 for what waits. */
struct known {
    uint64_t id;
    uint64_t deadline_ns;
    uint64_t ended; /* when, 0 it waits */
    int32_t outcome;
};

static struct known known[SLOTS];
static uint32_t known_count;
static uint64_t ends;

static void known_end(uint32_t i, int32_t outcome)
{
    known[i].ended = ++ends;
    known[i].outcome = outcome;
}

static void known_drop(uint32_t i)
{
    known[i] = known[--known_count];
}

/* The one that ended first, or UINT32_MAX. */
static uint32_t known_first(void)
{
    uint32_t first = UINT32_MAX;

    for (uint32_t i = 0; i < known_count; i++)
        if (known[i].ended != 0 && (first == UINT32_MAX || known[i].ended < known[first].ended))
            first = i;
    return first;
}

static void step(uint64_t now_ns)
{
    uint32_t i = known_count != 0 ? (uint32_t)rand() % known_count : 0;
    struct lam_call_slot *slot;
    struct lam_ticket ticket;
    struct lam_reply reply;
    uint64_t id;

    switch (rand() % 6) {
    case 0:
    case 1:
        cr_assert(eq(int, lam_call_table_next(&table, &id), known_count == SLOTS ? -EBUSY : 0));
        if (known_count < SLOTS) {
            known[known_count] = (struct known){.deadline_ns = now_ns + (uint64_t)rand() % 20};
            known[known_count].id = lam_call_table_begin(&table, known[known_count].deadline_ns);
            known_count++;
        }
        break;
    case 2:
        slot = known_count != 0 ? lam_call_table_waiting(&table, known[i].id) : NULL;
        cr_assert(eq(int, slot != NULL, known_count != 0 && known[i].ended == 0));
        if (slot != NULL) {
            (void)lam_call_table_finish(&table, slot, 0);
            known_end(i, 0);
        }
        break;
    case 3:
        (void)lam_call_table_expire(&table, now_ns);
        /* In the order in which they began, which the list of slots does not keep: one by one. */
        for (uint32_t k = 0; k < known_count; k++)
            if (known[k].ended == 0 && known[k].deadline_ns <= now_ns) {
                ticket.id = known[k].id;
                cr_assert(eq(int, lam_call_table_take(&table, &ticket, &reply), 1));
                cr_assert(eq(i32, reply.outcome, -ETIMEDOUT));
                known_drop(k--);
            }
        break;
    case 4:
        i = known_first();
        cr_assert(eq(int, lam_call_table_take(&table, NULL, &reply),
            i != UINT32_MAX ? 1
            : known_count   ? 0
                            : -ENOENT));
        if (i != UINT32_MAX) {
            cr_assert(eq(u64, reply.ticket.id, known[i].id));
            known_drop(i);
        }
        break;
    default:
        if (known_count == 0)
            break;
        ticket.id = known[i].id;
        cr_assert(eq(int, lam_call_table_take(&table, &ticket, &reply), known[i].ended != 0));
        if (known[i].ended != 0) {
            cr_assert(eq(i32, reply.outcome, known[i].outcome));
            known_drop(i);
        }
    }
}

Test(call_table, agrees_with_a_plain_list)
{
    srand(4);
    for (uint64_t now_ns = 1; now_ns < 200000; now_ns++) {
        step(now_ns);
        cr_assert(eq(u32, lam_call_table_count(&table, LAM_CALL_FREE), SLOTS - known_count));
    }
}
