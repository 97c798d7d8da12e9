/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values between processes that know the channel by its name alone: every reader gets every value,
 * one of another type is turned away at the door, and a sender that is killed costs nothing of what
 * it had sent.
 */
#include "check.h"
#include "notes.h"

#include "lamina/typed/typed.h"

#include <errno.h>

#define NOTE_COUNT 20000

static char name[64];
static unsigned char arena_memory[8192];

static void create(struct lam_ring *ring)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .name = name, .depth = 256};
    struct lam_error error;

    if (lam_typed_channel_create(ring, &options, &test_Note_msgpack, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static int attach(struct lam_ring *ring, enum lam_access access, const struct lam_codec *codec)
{
    struct lam_ring_attach_options options = {
        .name = name, .access = access, .deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S)};

    return lam_typed_channel_attach(ring, &options, codec, NULL);
}

/* Receive notes 0, 1, 2... until the channel ends. Returns why it ended; *@count of them came. */
static int receive_all(struct lam_typed_receiver *receiver, uint64_t *count)
{
    uint64_t end_ns = lam_deadline_after_ns(50 * LAM_NS_PER_S);
    struct lam_typed_envelope envelope;
    struct lam_arena arena;
    struct test_Note note;

    lam_arena_init(&arena, arena_memory, sizeof(arena_memory));
    for (*count = 0;; (*count)++) {
        int rc;

        lam_arena_reset(&arena);
        rc = lam_typed_receiver_receive_until(receiver, end_ns, &note, &arena, &envelope);
        if (rc != 0)
            return rc;
        CHECK(note_is(&note, *count));
        CHECK(envelope.is_correlated && envelope.correlation.id == *count * 3);
    }
}

static int reader(void *unused)
{
    struct lam_typed_receiver receiver;
    struct lam_ring ring;
    uint64_t count;

    (void)unused;
    CHECK(attach(&ring, LAM_ACCESS_READ, &test_Note_msgpack) == 0);
    CHECK(lam_typed_receiver_attach(&receiver, &ring, &test_Note_msgpack, NULL, NULL) == 0);
    CHECK(receive_all(&receiver, &count) == -EPIPE);
    CHECK(count == NOTE_COUNT);
    lam_typed_receiver_detach(&receiver);
    return 0;
}

static int stranger(void *unused)
{
    struct lam_ring ring;

    (void)unused;
    CHECK(attach(&ring, LAM_ACCESS_READ, &test_Note_flatbuffers) == -EPROTOTYPE);
    return 0;
}

static void send_notes(struct lam_typed_sender *sender, uint64_t count)
{
    uint64_t end_ns = lam_deadline_after_ns(50 * LAM_NS_PER_S);
    struct lam_typed_envelope envelope = {.is_correlated = 1};
    struct note_room room;
    struct test_Note note;

    for (uint64_t number = 0; number < count; number++) {
        note_make(&note, &room, number);
        envelope.correlation.id = number * 3;
        CHECK(lam_typed_sender_send_until(sender, &note, &envelope, end_ns) == 0);
    }
}

static void readers_get_every_value(void)
{
    struct lam_typed_sender sender;
    struct lam_ring ring;
    pid_t readers[2], other;

    create(&ring);
    CHECK(lam_typed_sender_attach(&sender, &ring, &test_Note_msgpack, NULL, NULL) == 0);
    other = check_fork(stranger, NULL);
    for (int i = 0; i < 2; i++)
        readers[i] = check_fork(reader, NULL);
    CHECK(lam_typed_sender_wait_receivers_until(
              &sender, 2, lam_deadline_after_ns(10 * LAM_NS_PER_S)) == 0);
    send_notes(&sender, NOTE_COUNT);
    lam_typed_sender_close(&sender);
    for (int i = 0; i < 2; i++)
        CHECK(check_wait(readers[i]) == 0);
    CHECK(check_wait(other) == 0);
    lam_typed_sender_detach(&sender);
    CHECK(lam_ring_destroy(&ring) == 0);
}

static int endless_sender(void *unused)
{
    struct lam_typed_sender sender;
    struct lam_ring ring;

    (void)unused;
    CHECK(attach(&ring, LAM_ACCESS_WRITE, &test_Note_msgpack) == 0);
    CHECK(lam_typed_sender_attach(&sender, &ring, &test_Note_msgpack, NULL, NULL) == 0);
    send_notes(&sender, UINT64_MAX);
    return 1;
}

static int killer(void *victim)
{
    (void)usleep(50000);
    CHECK(kill(*(pid_t *)victim, SIGKILL) == 0);
    return 0;
}

static void a_killed_sender_costs_nothing_that_it_had_sent(void)
{
    struct lam_typed_receiver receiver;
    struct lam_ring ring;
    pid_t sender, other;
    uint64_t count;

    create(&ring);
    CHECK(lam_typed_receiver_attach(&receiver, &ring, &test_Note_msgpack, NULL, NULL) == 0);
    sender = check_fork(endless_sender, NULL);
    other = check_fork(killer, &sender);
    CHECK(receive_all(&receiver, &count) == -EOWNERDEAD);
    CHECK(count > 0);
    CHECK(check_wait(sender) == -SIGKILL);
    CHECK(check_wait(other) == 0);
    lam_typed_receiver_detach(&receiver);
    CHECK(lam_ring_destroy(&ring) == 0);
}

int main(void)
{
    (void)snprintf(name, sizeof(name), "lamina-test-typed.%d", (int)getpid());
    readers_get_every_value();
    a_killed_sender_costs_nothing_that_it_had_sent();
    return 0;
}
