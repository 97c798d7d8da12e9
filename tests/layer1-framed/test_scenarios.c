/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what users of other transports of this kind came to want shown: long runs of messages of
 * four frames, sizes about the frame's, a slow receiver, restarts with a backlog, the same bytes
 * whether they are lent or owned.
 * Method: a ring of 256 cells, which a run goes round many times; the sender is a thread.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "lamina/base/crc32c.h"
#include "lamina/ring/stat.h"
#include "starts.h"

#define DEPTH       256
#define FRAME_BYTES (DEPTH / 4 * 64 - LAM_EVENT_HEADER_BYTES - LAM_FRAME_HEADER_BYTES)
#define BOUND       (8 * FRAME_BYTES)

static struct channel channel;
static struct lam_framed_message message;
static uint8_t memory[BOUND] __attribute__((aligned(16)));

static void open_backed(enum lam_backing backing, const char *directory)
{
    char name[32];
    struct lam_ring_options options = {.name = name,
        .depth = DEPTH,
        .backing = backing,
        .directory = directory,
        .first_sequence = test_next_start()};
    struct lam_error error = {""};

    (void)snprintf(name, sizeof(name), "framed-%d", (int)getpid());
    cr_assert(eq(int, lam_ring_create(&channel.ring, &options, &error), 0), "%s", error.text);
    channel_attach_sender(&channel);
    channel_attach_receiver(&channel, BOUND, LAM_RING_HEAD);
}

static void open_channel(void)
{
    open_backed(LAM_BACKING_ANONYMOUS, NULL);
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(scenarios, .init = open_channel, .fini = close_channel, .timeout = 60);
TestSuite(backings, .timeout = 60);

struct run {
    uint64_t count;
    uint64_t bytes; /* of each; 0: they alternate between 16 bytes and the bound */
    uint64_t checksum;
    lam_atomic_u64 sent;
    int rc;
};

static uint64_t run_bytes(const struct run *run, uint64_t number)
{
    if (run->bytes != 0)
        return run->bytes;
    return number % 2 == 0 ? 16 : BOUND;
}

static void *send_run(void *arg)
{
    static uint8_t content[BOUND];
    struct run *run = arg;

    for (uint64_t number = 0; number < run->count && run->rc == 0; number++) {
        struct iovec part = {content, run_bytes(run, number)};

        known_fill(content, number, 0, part.iov_len);
        run->checksum += lam_crc32c(0, content, part.iov_len);
        run->rc = lam_framed_sender_send_until(
            &channel.sender, &part, 1, (uint16_t)(number & 0x7fff), NULL, soon());
        lam_store_release(&run->sent, number + 1);
    }
    return NULL;
}

static pthread_t start(struct run *run)
{
    pthread_t thread;

    cr_assert(eq(int, pthread_create(&thread, NULL, send_run, run), 0));
    return thread;
}

static void finish(pthread_t thread, const struct run *run)
{
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, run->rc, 0));
}

/* Returns the sum of the checksums of what came. */
static uint64_t receive_lent(const struct run *run)
{
    uint64_t sum = 0;

    for (uint64_t number = 0; number < run->count; number++) {
        cr_assert(
            eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), 0));
        cr_assert(known_is(&message, number, run_bytes(run, number)));
        sum += lam_crc32c(0, message.payload, message.payload_bytes);
        cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
    }
    return sum;
}

static uint64_t receive_owned(const struct run *run)
{
    uint64_t sum = 0;

    for (uint64_t number = 0; number < run->count; number++) {
        cr_assert(eq(int,
            lam_framed_receiver_take_until(
                &channel.receiver, soon(), memory, sizeof(memory), &message),
            0));
        cr_assert(known_is(&message, number, run_bytes(run, number)));
        sum += lam_crc32c(0, memory, message.payload_bytes);
    }
    return sum;
}

