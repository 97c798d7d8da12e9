/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an end may speak on a channel: the type is compared when it attaches, and who is refused
 * is told why. Every refusal has a twin that is let in.
 */
#include "text_codec.h"

#include "lamina/typed/typed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lam_ring ring;
static struct lam_error error;

static void create(const struct lam_codec *codec)
{
    struct lam_ring_options options = {.name = "channel", .depth = 64};

    error.text[0] = '\0';
    cr_assert(
        eq(int, lam_typed_channel_create(&ring, &options, codec, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    (void)lam_ring_destroy(&ring);
}

TestSuite(typed_channel, .timeout = 10);

static void expect_words(const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_expect(strstr(error.text, words[i]) != NULL, "no \"%s\" in: %s", words[i], error.text);
}

Test(typed_channel, carries_its_type_name_and_schema, .fini = teardown)
{
    char name[LAM_RING_TYPE_NAME_MAX + 1];
    const void *schema;
    int64_t bytes;

    create(&text_codec);
    lam_ring_type_name(&ring, name);
    cr_assert(eq(str, name, "test.Text"));
    cr_assert(eq(u64, ring.type_hash, text_codec.type_hash));
    bytes = lam_ring_schema(&ring, &schema);
    cr_assert(eq(i64, bytes, (int64_t)text_codec.schema_bytes));
    cr_assert(memcmp(schema, text_codec.schema, text_codec.schema_bytes) == 0);
}

Test(typed_channel, ends_of_its_type_are_let_in, .fini = teardown)
{
    static struct lam_typed_sender sender;
    static struct lam_typed_receiver receiver;

    create(&text_codec);
    cr_assert(eq(int, lam_typed_sender_attach(&sender, &ring, &text_codec, NULL, &error), 0));
    cr_assert(eq(int, lam_typed_receiver_attach(&receiver, &ring, &text_codec, NULL, &error), 0));
    lam_typed_receiver_detach(&receiver);
    lam_typed_sender_detach(&sender);
}

Test(typed_channel, another_type_is_refused_with_both_names_hashes_and_the_line, .fini = teardown)
{
    static const char *const words[] = {"channel", "test.Text", "0000000000007e57", "test.Verse",
        "0000000000005e12", "field data u8 vector", "field verse u8 vector"};
    static struct lam_typed_sender sender;
    static struct lam_typed_receiver receiver;

    create(&text_codec);
    cr_assert(
        eq(int, lam_typed_sender_attach(&sender, &ring, &verse_codec, NULL, &error), -EPROTOTYPE));
    expect_words(words, sizeof(words) / sizeof(words[0]));
    error.text[0] = '\0';
    cr_assert(eq(
        int, lam_typed_receiver_attach(&receiver, &ring, &verse_codec, NULL, &error), -EPROTOTYPE));
    expect_words(words, sizeof(words) / sizeof(words[0]));
    cr_assert(eq(
        int, lam_typed_receiver_attach(&receiver, &ring, &verse_codec, NULL, NULL), -EPROTOTYPE));
}

Test(typed_channel, one_schema_in_two_codecs_is_two_types, .fini = teardown)
{
    static const char *const words[] = {"codecs differ", "test.Text", "in other"};
    struct lam_codec other = text_codec;

    other.name = "other";
    other.type_hash = 99;
    create(&text_codec);
    cr_assert(eq(int, lam_typed_channel_check(&ring, &other, &error), -EPROTOTYPE));
    expect_words(words, 3);
}

Test(typed_channel, a_ring_without_a_type_is_refused, .fini = teardown)
{
    static const char *const words[] = {"no type", "test.Text"};
    struct lam_ring_options options = {.name = "bare", .depth = 64};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    cr_assert(eq(int, lam_typed_channel_check(&ring, &text_codec, &error), -EPROTOTYPE));
    expect_words(words, 2);
}

Test(typed_channel, unprintable_schema_of_another_process_is_shown_as_question_marks,
    .fini = teardown)
{
    static const char *const words[] = {"\"???[2J?\" there"};
    struct lam_codec hostile = verse_codec;

    hostile.schema = "\x01\x02\x1b[2J\xff\nmore";
    hostile.schema_bytes = 12;
    hostile.type_name = "evil\x1bname";
    create(&hostile);
    cr_assert(eq(int, lam_typed_channel_check(&ring, &text_codec, &error), -EPROTOTYPE));
    expect_words(words, 1);
    cr_assert(strchr(error.text, 0x1b) == NULL);
}

Test(typed_channel, more_alignment_than_a_message_has_is_refused)
{
    struct lam_ring_options options = {.name = "channel", .depth = 64};
    static const char *const words[] = {"test.Wide", "64", "16"};

    cr_assert(eq(int, lam_typed_channel_create(&ring, &options, &wide_codec, &error), -EINVAL));
    expect_words(words, 3);
}

Test(typed_channel, memory_that_is_not_aligned_is_refused, .fini = teardown)
{
    static _Alignas(16) unsigned char memory[64];
    static struct lam_typed_sender sender;
    static struct lam_typed_receiver receiver;
    struct lam_typed_sender_options sends = {.scratch = memory + 8, .scratch_bytes = 32};
    struct lam_typed_receiver_options receives = {.copy = memory + 8, .copy_bytes = 32};

    create(&text_codec);
    cr_assert(
        eq(int, lam_typed_sender_attach(&sender, &ring, &text_codec, &sends, &error), -EINVAL));
    cr_assert(eq(
        int, lam_typed_receiver_attach(&receiver, &ring, &text_codec, &receives, &error), -EINVAL));
}

Test(typed_channel, only_gating_receivers_are_let_in, .fini = teardown)
{
    static struct lam_typed_receiver receiver;
    struct lam_typed_receiver_options lossy = {.framed.consumer.policy = LAM_RING_LOSSY};
    struct lam_typed_receiver_options evicted = {
        .framed.consumer = {.policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_S}};
    static const char *const words[] = {"channel", "evicted", "lossy.h"};

    create(&text_codec);
    cr_assert(
        eq(int, lam_typed_receiver_attach(&receiver, &ring, &text_codec, &lossy, &error), -EINVAL));
    cr_assert(eq(
        int, lam_typed_receiver_attach(&receiver, &ring, &text_codec, &evicted, &error), -EINVAL));
    expect_words(words, 3);
}

Test(typed_channel, attach_by_name_compares_the_type_and_leaves_nothing_mapped)
{
    char name[64];
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .name = name, .depth = 64};
    struct lam_ring_attach_options attach = {.name = name, .access = LAM_ACCESS_READ};
    struct lam_ring other;

    (void)snprintf(name, sizeof(name), "lamina-test-channel.%d", (int)getpid());
    cr_assert(eq(int, lam_typed_channel_create(&ring, &options, &text_codec, &error), 0), "%s",
        error.text);
    cr_expect(
        eq(int, lam_typed_channel_attach(&other, &attach, &verse_codec, &error), -EPROTOTYPE));
    cr_expect(eq(int, other.data.fd, -1));
    cr_expect(eq(int, lam_typed_channel_attach(&other, &attach, &text_codec, &error), 0), "%s",
        error.text);
    lam_ring_detach(&other);
    attach.name = "lamina-test-nobody-made-this";
    cr_expect(eq(int, lam_typed_channel_attach(&other, &attach, &text_codec, &error), -ENOENT));
    (void)lam_ring_destroy(&ring);
}
