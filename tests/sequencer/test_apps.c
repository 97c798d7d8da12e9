/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_apps.c: the example applications do what their schemas say, and come back from an image with
 * the same state. Method: each in a machine, requests through its own decoder.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps.h"
#include "counter.h"
#include "limiter.h"
#include "machine/machine.h"
#include "store.h"

static struct machine_config config = {.sessions_max = 2, .window = 4, .reply_bytes = 1 << 16};
static struct machine *machine;
static uint64_t now_ns, session, request;
static uint64_t buffer[256]; /* a record_app, and behind it what is asked */
static struct lam_fb_builder builder;

TestSuite(apps, .timeout = 60);

static void apply(uint16_t kind, uint32_t bytes)
{
    struct machine_record record = {.sequence = machine_next(machine),
        .time_ns = ++now_ns,
        .data = buffer,
        .bytes = bytes,
        .kind = kind};
    struct lam_error error = {{0}};

    cr_assert(eq(int, machine_apply(machine, &record, &error), 0), "%s", error.text);
}

static void begin(const struct lam_app *app)
{
    config.app = app;
    cr_assert(eq(int, machine_create(&machine, &config, NULL), 0));
    apply(RECORD_STARTED, 0);
    memset(buffer, 0, sizeof(struct record_open));
    session = machine_next(machine);
    apply(RECORD_OPEN, sizeof(struct record_open));
}

/* Go on with a copy that is made of an image. */
static void save_and_load(void)
{
    struct machine_image image = {0};
    uint8_t before[BLAKE3_BYTES], after[BLAKE3_BYTES];

    machine_digest(machine, before);
    cr_assert(eq(int, machine_save(machine, &image), 0));
    machine_destroy(machine);
    cr_assert(eq(int, machine_create(&machine, &config, NULL), 0));
    cr_assert(eq(int, machine_load(machine, image.bytes, image.count, NULL), 0));
    machine_digest(machine, after);
    cr_assert(memcmp(before, after, BLAKE3_BYTES) == 0);
    free(image.bytes);
}

static struct lam_fb_builder *b(void)
{
    lam_fb_builder_init(&builder, buffer + 3, sizeof(buffer) - 24);
    return &builder;
}

/* What was built, by way of the decoder. The answer's bytes are borrowed until the next call. */
static struct machine_item ask(int is_query, size_t size)
{
    struct lam_app_request asked = {0};
    struct machine_item item = {0};

    config.app->decode(config.app->config, 0, is_query, buffer + 3, size, &asked);
    if (asked.kind == LAM_APP_REFUSED) {
        cr_assert(asked.code != 0 && asked.text != NULL);
        return item;
    }
    cr_assert(eq(int, asked.kind, is_query ? LAM_APP_QUERY : LAM_APP_EVENT));
    cr_assert(asked.bytes == buffer + 3 && asked.count == size);
    if (is_query) {
        machine_query(machine, session, 1, asked.bytes, asked.count);
    } else {
        buffer[0] = session;
        buffer[1] = buffer[2] = ++request;
        apply(RECORD_APP, (uint32_t)(24 + size));
    }
    cr_assert(eq(int, machine_item(machine, 0, &item), 1));
    return item;
}

static struct machine_item add(int64_t amount)
{
    struct counter_Add_at at = counter_Add_start(b());
    size_t size = 0;

    counter_Add_set_amount(&builder, at, amount);
    cr_assert(eq(int, counter_Add_finish(&builder, &size), 0));
    return ask(0, size);
}

/* The bytes of an item may lie anywhere in the machine: a reader wants them aligned. */
static const void *aligned(const struct machine_item *item)
{
    static uint64_t copy[64];

    cr_assert(item->count != 0 && item->count <= sizeof(copy));
    memcpy(copy, item->bytes, item->count);
    return copy;
}

static int64_t total_of(const struct machine_item *item)
{
    const void *bytes = aligned(item);

    cr_assert(eq(int, counter_Total_verify(bytes, item->count, NULL), 0));
    return counter_Total_get_total(counter_Total_root(bytes));
}

Test(apps, the_counter_adds_publishes_and_refuses_to_overflow)
{
    struct machine_item item, published;

    begin(&counter_app);
    item = add(40);
    cr_assert(eq(i64, total_of(&item), 40));
    cr_assert(machine_item(machine, 1, &published) == 1 && published.kind == ITEM_PUBLISH);
    cr_assert(eq(i64, total_of(&published), 40));
    item = add(-50);
    cr_assert(eq(i64, total_of(&item), -10));
    save_and_load();
    item = ask(1, 0);
    cr_assert(eq(i64, total_of(&item), -10));
    item = add(INT64_MIN);
    cr_assert(eq(int, item.kind, ITEM_REFUSED));
    item = ask(1, 0);
    cr_assert(eq(i64, total_of(&item), -10));
    cr_assert(eq(int, ask(1, 8).kind, 0)); /* a query has no bytes */
    machine_destroy(machine);
}

