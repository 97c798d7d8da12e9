/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_damage.c: whatever becomes of the bytes of a journal, what comes back is what was
 * acknowledged, or a refusal: every bit, every length, every order of segments, every set of the
 * sectors of a tail. Size: LAMINA_EFFORT, how many bits are left out between two that are flipped.
 */
#include <errno.h>

#include "journal/layout.h"
#include "life.h"

#define EVENTS  80
#define STRIDE  211 /* bits, where the effort is 1 */
#define SECTORS 10

static struct life whole, life;
static char names[8][NAME_BYTES];
static unsigned name_count;
static uint8_t first_mark[MARK_FILE_BYTES];

/* A journal of some segments, marked to its end, its process gone. */
static void make_whole(void)
{
    life_begin(&whole, 3);
    CHECK(life_open(&whole) == 0);
    memcpy(first_mark, sim_find(&whole.sim, NAME_MARK)->disk, sizeof(first_mark));
    CHECK(life_run(&whole, EVENTS) == 0 && life_settle(&whole) == 0);
    life_kill(&whole, SIM_KEEP_NONE);
    CHECK(whole.acknowledged == EVENTS);
    for (uint64_t i = 0;; i++) {
        name_segment(names[name_count], i);
        if (sim_find(&whole.sim, names[name_count]) == NULL)
            break;
        CHECK(++name_count < 7);
    }
    CHECK(name_count >= 3); /* two with batches, one made for the next ones */
}

/* A fresh copy, whose model knows all. */
static void copy_whole(void)
{
    sim_fini(&life.sim);
    life_begin(&life, 4);
    sim_copy_disk(&life.sim, &whole.sim);
    memcpy(life.contents, whole.contents, sizeof(life.contents));
    life.sent = life.acknowledged = whole.acknowledged;
}

/* Returns 1 where it opens, with all that was acknowledged, or 0: it is refused as corrupt. */
static int opens(void)
{
    int result = life_open(&life);

    if (result != 0)
        CHECK(result == -EBADMSG && strstr(life.error.text, "corrupt") != NULL);
    life_kill(&life, SIM_KEEP_ALL);
    return result == 0;
}

