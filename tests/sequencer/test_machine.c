/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_machine.c: what the machine promises, in single scenes: exactly once, sessions, startup,
 * order. machine_random.c has the rest of all sequences of calls.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine_app.h"

static struct story story;

static void setup(void)
{
    story_begin_started(&story);
    machine_app_applied = 0;
}

static void teardown(void)
{
    story_end(&story);
}

TestSuite(machine, .init = setup, .fini = teardown, .timeout = 60);

/* The 8 bytes of a reply to APP_ADD. */
static uint64_t sum_of(const struct machine_item *item)
{
    uint64_t sum;

    cr_assert(item->kind == ITEM_REPLY && item->count == sizeof(sum));
    memcpy(&sum, item->bytes, sizeof(sum));
    return sum;
}

static struct machine_item ask(
    uint64_t session, uint64_t request, uint64_t floor, enum app_op op, uint8_t a, uint8_t b)
{
    cr_assert(eq(int, story_ask(&story, session, request, floor, op, a, b), 0));
    return story_item(&story);
}

Test(machine, a_request_is_applied_once_and_its_repeat_gets_the_first_reply)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item = ask(session, 1, 1, APP_ADD, 0, 5);
    uint64_t sequence = machine_next(story.machine) - 1;

    cr_assert(eq(u64, sum_of(&item), 5));
    cr_assert(item.is_repeat == 0 && item.sequence == sequence);
    (void)ask(session, 2, 1, APP_ADD, 0, 1);
    for (int i = 0; i < 3; i++) {
        item = ask(session, 1, 1, APP_ADD, 0, 5);
        cr_assert(eq(u64, sum_of(&item), 5));
        cr_assert(item.is_repeat == 1 && item.sequence == sequence && item.request == 1);
    }
    cr_assert(eq(uint, machine_app_applied, 2));
}

Test(machine, requests_may_come_in_any_order_within_the_window)
{
    static const uint64_t order[] = {7, 3, 10, 5, 4, 9, 8, 6};
    uint64_t session = story_open(&story, 1);
    struct machine_item item;

    for (size_t i = 0; i < 8; i++) {
        item = ask(session, order[i], 3, APP_LONG, 20, (uint8_t)order[i]);
        cr_assert(item.kind == ITEM_REPLY && !item.is_repeat);
    }
    for (uint64_t request = 3; request < 11; request++) {
        item = ask(session, request, 3, APP_LONG, 20, 0);
        cr_assert(item.is_repeat && item.count == 20 && item.bytes[19] == request);
    }
    cr_assert(eq(uint, machine_app_applied, 8));
}

Test(machine, a_request_below_the_floor_or_a_window_above_it_is_refused)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item = ask(session, 4, 5, APP_ADD, 0, 1);

    cr_assert(eq(u32, story_code(&item), REFUSED_STALE));
    item = ask(session, 13, 5, APP_ADD, 0, 1);
    cr_assert(eq(u32, story_code(&item), REFUSED_WINDOW));
    item = ask(session, 12, 1, APP_ADD, 0, 1); /* a lower floor than before says nothing */
    cr_assert(eq(u64, sum_of(&item), 1));
    item = ask(session, 4, 1, APP_ADD, 0, 1);
    cr_assert(eq(u32, story_code(&item), REFUSED_STALE));
    item = ask(session, 13, 6, APP_ADD, 0, 1); /* what the machine refused may come again */
    cr_assert(eq(u64, sum_of(&item), 2));
    item = ask(session, UINT64_MAX, UINT64_MAX, APP_ADD, 0, 1);
    cr_assert(eq(u64, sum_of(&item), 3));
    item = ask(session, 0, 0, APP_ADD, 0, 1);
    cr_assert(eq(u32, story_code(&item), REFUSED_STALE));
    cr_assert(eq(uint, machine_app_applied, 3));
}

