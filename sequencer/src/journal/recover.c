/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c: reads all there is, and tells a tail that a power cut tore from what is corrupt. It
 * changes nothing. The rules, at the first place that holds no whole batch:
 *
 *     below the mark                                        corrupt: it was durable
 *     a whole header that belongs elsewhere, or nonsense    corrupt: no power cut makes it
 *     a header of this segment anywhere behind              corrupt: that batch came later
 *     something in the next segment                         corrupt, as well
 *     zeros up to the end                                   the end
 *     anything else                                         torn: never acknowledged
 *
 * A batch is written when the one before it is durable: so a later one proves an earlier one.
 */
#include <errno.h>
#include <string.h>

#include "journal/listing.h"
#include "journal/parts.h"
#include "snapshot/snapshot.h"

static int corrupt(
    const struct journal_scan *scan, uint64_t index, uint64_t offset, const char *why)
{
    return lam_error_set(scan->error, -EBADMSG,
        "journal: corrupt: segment %llx, offset %llu: %s; nothing was changed. Give this node a "
        "whole copy of its journal",
        (unsigned long long)index, (unsigned long long)offset, why);
}

static int find_names(struct journal_scan *scan)
{
    struct listing listing = {.names = NULL};
    int result = listing_read(&listing, scan->journal->env);
    uint64_t index, count = 0, first = UINT64_MAX, last = 0;
    const char *name = NULL;

    scan->is_new = 1;
    while ((name = listing_next(&listing, name)) != NULL) {
        if (strcmp(name, NAME_MARK) == 0)
            scan->is_new = 0;
        if (!name_is_segment(name, &index))
            continue;
        count++;
        first = index < first ? index : first;
        last = index > last ? index : last;
    }
    listing_free(&listing);
    if (result < 0)
        return journal_call_failed(scan->error, LAM_ENV_LIST, "the folder", result);
    if (count != 0 && last - first != count - 1)
        return corrupt(scan, last, 0, "a segment before this one is missing");
    if (count != 0 && scan->is_new)
        return corrupt(scan, last, 0, "there is no mark beside it");
    scan->first_index = count != 0 ? first : 0;
    scan->segment_end = count != 0 ? last + 1 : 0;
    return 0;
}

/* The mark of the folder, to be believed. */
static int load_mark(struct lam_env *env, int file, uint8_t *bytes, struct mark *mark)
{
    int result = lam_env_do_all(env, LAM_ENV_READ, file, bytes, MARK_FILE_BYTES, 0);

    if (result == 0 && !mark_read(bytes, mark))
        return -EBADMSG;
    return result;
}

int journal_identify(struct lam_env *env, uint64_t *id, struct lam_error *error)
{
    struct lam_env_io io = {.name = NAME_MARK};
    int64_t file = lam_env_do(env, &io, LAM_ENV_OPEN);
    uint8_t bytes[MARK_FILE_BYTES];
    struct mark mark = {.journal = 0};
    int result;

    if (file == -ENOENT)
        return 0;
    if (file < 0)
        return journal_call_failed(error, LAM_ENV_OPEN, NAME_MARK, file);
    result = load_mark(env, (int)file, bytes, &mark);
    io = (struct lam_env_io){.file = (int)file};
    (void)lam_env_do(env, &io, LAM_ENV_CLOSE);
    if (result < 0)
        return journal_call_failed(error, LAM_ENV_READ, NAME_MARK, result);
    *id = mark.journal;
    return 1;
}

static int read_mark(struct journal_scan *scan)
{
    struct journal *journal = scan->journal;
    struct lam_env_io io = {.name = NAME_MARK};
    int64_t result = lam_env_do(journal->env, &io, LAM_ENV_OPEN);

    if (result < 0)
        return journal_call_failed(scan->error, LAM_ENV_OPEN, NAME_MARK, result);
    journal->mark_file = (int)result;
    result = load_mark(journal->env, journal->mark_file, journal->mark_slot, &scan->mark);
    if (result == -EBADMSG)
        return corrupt(scan, 0, 0, "none of the two marks is whole");
    if (result < 0)
        return journal_call_failed(scan->error, LAM_ENV_READ, NAME_MARK, result);
    journal->mark = scan->mark;
    journal->id = scan->mark.journal;
    if (scan->segment_end == 0 && scan->mark.begun)
        return corrupt(scan, 0, 0, "all segments are gone");
    return 0;
}