static struct machine_item change(
    store_Op op, const char *key, const char *value, uint64_t expected)
{
    struct store_Change_at at = store_Change_start(b());
    size_t size = 0;

    store_Change_set_op(&builder, at, op);
    store_Change_set_expected(&builder, at, expected);
    store_Change_set_key(&builder, at, key, strlen(key));
    store_Change_set_value(&builder, at, (const uint8_t *)value, (uint32_t)strlen(value));
    cr_assert(eq(int, store_Change_finish(&builder, &size), 0));
    return ask(0, size);
}

static struct machine_item get(const char *key)
{
    struct store_Get_at at = store_Get_start(b());
    size_t size = 0;

    store_Get_set_key(&builder, at, key, strlen(key));
    cr_assert(eq(int, store_Get_finish(&builder, &size), 0));
    return ask(1, size);
}

/* That the answer is this one. Returns its version. */
static uint64_t entry_is(const struct machine_item *item, int is_done, const char *value)
{
    const void *bytes = aligned(item);
    struct store_Entry_view entry = store_Entry_root(bytes);
    struct lam_u8_span found;

    cr_assert(eq(int, item->kind, ITEM_REPLY));
    cr_assert(eq(int, store_Entry_verify(bytes, item->count, NULL), 0));
    cr_assert(eq(int, store_Entry_get_done(entry), is_done));
    found = store_Entry_get_value(entry);
    cr_assert(eq(u32, found.count, strlen(value)));
    cr_assert(found.count == 0 || memcmp(found.data, value, found.count) == 0);
    return store_Entry_get_version(entry);
}

Test(apps, the_store_replaces_only_the_version_that_is_expected)
{
    struct machine_item item;
    uint64_t version;

    begin(&store_app);
    item = change(store_Op_Swap, "key", "one", 0);
    version = entry_is(&item, 1, "one");
    cr_assert(eq(u64, version, machine_next(machine) - 1));
    item = change(store_Op_Swap, "key", "two", 0);
    cr_assert(eq(u64, entry_is(&item, 0, "one"), version));
    save_and_load();
    item = change(store_Op_Swap, "key", "two", version);
    cr_assert(lt(u64, version, entry_is(&item, 1, "two")));
    item = change(store_Op_Remove, "key", "", 0);
    cr_assert(eq(u64, entry_is(&item, 1, ""), 0));
    item = change(store_Op_Swap, "key", "three", version);
    cr_assert(eq(u64, entry_is(&item, 0, ""), 0));
    item = get("key");
    cr_assert(eq(u64, entry_is(&item, 0, ""), 0));
    machine_destroy(machine);
}

Test(apps, the_store_keeps_what_a_plain_array_keeps)
{
    static char values[40][4];
    uint64_t random = 88172645463325252;

    begin(&store_app);
    for (unsigned step = 0; step < 4000; step++) {
        struct machine_item item;
        char key[12], value[4];
        unsigned at;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        at = (unsigned)(random >> 20) % 40;
        (void)snprintf(key, sizeof(key), "%.*s%u", (int)(at % 3), "kk", at);
        (void)snprintf(value, sizeof(value), "%u", (unsigned)(random >> 40) % 1000);
        if (random >> 60 < 5) {
            item = change(store_Op_Remove, key, "", 0);
            (void)entry_is(&item, values[at][0] != 0, "");
            values[at][0] = 0;
        } else if (random >> 60 < 10) {
            item = change(store_Op_Put, key, value, 0);
            (void)entry_is(&item, 1, value);
            memcpy(values[at], value, sizeof(value));
        } else {
            item = get(key);
            (void)entry_is(&item, values[at][0] != 0, values[at]);
        }
        if (step % 500 == 0)
            save_and_load();
    }
    machine_destroy(machine);
}

Test(apps, the_store_refuses_a_key_too_many_and_one_too_long)
{
    struct machine_item item = {0};
    char key[66] = {0};

    begin(&store_app);
    for (unsigned i = 0; i <= 4096; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        item = change(store_Op_Put, key, "", 0);
        cr_assert(eq(int, item.kind, i < 4096 ? ITEM_REPLY : ITEM_REFUSED));
    }
    item = change(store_Op_Put, "7", "seven", 0);
    (void)entry_is(&item, 1, "seven");
    save_and_load();
    memset(key, 'k', 65);
    cr_assert(eq(int, get(key).kind, 0));
    cr_assert(eq(int, change(store_Op_Put, key, "", 0).kind, 0));
    cr_assert(eq(int, change(9, "k", "", 0).kind, 0));
    key[64] = 0;
    item = get(key);
    (void)entry_is(&item, 0, "");
    machine_destroy(machine);
}

