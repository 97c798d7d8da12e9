/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for their end: free slots, and those that have ended, are
 * in rows; one that waits is found by its id. */
#include "lamina/framed/call_table.h"

#include <string.h>

/* In the order in which they ended. */
static void set_ended(struct lam_call_table *table, struct lam_call_slot *slot)
{
    uint32_t index = lam_call_slot_index(table, slot);

    slot->state = LAM_CALL_ENDED;
    slot->previous = table->ended_last;
    slot->following = LAM_CALL_NONE;
    if (table->counts[LAM_CALL_ENDED]++ == 0)
        table->ended_first = index;
    else
        table->slots[table->ended_last].following = index;
    table->ended_last = index;
}

static void leave_ended(struct lam_call_table *table, const struct lam_call_slot *slot)
{
    if (slot->previous == LAM_CALL_NONE)
        table->ended_first = slot->following;
    else
        table->slots[slot->previous].following = slot->following;
    if (slot->following == LAM_CALL_NONE)
        table->ended_last = slot->previous;
    else
        table->slots[slot->following].previous = slot->previous;
    table->counts[LAM_CALL_ENDED]--;
}

void lam_call_table_init(
    struct lam_call_table *table, struct lam_call_slot *slots, uint32_t slot_count)
{
    LAM_ASSERT(slot_count > 0 && slot_count <= LAM_CALL_PENDING_MAX);
    *table = (struct lam_call_table){.slots = slots,
        .slot_count = slot_count,
        .earliest_ns = LAM_DEADLINE_NEVER,
        .ended_first = LAM_CALL_NONE,
        .ended_last = LAM_CALL_NONE};
    for (uint32_t i = 0; i < slot_count; i++)
        lam_call_table_set_free(table, &slots[i]);
}

struct lam_reply *lam_call_table_finish(
    struct lam_call_table *table, struct lam_call_slot *slot, int32_t outcome)
{
    lam_call_table_leave_waiting(table, slot);
    set_ended(table, slot);
    slot->reply = (struct lam_reply){
        .ticket.id = lam_call_slot_id(lam_call_slot_index(table, slot), slot->generation),
        .outcome = outcome};
    return &slot->reply;
}

uint32_t lam_call_table_fail(struct lam_call_table *table, int32_t outcome)
{
    uint32_t count = table->counts[LAM_CALL_WAITING];

    for (uint32_t i = 0; table->counts[LAM_CALL_WAITING] != 0; i++)
        if (table->slots[i].state == LAM_CALL_WAITING)
            (void)lam_call_table_finish(table, &table->slots[i], outcome);
    return count;
}

uint32_t lam_call_table_fail_earlier(struct lam_call_table *table, int32_t outcome)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].state == LAM_CALL_WAITING && table->slots[i].lot != table->lot) {
            (void)lam_call_table_finish(table, &table->slots[i], outcome);
            count++;
        }
    table->has_earlier = 0;
    return count;
}

uint32_t lam_call_table_expire(struct lam_call_table *table, uint64_t now_ns)
{
    uint64_t earliest_ns = LAM_DEADLINE_NEVER;
    uint32_t count = 0;

    if (now_ns < table->earliest_ns || table->earliest_ns == LAM_DEADLINE_NEVER)
        return 0;
    for (uint32_t i = 0; i < table->slot_count; i++) {
        struct lam_call_slot *slot = &table->slots[i];

        if (slot->state != LAM_CALL_WAITING)
            continue;
        if (slot->deadline_ns <= now_ns && slot->deadline_ns != LAM_DEADLINE_NEVER) {
            (void)lam_call_table_finish(table, slot, -ETIMEDOUT);
            count++;
        } else if (slot->deadline_ns < earliest_ns) {
            earliest_ns = slot->deadline_ns;
        }
    }
    table->earliest_ns = earliest_ns;
    return count;
}

int lam_call_table_take(
    struct lam_call_table *table, const struct lam_ticket *ticket, struct lam_reply *reply)
{
    struct lam_call_slot *slot;

    if (ticket != NULL) {
        slot = lam_call_table_find(table, ticket->id);
        if (slot == NULL)
            return -ENOENT;
    } else if (table->counts[LAM_CALL_ENDED] != 0) {
        slot = &table->slots[table->ended_first];
    } else {
        return table->counts[LAM_CALL_WAITING] != 0 ? 0 : -ENOENT;
    }
    if (slot->state != LAM_CALL_ENDED)
        return 0;
    *reply = slot->reply;
    leave_ended(table, slot);
    lam_call_table_set_free(table, slot);
    return 1;
}