static int check_header(struct journal_scan *scan, uint64_t index)
{
    const struct journal_config *config = &scan->journal->config;
    struct segment_header header;

    if (!segment_header_read(scan->bytes, config->sector_bytes, &header))
        return corrupt(scan, index, 0, "its header is damaged, or has other sectors");
    if (header.journal != scan->journal->id || header.index != index)
        return corrupt(scan, index, 0, "it belongs elsewhere");
    if (header.segment_bytes != config->segment_bytes)
        return lam_error_set(scan->error, -EINVAL,
            "segment_bytes: %llu; those of the journal: %llu",
            (unsigned long long)config->segment_bytes, (unsigned long long)header.segment_bytes);
    scan->header_id = header.segment;
    return 0;
}

int journal_scan_load(struct journal_scan *scan, uint64_t index, int *file)
{
    struct journal *journal = scan->journal;
    struct lam_env_io io = {.name = NULL};
    char name[NAME_BYTES];
    int64_t result;

    name_segment(name, index);
    io.name = name;
    result = lam_env_do(journal->env, &io, LAM_ENV_OPEN);
    if (result < 0)
        return journal_call_failed(scan->error, LAM_ENV_OPEN, name, result);
    *file = io.file = (int)result;
    result = lam_env_do(journal->env, &io, LAM_ENV_SIZE);
    if (result >= 0 && (uint64_t)result < journal->config.sector_bytes)
        return corrupt(scan, index, (uint64_t)result, "the file ends there");
    if (result >= 0)
        result = lam_env_do_all(journal->env, LAM_ENV_READ, io.file, scan->bytes,
            (uint64_t)result < journal->config.segment_bytes ? (uint64_t)result
                                                             : journal->config.segment_bytes,
            0);
    if (result < 0)
        return journal_call_failed(scan->error, LAM_ENV_READ, name, result);
    if ((result = check_header(scan, index)) < 0)
        return (int)result;
    result = lam_env_do(journal->env, &io, LAM_ENV_SIZE);
    if ((uint64_t)result != journal->config.segment_bytes)
        return corrupt(scan, index, (uint64_t)result, "the file ends there, and not at its size");
    return 0;
}

/* The end of what is not zero, at or behind @from. */
static uint64_t content_end(const struct journal_scan *scan, uint64_t from)
{
    uint64_t end = scan->journal->config.segment_bytes;

    while (end > from && scan->bytes[end - 1] == 0)
        end--;
    return end;
}

/* Is this where the mark was made? Then it is so to the last bit. */
static int pass_mark(struct journal_scan *scan)
{
    const struct mark *mark = &scan->mark;
    const struct batch_place *place = &scan->place;

    if (scan->mark_was_seen || place->next_sequence < mark->next_sequence)
        return 0;
    if (place->next_sequence == mark->next_sequence && mark->index > scan->index)
        return 0; /* at the beginning of that segment */
    if (place->next_sequence != mark->next_sequence || mark->index != scan->index ||
        mark->offset != place->offset || memcmp(mark->chain, place->chain, BLAKE3_BYTES) != 0)
        return corrupt(scan, scan->index, place->offset, "the mark says otherwise");
    scan->mark_was_seen = 1;
    scan->from_index = scan->index;
    scan->from_offset = place->offset;
    return 0;
}

/* Is this where the snapshot was taken? Then the chain has the value that it names. */
static int pass_from(struct journal_scan *scan)
{
    const struct snapshot_place *from = scan->journal->config.from;
    const struct batch_place *place = &scan->place;

    if (from == NULL || scan->from_was_seen || place->next_sequence < from->next_sequence)
        return 0;
    if (place->next_sequence != from->next_sequence ||
        memcmp(place->chain, from->chain, sizeof(place->chain)) != 0)
        return corrupt(scan, scan->index, place->offset, "the snapshot is of another history");
    scan->from_was_seen = 1;
    return 0;
}

static void tell(struct journal_scan *scan, struct batch_view *view)
{
    struct batch_record record;

    while (batch_next(view, &record) == 1) {
        if (scan->journal->config.from != NULL && !scan->from_was_seen) {
            scan->report->passed++;
            continue;
        }
        scan->report->records++;
        if (scan->replay != NULL)
            scan->replay(scan->context, &record);
    }
    scan->report->batches++;
}

static int is_followed_by_a_batch(const struct journal_scan *scan)
{
    const struct journal_config *config = &scan->journal->config;
    uint64_t at = scan->place.offset + config->sector_bytes;

    for (; at < config->segment_bytes; at += config->sector_bytes)
        if (batch_has_header(scan->bytes + at, config->segment_bytes - at, scan->place.segment))
            return 1;
    return 0;
}

