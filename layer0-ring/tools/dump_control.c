/* SPDX-License-Identifier: Apache-2.0 */
/* A control object, field by field, and who holds its locks. */
#include "dump.h"
#include "geometry.h"
#include "layout.h"

#include "lamina/base/histogram.h"

#include <stdio.h>
#include <string.h>

#define FIELD(member, wrong)                                                                       \
    dump_number(dump, offsetof(struct lam_ring_control, member), sizeof(control->member), #member, \
        control->member, wrong)
#define WORD(member, wrong)                                                                        \
    dump_number(dump, offsetof(struct lam_ring_control, member), sizeof(control->member), #member, \
        lam_load_relaxed(&control->member), wrong)

static void sizes(struct dump *dump, const struct lam_ring_control *control)
{
    int schema_can_be = control->schema_bytes <= LAM_RING_SCHEMA_BYTES_MAX;

    FIELD(entry_count, control->entry_count == LAM_RING_CONSUMER_COUNT_MAX ? NULL : "expected 64");
    FIELD(
        entry_bytes, control->entry_bytes == sizeof(struct lam_ring_entry) ? NULL : "expected 512");
    FIELD(schema_offset,
        control->schema_offset == sizeof(*control) ? NULL : "expected the size of the head");
    FIELD(schema_bytes, schema_can_be ? NULL : "more than a schema may have");
    FIELD(histogram_offset, schema_can_be && control->histogram_offset ==
                                                 lam_ring_histogram_offset(control->schema_bytes)
                                ? NULL
                                : "not behind the schema");
    FIELD(histogram_count, control->histogram_count <= LAM_RING_CONSUMER_COUNT_MAX
                               ? NULL
                               : "more than there are entries");
}

static void waiters(struct dump *dump, const struct lam_ring_control *control)
{
    uint32_t blocked_on = lam_load_relaxed(&control->blocked_on);

    dump_hex(dump, offsetof(struct lam_ring_control, used), 8, "used",
        lam_load_relaxed(&control->used), NULL);
    WORD(joins, NULL);
    dump_hex(dump, offsetof(struct lam_ring_control, groups_used), 8, "groups_used",
        lam_load_relaxed(&control->groups_used), NULL);
    dump_hex(dump, offsetof(struct lam_ring_control, sleeping), 8, "sleeping",
        lam_load_relaxed(&control->sleeping), NULL);
    WORD(consumer_bell, NULL);
    WORD(consumer_rung_ns, NULL);
    WORD(repair_wanted, NULL);
    WORD(blocked_on, blocked_on > LAM_RING_CONSUMER_COUNT_MAX && blocked_on != LAM_RING_ANYONE + 1
                         ? "no entry"
                         : NULL);
    WORD(producer_bell, NULL);
    WORD(producer_rung_ns, NULL);
    dump_hex(dump, offsetof(struct lam_ring_control, chained), 8, "chained",
        lam_load_relaxed(&control->chained), NULL);
    WORD(poisoned, lam_load_relaxed(&control->poisoned) != 0 ? "the ring is poisoned" : NULL);
}

static void identity(
    struct dump *dump, uint64_t offset, const char *whose, const struct lam_identity *identity)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s.boot", whose);
    dump_hex(dump, offset + offsetof(struct lam_identity, boot), 8, name, identity->boot, NULL);
    (void)snprintf(name, sizeof(name), "%s.start_ticks", whose);
    dump_number(dump, offset + offsetof(struct lam_identity, start_ticks), 8, name,
        identity->start_ticks, NULL);
    (void)snprintf(name, sizeof(name), "%s.pid", whose);
    dump_number(dump, offset + offsetof(struct lam_identity, pid), 4, name, identity->pid, NULL);
    (void)snprintf(name, sizeof(name), "%s.pid_space", whose);
    dump_number(dump, offset + offsetof(struct lam_identity, pid_space), 4, name,
        identity->pid_space, NULL);
}

static void producer(struct dump *dump, const struct lam_ring_control *control)
{
    WORD(bytes, NULL);
    WORD(full, NULL);
    WORD(parks, NULL);
    WORD(wakes, NULL);
    WORD(reaped, NULL);
    WORD(evicted, NULL);
    WORD(spin_waits, NULL);
    WORD(yield_waits, NULL);
    WORD(blocked_ns, NULL);
    WORD(expelled, NULL);
    WORD(repairs, NULL);
    WORD(alarms, NULL);
    WORD(recoveries, NULL);
    identity(dump, offsetof(struct lam_ring_control, producer), "producer", &control->producer);
}

