/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for their end: free slots, and those that have ended, are
 * in rows; one that waits is found by its id. */
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

/* At the end of the free ones: of all ids, that of this slot's next request is furthest away. */
static void set_free(struct lam_call_table *table, struct lam_call_slot *slot)
{
    uint32_t index = index_of(table, slot);

    slot->state = LAM_CALL_FREE;
    slot->following = LAM_CALL_NONE;
    if (table->counts[LAM_CALL_FREE]++ == 0)
        table->free_first = index;
    else
        table->slots[table->free_last].following = index;
    table->free_last = index;
}

/* In the order in which they ended. */
static void set_ended(struct lam_call_table *table, struct lam_call_slot *slot)
{
    uint32_t index = index_of(table, slot);

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

/* Its end has come; where it goes is the caller's. */
static void leave_waiting(struct lam_call_table *table, const struct lam_call_slot *slot)
{
    LAM_ASSERT(slot->state == LAM_CALL_WAITING);
    if (--table->counts[LAM_CALL_WAITING] == 0)
        table->earliest_ns = LAM_DEADLINE_NEVER;
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
        set_free(table, &slots[i]);
}

/* Never 0: so no id is, and memory that was never written names no request. */
static uint32_t generation_after(uint32_t generation)
{
    return generation + 1 != 0 ? generation + 1 : 1;
}

int lam_call_table_next(const struct lam_call_table *table, uint64_t *id)
{
    uint32_t index = table->free_first;

    if (table->counts[LAM_CALL_FREE] == 0)
        return -EBUSY;
    *id = id_of(index, generation_after(table->slots[index].generation));
    return 0;
}

uint64_t lam_call_table_begin(struct lam_call_table *table, uint64_t deadline_ns)
{
    uint32_t index = table->free_first;
    struct lam_call_slot *slot = &table->slots[index];

    LAM_ASSERT(table->counts[LAM_CALL_FREE] != 0);
    table->counts[LAM_CALL_FREE]--;
    table->counts[LAM_CALL_WAITING]++;
    table->free_first = slot->following;
    slot->state = LAM_CALL_WAITING;
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
    leave_waiting(table, slot);
    set_ended(table, slot);
    slot->reply = (struct lam_reply){
        .ticket.id = id_of(index_of(table, slot), slot->generation), .outcome = outcome};
    return &slot->reply;
}

void lam_call_table_drop(struct lam_call_table *table, struct lam_call_slot *slot)
{
    leave_waiting(table, slot);
    set_free(table, slot);
}

uint32_t lam_call_table_fail(struct lam_call_table *table, int32_t outcome)
{
    uint32_t count = table->counts[LAM_CALL_WAITING];

    for (uint32_t i = 0; table->counts[LAM_CALL_WAITING] != 0; i++)
        if (table->slots[i].state == LAM_CALL_WAITING)
            (void)lam_call_table_finish(table, &table->slots[i], outcome);
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
    set_free(table, slot);
    return 1;
}
