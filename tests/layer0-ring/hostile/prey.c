/* SPDX-License-Identifier: Apache-2.0 */
#include "prey.h"

#include "layout.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HINTS      16
#define UNDO_MAX   256
#define STAND_MAX  12  /* changes that are left standing at a time */
#define BYTES_MAX  128 /* of one mutation */
#define ENTRY_NEAR 8   /* ends take the first entries */

struct prey {
    uint8_t *objects[2]; /* data, control */
    uint64_t bytes[2];
    uint64_t depth, cell_mask, first_sequence;
    uint64_t heads_at, heads_stride; /* of the events' headers, in data */
};

static struct prey preys[PREY_MAX];
static uint32_t prey_used;
static uint64_t hints[HINTS];
static uint64_t hint_count, mutation_count;

static struct {
    uint8_t *at;
    uint32_t bytes;
    uint8_t before[BYTES_MAX];
    uint8_t written[BYTES_MAX];
} undo[UNDO_MAX];
static uint32_t undo_used, stands;

static uint8_t *map(int fd, uint64_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED) {
        perror("mmap");
        abort();
    }
    return at;
}

void prey_add(const struct lam_ring *ring)
{
    struct prey *prey = &preys[prey_used++];
    int data_fd, control_fd;

    lam_ring_fds(ring, &data_fd, &control_fd);
    prey->bytes[0] = ring->data.head_bytes + ring->data.body_bytes;
    prey->bytes[1] = ring->control.head_bytes;
    prey->objects[0] = map(data_fd, prey->bytes[0]);
    prey->objects[1] = map(control_fd, prey->bytes[1]);
    prey->depth = ring->depth;
    prey->cell_mask = ring->cell_mask;
    prey->first_sequence = ring->first_sequence;
    prey->heads_at = (uint64_t)(ring->heads - ring->data.base);
    prey->heads_stride = UINT64_C(1) << ring->head_shift;
    prey_hint(ring->first_sequence);
}

void prey_drop(void)
{
    for (uint32_t i = 0; i < prey_used; i++)
        for (int object = 0; object < 2; object++)
            (void)munmap(preys[i].objects[object], preys[i].bytes[object]);
    prey_used = 0;
    hint_count = 0;
    memset(hints, 0, sizeof(hints));
    undo_used = stands = 0;
}

void prey_hint(uint64_t sequence)
{
    hints[hint_count++ % HINTS] = sequence;
}

void prey_look(void)
{
    for (uint32_t i = 0; i < prey_used; i++) {
        const struct lam_ring_data *data =
            (const struct lam_ring_data *)(const void *)preys[i].objects[0];
        uint64_t newest = lam_load_relaxed(&data->waypoint_count) - 1;

        prey_hint(lam_load_relaxed(&data->horizon));
        prey_hint(lam_load_relaxed(&data->waypoints[newest % LAM_RING_WAYPOINT_COUNT].sequence));
    }
}

uint64_t prey_count(void)
{
    return mutation_count;
}

/* Words that are likely to hurt wherever they stand. */
static uint64_t nasty_word(void)
{
    switch (world_pick(6)) {
    case 0:
        return world_pick(5);
    case 1:
        return UINT64_MAX - world_pick(4);
    case 2:
        return (UINT64_C(1) << world_pick(64)) + world_pick(3) - 1;
    case 3:
        return hints[world_pick(HINTS)] + world_pick(200) - 100;
    case 4:
        return world_pick(1 << 16) << 32 | world_pick(5000);
    default:
        return world_random();
    }
}

static uint64_t nasty_sequence(const struct prey *prey)
{
    uint64_t hint = hints[world_pick(HINTS)];
    uint64_t near = world_pick(5) - 2;

    switch (world_pick(7)) {
    case 0:
        return hint + near;
    case 1:
        return hint + prey->depth + near;
    case 2:
        return hint - prey->depth + near;
    case 3:
        return hint + world_pick(2 * prey->depth) - prey->depth;
    case 4:
        return hint + (UINT64_C(1) << (30 + world_pick(34))) + near;
    case 5:
        return ~hint;
    default:
        return nasty_word();
    }
}

/* A word for a field of that @kind, which is @old now. */
static uint64_t word_for(const struct prey *prey, enum prey_kind kind, uint64_t old)
{
    if (world_once_in(12))
        return old ^ UINT64_C(1) << world_pick(64);
    switch (kind) {
    case PREY_SEQUENCE:
        return nasty_sequence(prey);
    case PREY_STATE:
        return ((old >> 8) + world_pick(4) - 1) << 8 | world_pick(10);
    case PREY_INDEX:
        return world_once_in(3) ? nasty_word() : world_pick(132);
    case PREY_BITS:
        return world_once_in(4) ? nasty_word() : old ^ UINT64_C(1) << world_pick(64);
    case PREY_CLAIM:
        return (nasty_sequence(prey) - prey->first_sequence) << 6 | world_pick(64);
    default:
        return nasty_word();
    }
}

/* Store @bytes at @at, and remember what was there. */
static void change(uint8_t *at, const void *from, uint32_t bytes)
{
    undo[undo_used].at = at;
    undo[undo_used].bytes = bytes;
    memcpy(undo[undo_used].before, at, bytes);
    memcpy(undo[undo_used].written, from, bytes);
    undo_used++;
    memcpy(at, from, bytes);
    mutation_count++;
}

static void heal(const struct prey *prey)
{
    lam_atomic_u32 *poisoned = &((struct lam_ring_control *)(void *)prey->objects[1])->poisoned;

    lam_store_relaxed(poisoned, 0);
}

