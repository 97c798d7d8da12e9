/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journaling.c: the stage that hands records to the journal, and says how far all is durable.
 */
#include <errno.h>

#include "pipeline/parts.h"

static struct journaling *of(struct stage *stage)
{
    return (struct journaling *)stage;
}

/* The entry at hand. Returns 1, or 0: the journal has no room before a batch has gone. */
static int add(struct journaling *journaling)
{
    const struct input_entry *entry = journaling->input.message.payload;
    int result = 1;

    if (entry->kind < ENTRY_RECORDS_END)
        result = journal_try_add_sequenced(&journaling->journal, entry->sequence, entry->kind,
            entry->time_ns, intake_data(&journaling->input, sizeof(*entry)),
            intake_bytes(&journaling->input, sizeof(*entry)));
    if (result == 1)
        intake_release(&journaling->input); /* it is copied: the ring has its room again */
    return result;
}

/* What others are told. Returns 1 where the shadow waits for it, or 0. */
static int publish(struct journaling *journaling)
{
    struct node *node = journaling->node;
    int is_asked = lam_load_acquire(&node->wants_place) != 0;

    lam_store_release(&node->durable, journal_durable(&journaling->journal));
    if (is_asked) {
        journal_durable_place(&journaling->journal, &node->place);
        lam_store_release(&node->wants_place, 0);
    }
    /* As often as it likes: it looks for what it has not looked for. */
    journal_retain(&journaling->journal, lam_load_acquire(&node->spared));
    lam_store_relaxed(&node->is_full, (uint32_t)journal_is_full(&journaling->journal));
    return is_asked;
}

static int step(struct stage *stage, unsigned budget)
{
    struct journaling *journaling = of(stage);
    struct node *node = journaling->node;
    unsigned worked = 0;
    int taken, result;

    stage->blocked_on = NULL;
    while ((taken = intake_peek(&journaling->input)) == 1 && worked < budget) {
        result = add(journaling);
        if (result == 0) {
            stage->blocked_on = "the disk";
            break;
        }
        if (result < 0)
            break; /* the journal has failed, and the step below says how */
        worked++;
    }
    if (taken == -EPIPE)
        journal_finish(&journaling->journal);
    result = journal_step(&journaling->journal);
    if (result < 0)
        return lam_error_set(&stage->error, result, "%s", journal_failure(&journaling->journal));
    worked += (unsigned)publish(journaling);
    stage->due_ns = journal_due_ns(&journaling->journal);
    if (taken == -EPIPE && !stage_is_done(node, NODE_JOURNAL) &&
        journal_is_idle(&journaling->journal)) {
        (void)stage_done(node, NODE_JOURNAL);
        worked++;
    }
    return (int)worked + result;
}

void journaling_init(struct journaling *journaling, struct node *node)
{
    journaling->node = node;
    journaling->stage = (struct stage){.name = "journal", .step = step, .due_ns = UINT64_MAX};
    (void)publish(journaling);
}
