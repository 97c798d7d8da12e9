/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shadow.c: a second copy of the state, of what is durable and nothing else. It is what snapshots
 * are taken of, and it finds out whether the live copy goes another way.
 */
#include <errno.h>
#include <stdlib.h>

#include "pipeline/parts.h"

static struct shadow *of(struct stage *stage)
{
    return (struct shadow *)stage;
}

static int apply(struct shadow *shadow, const struct input_entry *entry)
{
    struct machine_record record = {.sequence = entry->sequence,
        .time_ns = entry->time_ns,
        .data = intake_data(&shadow->input, sizeof(*entry)),
        .bytes = intake_bytes(&shadow->input, sizeof(*entry)),
        .kind = entry->kind};

    return machine_apply(shadow->machine, &record, &shadow->stage.error);
}

/* The first sequence that it does not apply yet. */
static uint64_t limit_of(const struct shadow *shadow)
{
    if (shadow->phase == SHADOW_ASKS)
        return 0;
    if (shadow->phase == SHADOW_ARRIVES)
        return shadow->node->place.next_sequence;
    return lam_load_acquire(&shadow->node->durable);
}

static int step(struct stage *stage, unsigned budget)
{
    struct shadow *shadow = of(stage);
    unsigned worked = shadow_snapshot(shadow);
    uint64_t limit = limit_of(shadow);
    int taken;

    stage->blocked_on = NULL;
    while ((taken = intake_peek(&shadow->input)) == 1 && worked < budget) {
        const struct input_entry *entry = shadow->input.message.payload;
        int result;

        if (entry->sequence >= limit) {
            stage->blocked_on = "the journal";
            break;
        }
        if (entry->kind < ENTRY_RECORDS_END && (result = apply(shadow, entry)) < 0)
            return lam_error_prefix(&stage->error, result, "shadow: ");
        intake_release(&shadow->input);
        worked++;
    }
    if (taken == -EPIPE && shadow->phase == SHADOW_APPLIES && shadow->writer == NULL &&
        !stage_is_done(shadow->node, NODE_SHADOW)) {
        (void)stage_done(shadow->node, NODE_SHADOW);
        worked++;
    }
    return (int)worked;
}

void shadow_init(struct shadow *shadow, struct node *node)
{
    uint64_t every = node->settings.snapshot_events;

    shadow->node = node;
    shadow->stage = (struct stage){.name = "shadow", .step = step, .due_ns = UINT64_MAX};
    shadow->snapshot_at = every != 0 ? machine_next(shadow->machine) + every : UINT64_MAX;
}

void shadow_fini(struct shadow *shadow)
{
    if (shadow->writer != NULL)
        snapshot_writer_destroy(shadow->writer);
    free(shadow->image.bytes);
    if (shadow->machine != NULL)
        machine_destroy(shadow->machine);
}