Test(scenarios, thousand_messages_of_four_frames_arrive_lent)
{
    struct run run = {.count = 1000 * effort(), .bytes = 4 * FRAME_BYTES - 100};
    pthread_t thread = start(&run);
    uint64_t sum = receive_lent(&run);

    finish(thread, &run);
    cr_assert(eq(u64, sum, run.checksum));
}

Test(scenarios, thousand_messages_of_four_frames_arrive_owned)
{
    struct run run = {.count = 1000 * effort(), .bytes = 4 * FRAME_BYTES - 100};
    pthread_t thread = start(&run);
    uint64_t sum = receive_owned(&run);

    finish(thread, &run);
    cr_assert(eq(u64, sum, run.checksum));
}

Test(scenarios, smallest_and_largest_take_turns)
{
    struct run run = {.count = 500 * effort()};
    pthread_t thread = start(&run);
    uint64_t sum = receive_lent(&run);

    finish(thread, &run);
    cr_assert(eq(u64, sum, run.checksum));
}

/* Frames that @bytes are sent as; they are received, too. */
static unsigned count_frames(uint64_t bytes)
{
    unsigned frames = 0;
    int rc = 0;

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, 7, NULL), 0));
    while (rc == 0) {
        if (lam_framed_sender_is_streaming(&channel.sender) &&
            known_try_piece(&channel.sender, 7) == 1)
            frames++;
        rc = lam_framed_receiver_try_receive(&channel.receiver, &message);
    }
    cr_assert(eq(int, rc, 1));
    cr_assert(known_is(&message, 7, bytes));
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
    return frames;
}

Test(scenarios, multiples_of_the_frame_and_one_byte_about_them_take_as_many_frames)
{
    for (unsigned frames = 1; frames <= 5; frames++) {
        cr_assert(eq(uint, count_frames(frames * (uint64_t)FRAME_BYTES), frames));
        cr_assert(eq(uint, count_frames(frames * (uint64_t)FRAME_BYTES - 1), frames));
        cr_assert(eq(uint, count_frames(frames * (uint64_t)FRAME_BYTES + 1), frames + 1));
    }
}

Test(scenarios, an_empty_message_is_a_message_and_ends_a_run)
{
    struct iovec none[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};

    for (uint64_t number = 0; number < 200; number++) {
        cr_assert(eq(int, known_round(&channel, number, number * 150), 1));
        /* A kind of its own, of parts without a byte. */
        cr_assert(eq(
            int, lam_framed_sender_try_send(&channel.sender, none, number % 4, 0x7fff, NULL), 1));
        cr_assert(eq(int, lam_framed_receiver_try_take(&channel.receiver, memory, 0, &message), 1));
        cr_assert(eq(int, message.kind, 0x7fff));
        cr_assert(eq(u64, message.payload_bytes, 0));
    }
}

Test(scenarios, a_slow_receiver_slows_the_sender_and_loses_nothing)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct run run = {.count = 60, .bytes = 4 * FRAME_BYTES - 100};
    static struct lam_ring_stat stat;
    pthread_t thread = start(&run);

    for (uint64_t number = 0; number < run.count; number++) {
        cr_assert(
            eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), 0));
        (void)nanosleep(&pause, NULL);
        /* It may be a ring ahead, and what is in the buffer: not a second message. */
        cr_assert(le(u64, lam_load_acquire(&run.sent), number + 2));
        cr_assert(known_is(&message, number, run.bytes));
        cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
    }
    finish(thread, &run);
    cr_assert(eq(int, lam_ring_stat_read(&channel.ring, &stat), 0));
    cr_assert(lt(u64, 0, stat.full));
}

