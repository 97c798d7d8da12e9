/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages built where they are read, by the functions that a schema gives, and viewed there. A
 * builder in error publishes nothing; bytes that are no message cost that message alone.
 */
#include "notes.h"

#include "lamina/zerocopy/zerocopy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

static struct lam_ring ring;
static struct lam_zerocopy_sender sender;
static struct lam_zerocopy_receiver receiver;

static void setup(void)
{
    struct lam_ring_options options = {.name = "notes", .depth = 256};
    struct lam_error error;

    cr_assert(eq(int, lam_typed_channel_create(&ring, &options, &test_Note_flatbuffers, &error), 0),
        "%s", error.text);
    cr_assert(
        eq(int, lam_zerocopy_sender_attach(&sender, &ring, &test_Note_flatbuffers, NULL, &error),
            0),
        "%s", error.text);
    cr_assert(
        eq(int,
            lam_zerocopy_receiver_attach(&receiver, &ring, &test_Note_flatbuffers, NULL, &error),
            0),
        "%s", error.text);
}

static void teardown(void)
{
    lam_zerocopy_receiver_detach(&receiver);
    lam_zerocopy_sender_detach(&sender);
    (void)lam_ring_destroy(&ring);
}

TestSuite(build, .init = setup, .fini = teardown, .timeout = 30);

static void send_note(uint64_t number)
{
    struct lam_fb_builder builder;

    cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, NOTE_BYTES_MAX, &builder), 1));
    note_build(&builder, number);
    cr_assert(eq(int, lam_zerocopy_sender_commit(&sender, &builder, 9), 0));
}

static void expect_note(uint64_t number)
{
    struct lam_zerocopy_view view;

    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1), "%s",
        lam_zerocopy_receiver_reason(&receiver));
    cr_assert(note_view_is(view.payload, number));
    lam_zerocopy_receiver_release(&receiver, &view);
}

static void expect_nothing(void)
{
    struct lam_zerocopy_view view;

    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 0));
}

Test(build, a_note_is_viewed_as_it_was_built)
{
    for (uint64_t number = 0; number < 3000; number++) {
        send_note(number);
        expect_note(number);
    }
    expect_nothing();
}

Test(build, a_commit_publishes_the_finished_size_and_frees_the_rest_of_the_claim)
{
    struct lam_zerocopy_view first, second;
    struct lam_fb_builder builder;
    uint64_t most = lam_zerocopy_sender_bytes_max(&sender);

    for (uint64_t number = 0; number < 2; number++) {
        cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, most, &builder), 1));
        note_build(&builder, number);
        cr_assert(eq(int, lam_zerocopy_sender_commit(&sender, &builder, 0), 0));
    }
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &first), 1));
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &second), 1));
    cr_assert(first.payload_bytes < 200);
    cr_assert(eq(u64, second.envelope.id - first.envelope.id,
        lam_ring_event_cells(&ring, first.payload_bytes)));
    lam_zerocopy_receiver_release(&receiver, &second);
    lam_zerocopy_receiver_release(&receiver, &first);
}

Test(build, a_builder_in_error_publishes_nothing_at_any_size)
{
    struct lam_fb_builder builder;
    struct lam_zerocopy_view view;
    uint64_t bytes = 0;
    int rc;

    /* Every claim below the note's size, to the byte; the first that is enough is the last. */
    do {
        cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, bytes, &builder), 1));
        note_build(&builder, 139);
        rc = lam_zerocopy_sender_commit(&sender, &builder, 0);
        cr_assert(rc == 0 || rc == -ENOSPC);
        if (rc != 0)
            expect_nothing();
        bytes++;
    } while (rc != 0);
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1));
    cr_assert(eq(u64, view.payload_bytes, bytes - 1));
    lam_zerocopy_receiver_release(&receiver, &view);
}

