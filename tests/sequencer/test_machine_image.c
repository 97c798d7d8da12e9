/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_machine_image.c: copies of a machine: saved and loaded, digested and compared, damaged.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/crc32c.h"
#include "machine_app.h"
#include "machine_records.h"

static struct story story;

static void setup(void)
{
    story_begin_started(&story);
}

static void teardown(void)
{
    story_end(&story);
}

TestSuite(image, .init = setup, .fini = teardown, .timeout = 60);

static int digests_differ(struct machine *one, struct machine *other)
{
    uint8_t digest[BLAKE3_BYTES], another[BLAKE3_BYTES];

    machine_digest(one, digest);
    machine_digest(other, another);
    return memcmp(digest, another, BLAKE3_BYTES) != 0;
}

/* Sessions with replies and refusals, of a journal made of a seed. */
static void fill(uint64_t seed, unsigned count)
{
    struct records records;
    struct machine_record record;

    story_end(&story);
    story_begin(&story);
    records_init(&records, seed);
    while (count-- > 0) {
        records_next(&records, &record);
        if (record.kind == RECORD_COMPARE)
            (void)machine_kept_digest(story.machine, (uint8_t *)&records.data[1]);
        cr_assert(eq(int, machine_apply(story.machine, &record, NULL), 0));
    }
    story.time_ns = machine_time_ns(story.machine);
}

/* The source's shadow applied a repeated request a second time, and saved that. */
Test(image, a_repeat_is_no_second_event_on_any_copy)
{
    uint64_t session = story_open(&story, 1), first, again;
    struct machine_item item;
    struct story copy;

    cr_assert(eq(int, story_ask(&story, session, 1, 1, APP_ADD, 0, 5), 0));
    item = story_item(&story);
    memcpy(&first, item.bytes, sizeof(first));
    for (int i = 0; i < 3; i++) { /* before it, and after a repeat of it */
        cr_assert(eq(int, story_copy(&story, &copy), 0));
        machine_app_applied = 0;
        cr_assert(eq(int, story_ask(&copy, session, 1, 1, APP_ADD, 0, 5), 0));
        item = story_item(&copy);
        memcpy(&again, item.bytes, sizeof(again));
        cr_assert(item.is_repeat && again == first && machine_app_applied == 0);
        story_end(&story);
        story = copy;
    }
}

/* Audit 17: live and restored nodes could tick differently. */
Test(image, a_restored_copy_ticks_as_the_live_one_does)
{
    struct machine_item item, other;
    struct story copy;

    cr_assert(eq(int, story_apply(&story, RECORD_TICK, NULL, 0), 0));
    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int, story_copy(&story, &copy), 0));
        cr_assert(eq(int, story_apply(&story, RECORD_TICK, NULL, 0), 0));
        cr_assert(eq(int, story_apply(&copy, RECORD_TICK, NULL, 0), 0));
        item = story_item(&story);
        other = story_item(&copy);
        cr_assert(item.kind == ITEM_PUBLISH && memcmp(item.bytes, other.bytes, 8) == 0);
        cr_assert(eq(int, digests_differ(story.machine, copy.machine), 0));
        story_end(&copy);
    }
    cr_assert(eq(int, story_copy(&story, &copy), 0)); /* and refuses the time it was saved at */
    copy.time_ns -= 10;
    cr_assert(eq(int, story_apply(&copy, RECORD_TICK, NULL, 0), -EBADMSG));
    story_end(&copy);
}

Test(image, a_digest_sees_whatever_a_record_can_depend_on)
{
    uint64_t session = story_open(&story, 1), other = story_open(&story, 2), epoch = 9;
    struct story copy;

    for (unsigned i = 0; i < 7; i++) {
        cr_assert(eq(int, story_copy(&story, &copy), 0));
        cr_assert(eq(int, digests_differ(story.machine, copy.machine), 0));
        switch (i) { /* each with another record of the same sequence and time */
        case 0: /* the application's state; then a reply alone; a floor alone; who spoke last */
            (void)story_ask(&story, session, 1, 1, APP_ADD, 0, 5);
            (void)story_ask(&copy, session, 1, 1, APP_ADD, 1, 5);
            break;
        case 1:
            (void)story_ask(&story, session, 2, 1, APP_LONG, 5, 5);
            (void)story_ask(&copy, session, 2, 1, APP_LONG, 5, 6);
            break;
        case 2:
            (void)story_ask(&story, session, 90, 2, APP_ADD, 0, 5);
            (void)story_ask(&copy, session, 90, 3, APP_ADD, 0, 5);
            break;
        case 3:
            (void)story_ask(&story, session, 90, 3, APP_ADD, 0, 5);
            (void)story_ask(&copy, other, 90, 0, APP_ADD, 0, 5);
            break;
        case 4:
            (void)story_open(&story, 5);
            (void)story_open(&copy, 6);
            break;
        case 5:
            (void)story_apply(&story, RECORD_CLOSE, &session, 8);
            (void)story_apply(&copy, RECORD_CLOSE, &other, 8);
            break;
        default:
            (void)story_apply(&story, RECORD_EPOCH, &epoch, 8);
            (void)story_apply(&copy, RECORD_EPOCH, (uint64_t[]){10}, 8);
        }
        cr_assert(digests_differ(story.machine, copy.machine), "%u", i);
        story_end(&copy);
    }
}