/* The words of an entry, whose names are alike but for the entry's number. */
#define ENTRY_WORD(member)                                                                         \
    {                                                                                              \
#member, offsetof(struct lam_ring_entry, member)                                           \
    }

static void entry_words(struct dump *dump, uint64_t offset, const struct lam_ring_entry *entry)
{
    static const struct {
        const char *name;
        size_t offset;
    } words[] = {ENTRY_WORD(patience_ns), ENTRY_WORD(cursor), ENTRY_WORD(cursor_ordinal),
        ENTRY_WORD(holds), ENTRY_WORD(hold_end), ENTRY_WORD(confirmed), ENTRY_WORD(group),
        ENTRY_WORD(parks), ENTRY_WORD(lost), ENTRY_WORD(spin_waits), ENTRY_WORD(yield_waits),
        ENTRY_WORD(empty), ENTRY_WORD(wakes), ENTRY_WORD(overruns), ENTRY_WORD(joined),
        ENTRY_WORD(left.mark), ENTRY_WORD(left.sequence), ENTRY_WORD(left.ordinal),
        ENTRY_WORD(lag_max), ENTRY_WORD(taken.mark), ENTRY_WORD(taken.sequence),
        ENTRY_WORD(taken.ordinal), ENTRY_WORD(required), ENTRY_WORD(settled), ENTRY_WORD(demand),
        ENTRY_WORD(leaving)};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const lam_atomic_u64 *word =
            (const lam_atomic_u64 *)(const void *)((const uint8_t *)entry + words[i].offset);

        dump_number(dump, offset + words[i].offset, 8, words[i].name, lam_load_relaxed(word), NULL);
    }
}

static void entry_after(struct dump *dump, uint64_t offset, const struct lam_ring_entry *entry)
{
    for (uint32_t i = 0; i < LAM_RING_AFTER_COUNT_MAX; i++) {
        char name[40];

        if (lam_load_relaxed(&entry->after[i]) == 0)
            continue;
        (void)snprintf(name, sizeof(name), "after[%u]", i);
        dump_hex(dump, offset + offsetof(struct lam_ring_entry, after) + i * sizeof(uint64_t), 8,
            name, lam_load_relaxed(&entry->after[i]), NULL);
    }
}

static void entries(struct dump *dump, const struct lam_ring_control *control)
{
    static const char *const states[] = {
        "free", "joining", "gating", "expelled", "lossy", "evicted", "left", "dead", "member"};

    for (uint32_t i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++) {
        const struct lam_ring_entry *entry = &control->entries[i];
        uint64_t offset = offsetof(struct lam_ring_control, entries) + i * sizeof(*entry);
        uint64_t word = lam_load_relaxed(&entry->state);
        uint32_t state = (uint32_t)lam_ring_entry_state_of(word);
        int held = lam_base->lock_probe(dump->fd, LAM_RING_LOCK_CONSUMER + i) == 1;
        char name[40];

        if (word == 0 && !held)
            continue; /* never used */
        dump_note(dump, "entry %u: %s, its lock is %s", i,
            state < sizeof(states) / sizeof(states[0]) ? states[state] : "of no state",
            held ? "held" : "free");
        (void)snprintf(name, sizeof(name), "entries[%u].state", i);
        dump_number(dump, offset, 8, name, word,
            state < sizeof(states) / sizeof(states[0]) ? NULL : "no state");
        (void)snprintf(name, sizeof(name), "entries[%u]", i);
        identity(dump, offset + offsetof(struct lam_ring_entry, identity), name, &entry->identity);
        dump_text(dump, offset + offsetof(struct lam_ring_entry, name), sizeof(entry->name), "name",
            entry->name, NULL);
        dump_number(dump, offset + offsetof(struct lam_ring_entry, blocked_on), 4, "blocked_on",
            lam_load_relaxed(&entry->blocked_on), NULL);
        entry_words(dump, offset, entry);
        entry_after(dump, offset, entry);
    }
}