Test(scenarios, a_receiver_that_restarts_midway_has_the_backlog)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = BOUND, .consumer = {.name = "restarts", .start = LAM_RING_RESUME}};
    static struct lam_ring_required required;
    const char *const names[] = {"restarts"};
    struct lam_ring_required_options require_options = {
        .names = names, .count = 1, .grace_ns = 30 * LAM_NS_PER_S};
    struct run run = {.count = 300, .bytes = 3000};
    pthread_t thread;

    lam_framed_receiver_detach(&channel.receiver);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
    /* Its place is kept while it is away. */
    cr_assert(
        eq(int, lam_framed_sender_require(&channel.sender, &required, &require_options, NULL), 0));
    thread = start(&run);
    for (uint64_t number = 0; number < run.count;) {
        uint64_t lost = 0;

        for (int i = 0; i < 7 && number < run.count; i++, number++) {
            cr_assert(
                eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), 0));
            cr_assert(known_is(&message, number, run.bytes));
            cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
        }
        /* One more is received and not released: it comes again. */
        if (number < run.count)
            cr_assert(
                eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), 0));
        lam_framed_receiver_detach(&channel.receiver);
        cr_assert(eq(
            int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
        cr_assert(eq(int, lam_ring_consumer_resumed(&channel.receiver.consumer, &lost), 1));
        cr_assert(eq(u64, lost, 0));
    }
    finish(thread, &run);
}

Test(scenarios, a_sender_that_restarts_midway_leaves_its_backlog_and_one_cut)
{
    struct lam_framed_loss loss;

    for (int round = 0; round < 50; round++) {
        for (uint64_t number = 0; number < 5; number++)
            cr_assert(eq(int, known_try_send(&channel.sender, number, 400), 1));
        cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, BOUND, 9, NULL), 0));
        cr_assert(eq(int, known_try_piece(&channel.sender, 9), 1));
        lam_framed_sender_detach(&channel.sender);
        channel_attach_sender(&channel);
        for (uint64_t number = 5; number < 8; number++)
            cr_assert(eq(int, known_try_send(&channel.sender, number, 400), 1));
        for (uint64_t number = 0; number < 8; number++) {
            if (number == 5) {
                cr_assert(
                    eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message),
                        -EOWNERDEAD));
                cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
                cr_assert(eq(u64, loss.total_bytes, BOUND));
            }
            cr_assert(eq(int, known_try_receive(&channel.receiver, number, 400), 1));
        }
    }
}

static int is_inside_the_ring(const void *payload)
{
    const uint8_t *at = payload;

    return at >= channel.ring.data.base && at < channel.ring.data.base +
                                                    channel.ring.data.head_bytes +
                                                    2 * channel.ring.data.body_bytes;
}

Test(backings, owned_and_lent_messages_have_the_same_bytes_in_and_outside_the_ring)
{
    static const struct {
        enum lam_backing backing;
        const char *directory;
    } table[] = {{LAM_BACKING_NAMED, NULL}, {LAM_BACKING_FILE, "/tmp"}, {LAM_BACKING_MEMFD, NULL}};

    for (unsigned i = 0; i < 3; i++) {
        struct run run = {.count = 100, .bytes = 4 * FRAME_BYTES - 100};
        pthread_t thread;
        uint64_t lent, owned;

        open_backed(table[i].backing, table[i].directory);
        thread = start(&run);
        lent = receive_lent(&run);
        finish(thread, &run);
        cr_assert(eq(u64, lent, run.checksum));
        run = (struct run){.count = 100, .bytes = 4 * FRAME_BYTES - 100};
        thread = start(&run);
        owned = receive_owned(&run);
        finish(thread, &run);
        cr_assert(eq(u64, owned, lent));

        cr_assert(eq(int, known_try_send(&channel.sender, 5, 900), 1));
        cr_assert(eq(int, known_try_send(&channel.sender, 6, 900), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(is_inside_the_ring(message.payload));
        cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
        cr_assert(eq(int,
            lam_framed_receiver_try_take(&channel.receiver, memory, sizeof(memory), &message), 1));
        cr_assert(message.payload == memory && !is_inside_the_ring(message.payload));
        close_channel();
    }
}