Test(image, a_copy_that_went_astray_is_stopped_with_both_digests)
{
    static const struct app_config wrong = {.wrong = 1};
    struct lam_app astray = machine_app;
    struct record_compare compare = {0};
    struct story copy;
    uint64_t session = story_open(&story, 1);

    astray.config = &wrong;
    story.config.app = &astray; /* of the copy that is made now */
    cr_assert(eq(int, story_copy(&story, &copy), 0));
    (void)story_ask(&story, session, 1, 1, APP_ADD, 0, 5);
    (void)story_ask(&copy, session, 1, 1, APP_ADD, 0, 5);
    cr_assert(eq(int, story_apply(&story, RECORD_DIGEST, NULL, 0), 0));
    cr_assert(eq(int, story_apply(&copy, RECORD_DIGEST, NULL, 0), 0));
    compare.sequence = machine_kept_digest(story.machine, compare.digest);
    cr_assert(eq(u64, compare.sequence, machine_next(story.machine) - 1));
    (void)story_apply(&story, RECORD_TICK, NULL, 0);
    (void)story_apply(&copy, RECORD_TICK, NULL, 0);
    cr_assert(eq(int, story_apply(&story, RECORD_COMPARE, &compare, sizeof(compare)), 0));
    cr_assert(eq(u64, machine_kept_digest(story.machine, compare.digest), 0));
    cr_assert(eq(int, story_apply(&copy, RECORD_COMPARE, &compare, sizeof(compare)), -EILSEQ));
    cr_assert(strlen(copy.error.text) > 128); /* two digests of 64 digits */
    cr_assert(eq(int, story_apply(&copy, RECORD_TICK, NULL, 0), -EILSEQ)); /* for good */
    story_end(&copy);
}

Test(image, a_digest_is_compared_across_a_snapshot_and_once)
{
    struct record_compare compare = {0};
    struct story copy;

    cr_assert(eq(int, story_apply(&story, RECORD_DIGEST, NULL, 0), 0));
    compare.sequence = machine_kept_digest(story.machine, compare.digest);
    compare.digest[31] ^= 1;
    cr_assert(eq(int, story_copy(&story, &copy), 0));
    cr_assert(eq(int, story_apply(&copy, RECORD_COMPARE, &compare, sizeof(compare)), -EILSEQ));
    story_end(&copy);
    cr_assert(eq(int, story_apply(&story, RECORD_DIGEST, NULL, 0), 0)); /* keeps another one */
    cr_assert(eq(int, story_apply(&story, RECORD_COMPARE, &compare, sizeof(compare)), 0));
    compare.sequence = machine_next(story.machine); /* of itself */
    cr_assert(eq(int, story_apply(&story, RECORD_COMPARE, &compare, sizeof(compare)), -EBADMSG));
}

/* Load @bytes into a machine of @config. */
static int load(const struct machine_config *config, const uint8_t *bytes, uint64_t count)
{
    struct machine *machine;
    struct lam_error error = {{0}};
    int result;

    cr_assert(eq(int, machine_create(&machine, config, NULL), 0));
    result = machine_load(machine, bytes, count, &error);
    cr_assert(result == 0 || (result == -EBADMSG && error.text[0] != 0));
    if (result != 0) {
        struct machine_record record = {.kind = RECORD_TICK, .time_ns = UINT64_MAX};

        record.sequence = machine_next(machine);
        cr_assert(eq(int, machine_apply(machine, &record, NULL), -EBADMSG));
    }
    machine_destroy(machine);
    return result;
}

