/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair.c: from what was read to what is durable. Each step may be the last one of this process:
 * the next one finds the same journal, or one that is further.
 *
 *     1. The names that were found are synced.
 *     2. Batches above the mark are written and synced once more: that they can be read does not
 *        say that they are on the disk, above all not after a sync that failed.
 *     3. A torn tail is copied aside, durably, with its name.
 *     4. All that a batch on its way may have covered is overwritten with zeros, whether something
 *        is seen there or not: zeros that can be read may be in memory only, as in step 2.
 */
#include <errno.h>
#include <string.h>

#include "journal/parts.h"

#define TURNS_MAX 100

static int sync_names(struct journal_scan *scan)
{
    struct lam_env_io io = {.file = 0};
    int64_t result = lam_env_do(scan->journal->env, &io, LAM_ENV_SYNC_DIRECTORY);

    return result < 0
               ? journal_call_failed(scan->error, LAM_ENV_SYNC_DIRECTORY, "the folder", result)
               : 0;
}

/* The calls of a repair are as final as those of the writer. */
static int write_and_sync(
    struct journal_scan *scan, int file, uint8_t *bytes, uint64_t count, uint64_t offset)
{
    struct lam_env *env = scan->journal->env;
    struct lam_env_io io = {.file = file};
    int64_t result = lam_env_do_all(env, LAM_ENV_WRITE, file, bytes, count, offset);

    if (result == 0)
        result = lam_env_do(env, &io, LAM_ENV_SYNC);
    if (result == 0)
        return 0;
    return journal_call_failed(scan->error, LAM_ENV_WRITE, "the tail", result);
}

static void close_file(struct journal_scan *scan, int file)
{
    struct lam_env_io io = {.file = file};

    if (file >= 0)
        (void)lam_env_do(scan->journal->env, &io, LAM_ENV_CLOSE);
}

/* Step 2 for one segment, which is in memory. */
static int rewrite(struct journal_scan *scan, uint64_t index, int file)
{
    const struct journal_config *config = &scan->journal->config;
    uint64_t from = index == scan->from_index ? scan->from_offset : config->sector_bytes;
    uint64_t end = index == scan->index ? scan->place.offset : config->segment_bytes;

    if (index < scan->from_index || from == end)
        return 0;
    scan->report->rewritten_bytes += end - from;
    return write_and_sync(scan, file, scan->bytes + from, end - from, from);
}

/* Step 3. */
static int keep_aside(struct journal_scan *scan)
{
    struct lam_env_io io = {.name = scan->report->aside};
    int64_t file = -EEXIST;
    int result;

    for (unsigned turn = 0; file == -EEXIST && turn < TURNS_MAX; turn++) {
        name_aside(scan->report->aside, scan->index, scan->place.offset, turn);
        file = lam_env_do(scan->journal->env, &io, LAM_ENV_CREATE);
    }
    if (file < 0)
        return journal_call_failed(scan->error, LAM_ENV_CREATE, scan->report->aside, file);
    result = write_and_sync(scan, (int)file, scan->bytes + scan->place.offset, scan->tail_bytes, 0);
    close_file(scan, (int)file);
    return result < 0 ? result : sync_names(scan);
}

/* Step 4. */
static int cut(struct journal_scan *scan, int file)
{
    const struct journal_config *config = &scan->journal->config;
    uint64_t sector = config->sector_bytes, room = config->segment_bytes - scan->place.offset;
    uint64_t count = (scan->tail_bytes + sector - 1) / sector * sector;

    if (count < config->batch_bytes)
        count = room < config->batch_bytes ? room : config->batch_bytes;
    scan->report->torn_bytes = scan->tail_bytes;
    if (count == 0)
        return 0;
    memset(scan->bytes + scan->place.offset, 0, count);
    return write_and_sync(scan, file, scan->bytes + scan->place.offset, count, scan->place.offset);
}

/* Step 4 for the segment that is ready: a torn batch in it may have been cut, and not synced. */
static int clear_spare(struct journal_scan *scan)
{
    const struct journal_config *config = &scan->journal->config;
    int file = -1, result = journal_scan_load(scan, scan->index + 1, &file);

    if (result == 0)
        result = write_and_sync(scan, file, scan->bytes + config->sector_bytes, config->batch_bytes,
            config->sector_bytes);
    close_file(scan, file);
    return result;
}

int journal_repair(struct journal_scan *scan)
{
    int result = sync_names(scan);

    for (uint64_t index = scan->from_index; result == 0 && index <= scan->index; index++) {
        int file = -1;

        result = journal_scan_load(scan, index, &file);
        if (result == 0)
            result = rewrite(scan, index, file);
        if (result == 0 && index == scan->index && scan->tail_bytes != 0)
            result = keep_aside(scan);
        if (result == 0 && index == scan->index)
            result = cut(scan, file);
        close_file(scan, file);
    }
    return result == 0 && scan->has_spare ? clear_spare(scan) : result;
}
