/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshots.c: the shadow's snapshots. A snapshot is bound to a place of the journal where a batch
 * ends and all before is durable, and only the journal's stage knows one, and its chain. So the
 * shadow asks, stands still until it is told, and goes on to exactly there: what it has then is
 * saved, and written a piece at a time while it goes on. Nobody else stops.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/parts.h"

/* The next one is due. */
static void come_again(struct shadow *shadow)
{
    shadow->snapshot_at = machine_next(shadow->machine) + shadow->node->settings.snapshot_events;
    shadow->phase = SHADOW_APPLIES;
}

static void failed(struct shadow *shadow, int result, const char *what)
{
    shadow->snapshots_failed++;
    if (what != NULL)
        (void)lam_error_set(
            &shadow->snapshot_error, result, "snapshot: %s: %s", what, strerrordesc_np(-result));
}

/* The state here is the state there. */
static void begin(struct shadow *shadow)
{
    struct node *node = shadow->node;
    struct snapshot_place place = node->place;
    int result;

    place.app_version = node->app->version;
    memset(place.app_name, 0, sizeof(place.app_name));
    memcpy(place.app_name, node->app->name, strlen(node->app->name));
    result = machine_save(shadow->machine, &shadow->image);
    if (result == 0)
        result = snapshot_writer_create(&shadow->writer, node->config.envs[NODE_SHADOW], &place,
            shadow->image.bytes, shadow->image.count);
    if (result < 0)
        failed(shadow, result, "the state could not be saved");
    come_again(shadow);
}

static unsigned write_on(struct shadow *shadow)
{
    int result = snapshot_writer_step(shadow->writer, &shadow->snapshot_error);

    if (result >= 0)
        return (unsigned)result;
    if (result == -EALREADY) {
        shadow->snapshots++;
        lam_store_release(&shadow->node->spared, snapshot_writer_other(shadow->writer));
    } else {
        failed(shadow, result, NULL);
    }
    snapshot_writer_destroy(shadow->writer);
    shadow->writer = NULL;
    return 1;
}

unsigned shadow_snapshot(struct shadow *shadow)
{
    struct node *node = shadow->node;

    if (shadow->writer != NULL)
        return write_on(shadow);
    switch (shadow->phase) {
    case SHADOW_APPLIES:
        if (machine_next(shadow->machine) < shadow->snapshot_at ||
            stage_is_done(node, NODE_JOURNAL))
            return 0;
        shadow->phase = SHADOW_ASKS;
        lam_store_release(&node->wants_place, 1);
        return 1;
    case SHADOW_ASKS:
        /* Nobody answers any more: the node ends. */
        if (stage_is_done(node, NODE_JOURNAL) && lam_load_acquire(&node->wants_place)) {
            come_again(shadow);
            return 1;
        }
        if (lam_load_acquire(&node->wants_place))
            return 0;
        shadow->phase = SHADOW_ARRIVES;
        return 1;
    case SHADOW_ARRIVES:
        if (machine_next(shadow->machine) != node->place.next_sequence)
            return 0;
        begin(shadow);
        return 1;
    }
    return 0;
}
