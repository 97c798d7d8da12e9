/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_disk.c: what a call does to the files and the folder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

static void *grown(void *bytes, uint64_t from, uint64_t to)
{
    uint8_t *more = realloc(bytes, to);

    LAM_ASSERT(more != NULL);
    memset(more + from, 0, to - from);
    return more;
}

static void reserve(struct sim_file *file, uint64_t bytes)
{
    uint64_t capacity = (bytes + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR;

    if (capacity <= file->capacity)
        return;
    file->seen = grown(file->seen, file->capacity, capacity);
    file->disk = grown(file->disk, file->capacity, capacity);
    file->capacity = capacity;
}

static struct sim_name *find(struct sim_name *names, const char *text)
{
    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    return NULL;
}

struct sim_file *sim_find(struct sim *sim, const char *name)
{
    struct sim_name *found = find(sim->seen, name);

    return found == NULL ? NULL : &sim->files[found->file];
}

static void change(struct sim_name *names, const struct sim_change *change)
{
    struct sim_name *at;

    if (change->gone[0] != 0 && (at = find(names, change->gone)) != NULL)
        at->text[0] = 0;
    if (change->come.text[0] == 0)
        return;
    if ((at = find(names, change->come.text)) == NULL)
        at = find(names, "");
    LAM_ASSERT(at != NULL);
    *at = change->come;
}

/* Now for the process, for the disk with the next sync. */
static void change_later(struct sim *sim, const char *gone, const char *come, int file)
{
    struct sim_change *one = &sim->changes[sim->change_count];

    LAM_ASSERT(sim->change_count++ < SIM_NAMES_MAX && strlen(gone) < SIM_NAME_BYTES &&
               strlen(come) < SIM_NAME_BYTES);
    memset(one, 0, sizeof(*one));
    memcpy(one->gone, gone, strlen(gone));
    memcpy(one->come.text, come, strlen(come));
    one->come.file = file;
    change(sim->seen, one);
}

static void remember(struct sim_file *file, uint64_t sector)
{
    struct sim_sector *one;

    if (file->unsynced_count == file->unsynced_capacity) {
        uint64_t more = 2 * file->unsynced_capacity + 8;

        file->unsynced = grown(file->unsynced, file->unsynced_capacity * sizeof(*file->unsynced),
            more * sizeof(*file->unsynced));
        file->unsynced_capacity = more;
    }
    one = &file->unsynced[file->unsynced_count++];
    one->number = sector;
    memcpy(one->bytes, file->seen + sector * SIM_SECTOR, SIM_SECTOR);
}

static uint64_t used_bytes(const struct sim *sim)
{
    uint64_t used = 0;

    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (sim->seen[i].text[0] != 0)
            used += sim->files[sim->seen[i].file].seen_bytes;
    return used;
}

static int64_t allocate(
    const struct sim *sim, struct sim_file *file, uint64_t bytes, enum sim_phase phase)
{
    if (phase == SIM_HALF)
        bytes /= 2;
    if (bytes <= file->seen_bytes)
        return 0;
    if (sim->faults.room_bytes != 0 &&
        used_bytes(sim) + bytes - file->seen_bytes > sim->faults.room_bytes)
        return -ENOSPC;
    reserve(file, bytes);
    file->seen_bytes = bytes;
    return 0;
}

static int64_t write_bytes(
    struct sim *sim, struct sim_file *file, const struct lam_env_io *io, enum sim_phase phase)
{
    uint64_t count = io->count, offset = io->offset, number = sim->calls_of[LAM_ENV_WRITE];

    if (count == 0 || number == sim->faults.lose_at)
        return (int64_t)count;
    if (number == sim->faults.short_at)
        count = (count + 1) / 2;
    if (number == sim->faults.misdirect_at)
        offset += UINT64_C(4) * SIM_SECTOR;
    if (phase == SIM_HALF) /* what was not written is not seen by anybody who comes after */
        count = (count / 2 + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR;
    if (count > io->count)
        count = io->count;
    reserve(file, offset + count);
    memcpy(file->seen + offset, io->bytes, count);
    if (file->seen_bytes < offset + count)
        file->seen_bytes = offset + count;
    for (uint64_t at = offset / SIM_SECTOR; at * SIM_SECTOR < offset + count; at++)
        remember(file, at);
    return (int64_t)count;
}

static int64_t read_bytes(const struct sim_file *file, const struct lam_env_io *io)
{
    uint64_t left = io->offset < file->seen_bytes ? file->seen_bytes - io->offset : 0;
    uint64_t count = io->count < left ? io->count : left;

    if (count != 0)
        memcpy(io->bytes, file->seen + io->offset, count);
    return (int64_t)count;
}

/* Half a sync: some sectors, and the kernel forgets that the others are missing. */
static int64_t sync_file(struct sim *sim, struct sim_file *file, enum sim_phase phase)
{
    for (uint64_t i = 0; i < file->unsynced_count; i++)
        if (phase == SIM_AFTER || (sim_random(sim) & 1) != 0)
            memcpy(file->disk + file->unsynced[i].number * SIM_SECTOR, file->unsynced[i].bytes,
                SIM_SECTOR);
    if (phase == SIM_AFTER || (sim_random(sim) & 1) != 0)
        file->disk_bytes = file->seen_bytes;
    file->unsynced_count = 0;
    return 0;
}

static int64_t sync_directory(struct sim *sim, enum sim_phase phase)
{
    int left = 0;

    for (int i = 0; i < sim->change_count; i++)
        if (phase == SIM_AFTER || (sim_random(sim) & 1) != 0)
            change(sim->disk, &sim->changes[i]);
        else
            sim->changes[left++] = sim->changes[i];
    sim->change_count = left;
    return 0;
}

static int64_t create(struct sim *sim, const char *name)
{
    if (find(sim->seen, name) != NULL)
        return -EEXIST;
    sim->files = grown(sim->files, (uint64_t)sim->file_count * sizeof(*sim->files),
        (uint64_t)(sim->file_count + 1) * sizeof(*sim->files));
    change_later(sim, "", name, sim->file_count);
    return sim->file_count++;
}

static int64_t list(const struct sim *sim, const struct lam_env_io *io)
{
    uint64_t used = 0;

    for (int i = 0; i < SIM_NAMES_MAX; i++) {
        uint64_t count = strlen(sim->seen[i].text) + 1;

        if (count == 1)
            continue;
        if (count > io->count - used)
            return -ENOSPC;
        memcpy((char *)io->bytes + used, sim->seen[i].text, count);
        used += count;
    }
    return (int64_t)used;
}

static int64_t call_with_name(struct sim *sim, const struct lam_env_io *io)
{
    struct sim_name *found;

    if (io->call == LAM_ENV_CREATE)
        return create(sim, io->name);
    if ((found = find(sim->seen, io->name)) == NULL)
        return -ENOENT;
    if (io->call == LAM_ENV_OPEN)
        return found->file;
    change_later(sim, io->name, io->call == LAM_ENV_RENAME ? io->to : "", found->file);
    return 0;
}

static int64_t call_with_file(struct sim *sim, const struct lam_env_io *io, enum sim_phase phase)
{
    struct sim_file *file = &sim->files[io->file];

    switch (io->call) {
    case LAM_ENV_CLOSE:
        file->is_locked = 0;
        return 0;
    case LAM_ENV_LOCK:
        return file->is_locked++ ? -EBUSY : 0;
    case LAM_ENV_SIZE:
        return (int64_t)file->seen_bytes;
    case LAM_ENV_ALLOCATE:
        return allocate(sim, file, io->count, phase);
    case LAM_ENV_READ:
        return read_bytes(file, io);
    case LAM_ENV_WRITE:
        return write_bytes(sim, file, io, phase);
    default:
        return sync_file(sim, file, phase);
    }
}

int64_t sim_call(struct sim *sim, const struct lam_env_io *io, enum sim_phase phase)
{
    if (phase == SIM_BEFORE)
        return 0;
    switch (io->call) {
    case LAM_ENV_OPEN:
    case LAM_ENV_CREATE:
    case LAM_ENV_RENAME:
    case LAM_ENV_UNLINK:
        return call_with_name(sim, io);
    case LAM_ENV_LIST:
        return list(sim, io);
    case LAM_ENV_SYNC_DIRECTORY:
        return sync_directory(sim, phase);
    default:
        LAM_ASSERT(io->file >= 0 && io->file < sim->file_count);
        return call_with_file(sim, io, phase);
    }
}
