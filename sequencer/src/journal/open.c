/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c: a journal from what is in its folder, or a new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/parts.h"

int journal_call_failed(
    struct lam_error *error, enum lam_env_call call, const char *name, int64_t code)
{
    return lam_error_set(error, (int)code, "journal: %s of %s: %s", lam_env_call_text(call), name,
        strerrordesc_np((int)-code));
}

static int is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static int check_config(const struct journal_config *config, struct lam_error *error)
{
    uint32_t sector = config->sector_bytes;

    if (!is_power_of_two(sector) || sector < BATCH_SECTOR_BYTES_MIN || sector > MARK_SLOT_BYTES)
        return lam_error_set(error, -EINVAL, "sector_bytes: %u is no power of two from %u to %u",
            sector, BATCH_SECTOR_BYTES_MIN, MARK_SLOT_BYTES);
    if (config->batch_bytes == 0 || config->batch_bytes % sector != 0 ||
        config->batch_bytes > BATCH_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "batch_bytes: %u is not a number of whole sectors up to %u", config->batch_bytes,
            BATCH_BYTES_MAX);
    if (config->segment_bytes % sector != 0 || config->reserve_bytes > config->segment_bytes ||
        config->segment_bytes - config->reserve_bytes < (uint64_t)sector + config->batch_bytes)
        return lam_error_set(error, -EINVAL,
            "segment_bytes: %llu is not a number of whole sectors that a header, a batch and the "
            "reserve fit into",
            (unsigned long long)config->segment_bytes);
    if (config->mark_batches == 0)
        return lam_error_set(error, -EINVAL, "mark_batches: 0; it is 1 or more");
    if (config->env->poison != 0)
        return lam_error_set(error, -ENOTRECOVERABLE,
            "a write has failed in this process before: start another one");
    return 0;
}

/* @alignment-th multiples, for writes that go past the page cache. */
static uint8_t *aligned(uint64_t bytes)
{
    void *memory = NULL;

    return posix_memalign(&memory, MARK_SLOT_BYTES, bytes) == 0 ? memset(memory, 0, bytes) : NULL;
}

static int allocate(struct journal *journal, struct journal_scan *scan, struct lam_error *error)
{
    const struct journal_config *config = &journal->config;

    journal->buffers[0] = aligned(config->batch_bytes);
    journal->buffers[1] = aligned(config->batch_bytes);
    journal->mark_slot = aligned(MARK_FILE_BYTES);
    journal->maker.sector = aligned(config->sector_bytes);
    journal->retainer.bytes = aligned(UINT64_C(2) * config->sector_bytes);
    scan->bytes = aligned(config->segment_bytes);
    if (journal->buffers[0] == NULL || journal->buffers[1] == NULL || journal->mark_slot == NULL ||
        journal->maker.sector == NULL || journal->retainer.bytes == NULL || scan->bytes == NULL)
        return lam_error_set(error, -ENOMEM, "journal: no memory for its buffers");
    batch_begin(&journal->gathered, journal->buffers[0], config->batch_bytes);
    return 0;
}

static int take_lock(struct journal *journal, struct lam_error *error)
{
    struct lam_env_io io = {.name = NAME_LOCK};
    int64_t file = lam_env_do(journal->env, &io, LAM_ENV_OPEN), result;

    if (file == -ENOENT)
        file = lam_env_do(journal->env, &io, LAM_ENV_CREATE);
    if (file < 0)
        return journal_call_failed(error, io.call, NAME_LOCK, file);
    io.file = journal->lock_file = (int)file;
    result = lam_env_do(journal->env, &io, LAM_ENV_LOCK);
    if (result == -EBUSY) {
        (void)lam_env_do(journal->env, &io, LAM_ENV_CLOSE);
        journal->lock_file = -1;
        return lam_error_set(error, -EBUSY, "journal: another process has it open");
    }
    return result < 0 ? journal_call_failed(error, LAM_ENV_LOCK, NAME_LOCK, result) : 0;
}

/* One call by name, or with @file, that has to work. */
static int must(struct journal *journal, enum lam_env_call call, int file, struct lam_error *error)
{
    struct lam_env_io io = {.file = file, .name = NAME_MARK_MAKING, .to = NAME_MARK};
    int64_t result = lam_env_do(journal->env, &io, call);

    return result < 0 ? journal_call_failed(error, call, NAME_MARK, result) : (int)result;
}

/* The first mark: it says that there is a journal, and no segment yet. */
static int create_mark(struct journal *journal, struct lam_error *error)
{
    struct mark *mark = &journal->mark;
    struct lam_env *env = journal->env;
    int file = must(journal, LAM_ENV_CREATE, 0, error), result;

    if (file < 0)
        return file;
    journal->mark_file = file;
    *mark = (struct mark){.journal = journal->id, .offset = journal->config.sector_bytes};
    memset(journal->mark_slot, 0, MARK_FILE_BYTES);
    mark_write(mark, journal->mark_slot);
    result = lam_env_do_all(env, LAM_ENV_WRITE, file, journal->mark_slot, MARK_FILE_BYTES, 0);
    if (result < 0)
        return journal_call_failed(error, LAM_ENV_WRITE, NAME_MARK, result);
    if ((result = must(journal, LAM_ENV_SYNC, file, error)) < 0 ||
        (result = must(journal, LAM_ENV_RENAME, 0, error)) < 0)
        return result;
    return must(journal, LAM_ENV_SYNC_DIRECTORY, 0, error);
}

