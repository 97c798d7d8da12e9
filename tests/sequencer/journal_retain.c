/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_retain.c: a journal whose beginning goes as snapshots are taken: power is cut at every
 * call of a script, of journal and snapshots alike, and what is left is as good as a journal that
 * begins with its first event; damage of it is found. Size: LAMINA_EFFORT, the number of scripts
 * and of phases of each call, and how many bits are left out between two that are flipped.
 */
#include <errno.h>

#include "life.h"
#include "snapshot/snapshot.h"

#define EVENTS 200
#define EACH   25 /* events, then a snapshot */
#define BEHIND 60 /* events, and no snapshot */
#define STRIDE 1009

static struct life life, whole;
static struct snapshot_place from;
static unsigned damaged;

static struct snapshot_place place_of_app(void)
{
    return (struct snapshot_place){.app_version = 1, .app_name = "count"};
}

/* A state that is its own sequence. Returns -EALREADY, or what failed: journal or snapshot. */
static int take_snapshot(void)
{
    struct snapshot_place place = place_of_app();
    struct snapshot_writer *writer;
    uint64_t state, other;
    int result;

    journal_durable_place(&life.journal, &place);
    state = place.next_sequence;
    result = snapshot_writer_create(&writer, &life.sim.env, &place, &state, sizeof(state));
    while (result >= 0 && (result = life_step(&life)) >= 0)
        result = snapshot_writer_step(writer, &life.error);
    other = snapshot_writer_other(writer);
    snapshot_writer_destroy(writer);
    if (result == -EALREADY)
        journal_retain(&life.journal, other);
    return result;
}

/* As a node does: the newest snapshot, then the journal behind it. Returns as life_open. */
static int open_all(uint64_t next_sequence_max)
{
    struct snapshot_place wanted = place_of_app();
    struct snapshot_loaded loaded = {.bytes = NULL};
    uint64_t state = 0;
    int result = journal_identify(&life.sim.env, &wanted.journal, &life.error);

    life.config.from = NULL;
    if (result == 1)
        result = snapshot_load(&life.sim.env, &wanted, next_sequence_max, &loaded, &life.error);
    damaged = loaded.damaged;
    if (result == 1) {
        from = loaded.place;
        CHECK(loaded.count == sizeof(state));
        memcpy(&state, loaded.bytes, sizeof(state));
        CHECK(state == from.next_sequence && state <= life.sent);
        life.config.from = &from;
    }
    free(loaded.bytes);
    return result < 0 ? result : life_open(&life);
}

static int run(uint64_t events)
{
    for (uint64_t done = 0; done < events; done += EACH) {
        int result = life_run(&life, EACH);

        if (result < 0 || (result = take_snapshot()) != -EALREADY)
            return result;
    }
    return life_settle(&life);
}

static void script(uint64_t seed, uint64_t crash_at, enum sim_phase phase)
{
    life_begin(&life, seed);
    life.config.retention = seed % 2 != 0 ? JOURNAL_REMOVE : JOURNAL_ARCHIVE;
    life.sim.faults.crash_at = crash_at;
    life.sim.faults.crash_phase = phase;
    if (open_all(UINT64_MAX) == 0)
        (void)run(EVENTS);
}

/* How many names begin with that. */
static unsigned names(const char *text)
{
    unsigned count = 0;

    for (int i = 0; i < SIM_NAMES_MAX; i++)
        count += strncmp(life.sim.seen[i].text, text, strlen(text)) == 0;
    return count;
}

static void recovers(void)
{
    uint64_t found;

    if (open_all(UINT64_MAX) != 0) {
        (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)life.name, life.error.text);
        CHECK(!"recovers");
    }
    CHECK(damaged == 0);
    found = life.sent;
    life_kill(&life, SIM_KEEP_NONE);
    CHECK(open_all(UINT64_MAX) == 0 && life.sent == found);
    CHECK(run(UINT64_C(3) * EACH) == 0);
    life_kill(&life, SIM_KEEP_NONE);
    CHECK(names("segment-") <= 9 && names("snapshot-") <= 3); /* nothing grows */
    CHECK(open_all(UINT64_MAX) == 0 && life.sent == found + UINT64_C(3) * EACH);
}

/* In one phase of each call, or in all three. */
static void every_call_of_a_script(uint64_t seed, int phases)
{
    static const enum sim_keep keeps[] = {
        SIM_KEEP_NONE, SIM_KEEP_ALL, SIM_KEEP_SOME, SIM_KEEP_CACHE};
    uint64_t calls, points = 0;

    script(seed, 0, SIM_AFTER);
    CHECK(life.acknowledged == EVENTS && life.journal.first_index >= 2);
    CHECK(names("archive-") == (seed % 2 != 0 ? 0 : life.journal.first_index));
    calls = life.sim.calls;
    life_end(&life);
    for (uint64_t at = 1; at <= calls; at++)
        for (int turn = 0; turn < phases; turn++, points++) {
            enum sim_phase phase = (enum sim_phase)((at + seed + (uint64_t)turn) % 3);

            script(seed, at, phase);
            life.name = seed * 1000000 + at;
            CHECK(life.sim.is_off);
            life_kill(&life, keeps[(at + (uint64_t)phase) % 4]);
            recovers();
            life_end(&life);
        }
    (void)printf("%llu cuts\n", (unsigned long long)points);
}

