/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for their end: each slot is in one list, that of its state. */
#include "lamina/framed/call_table.h"

#include <string.h>

#define GENERATION_SHIFT 32

static uint32_t index_of(const struct lam_call_table *table, const struct lam_call_slot *slot)
{
    return (uint32_t)(slot - table->slots);
}

static uint64_t id_of(uint32_t index, uint32_t generation)
{
    return (uint64_t)generation << GENERATION_SHIFT | index;
}

static void leave(struct lam_call_table *table, struct lam_call_slot *slot)
{
    struct lam_call_list *list = &table->lists[slot->state];

    if (slot->previous == LAM_CALL_NONE)
        list->first = slot->following;
    else
        table->slots[slot->previous].following = slot->following;
    if (slot->following == LAM_CALL_NONE)
        list->last = slot->previous;
    else
        table->slots[slot->following].previous = slot->previous;
    list->count--;
}

static void join(
    struct lam_call_table *table, struct lam_call_slot *slot, enum lam_call_state state)
{
    struct lam_call_list *list = &table->lists[state];
    uint32_t index = index_of(table, slot);

    slot->state = state;
    slot->previous = list->last;
    slot->following = LAM_CALL_NONE;
    if (list->last == LAM_CALL_NONE)
        list->first = index;
    else
        table->slots[list->last].following = index;
    list->last = index;
    list->count++;
}

static void move(
    struct lam_call_table *table, struct lam_call_slot *slot, enum lam_call_state state)
{
    leave(table, slot);
    join(table, slot, state);
}

void lam_call_table_init(
    struct lam_call_table *table, struct lam_call_slot *slots, uint32_t slot_count)
{
    LAM_ASSERT(slot_count > 0 && slot_count <= LAM_CALL_PENDING_MAX);
    table->slots = slots;
    table->slot_count = slot_count;
    table->earliest_ns = LAM_DEADLINE_NEVER;
    for (uint32_t i = 0; i < 3; i++)
        table->lists[i] = (struct lam_call_list){LAM_CALL_NONE, LAM_CALL_NONE, 0};
    for (uint32_t i = 0; i < slot_count; i++)
        join(table, &slots[i], LAM_CALL_FREE);
}

/* Never 0: so no id is, and memory that was never written names no request. */
static uint32_t generation_after(uint32_t generation)
{
    return generation + 1 != 0 ? generation + 1 : 1;
}

int lam_call_table_next(const struct lam_call_table *table, uint64_t *id)
{
    uint32_t index = table->lists[LAM_CALL_FREE].first;

    if (index == LAM_CALL_NONE)
        return -EBUSY;
    *id = id_of(index, generation_after(table->slots[index].generation));
    return 0;
}

uint64_t lam_call_table_begin(struct lam_call_table *table, uint64_t deadline_ns)
{
    uint32_t index = table->lists[LAM_CALL_FREE].first;
    struct lam_call_slot *slot = &table->slots[index];

    LAM_ASSERT(index != LAM_CALL_NONE);
    move(table, slot, LAM_CALL_WAITING);
    slot->generation = generation_after(slot->generation);
    slot->deadline_ns = deadline_ns;
    if (deadline_ns < table->earliest_ns)
        table->earliest_ns = deadline_ns;
    return id_of(index, slot->generation);
}

struct lam_call_slot *lam_call_table_find(struct lam_call_table *table, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    struct lam_call_slot *slot;

    if (index >= table->slot_count)
        return NULL;
    slot = &table->slots[index];
    return slot->state != LAM_CALL_FREE && slot->generation == id >> GENERATION_SHIFT ? slot : NULL;
}

struct lam_call_slot *lam_call_table_waiting(struct lam_call_table *table, uint64_t id)
{
    struct lam_call_slot *slot = lam_call_table_find(table, id);

    return slot != NULL && slot->state == LAM_CALL_WAITING ? slot : NULL;
}

struct lam_reply *lam_call_table_finish(
    struct lam_call_table *table, struct lam_call_slot *slot, int32_t outcome)
{
    LAM_ASSERT(slot->state == LAM_CALL_WAITING);
    move(table, slot, LAM_CALL_ENDED);
    if (table->lists[LAM_CALL_WAITING].count == 0)
        table->earliest_ns = LAM_DEADLINE_NEVER;
    slot->reply = (struct lam_reply){
        .ticket.id = id_of(index_of(table, slot), slot->generation), .outcome = outcome};
    return &slot->reply;
}

uint32_t lam_call_table_fail(struct lam_call_table *table, int32_t outcome)
{
    uint32_t count = 0;

    while (table->lists[LAM_CALL_WAITING].first != LAM_CALL_NONE) {
        (void)lam_call_table_finish(
            table, &table->slots[table->lists[LAM_CALL_WAITING].first], outcome);
        count++;
    }
    return count;
}

uint32_t lam_call_table_expire(struct lam_call_table *table, uint64_t now_ns)
{
    uint64_t earliest_ns = LAM_DEADLINE_NEVER;
    uint32_t count = 0;
    uint32_t following;

    if (now_ns < table->earliest_ns || table->earliest_ns == LAM_DEADLINE_NEVER)
        return 0;
    for (uint32_t i = table->lists[LAM_CALL_WAITING].first; i != LAM_CALL_NONE; i = following) {
        struct lam_call_slot *slot = &table->slots[i];

        following = slot->following;
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
    } else if (table->lists[LAM_CALL_ENDED].first != LAM_CALL_NONE) {
        slot = &table->slots[table->lists[LAM_CALL_ENDED].first];
    } else {
        return table->lists[LAM_CALL_WAITING].count != 0 ? 0 : -ENOENT;
    }
    if (slot->state != LAM_CALL_ENDED)
        return 0;
    *reply = slot->reply;
    move(table, slot, LAM_CALL_FREE);
    return 1;
}
