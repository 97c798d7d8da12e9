/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenes of frames_crash.c. Whoever does not die sees all messages, each whole or told lost,
 * in order, until the channel closes.
 */
#include "frames_crash.h"

static struct lam_error error;

static void attach_reader(struct crash_reader *reader, const char *name, enum lam_ring_start start)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = 8000,
        .streams_max = CRASH_SENDERS,
        .copies = reader->takes,
        .is_checked = 1,
        .consumer = {.name = name, .start = start, .wait = LAM_WAIT_FUTEX}};

    TEST_OK(lam_framed_receiver_attach(&reader->end, &crash_ring, &options, &error), error);
    for (unsigned i = 0; reader->is_new && i < CRASH_SENDERS; i++)
        reader->next[i] = UINT64_MAX;
}

static void make_ring(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {.name = "frames-crash",
        .depth = CRASH_DEPTH,
        .first_sequence = crash.first,
        .producers = producers};

    TEST_OK(lam_ring_create(&crash_ring, &options, &error), error);
}

/* To the end of the channel; deaths are no end while somebody may come. */
static void read_to_close(struct crash_reader *reader)
{
    int rc;

    do
        rc = crash_read(reader, crash_soon());
    while (rc == 0 || rc == -EOWNERDEAD);
    TEST_CHECK(rc == -EPIPE);
    for (unsigned i = 0; i < CRASH_SENDERS; i++)
        TEST_CHECK(reader->next[i] == UINT64_MAX ||
                   reader->next[i] == lam_load_acquire(&crash.board->begun[i]));
    lam_framed_receiver_detach(&reader->end);
}

/* ---- one sender dies ---- */

/* @required: nobody overwrites what that one has not read, dead or not. NULL for none. */
static void send_from(uint64_t number, uint64_t end, int closes, const char *required)
{
    static struct lam_ring_required memory;
    struct lam_ring_required_options requires = {
        .names = &required, .count = 1, .grace_ns = 30 * LAM_NS_PER_S};
    struct lam_framed_sender_options options = {.message_bytes_max = 8000,
        .producer.wait = LAM_WAIT_FUTEX,
        .extensions = LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C};
    struct lam_framed_sender sender;

    TEST_OK(lam_framed_sender_attach(&sender, &crash_ring, &options, &error), error);
    if (required != NULL)
        TEST_OK(lam_framed_sender_require(&sender, &memory, &requires, &error), error);
    crash_send_one(&sender, number, end);
    if (closes)
        lam_framed_sender_close(&sender);
    lam_framed_sender_detach(&sender);
}

static void sender_peer(void)
{
    send_from(0, CRASH_COUNT, 0, NULL);
}

static void taking_reader(void)
{
    struct crash_reader reader = {.takes = 1};

    attach_reader(&reader, "taking", LAM_RING_OLDEST);
    read_to_close(&reader);
}

static void lending_reader(void)
{
    struct crash_reader reader = {.takes = 0};

    attach_reader(&reader, "lending", LAM_RING_OLDEST);
    read_to_close(&reader);
}

static void wait_for_readers(unsigned count)
{
    struct lam_framed_sender sender;

    TEST_OK(lam_framed_sender_attach(&sender, &crash_ring, NULL, &error), error);
    TEST_CHECK(lam_framed_sender_wait_receivers_until(&sender, count, crash_soon()) == 0);
    lam_framed_sender_detach(&sender);
}

void crash_scene_sender(void)
{
    pid_t readers[2], peer;
    uint64_t number;

    make_ring(LAM_RING_ONE_PRODUCER);
    readers[0] = crash_start(taking_reader, 0);
    readers[1] = crash_start(lending_reader, 0);
    wait_for_readers(2);
    peer = crash_start(sender_peer, 1);
    TEST_CHECK(test_wait(peer) == (lam_load_acquire(&crash.board->killed) ? 128 + SIGKILL : 0));
    /* The successor begins with what the dead one had not begun. */
    number = lam_load_acquire(&crash.board->begun[0]);
    number += lam_load_acquire(&crash.board->killed) != 0;
    send_from(number, number + CRASH_COUNT / 2, 1, NULL);
    for (int i = 0; i < 2; i++)
        TEST_CHECK(test_wait(readers[i]) == 0);
    TEST_CHECK(lam_ring_destroy(&crash_ring) == 0);
}

/* ---- its successor is quicker than the news ---- */

#define FIRST_IN_FRAMES 2 /* and the one behind it, too: a piece of each fits the ring */

/* It looks at nothing before the successor has sent the first of its own. */
static void late_reader(void)
{
    struct crash_reader reader = {.takes = crash.seed % 2 == 0};
    uint64_t end_ns = crash_soon();

    attach_reader(&reader, "late", LAM_RING_OLDEST);
    while (lam_load_acquire(&crash.board->begun[0]) < FIRST_IN_FRAMES + 2) {
        TEST_CHECK(lam_clock_now_ns() < end_ns);
        (void)usleep(1000);
    }
    read_to_close(&reader);
}