/* Steps of @step until @is_done, waiting between them. */
static int drive(struct journal *journal, int (*step)(struct journal *), const int *state, int done,
    struct lam_error *error)
{
    while (*state != done) {
        journal->env->ops->poll(journal->env);
        if (step(journal) < 0)
            return lam_error_set(error, journal->failed, "%s", journal->failure.text);
        if (journal->maker.state == MAKE_NO_SPACE)
            return lam_error_set(error, -ENOSPC, "journal: no room on the disk for a segment");
        if (*state != done && (journal->maker.in_flight || journal->marking != MARK_IDLE))
            journal->env->ops->wait(journal->env, UINT64_MAX);
    }
    return 0;
}

static int create_first_segment(struct journal *journal, struct lam_error *error)
{
    const int *state = (const int *)&journal->maker.state;
    int result;

    journal->place = (struct batch_place){.next_sequence = 0};
    journal_make_begin(journal, 0);
    journal->maker.state = MAKE_CREATE;
    if ((result = drive(journal, journal_make_step, state, MAKE_READY, error)) < 0)
        return result;
    journal_make_take(journal);
    return 0;
}

/* What was being made when somebody was killed. */
static int remove_unfinished(struct journal *journal, struct lam_error *error)
{
    static const char *const names[] = {NAME_MAKING, NAME_MARK_MAKING};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lam_env_io io = {.name = names[i]};
        int64_t result = lam_env_do(journal->env, &io, LAM_ENV_UNLINK);

        if (result < 0 && result != -ENOENT)
            return journal_call_failed(error, LAM_ENV_UNLINK, names[i], result);
    }
    return 0;
}

/* The place where a scan has ended, and the segment behind it. */
static int take_over(struct journal_scan *scan)
{
    struct journal *journal = scan->journal;
    int result = journal_scan_load(scan, scan->index, &journal->segment_file);

    if (result < 0)
        return result;
    journal->first_index = scan->first_index;
    journal->segment_index = scan->index;
    journal->place = scan->place;
    journal_make_begin(journal, scan->index + 1);
    if (!scan->has_spare)
        return 0;
    result = journal_scan_load(scan, scan->index + 1, &journal->maker.file);
    if (result < 0)
        return result;
    journal->maker.header.segment = scan->spare_id;
    journal->maker.state = MAKE_READY;
    return 0;
}

static int begin(struct journal_scan *scan)
{
    struct journal *journal = scan->journal;
    int result = remove_unfinished(journal, scan->error);

    if (result < 0)
        return result;
    if (scan->is_new) {
        journal->id = journal->env->ops->random(journal->env);
        if ((result = create_mark(journal, scan->error)) < 0)
            return result;
    }
    if (scan->segment_end == 0)
        return create_first_segment(journal, scan->error);
    if ((result = journal_repair(scan)) < 0)
        return result;
    return take_over(scan);
}

/* From what was found to a journal that goes on, marked to its end. */
static int go_on(struct journal_scan *scan)
{
    struct journal *journal = scan->journal;
    uint64_t epoch = journal->config.epoch != 0 ? journal->config.epoch : scan->epoch + 1;
    int result = begin(scan);

    if (result < 0)
        return result;
    journal->place.epoch = epoch;
    journal->durable = journal->place;
    journal->durable_index = journal->segment_index;
    journal_mark_begin(journal);
    return drive(
        journal, journal_mark_step, (const int *)&journal->marking, MARK_IDLE, scan->error);
}

int journal_open(struct journal *journal, const struct journal_config *config,
    journal_replay_fn replay, void *context, struct journal_report *report, struct lam_error *error)
{
    struct journal_report unread;
    struct journal_scan scan = {.journal = journal,
        .error = error,
        .report = report != NULL ? report : &unread,
        .replay = replay,
        .context = context};
    int result = check_config(config, error);

    if (result < 0)
        return result;
    *scan.report = (struct journal_report){0};
    *journal = (struct journal){.config = *config,
        .env = config->env,
        .lock_file = -1,
        .mark_file = -1,
        .segment_file = -1,
        .retainer.file = -1,
        .maker.file = -1};
    if ((result = allocate(journal, &scan, error)) == 0 &&
        (result = take_lock(journal, error)) == 0 && (result = journal_scan(&scan)) == 0) {
        result = go_on(&scan);
        if (result < 0 && journal->maker.state != MAKE_NO_SPACE)
            journal->env->poison = result;
    }
    free(scan.bytes);
    journal->config.from = NULL; /* it was lent for this call */
    if (result < 0)
        journal_close(journal);
    return result;
}
