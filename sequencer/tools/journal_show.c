/* SPDX-License-Identifier: Apache-2.0 */
/* inspect, dump, export: what is in a journal, in order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal/listing.h"
#include "journal_tool.h"

static unsigned long long wide(uint64_t value)
{
    return value;
}

/* What ended the reading, where it was not the end of the journal. */
static int ended(const struct cursor *cursor, int result)
{
    if (result < 0)
        return tool_failed(cursor, result);
    if (cursor->tail_bytes == 0)
        return EXIT_SOUND;
    (void)fprintf(stderr,
        "lamina journal: behind event %llu, in segment %llx at offset %llu: %s; `lamina journal "
        "verify` says whether a power cut tore it\n",
        wide(cursor->place.next_sequence - 1), wide(cursor->index), wide(cursor->place.offset),
        batch_verdict_text(cursor->verdict));
    return EXIT_DAMAGED;
}

/* Events of the segments, one line for each; the place at the end stays in @cursor. */
static int print_segments(struct cursor *cursor)
{
    uint64_t shown = UINT64_MAX, batches = 0, events = 0;
    int result;

    (void)printf("%-24s %8s %10s %12s  %s\n", "segment", "batches", "events", "first", "epoch");
    while ((result = cursor_batch(cursor)) == 1) {
        uint64_t first = cursor->view.sequence;

        if (shown != cursor->index) {
            if (shown != UINT64_MAX)
                (void)printf("  %llu batches, %llu events\n", wide(batches), wide(events));
            (void)printf("segment-%016llx %28llu  %llu\n", wide(cursor->index), wide(first),
                wide(cursor->view.epoch));
            batches = events = 0;
        }
        shown = cursor->index;
        batches++;
        events += cursor->place.next_sequence - first;
    }
    if (shown != UINT64_MAX)
        (void)printf("  %llu batches, %llu events\n", wide(batches), wide(events));
    return result;
}

static int print_other_names(struct cursor *cursor)
{
    struct listing listing = {.names = NULL};
    int result = listing_read(&listing, &cursor->env.env);
    const char *name = NULL;
    uint64_t index;

    while ((name = listing_next(&listing, name)) != NULL)
        if (!name_is_segment(name, &index) && strcmp(name, NAME_LOCK) != 0 &&
            strcmp(name, NAME_MARK) != 0)
            (void)printf("%s\n", name);
    listing_free(&listing);
    return result;
}

int tool_inspect(const struct journal_options *options)
{
    struct cursor cursor;
    int code = tool_open(&cursor, options->folders[0], 1), result;

    if (code != 0)
        return code;
    (void)printf("journal %016llx, segments %llx to %llx\n", wide(cursor.mark.journal),
        wide(cursor.first_index), wide(cursor.segment_end - 1));
    (void)printf("mark: all before event %llu is durable, epoch %llu, segment %llx, offset %llu\n",
        wide(cursor.mark.next_sequence), wide(cursor.mark.epoch), wide(cursor.mark.index),
        wide(cursor.mark.offset));
    result = print_segments(&cursor);
    if (result == 0)
        (void)printf("end: next event %llu, segment %llx, offset %llu, %llu bytes behind it\n",
            wide(cursor.place.next_sequence), wide(cursor.index), wide(cursor.place.offset),
            wide(cursor.tail_bytes));
    (void)print_other_names(&cursor);
    code = ended(&cursor, result);
    cursor_close(&cursor);
    return code;
}

static void print_event(const struct batch_record *record, int is_json)
{
    (void)printf(
        is_json ? "{\"sequence\":%llu,\"time_ns\":%llu,\"kind\":%u,\"data\":\"" : "%llu %llu %u ",
        wide(record->sequence), wide(record->time_ns), record->kind);
    for (uint32_t i = 0; i < record->bytes; i++)
        (void)printf("%02x", record->data[i]);
    (void)fputs(is_json ? "\"}\n" : "\n", stdout);
}

static int show(const struct journal_options *options, int is_raw)
{
    struct cursor cursor;
    struct batch_record record;
    int code = tool_open(&cursor, options->folders[0], 0), result = 0;
    uint64_t left = options->count;

    if (code != 0)
        return code;
    while (left > 0 && (result = cursor_next(&cursor, &record)) == 1) {
        if (record.sequence < options->from)
            continue;
        left--;
        if (!is_raw)
            print_event(&record, options->is_json);
        else if (fwrite(record.data, 1, record.bytes, stdout) != record.bytes)
            break;
    }
    code = left == 0 ? EXIT_SOUND : ended(&cursor, result);
    cursor_close(&cursor);
    return ferror(stdout) ? EXIT_NOT_READ : code;
}

int tool_dump(const struct journal_options *options)
{
    return show(options, 0);
}

int tool_export(const struct journal_options *options)
{
    return show(options, 1);
}
