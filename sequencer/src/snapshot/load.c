/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: the newest snapshot that is whole.
 */
#include <errno.h>
#include <string.h>

#include "journal/listing.h"
#include "snapshot/newest.h"
#include "snapshot/read.h"

int snapshot_newest(
    const struct listing *listing, uint64_t journal, uint64_t below, uint64_t *next_sequence)
{
    const char *name = NULL;
    int is_found = 0;

    while ((name = listing_next(listing, name)) != NULL) {
        uint64_t its_journal, sequence;

        if (!name_is_snapshot(name, &its_journal, &sequence) || its_journal != journal ||
            sequence >= below || (is_found && sequence < *next_sequence))
            continue;
        *next_sequence = sequence;
        is_found = 1;
    }
    return is_found;
}

/* Reads all of one, waiting. */
static void read_one(struct snapshot_reader *reader, struct lam_env *env, const char *name)
{
    snapshot_reader_begin(reader, env, name, 1);
    while (reader->state != SNAPSHOT_READ_DONE) {
        env->ops->poll(env);
        if (snapshot_reader_step(reader) == 0)
            env->ops->wait(env, UINT64_MAX);
    }
}

/* Of what was read. Returns 1, 0: passed over, or -errno. */
static int judge(
    const struct snapshot_reader *reader, const char *app_name, struct lam_error *error)
{
    if (reader->result == -ENOMEM)
        return lam_error_set(error, -ENOMEM, "snapshot: no memory for %s", reader->name);
    if (reader->result == 0 && strcmp(reader->place.app_name, app_name) != 0)
        return lam_error_set(error, -EPROTOTYPE,
            "snapshot: %s is of the application \"%s\", not of \"%s\": start that one here, or "
            "this one in another folder",
            reader->name, reader->place.app_name, app_name);
    return reader->result == 0;
}

/* The newest one that is whole stays in @reader. Returns 1, 0: none, or -errno. */
static int find(struct snapshot_reader *reader, const struct listing *listing,
    const struct snapshot_place *wanted, uint64_t below, unsigned *damaged, struct lam_error *error)
{
    struct lam_env *env = reader->env;

    while (snapshot_newest(listing, wanted->journal, below, &below)) {
        char name[NAME_BYTES];
        int result;

        name_snapshot(name, wanted->journal, below);
        read_one(reader, env, name);
        result = judge(reader, wanted->app_name, error);
        if (result == 1)
            return 1;
        snapshot_reader_end(reader);
        if (result < 0)
            return result;
        ++*damaged;
    }
    return 0;
}

int snapshot_load(struct lam_env *env, const struct snapshot_place *wanted,
    uint64_t next_sequence_max, struct snapshot_loaded *loaded, struct lam_error *error)
{
    struct snapshot_reader reader = {.env = env, .file = -1};
    struct listing listing = {.names = NULL};
    uint64_t below = next_sequence_max == UINT64_MAX ? UINT64_MAX : next_sequence_max + 1;
    int result = listing_read(&listing, env);

    *loaded = (struct snapshot_loaded){.damaged = 0};
    if (result < 0)
        (void)lam_error_set(
            error, result, "snapshot: list of the folder: %s", strerrordesc_np(-result));
    else
        result = find(&reader, &listing, wanted, below, &loaded->damaged, error);
    listing_free(&listing);
    if (result != 1)
        return result;
    loaded->place = reader.place;
    loaded->bytes = reader.bytes;
    loaded->count = reader.content.bytes;
    reader.bytes = NULL;
    snapshot_reader_end(&reader);
    return 1;
}