Test(machine, a_reply_is_kept_until_the_floor_has_passed_it)
{
    uint64_t session = story_open(&story, 1), floor;

    (void)ask(session, 1, 1, APP_ADD, 0, 1);
    (void)ask(session, 2, 2, APP_ADD, 0, 1); /* 1 has been taken */
    cr_assert(machine_session(story.machine, session, NULL, &floor) == 1 && floor == 2);
    (void)ask(session, 9, 2, APP_ADD, 0, 1); /* in the place that 1 had */
    cr_assert(eq(uint, machine_app_applied, 3));
    cr_assert(ask(session, 2, 2, APP_ADD, 0, 1).is_repeat);
    cr_assert(ask(session, 9, 2, APP_ADD, 0, 1).is_repeat);
}

Test(machine, replies_without_room_refuse_the_next_request_before_it_is_applied)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item;

    (void)ask(session, 1, 1, APP_LONG, 200, 1);
    (void)ask(session, 2, 1, APP_LONG, 1, 2); /* 199 bytes are left: less than one reply */
    item = ask(session, 3, 1, APP_LONG, 1, 3);
    cr_assert(eq(u32, story_code(&item), REFUSED_WINDOW));
    cr_assert(eq(uint, machine_app_applied, 2));
    item = ask(session, 1, 1, APP_LONG, 200, 9); /* nothing was dropped for it */
    cr_assert(item.is_repeat && item.count == 200 && item.bytes[199] == 1);
    item = ask(session, 3, 2, APP_LONG, 200, 3);
    cr_assert(item.kind == ITEM_REPLY && !item.is_repeat && item.count == 200);
    item = ask(session, 2, 2, APP_LONG, 0, 0);
    cr_assert(item.is_repeat && item.count == 1 && item.bytes[0] == 2);
}

Test(machine, a_refusal_by_the_application_is_kept_and_drops_all_else)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item, more;

    for (int i = 0; i < 3; i++) {
        item = ask(session, 1, 1, APP_REFUSE, 9, 0);
        cr_assert(eq(u32, story_code(&item), REFUSED_APP + 9));
        cr_assert(eq(u32, item.count, 4 + 7));
        cr_assert(memcmp(item.bytes + 4, "because", 7) == 0 && item.is_repeat == (i > 0));
        cr_assert(eq(int, machine_item(story.machine, 1, &more), 0));
    }
    cr_assert(eq(uint, machine_app_applied, 1));
}

Test(machine, a_session_that_is_closed_or_never_was_has_no_requests)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item = ask(session + 1, 1, 1, APP_ADD, 0, 1);

    cr_assert(eq(u32, story_code(&item), REFUSED_SESSION));
    (void)ask(session, 1, 1, APP_ADD, 0, 1);
    cr_assert(eq(int, story_apply(&story, RECORD_CLOSE, &session, sizeof(session)), 0));
    item = story_item(&story);
    cr_assert(item.kind == ITEM_CLOSED && item.session == session);
    item = ask(session, 1, 1, APP_ADD, 0, 1);
    cr_assert(eq(u32, story_code(&item), REFUSED_SESSION));
    cr_assert(eq(int, machine_session(story.machine, session, NULL, NULL), 0));
    cr_assert(eq(int, story_apply(&story, RECORD_CLOSE, &session, sizeof(session)), 0));
    cr_assert(eq(int, machine_item(story.machine, 0, &item), 0));
    cr_assert(eq(uint, machine_app_applied, 1));
}

Test(machine, the_session_that_was_silent_longest_gives_way)
{
    uint64_t ids[4], more;
    struct record_open open;
    struct machine_item item;

    for (uint32_t i = 0; i < 4; i++)
        ids[i] = story_open(&story, i);
    (void)ask(ids[0], 1, 1, APP_ADD, 0, 1);
    (void)ask(ids[1], 9, 1, APP_ADD, 0, 1);           /* refused, and a word all the same */
    machine_query(story.machine, ids[2], 1, NULL, 0); /* no record: no word */
    more = story_open(&story, 7);
    item = story_item(&story);
    cr_assert(item.kind == ITEM_CLOSED && item.session == ids[2]);
    cr_assert(machine_item(story.machine, 1, &item) == 1 && item.kind == ITEM_OPENED);
    cr_assert(item.session == more && item.count == sizeof(open));
    cr_assert(machine_session(story.machine, more, &open, NULL) == 1 && open.role == 7);
    cr_assert(open.token == more * 1000 && open.identity[0] == 7);
    for (size_t i = 0; i < 4; i++)
        cr_assert(eq(int, machine_session(story.machine, ids[i], NULL, NULL), i != 2));
    (void)story_open(&story, 8);
    cr_assert(story_item(&story).session == ids[3]);
    (void)story_open(&story, 8);
    cr_assert(story_item(&story).session == ids[0]);
}