static void flip(struct sim_file *file, uint64_t bit)
{
    file->seen[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Where the last batch ends in the last segment that has any. */
static uint64_t end_of(const struct sim_file *file)
{
    uint64_t end = file->seen_bytes;

    while (end > 0 && file->seen[end - 1] == 0)
        end--;
    return (end + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR;
}

static void every_flipped_bit_is_found(uint64_t stride)
{
    uint64_t flips = 0, harmless = 0;

    for (unsigned i = 0; i < name_count; i++) {
        uint64_t end = end_of(sim_find(&whole.sim, names[i]));
        int is_last = i + 2 >= name_count;

        for (uint64_t bit = i; bit < 8 * LIFE_SEGMENT; bit += stride) {
            int is_open;

            copy_whole();
            flip(sim_find(&life.sim, names[i]), bit);
            is_open = opens();
            /* What lies behind the end is no event: it is put aside. */
            CHECK(is_open == (is_last && bit / 8 >= end));
            flips++;
            harmless += (uint64_t)is_open;
        }
    }
    CHECK(harmless > 0 && harmless < flips);
    (void)printf("%llu bits, %llu of them behind the end\n", (unsigned long long)flips,
        (unsigned long long)harmless);
}

static void every_flipped_bit_of_a_mark_is_found_or_harmless(void)
{
    unsigned harmless = 0;

    for (uint64_t bit = 0; bit < 8 * MARK_FILE_BYTES;
         bit += bit / 8 % MARK_SLOT_BYTES < MARK_BYTES ? 1 : 509) {
        copy_whole();
        flip(sim_find(&life.sim, NAME_MARK), bit);
        harmless += (unsigned)opens();
    }
    CHECK(harmless > 0); /* the other slot is whole */
    copy_whole();
    flip(sim_find(&life.sim, NAME_MARK), 8 * 106); /* bytes that nobody reads, but the checksum */
    flip(sim_find(&life.sim, NAME_MARK), 8 * (MARK_SLOT_BYTES + 106));
    CHECK(opens() == 0);
}

static void every_shorter_file_is_found(uint64_t stride)
{
    for (unsigned i = 0; i < name_count; i++)
        for (uint64_t bytes = 0; bytes < LIFE_SEGMENT; bytes += stride) {
            struct sim_file *file;

            copy_whole();
            file = sim_find(&life.sim, names[i]);
            memset(file->seen + bytes, 0, LIFE_SEGMENT - bytes);
            file->seen_bytes = bytes;
            CHECK(opens() == 0);
        }
}

/* As if no mark had been written since the journal began: a batch that follows says as much. */
static void copy_unmarked(void)
{
    copy_whole();
    memcpy(sim_find(&life.sim, NAME_MARK)->seen, first_mark, sizeof(first_mark));
}

/* Only the last batch may be taken for torn, where its own mark has not come. */
static void damage_above_the_mark_is_found_by_what_follows(uint64_t stride)
{
    uint64_t last = whole.journal.segment_index, at = whole.journal.flight_offset, cut = 0;
    struct batch_header header;

    memcpy(&header, sim_find(&whole.sim, names[last])->seen + at, sizeof(header));
    batch_header_turn(&header);
    for (uint64_t i = 0; i <= last; i++)
        for (uint64_t bit = i; bit < 8 * end_of(sim_find(&whole.sim, names[i])); bit += stride) {
            int is_open;

            copy_unmarked();
            life.acknowledged = header.first_sequence;
            flip(sim_find(&life.sim, names[i]), bit);
            is_open = opens();
            CHECK(is_open == (i == last && bit / 8 >= at));
            cut += (uint64_t)is_open;
        }
    CHECK(cut > 0 && life.sent == header.first_sequence);
}

/* Once more where the next one belongs. */
static void a_doubled_batch_is_found(void)
{
    struct sim_file *file;
    uint64_t at = whole.journal.flight_offset, count = whole.journal.flight_bytes;

    copy_unmarked();
    file = sim_find(&life.sim, names[whole.journal.segment_index]);
    CHECK(at + count < LIFE_SEGMENT);
    memcpy(file->seen + at + count, file->seen + at, SIM_SECTOR); /* its header is enough */
    CHECK(opens() == 0);
}

static void copy_file(const char *to, const char *from)
{
    struct sim_file *target = sim_find(&life.sim, to);
    const struct sim_file *source = sim_find(&whole.sim, from);

    memcpy(target->seen, source->seen, LIFE_SEGMENT);
}

static void swapped_doubled_missing_and_emptied_segments_are_found(void)
{
    for (unsigned i = 0; i < name_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            copy_whole();
            copy_file(names[i], names[j]);
            CHECK(opens() == 0);
            copy_file(names[j], names[i]);
            CHECK(opens() == 0);
        }
        if (i + 1 == name_count)
            break; /* the last one is for what comes, and may be made again */
        copy_whole();
        memset(sim_find(&life.sim, names[i])->seen + SIM_SECTOR, 0, LIFE_SEGMENT - SIM_SECTOR);
        CHECK(opens() == 0);
        copy_whole();
        for (unsigned k = 0; k < SIM_NAMES_MAX; k++)
            if (strcmp(life.sim.seen[k].text, names[i]) == 0)
                life.sim.seen[k].text[0] = 0;
        CHECK(opens() == 0);
    }
}

/* The file of an older segment is used again: what it still holds is nothing. */
static void a_recycled_segment_has_no_events(void)
{
    struct sim_file *spare;

    copy_whole();
    spare = sim_find(&life.sim, names[name_count - 1]);
    memcpy(spare->seen + SIM_SECTOR, sim_find(&life.sim, names[0])->seen + SIM_SECTOR,
        LIFE_SEGMENT - SIM_SECTOR);
    CHECK(life_open(&life) == 0 && life.sent == EVENTS && life.report.torn_bytes > 0);
    life_kill(&life, SIM_KEEP_ALL);
}

/* Files of another journal with the same names. */
static void a_strange_segment_is_found(void)
{
    struct life other;

    life_begin(&other, 99);
    CHECK(life_open(&other) == 0 && life_run(&other, EVENTS) == 0);
    life_kill(&other, SIM_KEEP_ALL);
    copy_whole();
    memcpy(sim_find(&life.sim, names[0])->seen, sim_find(&other.sim, names[0])->seen, LIFE_SEGMENT);
    CHECK(opens() == 0);
    sim_fini(&other.sim);
}

/* One batch of SECTORS in flight when the power goes; before it, what was acknowledged. */
static uint64_t begin_tail(uint64_t mask)
{
    uint64_t sectors;

    life_begin(&life, 11);
    life.config.batch_bytes = 2 * LIFE_BATCH;
    CHECK(life_open(&life) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(life_add(&life, UINT64_C(0x123456789a0000) + (uint64_t)i * 0x1111) == 1);
    CHECK(life_settle(&life) == 0);
    while (batch_padded(life.journal.gathered.used, SIM_SECTOR) < SECTORS * SIM_SECTOR)
        CHECK(life_add(&life, UINT64_C(0x77665544330000) + 512 * 200) == 1);
    life.sim.faults.fail_at[LAM_ENV_SYNC] = UINT64_MAX;
    while (life.journal.writing != JOURNAL_SYNCING)
        CHECK(life_step(&life) >= 0);
    sectors = sim_unsynced(&life.sim);
    life.sim.keep_mask = mask;
    life_kill(&life, SIM_KEEP_MASK);
    return sectors;
}

static void every_set_of_sectors_of_a_tail_is_cut_or_whole(void)
{
    for (uint64_t mask = 0; mask < 1u << SECTORS; mask++) {
        uint64_t sent, before;
        char aside[NAME_BYTES];
        int is_whole = mask == (1u << SECTORS) - 1;

        CHECK(begin_tail(mask) == SECTORS);
        sent = life.sent;
        before = life.acknowledged;
        CHECK(life_open(&life) == 0);
        CHECK(life.sent == (is_whole ? sent : before));
        CHECK((life.report.torn_bytes != 0) == (!is_whole && mask != 0));
        CHECK((life.report.aside[0] != 0) == (life.report.torn_bytes != 0));
        if (life.report.torn_bytes != 0) {
            const struct sim_file *kept = sim_find(&life.sim, life.report.aside);

            CHECK(kept != NULL && kept->disk_bytes == life.report.torn_bytes);
        }
        memcpy(aside, life.report.aside, sizeof(aside));
        life_kill(&life, SIM_KEEP_NONE);
        CHECK(aside[0] == 0 || sim_find(&life.sim, aside) != NULL);
        CHECK(life_open(&life) == 0 && life.report.torn_bytes == 0);
        life_end(&life);
    }
    (void)printf("%u sets of %u sectors\n", 1u << SECTORS, SECTORS);
}

int main(void)
{
    uint64_t effort = life_effort(), stride = effort < STRIDE ? STRIDE / effort : 1;

    make_whole();
    every_flipped_bit_is_found(stride);
    every_flipped_bit_of_a_mark_is_found_or_harmless();
    every_shorter_file_is_found(stride);
    damage_above_the_mark_is_found_by_what_follows(stride);
    a_doubled_batch_is_found();
    swapped_doubled_missing_and_emptied_segments_are_found();
    a_recycled_segment_has_no_events();
    a_strange_segment_is_found();
    life_end(&life);
    every_set_of_sectors_of_a_tail_is_cut_or_whole();
    life_end(&whole);
    return 0;
}