Test(build, a_message_without_its_required_part_is_not_published)
{
    struct lam_fb_builder builder;

    cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, 256, &builder), 1));
    test_Note_set_id(&builder, test_Note_start(&builder), 5);
    cr_assert(eq(int, lam_zerocopy_sender_commit(&sender, &builder, 0), -EINVAL));
    cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, 256, &builder), 1));
    lam_zerocopy_sender_abort(&sender);
    expect_nothing();
    send_note(3);
    expect_note(3);
}

Test(build, waits_and_correlation_pass_through)
{
    struct lam_framed_correlation correlation = {.id = 77, .scope = 78};
    struct lam_fb_builder builder;
    struct lam_zerocopy_view view;
    uint64_t never = LAM_DEADLINE_NEVER;

    for (int i = 0; i < 3; i++) {
        if (i == 0)
            cr_assert(eq(
                int, lam_zerocopy_sender_claim_until(&sender, NOTE_BYTES_MAX, never, &builder), 0));
        else if (i == 1)
            cr_assert(eq(int,
                lam_zerocopy_sender_claim_correlated_until(
                    &sender, NOTE_BYTES_MAX, &correlation, never, &builder),
                0));
        else
            cr_assert(eq(int,
                lam_zerocopy_sender_try_claim_correlated(
                    &sender, NOTE_BYTES_MAX, &correlation, &builder),
                1));
        note_build(&builder, 50);
        cr_assert(eq(int, lam_zerocopy_sender_commit(&sender, &builder, 4), 0));
        cr_assert(eq(int, lam_zerocopy_receiver_view_until(&receiver, never, &view), 0));
        cr_assert(eq(int, view.envelope.kind, 4));
        cr_assert(eq(int, view.envelope.is_correlated, i != 0));
        if (i != 0)
            cr_assert(view.envelope.correlation.id == 77 && view.envelope.correlation.scope == 78);
        cr_assert(note_view_is(view.payload, 50));
        lam_zerocopy_receiver_release(&receiver, &view);
    }
    cr_assert(eq(int, lam_zerocopy_sender_try_claim(&sender, 1 << 20, &builder), -EMSGSIZE));
    cr_assert(eq(int, lam_zerocopy_sender_claim_until(&sender, 1 << 20, 0, &builder), -EMSGSIZE));
    cr_assert(
        eq(int, lam_zerocopy_sender_try_claim_correlated(&sender, 1 << 20, &correlation, &builder),
            -EMSGSIZE));
}

/* Send @size bytes, then note @number; look at the first as whatever it is, then at that note. */
static int survives(const unsigned char *bytes, size_t size, uint64_t number)
{
    struct lam_zerocopy_view view;
    void *payload;
    int rc;

    cr_assert(eq(int, lam_zerocopy_sender_try_claim_bytes(&sender, size, &payload), 1));
    memcpy(payload, bytes, size);
    lam_zerocopy_sender_commit_bytes(&sender, size, 0);
    send_note(number);
    rc = lam_zerocopy_receiver_try_view(&receiver, &view);
    cr_assert(rc == 1 || rc == -EBADMSG);
    if (rc == 1) {
        (void)note_view_touch(view.payload);
        lam_zerocopy_receiver_release(&receiver, &view);
    } else {
        cr_assert(strstr(lam_zerocopy_receiver_reason(&receiver), "is no test.Note: ") != NULL);
    }
    expect_note(number);
    return rc == -EBADMSG;
}

Test(build, mutated_and_truncated_bytes_cost_that_message_alone)
{
    unsigned char good[NOTE_BYTES_MAX], bad[NOTE_BYTES_MAX];
    struct lam_zerocopy_view view;
    int cut = 0, refused = 0;
    size_t size;

    send_note(139);
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1));
    size = view.payload_bytes;
    memcpy(good, view.payload, size);
    lam_zerocopy_receiver_release(&receiver, &view);
    for (size_t at = 0; at < size; at++) {
        cut += survives(good, at, at);
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bad, good, size);
            bad[at] ^= (unsigned char)(1 << bit);
            refused += survives(bad, size, at);
        }
    }
    cr_assert(eq(int, cut, (int)size));
    cr_assert(refused > (int)size);
}