Test(image, every_flipped_byte_and_every_other_length_is_found)
{
    struct machine_image image = {0};

    fill(5, 120);
    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    cr_assert(eq(int, load(&story.config, image.bytes, image.count), 0));
    for (uint64_t at = 0; at < image.count; at++) {
        image.bytes[at] ^= (uint8_t)(1U << at % 8);
        cr_assert(eq(int, load(&story.config, image.bytes, image.count), -EBADMSG));
        image.bytes[at] ^= (uint8_t)(1U << at % 8);
        cr_assert(eq(int, load(&story.config, image.bytes, at), -EBADMSG));
    }
    free(image.bytes);
}

/* Each byte once more, now with a checksum that is right: an error, or a machine that is in order:
 * what it is saved as is what it was loaded from. */
Test(image, a_forged_image_is_refused_or_makes_a_machine_in_order)
{
    struct machine_image image = {0}, again = {0};
    uint64_t loaded = 0;

    fill(6, 150);
    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    for (uint64_t turn = 0; turn < 3 * (image.count - 4); turn++) {
        static const uint8_t masks[] = {0x01, 0x80, 0xff};
        uint64_t at = turn / 3;
        struct machine *machine;
        uint32_t crc;

        image.bytes[at] ^= masks[turn % 3];
        crc = lam_crc32c(0, image.bytes, image.count - sizeof(crc));
        memcpy(image.bytes + image.count - sizeof(crc), &crc, sizeof(crc));
        cr_assert(eq(int, machine_create(&machine, &story.config, NULL), 0));
        if (machine_load(machine, image.bytes, image.count, NULL) == 0) {
            loaded++;
            cr_assert(eq(int, machine_save(machine, &again), 0));
            cr_assert(
                again.count == image.count && memcmp(again.bytes, image.bytes, image.count) == 0);
        }
        machine_destroy(machine);
        image.bytes[at] ^= masks[turn % 3];
    }
    cr_assert(loaded > 0 && loaded < 3 * image.count);
    free(image.bytes);
    free(again.bytes);
}

Test(image, an_image_of_another_application_version_or_configuration_is_refused)
{
    struct machine_image image = {0};
    struct lam_app app = machine_app;
    struct machine_config config;

    fill(7, 60);
    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    for (unsigned i = 0; i < 7; i++) {
        app = machine_app;
        config = story.config;
        config.app = &app;
        switch (i) {
        case 0:
            app.name = "whatever2";
            break;
        case 1:
            app.version = 4;
            break;
        case 2:
            app.event_bytes_max++;
            break;
        case 3:
            app.publish_bytes_max++;
            break;
        case 4:
            config.sessions_max++;
            break;
        case 5:
            config.window *= 2;
            break;
        default:
            config.reply_bytes++;
            break;
        }
        cr_assert(eq(int, load(&config, image.bytes, image.count), -EBADMSG), "%u", i);
    }
    free(image.bytes);
}

Test(image, saving_writes_over_what_the_image_had)
{
    struct machine_image image = {0};
    uint64_t count;

    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    count = image.count;
    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    cr_assert(eq(u64, image.count, count));
    cr_assert(eq(int, load(&story.config, image.bytes, image.count), 0));
    free(image.bytes);
}

static int restore_all(void *state, struct lam_app_reader *reader)
{
    uint8_t bytes[8];

    cr_assert(lam_app_left(reader) == 8 * APP_SUMS);
    return machine_app.restore(state, reader) || lam_app_read(reader, bytes, 0);
}

static int restore_some(void *state, struct lam_app_reader *reader)
{
    uint8_t bytes[8];

    return lam_app_read(reader, bytes, sizeof(bytes));
}

static int restore_more(void *state, struct lam_app_reader *reader)
{
    uint8_t bytes[8];

    (void)machine_app.restore(state, reader);
    return lam_app_read(reader, bytes, 1);
}

Test(image, an_application_reads_its_own_bytes_all_of_them_and_no_others)
{
    struct lam_app app = machine_app;
    struct machine_config config = story.config;
    struct machine_image image = {0};

    config.app = &app;
    cr_assert(eq(int, machine_save(story.machine, &image), 0));
    app.restore = restore_all;
    cr_assert(eq(int, load(&config, image.bytes, image.count), 0));
    app.restore = restore_some;
    cr_assert(eq(int, load(&config, image.bytes, image.count), -EBADMSG));
    app.restore = restore_more;
    cr_assert(eq(int, load(&config, image.bytes, image.count), -EBADMSG));
    free(image.bytes);
}
