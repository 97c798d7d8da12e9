/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/reading.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static void told(void *context, const struct lam_app_context *app_context, const void *op)
{
    struct reading *reading = context;

    (void)app_context;
    reading->told = op;
}

static struct history_record *put(struct reading *reading, uint64_t sequence)
{
    struct history_record *record;

    if (reading->count == reading->capacity) {
        reading->capacity = 2 * reading->capacity + 1024;
        reading->records = realloc(reading->records, reading->capacity * sizeof(*reading->records));
        CHECK(reading->records != NULL);
    }
    record = &reading->records[reading->count++];
    *record = (struct history_record){.sequence = sequence};
    return record;
}

static void read_event(
    struct reading *reading, struct history_record *record, const struct batch_record *from)
{
    record->kind = HISTORY_EVENT;
    if (from->bytes >= sizeof(struct record_app) + sizeof(record->op))
        memcpy(&record->op, from->data + sizeof(struct record_app), sizeof(record->op));
    record->is_applied = reading->told != NULL;
    reading->repeats += reading->told == NULL;
}

static void replay(void *context, const struct batch_record *from)
{
    struct reading *reading = context;
    struct history_record *record = put(reading, from->sequence);
    const struct machine_record applied = {.sequence = from->sequence,
        .time_ns = from->time_ns,
        .data = from->data,
        .bytes = from->bytes,
        .kind = from->kind};

    reading->told = NULL;
    if (reading->failed == 0)
        reading->failed = machine_apply(reading->machine, &applied, &reading->error);
    if (from->kind == RECORD_APP)
        read_event(reading, record, from);
    if (from->kind == RECORD_TICK)
        record->kind = HISTORY_TICK;
    reading->epochs += from->kind == RECORD_EPOCH;
    reading->digests += from->kind == RECORD_COMPARE;
}

int reading_begin(struct reading *reading, const struct journal_config *config,
    const struct machine_config *machine_config)
{
    struct book_config book = {told, reading};
    struct lam_app app = book_app(&book);
    struct machine_config own = *machine_config;
    struct journal journal;
    int result;

    memset(reading, 0, sizeof(*reading));
    own.app = &app;
    result = machine_create(&reading->machine, &own, &reading->error);
    if (result != 0)
        return result;
    memset(&journal, 0, sizeof(journal));
    result = journal_open(&journal, config, replay, reading, NULL, &reading->error);
    if (result == 0) {
        journal_close(&journal);
        result = reading->failed;
    }
    if (result == 0)
        machine_digest(reading->machine, reading->digest);
    machine_destroy(reading->machine);
    return result;
}

void reading_end(struct reading *reading)
{
    free(reading->records);
    reading->records = NULL;
}
