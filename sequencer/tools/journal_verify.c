/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: what recovery would check, by the same code, and each snapshot against the journal. It
 * changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/listing.h"
#include "journal/parts.h"
#include "journal_tool.h"
#include "snapshot/read.h"

/* Recovery's own reading, from that snapshot or the first event on. Returns as journal_scan. */
static int scan(struct cursor *cursor, const struct snapshot_place *from,
    struct journal_report *report, struct journal_scan *scan)
{
    struct lam_env *env = &cursor->env.env;
    struct journal journal = {.env = env,
        .config = {.env = env,
            .from = from,
            .segment_bytes = cursor->header.segment_bytes,
            .sector_bytes = cursor->header.sector_bytes},
        .mark_file = -1,
        .mark_slot = malloc(MARK_FILE_BYTES)};
    struct lam_env_io io = {.file = -1};
    int result = -ENOMEM;

    *report = (struct journal_report){.records = 0};
    *scan = (struct journal_scan){.journal = &journal,
        .error = &cursor->error,
        .report = report,
        .bytes = malloc(cursor->header.segment_bytes)};
    if (journal.mark_slot != NULL && scan->bytes != NULL)
        result = journal_scan(scan);
    else
        (void)lam_error_set(&cursor->error, -ENOMEM, "no memory for a segment");
    io.file = journal.mark_file;
    if (io.file >= 0)
        (void)lam_env_do(env, &io, LAM_ENV_CLOSE);
    free(scan->bytes);
    free(journal.mark_slot);
    scan->journal = NULL;
    return result;
}

static void read_snapshot(struct snapshot_reader *reader, struct lam_env *env, const char *name)
{
    snapshot_reader_begin(reader, env, name, 0);
    while (reader->state != SNAPSHOT_READ_DONE) {
        env->ops->poll(env);
        if (snapshot_reader_step(reader) == 0)
            env->ops->wait(env, UINT64_MAX);
    }
}

/* One snapshot, whole and of this history. Returns 0 or an exit code. */
static int verify_snapshot(struct cursor *cursor, const char *name, unsigned *whole)
{
    struct snapshot_reader reader;
    struct journal_report report;
    struct journal_scan found;
    int result;

    read_snapshot(&reader, &cursor->env.env, name);
    result = reader.result;
    if (result < 0) {
        (void)printf("%s: damaged, or cannot be read: remove it; the other one is used\n", name);
    } else if ((result = scan(cursor, &reader.place, &report, &found)) < 0) {
        (void)printf("%s: whole; with the journal: %s\n", name, cursor->error.text);
    } else {
        (void)printf("%s: whole, of application \"%s\" %u, all before event %llu\n", name,
            reader.place.app_name, reader.place.app_version,
            (unsigned long long)reader.place.next_sequence);
        ++*whole;
    }
    snapshot_reader_end(&reader);
    return result < 0 ? EXIT_DAMAGED : 0;
}

static int verify_snapshots(struct cursor *cursor, unsigned *whole)
{
    struct listing listing = {.names = NULL};
    int result = listing_read(&listing, &cursor->env.env), code = 0;
    const char *name = NULL;
    uint64_t journal, sequence;

    while (result == 0 && (name = listing_next(&listing, name)) != NULL)
        if (name_is_snapshot(name, &journal, &sequence) && journal == cursor->mark.journal &&
            verify_snapshot(cursor, name, whole) != 0)
            code = EXIT_DAMAGED;
    listing_free(&listing);
    return result < 0 ? EXIT_NOT_READ : code;
}

/* A journal of which nothing is gone is also read without any snapshot. */
static int verify_events(struct cursor *cursor, unsigned whole)
{
    struct journal_report report;
    struct journal_scan found;
    int result;

    if (cursor->first_index != 0 && whole != 0)
        return 0;
    if ((result = scan(cursor, NULL, &report, &found)) < 0) {
        (void)printf("%s\n", cursor->error.text);
        return result == -EBADMSG ? EXIT_DAMAGED : EXIT_NOT_READ;
    }
    (void)printf("%llu events in %llu batches, whole\n", (unsigned long long)report.records,
        (unsigned long long)report.batches);
    if (found.tail_bytes != 0)
        (void)printf("torn behind them: %llu bytes, never acknowledged; the next start keeps them "
                     "aside and goes on\n",
            (unsigned long long)found.tail_bytes);
    return 0;
}

int tool_verify(const struct journal_options *options)
{
    struct cursor cursor;
    unsigned whole = 0;
    int code = tool_open(&cursor, options->folders[0], 1), result, later;

    if (code != 0)
        return code;
    result = cursor_batch(&cursor); /* for the sizes that the header tells */
    if (result < 0) {
        code = tool_failed(&cursor, result);
    } else {
        code = verify_snapshots(&cursor, &whole);
        later = verify_events(&cursor, whole);
        code = later != 0 ? later : code;
    }
    cursor_close(&cursor);
    return code;
}