static struct limiter_Grant_view take(int is_query, uint64_t bucket, uint32_t tokens)
{
    struct limiter_Take_at at = limiter_Take_start(b());
    struct machine_item item;
    const void *bytes;
    size_t size = 0;

    limiter_Take_set_bucket(&builder, at, bucket);
    limiter_Take_set_tokens(&builder, at, tokens);
    cr_assert(eq(int, limiter_Take_finish(&builder, &size), 0));
    item = ask(is_query, size);
    if (item.kind == 0)
        return (struct limiter_Grant_view){NULL};
    cr_assert(eq(int, item.kind, ITEM_REPLY));
    bytes = aligned(&item);
    cr_assert(eq(int, limiter_Grant_verify(bytes, item.count, NULL), 0));
    return limiter_Grant_root(bytes);
}

Test(apps, the_limiter_fills_its_buckets_by_the_sequencers_time)
{
    const uint64_t token_ns = 10000000;
    struct limiter_Grant_view grant;

    begin(&limiter_app);
    now_ns = 1000 * token_ns - 1;
    grant = take(0, 5, 20); /* a full bucket, at 1000 tokens' time */
    cr_assert(limiter_Grant_get_granted(grant) && limiter_Grant_get_left(grant) == 0);
    grant = take(0, 5, 1); /* a nanosecond later */
    cr_assert(eq(int, limiter_Grant_get_granted(grant), 0));
    cr_assert(eq(u64, limiter_Grant_get_wait_ns(grant), token_ns - 1));
    now_ns = 1003 * token_ns - 1;
    save_and_load();
    grant = take(0, 5, 2);
    cr_assert(limiter_Grant_get_granted(grant) && limiter_Grant_get_left(grant) == 1);
    grant = take(1, 5, 1); /* a query takes nothing */
    cr_assert(limiter_Grant_get_granted(grant));
    grant = take(1, 6, 20); /* another bucket is full */
    cr_assert(limiter_Grant_get_granted(grant));
    grant = take(0, 5, 2);
    cr_assert(eq(int, limiter_Grant_get_granted(grant), 0));
    now_ns = 1021 * token_ns - 1; /* full again in one more */
    apply(RECORD_TICK, 0);
    grant = take(1, 5, 20);
    cr_assert(eq(int, limiter_Grant_get_granted(grant), 0));
    now_ns = 1023 * token_ns;
    apply(RECORD_TICK, 0); /* it has no place any more */
    grant = take(0, 5, 20);
    cr_assert(limiter_Grant_get_granted(grant) && limiter_Grant_get_left(grant) == 0);
    cr_assert(take(0, 5, 21).at == NULL);
    machine_destroy(machine);
}

Test(apps, buckets_that_are_full_give_way_to_new_ones)
{
    begin(&limiter_app);
    for (uint64_t bucket = 0; bucket < 4096; bucket++)
        (void)take(0, (bucket * 2654435761U) % 4096, 1);
    now_ns += 10000000;
    cr_assert(limiter_Grant_get_granted(take(0, 5000, 1)));
    save_and_load();
    machine_destroy(machine);
}

/* Any bytes: nothing is read that is not there (under AddressSanitizer), and all is answered. */
Test(apps, what_is_malformed_is_refused_before_it_is_sequenced)
{
    static const struct lam_app *const apps[] = {&counter_app, &store_app, &limiter_app};
    uint64_t random = 1;

    for (size_t i = 0; i < 3; i++) {
        begin(apps[i]);
        for (unsigned turn = 0; turn < 3000; turn++) {
            size_t size = turn % 60;
            uint8_t *exact = malloc(size + 1);
            struct lam_app_request asked = {0};

            for (size_t at = 0; at < size; at++) {
                random = random * 6364136223846793005U + 1442695040888963407U;
                exact[at] = (uint8_t)(random >> 60 > 3 ? 0 : (random >> 33) % 24);
            }
            config.app->decode(config.app->config, 0, turn % 2 == 0, exact, size, &asked);
            cr_assert(asked.kind == LAM_APP_REFUSED ? asked.text != NULL : asked.bytes == exact);
            free(exact);
        }
        machine_destroy(machine);
    }
}
