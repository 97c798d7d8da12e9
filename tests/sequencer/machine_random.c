/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_random.c: a machine beside a model that shares no code with it, over journals made of
 * seeds. Three copies are told all of it: one that lives through it; one that is saved and loaded
 * before every record; and at last one that is made again from the records. What they answer,
 * publish and refuse, their digests and their images are the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "machine_model.h"
#include "machine_records.h"

#define SEEDS   12
#define RECORDS 2000

static const struct machine_config config = {.app = &machine_app,
    .sessions_max = MODEL_SESSIONS,
    .window = MODEL_WINDOW,
    .reply_bytes = MODEL_REPLY};

static uint64_t items_seen, repeats_seen, refused_seen, compared;

static struct machine *new_machine(void)
{
    struct machine *machine;

    CHECK(machine_create(&machine, &config, NULL) == 0);
    return machine;
}

static void items_are_those_of(const struct machine *machine, const struct model *model)
{
    struct machine_item item;

    for (uint32_t i = 0; i < model->item_count; i++) {
        const struct model_item *wanted = &model->items[i];

        CHECK(machine_item(machine, i, &item) == 1);
        CHECK(item.kind == wanted->kind && item.index == wanted->index);
        CHECK(item.is_repeat == wanted->is_repeat && item.sequence == wanted->sequence);
        CHECK(item.session == wanted->session && item.request == wanted->request);
        CHECK(item.count == wanted->count);
        CHECK(item.count == 0 || memcmp(item.bytes, wanted->bytes, item.count) == 0);
        items_seen++;
        repeats_seen += (uint64_t)item.is_repeat;
        refused_seen += item.kind == ITEM_REFUSED;
    }
    CHECK(machine_item(machine, model->item_count, &item) == 0);
}

static void state_is_that_of(struct machine *machine, struct model *model)
{
    struct record_open open;
    uint64_t floor;

    CHECK(machine_next(machine) == model->next && machine_time_ns(machine) == model->time_ns);
    CHECK(machine_epoch(machine) == model->epoch && machine_started(machine) == model->started);
    for (unsigned i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];

        if (session->id == 0)
            continue;
        CHECK(machine_session(machine, session->id, &open, &floor) == 1);
        CHECK(open.role == session->role && floor == session->floor);
    }
}

/* Another machine of what is saved of this one. */
static struct machine *saved_and_loaded(struct machine *machine)
{
    struct machine_image image = {0}, again = {0};
    struct machine *loaded = new_machine();

    CHECK(machine_save(machine, &image) == 0);
    CHECK(machine_load(loaded, image.bytes, image.count, NULL) == 0);
    CHECK(machine_save(loaded, &again) == 0);
    CHECK(again.count == image.count && memcmp(again.bytes, image.bytes, image.count) == 0);
    free(image.bytes);
    free(again.bytes);
    machine_destroy(machine);
    return loaded;
}

static void digests_are_equal(struct machine *one, struct machine *other)
{
    uint8_t digest[BLAKE3_BYTES], another[BLAKE3_BYTES];

    machine_digest(one, digest);
    machine_digest(other, another);
    CHECK(memcmp(digest, another, BLAKE3_BYTES) == 0);
    CHECK(machine_kept_digest(one, digest) == machine_kept_digest(other, another));
    CHECK(machine_kept_digest(one, digest) == 0 || memcmp(digest, another, BLAKE3_BYTES) == 0);
}

/* What the live copy had where the record asks for it. */
static void fill_compare(struct records *records, const struct machine *live)
{
    uint8_t digest[BLAKE3_BYTES] = {0};
    uint64_t kept = machine_kept_digest(live, digest);

    memcpy(&records->data[1], digest, BLAKE3_BYTES);
    compared += kept == records->data[0];
}

static void ask_copies(
    struct model *model, struct records *records, struct machine *live, struct machine *copy)
{
    uint64_t id = records->ids[records_random(records, RECORDS_SESSIONS)];

    model_query(model, id, 5);
    machine_query(live, id, 5, NULL, 0);
    items_are_those_of(live, model);
    machine_query(copy, id, 5, NULL, 0);
    items_are_those_of(copy, model);
}

static void one_journal(uint64_t seed, uint64_t count)
{
    static struct model model;
    struct records records;
    struct machine *live = new_machine(), *copy = new_machine(), *replayed = new_machine();
    struct machine_record record;

    memset(&model, 0, sizeof(model));
    records_init(&records, seed);
    for (uint64_t i = 0; i < count; i++) {
        copy = saved_and_loaded(copy);
        records_next(&records, &record);
        if (record.kind == RECORD_COMPARE)
            fill_compare(&records, live);
        model_apply(&model, &record);
        CHECK(machine_apply(live, &record, NULL) == 0);
        items_are_those_of(live, &model);
        CHECK(machine_apply(copy, &record, NULL) == 0);
        items_are_those_of(copy, &model);
        CHECK(machine_apply(replayed, &record, NULL) == 0); /* nobody takes what it says */
        state_is_that_of(live, &model);
        digests_are_equal(live, copy);
        if (i > 10 && records_random(&records, 6) == 0)
            ask_copies(&model, &records, live, copy);
    }
    digests_are_equal(live, replayed);
    machine_destroy(live);
    machine_destroy(copy);
    machine_destroy(replayed);
}

int main(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    long effort = text != NULL ? strtol(text, NULL, 10) : 1;

    for (uint64_t seed = 1; seed <= SEEDS * (uint64_t)(effort < 1 ? 1 : effort); seed++)
        one_journal(seed, RECORDS);
    (void)printf("%llu items, %llu of them repeats, %llu refusals, %llu digests compared\n",
        (unsigned long long)items_seen, (unsigned long long)repeats_seen,
        (unsigned long long)refused_seen, (unsigned long long)compared);
    CHECK(repeats_seen > 100 && refused_seen > 100 && compared > 10);
    return 0;
}
