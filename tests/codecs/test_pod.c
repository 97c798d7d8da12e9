/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a pod codec exists only for layouts without gaps, and its hash changes with whatever two
 * ends could disagree on. Method: one good type, and one broken or changed type per rule.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "lamina/codecs/pod.h"

TestSuite(pod, .timeout = 10);

struct tick {
    uint64_t time_ns;
    uint32_t symbol;
    int32_t price;
    float sizes[2];
    bool is_last;
    char venue[7];
};

static const struct lam_pod_field fields[] = {
    LAM_POD_FIELD(struct tick, time_ns),
    LAM_POD_FIELD(struct tick, symbol),
    LAM_POD_FIELD(struct tick, price),
    LAM_POD_FIELD(struct tick, sizes),
    LAM_POD_FIELD(struct tick, is_last),
    LAM_POD_FIELD(struct tick, venue),
};

static const struct lam_pod_type type = LAM_POD_TYPE(struct tick, "tick", fields);
static const struct tick sample = {1, 2, -3, {0.5F, 4}, true, "XLON"};
static struct lam_pod pod;
static struct lam_error error;

Test(pod, a_value_comes_back_as_it_went)
{
    _Alignas(8) unsigned char bytes[sizeof(struct tick)];
    struct tick back;
    size_t size;

    cr_assert(eq(int, lam_pod_init(&pod, &type, &error), 0), "%s", error.text);
    cr_assert(eq(sz, pod.codec.bound(&pod.codec, &sample), sizeof(struct tick)));
    cr_assert(
        eq(int, pod.codec.encode(&pod.codec, &sample, bytes, sizeof(bytes) - 1, &size), -ENOSPC));
    cr_assert(eq(int, pod.codec.encode(&pod.codec, &sample, bytes, sizeof(bytes), &size), 0));
    cr_assert(eq(sz, size, sizeof(struct tick)));
    cr_assert(eq(int, pod.codec.decode(&pod.codec, bytes, size, &back, NULL), 0));
    cr_assert(eq(int, memcmp(&back, &sample, sizeof(back)), 0));
}

Test(pod, bytes_of_another_size_or_no_boolean_are_refused)
{
    struct tick back;
    unsigned char bytes[sizeof(struct tick)];

    cr_assert(eq(int, lam_pod_init(&pod, &type, NULL), 0));
    memcpy(bytes, &sample, sizeof(bytes));
    cr_assert(eq(int, pod.codec.verify(&pod.codec, bytes, sizeof(bytes) - 1, &error), -EBADMSG));
    cr_assert(eq(str, error.text, "tick: 31 bytes, expected 32"));
    bytes[offsetof(struct tick, is_last)] = 2;
    cr_assert(eq(int, pod.codec.verify(&pod.codec, bytes, sizeof(bytes), &error), -EBADMSG));
    cr_assert(eq(int, pod.codec.decode(&pod.codec, bytes, sizeof(bytes), &back, NULL), -EBADMSG));
}

Test(pod, a_description_names_every_field)
{
    char text[256];

    cr_assert(eq(int, lam_pod_init(&pod, &type, NULL), 0));
    cr_assert(
        lt(i64, 0, pod.codec.describe(&pod.codec, &sample, sizeof(sample), text, sizeof(text))));
    cr_assert(eq(str, text,
        "{\"time_ns\":1,\"symbol\":2,\"price\":-3,\"sizes\":[0.5,4],\"is_last\":true,"
        "\"venue\":[88,76,79,78,0,0,0]}"));
    cr_assert(eq(i64, pod.codec.describe(&pod.codec, &sample, 3, text, sizeof(text)), -EBADMSG));
}

Test(pod, the_hash_covers_name_place_kind_and_size)
{
    struct lam_pod_field changed[6];
    struct lam_pod_type other = type;
    uint64_t hash;

    cr_assert(eq(int, lam_pod_init(&pod, &type, NULL), 0));
    hash = pod.codec.type_hash;
    cr_assert(eq(int, lam_pod_init(&pod, &type, NULL), 0));
    cr_assert(eq(u64, pod.codec.type_hash, hash));
    other.fields = changed;
    memcpy(changed, fields, sizeof(fields));
    changed[1].kind = LAM_KIND_I32;
    cr_assert(eq(int, lam_pod_init(&pod, &other, NULL), 0));
    cr_assert(ne(u64, pod.codec.type_hash, hash));
    memcpy(changed, fields, sizeof(fields));
    changed[1].name = "instrument";
    cr_assert(eq(int, lam_pod_init(&pod, &other, NULL), 0));
    cr_assert(ne(u64, pod.codec.type_hash, hash));
    other = type;
    other.name = "tock";
    cr_assert(eq(int, lam_pod_init(&pod, &other, NULL), 0));
    cr_assert(ne(u64, pod.codec.type_hash, hash));
}

Test(pod, gaps_overlaps_and_what_is_no_scalar_are_refused)
{
    struct lam_pod_field changed[6];
    struct lam_pod_type other = type;

    other.fields = changed;
    other.field_count = 5;
    memcpy(changed, fields, sizeof(fields));
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    cr_assert(strstr(error.text, "the fields end at byte 25; name the padding") != NULL);
    other.field_count = 6;
    changed[2].offset = 16;
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    cr_assert(
        strstr(error.text, "tick.price: lies at byte 16, but the fields before it end at") != NULL);
    memcpy(changed, fields, sizeof(fields));
    changed[2].kind = LAM_KIND_STRING;
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    memcpy(changed, fields, sizeof(fields));
    changed[2].bytes = 3;
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    memcpy(changed, fields, sizeof(fields));
    changed[2].name = "two words";
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    other = type;
    other.field_count = 0;
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
    other.field_count = LAM_POD_FIELD_COUNT_MAX + 1;
    cr_assert(eq(int, lam_pod_init(&pod, &other, &error), -EINVAL));
}