/* The one reader finds the dead one's frames and the successor's next to each other. */
void crash_scene_quicker(void)
{
    pid_t reader, peer;

    make_ring(LAM_RING_ONE_PRODUCER);
    reader = crash_start(late_reader, 0);
    wait_for_readers(1);
    peer = crash_start(sender_peer, 1);
    TEST_CHECK(test_wait(peer) == 128 + SIGKILL);
    TEST_CHECK(lam_load_acquire(&crash.board->died_at) == FIRST_IN_FRAMES);
    send_from(FIRST_IN_FRAMES + 1, FIRST_IN_FRAMES + CRASH_COUNT / 2, 1, NULL);
    TEST_CHECK(test_wait(reader) == 0);
    TEST_CHECK(lam_ring_destroy(&crash_ring) == 0);
}

/* ---- one of many senders dies ---- */

static void many_from(unsigned who, uint64_t number, uint64_t end)
{
    struct lam_framed_many_options options = {
        .message_bytes_max = 8000, .producer.wait = LAM_WAIT_FUTEX, .extensions = LAM_EVENT_CRC32C};
    struct lam_framed_many sender;

    TEST_OK(lam_framed_many_attach(&sender, &crash_ring, &options, &error), error);
    crash_send_many(&sender, who, number, end);
    lam_framed_many_close(&sender);
    lam_framed_many_detach(&sender);
}

static void many_peer(void)
{
    many_from(0, 0, CRASH_COUNT);
}

static void many_other(void)
{
    many_from(1, 0, CRASH_COUNT);
}

void crash_scene_many(void)
{
    struct lam_framed_many_options options = {.message_bytes_max = 8000};
    struct lam_framed_many keeper;
    pid_t readers[2], peer, other;
    uint64_t number;

    make_ring(LAM_RING_MANY_PRODUCERS);
    /* It keeps the channel open until the others have gone. */
    TEST_OK(lam_framed_many_attach(&keeper, &crash_ring, &options, &error), error);
    readers[0] = crash_start(taking_reader, 0);
    readers[1] = crash_start(lending_reader, 0);
    TEST_CHECK(lam_ring_many_wait_consumers_until(&keeper.producer, 2, crash_soon()) == 0);
    peer = crash_start(many_peer, 1);
    other = crash_start(many_other, 0);
    TEST_CHECK(test_wait(peer) == (lam_load_acquire(&crash.board->killed) ? 128 + SIGKILL : 0));
    number = lam_load_acquire(&crash.board->begun[0]);
    number += lam_load_acquire(&crash.board->killed) != 0;
    many_from(0, number, number + CRASH_COUNT / 2);
    TEST_CHECK(test_wait(other) == 0);
    lam_framed_many_close(&keeper);
    lam_framed_many_detach(&keeper);
    for (int i = 0; i < 2; i++)
        TEST_CHECK(test_wait(readers[i]) == 0);
    TEST_CHECK(lam_ring_destroy(&crash_ring) == 0);
}

/* ---- a receiver dies ---- */

static void receiver_peer(void)
{
    struct crash_reader reader = {
        .takes = strcmp(crash.of->label, "copy.made") == 0 || crash.seed % 2 == 0};
    int rc;

    if (strncmp(crash.of->label, "assemble.", 9) == 0)
        reader.takes = crash.seed % 3 == 0;
    if (strcmp(crash.of->label, "take.copied") == 0)
        reader.takes = 1;
    attach_reader(&reader, "peer", LAM_RING_OLDEST);
    while ((rc = crash_read(&reader, crash_soon())) == 0 || rc == -EOWNERDEAD)
        lam_store_release(&crash.board->taken, reader.next[0]); /* until the sender comes */
    TEST_CHECK(rc == -EPIPE);
}

static void all_sender(void)
{
    send_from(0, 2 * CRASH_COUNT, 1, "peer");
}

/* Whoever takes the dead one's place misses nothing but what that one was in the middle of. */
void crash_scene_receiver(void)
{
    struct crash_reader heir = {.is_new = 1};
    struct lam_framed_sender sender;
    pid_t peer, reader, all;
    uint64_t taken;
    int rc;

    make_ring(LAM_RING_ONE_PRODUCER);
    TEST_OK(lam_framed_sender_attach(&sender, &crash_ring, NULL, &error), error);
    reader = crash_start(lending_reader, 0);
    peer = crash_start(receiver_peer, 1);
    TEST_CHECK(lam_framed_sender_wait_receivers_until(&sender, 2, crash_soon()) == 0);
    lam_framed_sender_detach(&sender);
    all = crash_start(all_sender, 0);
    TEST_CHECK(test_wait(peer) == (lam_load_acquire(&crash.board->killed) ? 128 + SIGKILL : 0));
    taken = lam_load_acquire(&crash.board->taken);
    attach_reader(&heir, "peer", LAM_RING_RESUME);
    do
        rc = crash_read(&heir, crash_soon());
    while ((rc == 0 || rc == -EOWNERDEAD) && heir.next[0] == UINT64_MAX);
    /* One more was taken and not counted yet, or was partly in the dead one's buffer. */
    if (rc == 0 && heir.next[0] > taken + 2)
        (void)fprintf(stderr, "%llu after %llu\n", (unsigned long long)heir.next[0],
            (unsigned long long)taken);
    TEST_CHECK(rc != 0 || heir.next[0] <= taken + 2);
    if (rc == 0) {
        read_to_close(&heir);
    } else {
        TEST_CHECK(rc == -EPIPE);
        lam_framed_receiver_detach(&heir.end);
    }
    TEST_CHECK(test_wait(all) == 0 && test_wait(reader) == 0);
    TEST_CHECK(lam_ring_destroy(&crash_ring) == 0);
}
