/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_crash.c: what is left after the end of the process, or of the power.
 */
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

static int is_kept(struct sim *sim, enum sim_keep keep, uint64_t sector)
{
    switch (keep) {
    case SIM_KEEP_NONE:
        return 0;
    case SIM_KEEP_SOME:
        return (sim_random(sim) & 1) != 0;
    case SIM_KEEP_MASK:
        return sector >= 64 || (sim->keep_mask >> sector & 1) != 0;
    default:
        return 1;
    }
}

/* @sectors: how many of earlier files were asked for. Returns how many with these. */
static uint64_t cut_file(
    struct sim *sim, struct sim_file *file, enum sim_keep keep, uint64_t sectors)
{
    for (uint64_t i = 0; i < file->unsynced_count; i++)
        if (is_kept(sim, keep, sectors++))
            memcpy(file->disk + file->unsynced[i].number * SIM_SECTOR, file->unsynced[i].bytes,
                SIM_SECTOR);
    file->unsynced_count = 0;
    if (is_kept(sim, keep, UINT64_MAX))
        file->disk_bytes = file->seen_bytes;
    file->seen_bytes = file->disk_bytes;
    if (file->capacity != 0) {
        memset(file->disk + file->disk_bytes, 0, file->capacity - file->disk_bytes);
        memcpy(file->seen, file->disk, file->capacity);
    }
    return sectors;
}

/* As sim_disk.c has it: the folder on the disk, with one change. */
static void keep_change(struct sim *sim, const struct sim_change *change)
{
    int free_place = -1, place = -1;

    for (int i = 0; i < SIM_NAMES_MAX; i++) {
        if (change->gone[0] != 0 && strcmp(sim->disk[i].text, change->gone) == 0)
            sim->disk[i].text[0] = 0;
        if (sim->disk[i].text[0] == 0)
            free_place = i;
        else if (strcmp(sim->disk[i].text, change->come.text) == 0)
            place = i;
    }
    if (change->come.text[0] == 0)
        return;
    if (place < 0)
        place = free_place;
    LAM_ASSERT(place >= 0);
    sim->disk[place] = change->come;
}

static void cut_folder(struct sim *sim, enum sim_keep keep)
{
    for (int i = 0; i < sim->change_count; i++)
        if (is_kept(sim, keep, UINT64_MAX))
            keep_change(sim, &sim->changes[i]);
    sim->change_count = 0;
    memcpy(sim->seen, sim->disk, sizeof(sim->seen));
}

void sim_restart(struct sim *sim, enum sim_keep keep)
{
    uint64_t sectors = 0;

    for (int i = 0; i < sim->file_count; i++)
        sim->files[i].is_locked = 0;
    if (keep != SIM_KEEP_CACHE) {
        for (int i = 0; i < sim->file_count; i++)
            sectors = cut_file(sim, &sim->files[i], keep, sectors);
        cut_folder(sim, keep);
    }
    sim_forget(sim, 0); /* before anything looks at calls that may be no more */
    sim_net_end(sim, 0);
    sim->is_off = 0;
    sim->is_awake = 0;
    sim->env.poison = 0;
    sim->faults = (struct sim_faults){0};
    sim->calls = 0;
    memset(sim->calls_of, 0, sizeof(sim->calls_of));
}

uint64_t sim_unsynced(const struct sim *sim)
{
    uint64_t count = 0;

    for (int i = 0; i < sim->file_count; i++)
        count += sim->files[i].unsynced_count;
    return count;
}

static uint8_t *copy_of(const uint8_t *bytes, uint64_t count)
{
    uint8_t *copy = malloc(count + 1);

    LAM_ASSERT(copy != NULL);
    if (count != 0)
        memcpy(copy, bytes, count);
    return copy;
}

void sim_copy_disk(struct sim *to, const struct sim *from)
{
    sim_fini(to);
    to->files = calloc((size_t)from->file_count + 1, sizeof(*to->files));
    LAM_ASSERT(to->files != NULL);
    to->file_count = from->file_count;
    for (int i = 0; i < from->file_count; i++) {
        const struct sim_file *file = &from->files[i];

        to->files[i] = (struct sim_file){.disk = copy_of(file->disk, file->capacity),
            .seen = copy_of(file->disk, file->capacity),
            .disk_bytes = file->disk_bytes,
            .seen_bytes = file->disk_bytes,
            .capacity = file->capacity};
    }
    memcpy(to->disk, from->disk, sizeof(to->disk));
    memcpy(to->seen, from->disk, sizeof(to->seen));
    to->change_count = 0;
}
