/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c: the state that the folder has: every record of the journal is applied, and what was
 * published is known to those who come back for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/parts.h"

_Static_assert(
    (int)LAM_SEQUENCER_ARCHIVE == JOURNAL_ARCHIVE && (int)LAM_SEQUENCER_REMOVE == JOURNAL_REMOVE,
    "one is made of the other");

#define SECTOR_BYTES 4096
#define MARK_BATCHES 64
#define MARK_IDLE_NS UINT64_C(20000000)

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
}

/* The shadow begins as what the journal has made of the live copy: one replay is enough. */
static int copy_to_shadow(struct node *node, struct lam_error *error)
{
    struct machine_image image = {.bytes = NULL};
    int result = machine_save(node->application.machine, &image);

    if (result == 0)
        result = machine_load(node->shadow.machine, image.bytes, image.count, error);
    free(image.bytes);
    if (result == -ENOMEM)
        return lam_error_set(error, result, "no memory for a second copy of the state");
    return result == 0 ? 0 : lam_error_prefix(error, result, "the state does not restore: ");
}

static int open_journal(struct node *node, struct replay *replay,
    const struct snapshot_loaded *loaded, struct lam_error *error)
{
    const struct lam_sequencer_config *settings = &node->settings;
    struct journal_config config = {.env = node->config.envs[NODE_JOURNAL],
        .from = loaded->bytes != NULL ? &loaded->place : NULL,
        .retention = (enum journal_retention)settings->retain,
        .segment_bytes = settings->segment_bytes,
        .reserve_bytes = settings->reserve_bytes,
        .sector_bytes = SECTOR_BYTES,
        .batch_bytes = settings->batch_bytes,
        .mark_batches = MARK_BATCHES,
        .mark_idle_ns = MARK_IDLE_NS};
    int result = journal_open(
        &node->journaling.journal, &config, replay_record, replay, &node->journaling.report, error);

    node->journaling.has_journal = result == 0;
    return result;
}

static int make_machines(struct node *node, struct lam_error *error)
{
    int result = machine_create(&node->application.machine, &node->machine_config, error);

    if (result == 0)
        result = machine_create(&node->shadow.machine, &node->machine_config, error);
    return result == -ENOMEM ? lam_error_set(error, result, "no memory for the state") : result;
}

static void drop_machines(struct node *node)
{
    if (node->application.machine != NULL)
        machine_destroy(node->application.machine);
    if (node->shadow.machine != NULL)
        machine_destroy(node->shadow.machine);
    node->application.machine = node->shadow.machine = NULL;
}

/* The newest snapshot, if there is one. Returns 0 or negative errno. */
static int find_snapshot(struct node *node, struct snapshot_loaded *loaded, struct lam_error *error)
{
    struct snapshot_place wanted = {.app_version = node->app->version};
    struct lam_env *env = node->config.envs[NODE_JOURNAL];
    int result = journal_identify(env, &wanted.journal, error);

    if (result <= 0)
        return result;
    memcpy(wanted.app_name, node->app->name, strlen(node->app->name));
    result = snapshot_load(env, &wanted, UINT64_MAX, loaded, error);
    return result < 0 ? result : 0;
}

/*
 * The live copy from the snapshot. One that this application does not read, being of another
 * version, is left: then all of the journal is replayed, where it is all there.
 */
static int load_machines(struct node *node, struct snapshot_loaded *loaded, struct lam_error *error)
{
    int result = make_machines(node, error);

    if (result < 0 || loaded->bytes == NULL)
        return result;
    if (loaded->place.app_version == node->app->version &&
        machine_load(node->application.machine, loaded->bytes, loaded->count, error) == 0)
        return 0;
    free(loaded->bytes);
    loaded->bytes = NULL;
    drop_machines(node);
    return make_machines(node, error);
}

static int recover(struct node *node, struct snapshot_loaded *loaded, struct lam_error *error)
{
    struct lam_error failure = {.text = ""};
    struct replay replay = {.node = node, .error = &failure};
    int result;

    if ((result = find_snapshot(node, loaded, error)) < 0 ||
        (result = load_machines(node, loaded, error)) < 0)
        return result;
    if (history_create(&node->publisher.history,
            (uint64_t)node->settings.output_cells * LAM_RING_CELL_BYTES_DEFAULT,
            machine_next(node->application.machine)) < 0)
        return lam_error_set(error, -ENOMEM, "no memory for what is published");
    if ((result = open_journal(node, &replay, loaded, error)) < 0)
        return result;
    if (replay.result < 0)
        return lam_error_set(error, replay.result,
            "the journal is whole, and this application "
            "does not make the state of it again: %s",
            failure.text);
    return copy_to_shadow(node, error);
}

int node_recover(struct node *node, struct lam_error *error)
{
    struct snapshot_loaded loaded = {.bytes = NULL};
    int result = recover(node, &loaded, error);

    free(loaded.bytes);
    return result;
}