Test(machine, a_query_is_answered_and_changes_nothing)
{
    uint8_t before[BLAKE3_BYTES], after[BLAKE3_BYTES];
    uint64_t session = story_open(&story, 1), seen[2];
    struct machine_item item;

    machine_digest(story.machine, before);
    machine_query(story.machine, session, 1, NULL, 0);
    item = story_item(&story);
    cr_assert(item.kind == ITEM_REPLY && item.count == 16 + 8 * APP_SUMS && item.request == 1);
    memcpy(seen, item.bytes, sizeof(seen));
    cr_assert(seen[0] == session && seen[1] == story.time_ns);
    machine_query(story.machine, 0, 1, NULL, 0); /* the node's own */
    cr_assert(story_item(&story).kind == ITEM_REPLY);
    machine_query(story.machine, session + 1, 1, NULL, 0);
    item = story_item(&story);
    cr_assert(eq(u32, story_code(&item), REFUSED_SESSION));
    machine_query(story.machine, session, 1, (const uint8_t[]){APP_REFUSE}, 1);
    item = story_item(&story);
    cr_assert(eq(u32, story_code(&item), REFUSED_APP + 5));
    machine_digest(story.machine, after);
    cr_assert(memcmp(before, after, BLAKE3_BYTES) == 0);
    item = ask(session, 1, 1, APP_ADD, 0, 3); /* queries have numbers of their own */
    cr_assert(eq(u64, sum_of(&item), 3));
}

Test(machine, what_an_event_publishes_is_in_order_and_bounded)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item = ask(session, 1, 1, APP_PUBLISH, 10, 15); /* 6 fit into 100 */

    cr_assert(item.kind == ITEM_REPLY && item.bytes[0] == 6);
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert(eq(int, machine_item(story.machine, 1 + i, &item), 1));
        cr_assert(item.kind == ITEM_PUBLISH && item.index == i && item.count == 15);
    }
    cr_assert(eq(int, machine_item(story.machine, 7, &item), 0));
    item = ask(session, 1, 1, APP_PUBLISH, 10, 15); /* a repeat publishes nothing */
    cr_assert(item.is_repeat && machine_item(story.machine, 1, &item) == 0);
    item = ask(session, 2, 1, APP_PUBLISH, 200, 0); /* empty ones are not without end */
    cr_assert(eq(u8, item.bytes[0], 100));
    cr_assert(machine_item(story.machine, 100, &item) == 1 && item.count == 0);
    cr_assert(eq(int, machine_item(story.machine, 101, &item), 0));
}

Test(machine, a_reply_past_its_bound_is_not_begun)
{
    uint64_t session = story_open(&story, 1);
    struct machine_item item = ask(session, 1, 1, APP_TOO_LONG, 0, 0);

    cr_assert(item.kind == ITEM_REPLY && item.count == 1 && item.bytes[0] == 1);
    item = ask(session, 2, 1, APP_LONG, APP_REPLY_MAX, 0);
    cr_assert(eq(u32, item.count, APP_REPLY_MAX));
}

Test(machine, an_event_past_its_bound_is_refused_before_it_is_applied)
{
    uint64_t session = story_open(&story, 1);
    uint64_t data[3 + APP_EVENT_MAX / 8 + 1] = {session, 1, 1};
    struct machine_item item;

    cr_assert(eq(int, story_apply(&story, RECORD_APP, data, 24 + APP_EVENT_MAX + 1), 0));
    item = story_item(&story);
    cr_assert(eq(u32, story_code(&item), REFUSED_SIZE));
    cr_assert(eq(int, story_apply(&story, RECORD_APP, data, 24 + APP_EVENT_MAX), 0));
    cr_assert(story_item(&story).kind == ITEM_REPLY);
    data[1] = 2;
    cr_assert(eq(int, story_apply(&story, RECORD_APP, data, 24), 0)); /* an empty event */
    item = story_item(&story);
    cr_assert(eq(u32, story_code(&item), REFUSED_APP + 99));
    cr_assert(eq(uint, machine_app_applied, 2));
}

