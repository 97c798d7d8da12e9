/* SPDX-License-Identifier: Apache-2.0 */
/*
 * older.c: the other snapshots in the folder. Beside the new one the newest whole one is kept.
 */
#include <errno.h>
#include <string.h>

#include "snapshot/newest.h"
#include "snapshot/writer.h"

static int is_listed(const struct listing *listing, const char *wanted)
{
    const char *name = NULL;

    while ((name = listing_next(listing, name)) != NULL)
        if (strcmp(name, wanted) == 0)
            return 1;
    return 0;
}

void snapshot_look(struct snapshot_writer *writer)
{
    writer->older_sequence = writer->place.next_sequence;
    writer->state = SNAPSHOT_UNLINK;
    if (!is_listed(&writer->listing, writer->name))
        return;
    writer->state = SNAPSHOT_LOOK;
    snapshot_reader_begin(&writer->reader, writer->env, writer->name, 0);
}

void snapshot_next_older(struct snapshot_writer *writer)
{
    if (!snapshot_newest(&writer->listing, writer->place.journal, writer->older_sequence,
            &writer->older_sequence)) {
        writer->state = SNAPSHOT_DONE;
        return;
    }
    name_snapshot(writer->older, writer->place.journal, writer->older_sequence);
    writer->state = writer->has_other ? SNAPSHOT_REMOVE : SNAPSHOT_OLDER;
    if (!writer->has_other)
        snapshot_reader_begin(&writer->reader, writer->env, writer->older, 0);
}

/* What was written is there: the same header, and the content that it tells of. */
static int is_verified(const struct snapshot_writer *writer)
{
    const struct snapshot_reader *reader = &writer->reader;

    return reader->result == 0 &&
           memcmp(&reader->header, &writer->header, sizeof(reader->header)) == 0;
}

static void older_was_read(struct snapshot_writer *writer, int result)
{
    writer->has_other = result == 0;
    if (result == 0)
        writer->other = writer->older_sequence;
    if (result == -EBADMSG)
        writer->state = SNAPSHOT_REMOVE;
    else
        snapshot_next_older(writer); /* what cannot be read now may be readable again */
}

void snapshot_was_read(struct snapshot_writer *writer)
{
    int result = writer->reader.result;
    int is_there = result == 0 && snapshot_place_equals(&writer->reader.place, &writer->place);
    int is_good = is_verified(writer);

    snapshot_reader_end(&writer->reader);
    if (writer->state == SNAPSHOT_OLDER)
        older_was_read(writer, result);
    else if (writer->state == SNAPSHOT_LOOK && !is_there)
        writer->state = SNAPSHOT_UNLINK; /* a new one takes its name */
    else if (writer->state == SNAPSHOT_VERIFY && !is_good)
        (void)snapshot_fail(writer, "verification", writer->name, result < 0 ? result : -EBADMSG);
    else
        snapshot_next_older(writer);
}
