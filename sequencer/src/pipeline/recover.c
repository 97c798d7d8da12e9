/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c: the state that the folder has: every record of the journal is applied to both copies,
 * and what they published is known to those who come back for it.
 */
#include <errno.h>

#include "pipeline/parts.h"

#define SECTOR_BYTES 4096
#define MARK_BATCHES 64

struct replay {
    struct node *node;
    struct lam_error *error;
    int result;
};

static void keep_published(struct node *node, uint64_t sequence)
{
    struct machine_item item;

    for (uint32_t i = 0; machine_item(node->application.machine, i, &item); i++)
        if (item.kind == ITEM_PUBLISH)
            history_add(&node->publisher.history, sequence, item.index, item.bytes, item.count);
}

static void replay_record(void *context, const struct batch_record *from)
{
    struct replay *replay = context;
    struct node *node = replay->node;
    struct machine_record record = {.sequence = from->sequence,
        .time_ns = from->time_ns,
        .data = from->data,
        .bytes = from->bytes,
        .kind = from->kind};

    if (replay->result != 0)
        return;
    replay->result = machine_apply(node->application.machine, &record, replay->error);
    if (replay->result == 0)
        keep_published(node, record.sequence);
    if (replay->result == 0)
        replay->result = machine_apply(node->shadow.machine, &record, replay->error);
}

static int open_journal(struct node *node, struct replay *replay, struct lam_error *error)
{
    const struct lam_sequencer_config *settings = &node->settings;
    struct journal_config config = {.env = node->config.envs[NODE_JOURNAL],
        .segment_bytes = settings->segment_bytes,
        .reserve_bytes = settings->reserve_bytes,
        .sector_bytes = SECTOR_BYTES,
        .batch_bytes = settings->batch_bytes,
        .mark_batches = MARK_BATCHES};
    int result =
        journal_open(&node->journaling.journal, &config, replay_record, replay, NULL, error);

    node->journaling.has_journal = result == 0;
    return result;
}

int node_recover(struct node *node, struct lam_error *error)
{
    struct replay replay = {.node = node};
    struct lam_error failure = {.text = ""};
    int result;

    replay.error = &failure;
    if ((result = machine_create(&node->application.machine, &node->machine_config, error)) < 0 ||
        (result = machine_create(&node->shadow.machine, &node->machine_config, error)) < 0 ||
        (result = history_create(&node->publisher.history,
             (uint64_t)node->settings.output_cells * LAM_RING_CELL_BYTES_DEFAULT, 0)) < 0)
        return result == -ENOMEM ? lam_error_set(error, result, "no memory for the state") : result;
    if ((result = open_journal(node, &replay, error)) < 0)
        return result;
    if (replay.result < 0)
        return lam_error_set(error, replay.result,
            "the journal is whole, and this application "
            "does not make the state of it again: %s",
            failure.text);
    return 0;
}