Test(machine, the_application_is_told_who_asks_and_when)
{
    uint64_t session = story_open(&story, 42), seen[2];
    struct machine_item item = ask(session, 1, 1, APP_TIME, 0, 0);
    uint32_t role;

    memcpy(seen, item.bytes, sizeof(seen));
    memcpy(&role, item.bytes + 16, sizeof(role));
    cr_assert(seen[0] == story.time_ns && seen[1] == session && role == 42);
}

/* Source's audit 3 and 4: its first events came twice, or never. */
Test(machine, startup_events_come_once_in_order_and_before_all_others)
{
    struct {
        uint64_t index;
        uint8_t event[8];
    } startup = {0, {APP_ADD, 1, 9}};
    struct machine_item item;
    struct story killed;
    uint64_t epoch = 1;

    story_end(&story);
    story_begin(&story);
    cr_assert(eq(int, story_apply(&story, RECORD_EPOCH, &epoch, sizeof(epoch)), 0));
    cr_assert(eq(int, story_apply(&story, RECORD_STARTUP, &startup, 11), 0));
    cr_assert(eq(u32, machine_started(story.machine), 1));
    for (int again = 0; again < 2; again++) { /* the first one twice; one left out */
        cr_assert(eq(int, story_copy(&story, &killed), 0));
        cr_assert(eq(u32, machine_started(killed.machine), 1));
        startup.index = again == 0 ? 0 : 2;
        cr_assert(eq(int, story_apply(&killed, RECORD_STARTUP, &startup, 11), -EBADMSG));
        story_end(&killed);
    }
    for (unsigned kind = RECORD_APP; kind <= RECORD_CLOSE; kind++) {
        uint64_t data[8] = {0};
        uint32_t bytes = kind == RECORD_OPEN    ? 48
                         : kind == RECORD_APP   ? 24
                         : kind == RECORD_CLOSE ? 8
                                                : 0;

        cr_assert(eq(int, story_copy(&story, &killed), 0));
        cr_assert(eq(int, story_apply(&killed, (uint16_t)kind, data, bytes), -EBADMSG));
        story_end(&killed);
    }
    epoch = 2; /* another process goes on where the first one was killed */
    cr_assert(eq(int, story_apply(&story, RECORD_EPOCH, &epoch, sizeof(epoch)), 0));
    startup.index = 1;
    cr_assert(eq(int, story_apply(&story, RECORD_STARTUP, &startup, 11), 0));
    cr_assert(eq(int, story_apply(&story, RECORD_STARTED, NULL, 0), 0));
    cr_assert(eq(u32, machine_started(story.machine), UINT32_MAX));
    item = ask(story_open(&story, 1), 1, 1, APP_ADD, 1, 0);
    cr_assert(eq(u64, sum_of(&item), 18));
    cr_assert(eq(int, story_copy(&story, &killed), 0));
    startup.index = 2;
    cr_assert(eq(int, story_apply(&killed, RECORD_STARTUP, &startup, 11), -EBADMSG));
    story_end(&killed);
    cr_assert(eq(int, story_apply(&story, RECORD_STARTED, NULL, 0), -EBADMSG));
}

/* Audit 1, 2 and 5: history applied twice, gaps passed over. */
Test(machine, a_record_that_does_not_follow_is_never_applied)
{
    struct machine_record record = {.kind = RECORD_TICK};
    uint64_t next = machine_next(story.machine), now = machine_time_ns(story.machine);
    const struct {
        uint64_t sequence, time_ns;
    } wrong[] = {{next - 1, now + 1}, {next + 1, now + 1}, {0, now + 1}, {next, now},
        {next, now - 1}, {next, 0}, {UINT64_MAX, now + 1}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct machine_item item;
        struct story copy;

        cr_assert(eq(int, story_copy(&story, &copy), 0));
        record.sequence = wrong[i].sequence;
        record.time_ns = wrong[i].time_ns;
        cr_assert(eq(int, machine_apply(copy.machine, &record, &copy.error), -EBADMSG));
        cr_assert(eq(int, machine_item(copy.machine, 0, &item), 0)); /* no tick was heard of */
        record.sequence = next;
        record.time_ns = now + 1;
        cr_assert(eq(int, machine_apply(copy.machine, &record, NULL), -EBADMSG)); /* for good */
        story_end(&copy);
    }
    cr_assert(eq(int, machine_apply(story.machine, &record, NULL), 0));
}