/* A journal that begins later, its process gone. */
static void make_whole(void)
{
    script(2, 0, SIM_AFTER);
    CHECK(life_run(&life, BEHIND) == 0 && life_settle(&life) == 0);
    CHECK(life.acknowledged == EVENTS + BEHIND);
    life_kill(&life, SIM_KEEP_NONE);
    whole = life;
    memset(&life, 0, sizeof(life));
}

static void copy_whole(void)
{
    sim_fini(&life.sim);
    life_begin(&life, 4);
    sim_copy_disk(&life.sim, &whole.sim);
    memcpy(life.contents, whole.contents, sizeof(life.contents));
    life.sent = life.acknowledged = whole.acknowledged;
}

static int opens(uint64_t next_sequence_max)
{
    int result = open_all(next_sequence_max);

    CHECK(result == 0 || (result == -EBADMSG && strstr(life.error.text, "corrupt") != NULL));
    life_kill(&life, SIM_KEEP_ALL);
    return result == 0;
}

static struct sim_file *segment(uint64_t index)
{
    char name[NAME_BYTES];

    name_segment(name, index);
    return sim_find(&life.sim, name);
}

static void drop(const char *text)
{
    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (strncmp(life.sim.seen[i].text, text, strlen(text)) == 0)
            life.sim.seen[i].text[0] = 0;
}

static void every_flipped_bit_is_found(uint64_t stride)
{
    uint64_t last = whole.journal.segment_index, end = whole.journal.durable.offset, flips = 0;

    for (uint64_t i = whole.journal.first_index; i <= last; i++)
        for (uint64_t bit = i; bit < 8 * LIFE_SEGMENT; bit += stride, flips++) {
            copy_whole();
            segment(i)->seen[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(opens(UINT64_MAX) == (i == last && bit / 8 >= end));
        }
    (void)printf("%llu bits\n", (unsigned long long)flips);
}

static void what_is_missing_is_found(void)
{
    char name[NAME_BYTES];

    copy_whole();
    CHECK(opens(UINT64_MAX) == 1);
    copy_whole();
    drop("snapshot-");
    CHECK(opens(UINT64_MAX) == 0 && strstr(life.error.text, "no whole snapshot") != NULL);
    copy_whole();
    CHECK(opens(from.next_sequence - 1) == 1); /* the older snapshot is enough */
    for (uint64_t i = whole.journal.first_index; i < whole.journal.segment_index; i++) {
        copy_whole();
        name_segment(name, i);
        drop(name);
        CHECK(opens(from.next_sequence) == 0);
    }
}

/* The snapshot as it was found, but for what @change makes of it. */
static int opens_from(void (*change)(struct snapshot_place *))
{
    int result;

    copy_whole();
    CHECK(opens(UINT64_MAX) == 1);
    copy_whole();
    change(&from);
    life.config.from = &from;
    result = life_open(&life);
    CHECK(result == 0 || result == -EBADMSG);
    life_kill(&life, SIM_KEEP_ALL);
    return result == 0;
}

static void leave(struct snapshot_place *place)
{
    (void)place;
}

static void change_chain(struct snapshot_place *place)
{
    place->chain[31] ^= 1;
}

static void change_journal(struct snapshot_place *place)
{
    place->journal ^= 1;
}

static void put_it_behind_the_end(struct snapshot_place *place)
{
    place->next_sequence = EVENTS + BEHIND + 1;
}

static void put_it_before_the_beginning(struct snapshot_place *place)
{
    place->next_sequence = 1;
}

static void a_snapshot_of_another_history_is_found(void)
{
    CHECK(opens_from(leave) == 1);
    CHECK(opens_from(change_chain) == 0);
    CHECK(opens_from(change_journal) == 0);
    CHECK(opens_from(put_it_behind_the_end) == 0);
    CHECK(opens_from(put_it_before_the_beginning) == 0);
    CHECK(strstr(life.error.text, "give older segments back") != NULL);
}

/* What a snapshot holds was durable, even where no mark says so any more. */
static void a_snapshot_is_as_good_as_a_mark(void)
{
    static uint8_t first_mark[MARK_FILE_BYTES];
    uint64_t at;

    for (int is_damaged = 0; is_damaged < 2; is_damaged++) {
        life_begin(&life, 8);
        CHECK(open_all(UINT64_MAX) == 0);
        memcpy(first_mark, sim_find(&life.sim, NAME_MARK)->disk, sizeof(first_mark));
        CHECK(life_run(&life, 10) == 0 && life_settle(&life) == 0);
        at = life.journal.flight_offset;
        CHECK(take_snapshot() == -EALREADY);
        life_kill(&life, SIM_KEEP_ALL);
        memcpy(sim_find(&life.sim, NAME_MARK)->seen, first_mark, sizeof(first_mark));
        segment(0)->seen[at] ^= (uint8_t)is_damaged;
        CHECK(opens(UINT64_MAX) == !is_damaged);
        life_end(&life);
    }
}

int main(void)
{
    uint64_t effort = life_effort(), stride = effort < STRIDE ? STRIDE / effort : 1;

    for (uint64_t seed = 1; seed <= 1 + effort; seed++)
        every_call_of_a_script(seed, effort < 4 ? 1 : 3);
    make_whole();
    every_flipped_bit_is_found(stride);
    what_is_missing_is_found();
    a_snapshot_of_another_history_is_found();
    life_end(&life);
    a_snapshot_is_as_good_as_a_mark();
    life = whole;
    life_end(&life);
    return 0;
}