void prey_undo(void)
{
    uint32_t left = world_once_in(8) && undo_used <= STAND_MAX ? undo_used : stands;

    if (undo_used > STAND_MAX)
        left = 0;
    while (undo_used > left) {
        undo_used--;
        if (memcmp(undo[undo_used].at, undo[undo_used].written, undo[undo_used].bytes) == 0)
            memcpy(undo[undo_used].at, undo[undo_used].before, undo[undo_used].bytes);
    }
    stands = left;
    for (uint32_t i = 0; left == 0 && i < prey_used; i++)
        heal(&preys[i]);
}

/* A name of somebody's, one without an end, or any bytes. */
static void change_text(uint8_t *at, uint32_t width)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "m0", "m1", "workers"};
    uint8_t text[BYTES_MAX] = {0};
    uint32_t bytes = width < BYTES_MAX ? width : BYTES_MAX;

    switch (world_pick(3)) {
    case 0:
        (void)snprintf((char *)text, sizeof(text), "%s", names[world_pick(8)]);
        break;
    case 1:
        memset(text, 'x', sizeof(text));
        break;
    default:
        for (uint32_t i = 0; i < bytes; i++)
            text[i] = (uint8_t)world_random();
    }
    change(at, text, bytes);
}

static void change_field(const struct prey *prey)
{
    const struct prey_field *field = &prey_fields[world_pick(prey_field_count)];
    uint64_t index =
        world_pick(world_once_in(8) || field->count < ENTRY_NEAR ? field->count : ENTRY_NEAR);
    uint64_t offset = field->offset + index * field->stride;
    uint8_t *at = prey->objects[field->object] + offset;
    uint64_t word = 0;

    if (offset + field->width > prey->bytes[field->object])
        return;
    if (field->kind == PREY_TEXT) {
        change_text(at, field->width);
        return;
    }
    memcpy(&word, at, field->width);
    word = word_for(prey, field->kind, word);
    change(at, &word, field->width);
}

/* What the first words of an event could say. */
static uint64_t nasty_shape(const struct prey *prey)
{
    uint64_t flags = world_once_in(2) ? 0 : world_pick(world_once_in(4) ? 1 << 16 : 8) << 48;
    uint64_t half_bytes = prey->depth * 32;

    switch (world_pick(5)) {
    case 0:
        return flags | world_pick(world_once_in(2) ? 40 : 300);
    case 1:
        return flags | ((half_bytes - 16 + world_pick(5) - 2) & UINT32_MAX);
    case 2:
        return UINT32_MAX | (world_pick(prey->depth + 2)) << 32; /* padding */
    case 3:
        return flags | (UINT32_MAX - world_pick(100));
    default:
        return nasty_word();
    }
}

/* A stamp, an event's shape, both. */
static void change_event(const struct prey *prey, uint64_t sequence)
{
    uint8_t *at =
        prey->objects[0] + prey->heads_at + (sequence & prey->cell_mask) * prey->heads_stride;
    uint64_t words[2] = {world_once_in(5) ? nasty_sequence(prey) : sequence, nasty_shape(prey)};

    switch (world_pick(3)) {
    case 0:
        change(at, words, 8);
        break;
    case 1:
        change(at + 8, words + 1, 8);
        break;
    default:
        change(at, words, 16);
    }
}

void prey_forge(uint32_t at, uint64_t sequence)
{
    if (at < prey_used && undo_used < UNDO_MAX)
        change_event(&preys[at], sequence);
}

static void change_anything(const struct prey *prey)
{
    uint64_t object = world_pick(2);
    uint64_t width = world_once_in(2) ? 1 : 8;
    uint64_t offset = world_pick(prey->bytes[object] - width + 1);
    uint64_t word = nasty_word();

    change(prey->objects[object] + (width == 8 ? offset & ~UINT64_C(7) : offset), &word,
        (uint32_t)width);
}

void prey_mutate(void)
{
    const struct prey *prey = &preys[world_pick(prey_used == 0 ? 1 : prey_used)];

    if (prey_used == 0 || undo_used == UNDO_MAX)
        return;
    switch (world_pick(8)) {
    case 0:
    case 1:
        change_anything(prey);
        break;
    case 2:
    case 3:
        change_event(prey, hints[world_pick(HINTS)] + world_pick(5) - 1); /* where ends are */
        break;
    default:
        change_field(prey);
    }
}

/* By its name, as who may open it can: a field of the geometry, most often. */
static void strike(int directory, const char *file, uint32_t object)
{
    const struct prey_field *field = &prey_fields[world_pick(prey_field_count)];
    int fd = openat(directory, file, O_RDWR | O_CLOEXEC);
    uint64_t word = world_once_in(2) ? UINT64_C(1) << world_pick(40) : nasty_word();

    for (int tries = 0; tries < 8 && (field->object != object || field->offset > 128); tries++)
        field = &prey_fields[world_pick(prey_field_count)];
    if (fd < 0)
        return;
    mutation_count +=
        field->object == object &&
        pwrite(fd, &word, field->width < 8 ? field->width : 8, (off_t)field->offset) > 0;
    (void)close(fd);
}

void prey_strike(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL)
        if (strstr(entry->d_name, ".data") != NULL)
            strike(dirfd(directory), entry->d_name, 0);
        else if (strstr(entry->d_name, ".control") != NULL)
            strike(dirfd(directory), entry->d_name, 1);
    (void)closedir(directory);
}