static void groups(struct dump *dump, const struct lam_ring_control *control)
{
    for (uint32_t i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++) {
        const struct lam_ring_group *group = &control->groups[i];
        uint64_t offset = offsetof(struct lam_ring_control, groups) + i * sizeof(*group);
        uint64_t word = lam_load_relaxed(&group->state);
        char name[40];

        if (word == 0)
            continue; /* never used */
        (void)snprintf(name, sizeof(name), "groups[%u].state", i);
        dump_number(dump, offset, 8, name, word,
            (word & 0xff) > LAM_RING_GROUP_EXPELLED ? "no state" : NULL);
        dump_text(dump, offset + offsetof(struct lam_ring_group, name), sizeof(group->name), "name",
            group->name, NULL);
        dump_hex(dump, offset + offsetof(struct lam_ring_group, claim), 8, "claim",
            lam_load_relaxed(&group->claim), NULL);
    }
}

static void counters(struct dump *dump, const struct lam_ring_control *control)
{
    for (uint32_t end = 0; end <= LAM_RING_CONSUMER_COUNT_MAX; end++)
        for (uint32_t i = 0; i < LAM_RING_COUNTER_COUNT; i++) {
            const struct lam_ring_counter *counter = &control->counters[end][i];
            uint64_t offset = (uint64_t)((const uint8_t *)counter - (const uint8_t *)control);
            char name[40];

            if (counter->name[0] == '\0')
                continue;
            (void)snprintf(name, sizeof(name), "counters[%u][%u].name", end, i);
            dump_text(dump, offset, sizeof(counter->name), name, counter->name, NULL);
            (void)snprintf(name, sizeof(name), "counters[%u][%u].value", end, i);
            dump_number(dump, offset + offsetof(struct lam_ring_counter, value), 8, name,
                lam_load_relaxed(&counter->value), NULL);
        }
}

static void histograms(struct dump *dump, const struct lam_ring_control *control)
{
    static struct lam_histogram histogram;

    if (control->histogram_count > LAM_RING_CONSUMER_COUNT_MAX)
        return;
    for (uint32_t i = 0; i < control->histogram_count; i++) {
        uint64_t offset = control->histogram_offset + i * sizeof(histogram);
        uint64_t p50_ns = 0, p99_ns = 0;

        if (dump_read(dump, offset, &histogram, sizeof(histogram)) != sizeof(histogram)) {
            dump->impossible++;
            dump_note(dump, "histogram %u at %llu: missing", i, (unsigned long long)offset);
        } else if (lam_histogram_quantile(&histogram, 500, &p50_ns) == 0) {
            (void)lam_histogram_quantile(&histogram, 990, &p99_ns);
            dump_note(dump, "histogram %u at %llu: %llu times, p50 %llu ns, p99 %llu ns", i,
                (unsigned long long)offset, (unsigned long long)lam_histogram_total(&histogram),
                (unsigned long long)p50_ns, (unsigned long long)p99_ns);
        }
    }
}

static void locks(const struct dump *dump)
{
    static const struct {
        const char *name;
        uint64_t byte;
    } known[] = {{"producer", LAM_RING_LOCK_PRODUCER}, {"creator", LAM_RING_LOCK_CREATOR},
        {"replace", LAM_RING_LOCK_REPLACE}, {"repair", LAM_RING_LOCK_REPAIR},
        {"groups", LAM_RING_LOCK_GROUPS}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (lam_base->lock_probe(dump->fd, known[i].byte) == 1)
            dump_note(dump, "lock of the %s at byte %llu: held", known[i].name,
                (unsigned long long)known[i].byte);
}

void dump_control(struct dump *dump)
{
    /* Of static storage: all bytes are there, whatever the object has. */
    static struct lam_ring_control head;
    const struct lam_ring_control *control = &head;

    (void)dump_read(dump, 0, &head, sizeof(head));
    dump_note(dump, "control object of %llu bytes", (unsigned long long)dump->object_bytes);
    dump_mark(dump, &control->mark, LAM_RING_CONTROL_MAGIC);
    sizes(dump, control);
    waiters(dump, control);
    producer(dump, control);
    locks(dump);
    entries(dump, control);
    groups(dump, control);
    counters(dump, control);
    histograms(dump, control);
}