/* The batches of the segment in memory. */
static int scan_batches(struct journal_scan *scan)
{
    struct batch_place *place = &scan->place;
    uint64_t end = scan->journal->config.segment_bytes;
    enum batch_verdict verdict;
    struct batch_view view;

    for (;;) {
        int result = pass_mark(scan);

        if (result < 0 || (result = pass_from(scan)) < 0)
            return result;
        verdict = batch_read(scan->bytes + place->offset, end - place->offset, place, &view);
        if (verdict != BATCH_WHOLE)
            break;
        tell(scan, &view);
    }
    scan->tail_bytes = content_end(scan, place->offset) - place->offset;
    if (verdict == BATCH_MISPLACED || verdict == BATCH_NONSENSE || verdict == BATCH_SHORT)
        return corrupt(scan, scan->index, place->offset, batch_verdict_text(verdict));
    if (is_followed_by_a_batch(scan))
        return corrupt(
            scan, scan->index, place->offset, "a batch is missing; a later one is there");
    return 0;
}

/*
 * The first segment is not that of the first event. Its first batch says where in the order it is,
 * and it is believed when the chain comes to the value that the snapshot names.
 */
static int begin_later(struct journal_scan *scan)
{
    const struct journal_config *config = &scan->journal->config;

    if (!batch_peek(scan->bytes + config->sector_bytes,
            config->segment_bytes - config->sector_bytes, scan->header_id, &scan->place))
        return corrupt(scan, scan->index, config->sector_bytes,
            "its first batch is damaged, and older segments are gone");
    if (scan->place.next_sequence > config->from->next_sequence)
        return corrupt(scan, scan->index, config->sector_bytes,
            "it begins behind the end of the snapshot: give older segments back");
    if (scan->mark.index >= scan->index)
        return 0;
    /* The later of the two marks is damaged, and this one too old. The snapshot is as good. */
    scan->mark_was_seen = 1;
    scan->from_index = scan->index;
    scan->from_offset = config->sector_bytes;
    return 0;
}

static int scan_segment(struct journal_scan *scan, uint64_t index)
{
    const struct journal_config *config = &scan->journal->config;
    struct lam_env_io io = {.file = -1};
    int result = journal_scan_load(scan, index, &io.file);

    if (io.file >= 0)
        (void)lam_env_do(scan->journal->env, &io, LAM_ENV_CLOSE);
    if (result < 0)
        return result;
    if (index > scan->mark.index &&
        content_end(scan, config->sector_bytes) == config->sector_bytes) {
        if (index != scan->segment_end - 1)
            return corrupt(scan, index, config->sector_bytes, "no batch, and a later segment");
        scan->has_spare = 1;
        scan->spare_id = scan->header_id;
        return 0;
    }
    if (scan->tail_bytes != 0)
        return corrupt(scan, scan->index, scan->place.offset, "damaged, and a later segment");
    scan->index = index;
    if (index == scan->first_index && index != 0 && (result = begin_later(scan)) < 0)
        return result;
    scan->place.segment = scan->header_id;
    scan->place.offset = config->sector_bytes;
    return scan_batches(scan);
}

/* Whether the snapshot can be of this journal at all. */
static int check_from(struct journal_scan *scan)
{
    const struct snapshot_place *from = scan->journal->config.from;

    if (from == NULL && scan->first_index != 0)
        return corrupt(scan, scan->first_index, 0,
            "older segments are gone, and no whole snapshot is there to begin with");
    if (from != NULL && (scan->is_new || from->journal != scan->journal->id))
        return corrupt(scan, 0, 0, "the snapshot is of another journal");
    return 0;
}

/* What has to have been met on the way. */
static int check_end(struct journal_scan *scan)
{
    const struct journal_config *config = &scan->journal->config;

    if (scan->segment_end != 0 && !scan->mark_was_seen)
        return corrupt(scan, scan->index, scan->place.offset, "events behind it were durable");
    if (config->from != NULL && !scan->from_was_seen)
        return corrupt(scan, scan->index, scan->place.offset,
            "a snapshot holds events behind it: they were durable");
    scan->epoch = scan->place.epoch;
    if (config->from != NULL && config->from->epoch > scan->epoch)
        scan->epoch = config->from->epoch;
    if (config->epoch != 0 && scan->epoch > config->epoch)
        return lam_error_set(scan->error, -EINVAL, "epoch: %llu; that of the journal: %llu",
            (unsigned long long)config->epoch, (unsigned long long)scan->epoch);
    return 0;
}

int journal_scan(struct journal_scan *scan)
{
    int result = find_names(scan);

    if (result < 0 || (!scan->is_new && (result = read_mark(scan)) < 0) ||
        (result = check_from(scan)) < 0)
        return result;
    for (uint64_t index = scan->first_index; index < scan->segment_end; index++)
        if ((result = scan_segment(scan, index)) < 0)
            return result;
    return check_end(scan);
}