Test(machine, data_that_no_writer_makes_is_no_record)
{
    uint64_t data[16] = {0};
    const struct {
        uint16_t kind;
        uint32_t bytes;
    } wrong[] = {{RECORD_APP, 23}, {RECORD_APP, 0}, {RECORD_TICK, 1}, {RECORD_OPEN, 47},
        {RECORD_OPEN, 49}, {RECORD_CLOSE, 7}, {RECORD_CLOSE, 9}, {RECORD_EPOCH, 7},
        {RECORD_EPOCH, 8}, /* 0 is no higher epoch */
        {RECORD_EPOCH, 9}, {RECORD_STARTUP, 8}, {RECORD_STARTED, 0}, {RECORD_DIGEST, 1},
        {RECORD_COMPARE, 39}, {RECORD_COMPARE, 40} /* of sequence 0 */, {RECORD_COMPARE, 41},
        {0, 0}, {10, 0}, {0x100, 0}, {0xffff, 0}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct story copy;

        cr_assert(eq(int, story_copy(&story, &copy), 0));
        cr_assert(eq(int, story_apply(&copy, wrong[i].kind, data, wrong[i].bytes), -EBADMSG),
            "kind %u with %u bytes", wrong[i].kind, wrong[i].bytes);
        story_end(&copy);
    }
    data[1] = UINT64_C(1) << 32; /* of struct record_open: reserved */
    cr_assert(eq(int, story_apply(&story, RECORD_OPEN, data, 48), -EBADMSG));
}

Test(machine, epochs_rise)
{
    uint64_t epoch = 7;

    cr_assert(eq(int, story_apply(&story, RECORD_EPOCH, &epoch, sizeof(epoch)), 0));
    cr_assert(eq(u64, machine_epoch(story.machine), 7));
    cr_assert(eq(int, story_apply(&story, RECORD_EPOCH, &epoch, sizeof(epoch)), -EBADMSG));
}

Test(machine, an_application_or_bounds_that_make_no_sense_are_refused)
{
    struct lam_app app = machine_app;
    struct machine_config good = story.config, config;
    struct machine *machine = NULL;
    struct lam_error error = {{0}};

    good.app = &app;
    config = good;
    for (unsigned i = 0; i < 12; i++) {
        app = machine_app;
        config = good;
        switch (i) {
        case 0:
            config.app = NULL;
            break;
        case 1:
            app.name = "";
            break;
        case 2:
            app.name = "a name of thirty-two bytes, too l";
            break;
        case 3:
            app.restore = NULL;
            break;
        case 4:
            app.event_bytes_max = MACHINE_BYTES_MAX + 1;
            break;
        case 5:
            config.sessions_max = 0;
            break;
        case 6:
            config.sessions_max = MACHINE_SESSIONS_MAX + 1;
            break;
        case 7:
            config.window = 0;
            break;
        case 8:
            config.window = 12;
            break;
        case 9:
            config.window = 2 * MACHINE_WINDOW_MAX;
            break;
        case 10:
            config.reply_bytes = APP_REPLY_MAX - 1;
            break;
        default:
            config.reply_bytes = MACHINE_REPLY_BYTES_MAX + 1;
            break;
        }
        error.text[0] = 0;
        cr_assert(eq(int, machine_create(&machine, &config, &error), -EINVAL), "%u", i);
        cr_assert(error.text[0] != 0);
    }
    app = machine_app;
    app.tick = NULL; /* these may be left out */
    app.query = NULL;
    cr_assert(eq(int, machine_create(&machine, &good, NULL), 0));
    machine_query(machine, 0, 1, NULL, 0);
    struct machine_item item;
    cr_assert(eq(int, machine_item(machine, 0, &item), 1));
    cr_assert(eq(u32, story_code(&item), REFUSED_NO_QUERY));
    machine_destroy(machine);
}
