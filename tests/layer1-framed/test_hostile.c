/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: bytes that no sender writes poison the channel; they never crash, loop, or write outside
 * the receiver's buffer.
 * Method: a layer 0 producer writes events of every wrong shape, one by one from a table and at
 * random; a right one of the same make is taken, so that the refusals mean something. The buffer is
 * of its own allocation, for AddressSanitizer to guard.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"

#define BUFFER_BYTES 200

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_framed_receiver receiver;
static struct lam_framed_message message;

static void open_channel(void)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = BUFFER_BYTES};

    channel_make_ring(&ring, 64, 0);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, NULL), 0));
    cr_assert(eq(int, lam_framed_receiver_attach(&receiver, &ring, &options, NULL), 0));
}

static void close_channel(void)
{
    lam_framed_receiver_detach(&receiver);
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

TestSuite(hostile, .init = open_channel, .fini = close_channel, .timeout = 30);

/* A frame as words, to be put on the ring as it is. */
struct raw {
    uint64_t message;
    uint64_t total;
    uint64_t offset;
    uint64_t shape;
    uint32_t payload_bytes; /* of the event: header and piece */
    uint16_t flags;
    uint16_t kind;
};

enum { FIRST = LAM_EVENT_FIRST_FRAME, LAST = LAM_EVENT_LAST_FRAME, FRAME = LAM_FRAMED_KIND_FRAME };

static void put(const struct raw *raw)
{
    uint8_t bytes[1024];
    void *payload = NULL;

    size_t at = raw->kind == FRAME ? 16 * (size_t)__builtin_popcount(raw->flags & 7) : 0;

    memset(bytes, 0x5a, sizeof(bytes));
    memcpy(bytes + at, raw, 32);
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, raw->payload_bytes, &payload), 1));
    memcpy(payload, bytes, raw->payload_bytes);
    lam_ring_producer_commit(&producer, raw->payload_bytes, raw->kind, raw->flags);
}

/* The first of two frames of a message of 100 bytes at sequence 0, with 60 bytes. */
static const struct raw good_first = {0, 100, 0, 7, 32 + 60, FIRST, FRAME};
/* It takes two cells. The second one, with the rest; and one that cuts it instead. */
static const struct raw good_last = {0, 100, 60, 7, 32 + 40, LAST, FRAME};
static const struct raw good_cut = {0, 100, 60, 7 | 1 << 16, 32, LAST, FRAME};

static int receive(void)
{
    return lam_framed_receiver_try_receive(&receiver, &message);
}

static void expect_poison(const char *what)
{
    static const struct raw good = {.payload_bytes = 8, .kind = 3};

    put(&good);
    cr_assert(eq(int, receive(), -ENOTRECOVERABLE), "%s", what);
    /* And it stays so, whatever follows. */
    cr_assert(eq(int, receive(), -ENOTRECOVERABLE), "%s", what);
    cr_assert(
        eq(int, lam_framed_receiver_receive_until(&receiver, soon(), &message), -ENOTRECOVERABLE));
}

Test(hostile, frames_made_by_hand_are_taken)
{
    put(&good_first);
    cr_assert(eq(int, receive(), 0));
    put(&good_last);
    cr_assert(eq(int, receive(), 1));
    cr_assert(eq(u64, message.payload_bytes, 100));
    cr_assert(eq(int, message.kind, 7));
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, ((const uint8_t *)message.payload)[i], 0x5a));
}

Test(hostile, cuts_made_by_hand_are_taken)
{
    put(&good_first);
    put(&good_cut);
    cr_assert(eq(int, receive(), -ECANCELED));
    cr_assert(eq(int, receive(), 0));
}

/* Each in a channel of its own: as its first event, and as the second behind a good first frame. */
static void refuse_each(const struct raw *table, size_t count, int behind)
{
    for (size_t i = 0; i < count; i++) {
        close_channel();
        open_channel();
        if (behind)
            put(&good_first);
        put(&table[i]);
        cr_assert(eq(int, receive(), -ENOTRECOVERABLE), "entry %zu", i);
        cr_assert(eq(int, receive(), -ENOTRECOVERABLE), "entry %zu", i);
    }
}

Test(hostile, impossible_first_frames_poison)
{
    static const struct raw table[] = {
        {1, 100, 0, 7, 92, FIRST, FRAME},                  /* not its own sequence */
        {UINT64_MAX, 100, 0, 7, 92, FIRST, FRAME},         /* likewise */
        {0, 0, 0, 7, 92, FIRST, FRAME},                    /* no bytes in all */
        {0, 0, 0, 7, 32, FIRST | LAST, FRAME},             /* likewise, and none here */
        {0, 100, 0, 7, 32, FIRST, FRAME},                  /* no piece */
        {0, 100, 1, 7, 92, FIRST, FRAME},                  /* not at the start */
        {0, 59, 0, 7, 92, FIRST | LAST, FRAME},            /* more than the total */
        {0, 60, 0, 7, 92, FIRST, FRAME},                   /* the last, and does not say so */
        {0, 100, 0, 7, 92, FIRST | LAST, FRAME},           /* says so, and is not */
        {0, 100, 0, 7 | 1 << 16, 32, FIRST | LAST, FRAME}, /* a cut at once */
        {0, 100, 0, 7 | 2 << 16, 92, FIRST, FRAME},        /* a cut of an unknown make */
        {0, 100, 0, 7 | 1ULL << 32, 92, FIRST, FRAME},     /* zero is not zero */
        {0, 100, 0, 7 | 1ULL << 63, 92, FIRST, FRAME},     /* likewise */
        {0, 100, 0, FRAME, 92, FIRST, FRAME},              /* a frame of frames */
        {0, 100, 0, 0x80ff, 92, FIRST, FRAME},             /* a kind of layer 1's own */
        {0, 100, 0, 7, 31, FIRST, FRAME},                  /* no room for the header */
        {0, 1ULL << 40, 0, 7, 31, FIRST, FRAME},           /* likewise, of a message of any size */
        {0, 100, 0, 7, 0, FIRST, FRAME},                   /* likewise */
        {0, 100, 0, 7, 40, FIRST | 1, FRAME},              /* likewise, behind a correlation */
        {0, 100, 0, 7, 92, FIRST | 0x20, FRAME},           /* a flag that nobody knows */
        {0, 100, 0, 7, 92, FIRST | 0x8000, FRAME},         /* likewise */
    };

    refuse_each(table, sizeof(table) / sizeof(table[0]), 0);
}

Test(hostile, impossible_next_frames_poison)
{
    static const struct raw table[] = {
        {1, 100, 60, 7, 72, LAST, FRAME},               /* of another message */
        {2, 100, 60, 7, 72, LAST, FRAME},               /* of itself */
        {3, 100, 60, 7, 72, LAST, FRAME},               /* of a message to come */
        {0, 101, 60, 7, 72, 0, FRAME},                  /* another total */
        {0, UINT64_MAX, 60, 7, 72, 0, FRAME},           /* likewise */
        {0, 100, 59, 7, 72, 0, FRAME},                  /* a step back */
        {0, 100, 61, 7, 71, LAST, FRAME},               /* a gap */
        {0, 100, 60, 8, 72, LAST, FRAME},               /* another kind */
        {0, 100, 60, 7, 73, LAST, FRAME},               /* beyond the end */
        {0, 100, 60, 7, 32 + 300, LAST, FRAME},         /* far beyond: past the buffer */
        {0, 100, UINT64_MAX - 10, 7, 72, LAST, FRAME},  /* an offset that wraps */
        {0, 100, 100, 7, 32, LAST, FRAME},              /* empty, at the end */
        {0, 100, 60, 7, 32, 0, FRAME},                  /* empty */
        {0, 100, 60, 7, 72, 0, FRAME},                  /* the last, and does not say so */
        {0, 100, 60, 7, 42, LAST, FRAME},               /* says so, and is not */
        {0, 100, 60, 7, 88, LAST | 1, FRAME},           /* a correlation in the middle */
        {0, 100, 60, 7 | 1 << 16, 33, LAST, FRAME},     /* a cut with a piece */
        {0, 100, 60, 7 | 1 << 16, 32, 0, FRAME},        /* a cut that is not the last */
        {0, 100, 60, 7 | 2 << 16, 32, LAST, FRAME},     /* a cut of an unknown make */
        {0, 100, 60, 7 | 1 << 16, 48, LAST | 2, FRAME}, /* a cut with an extension */
        {0, 100, 61, 7 | 1 << 16, 32, LAST, FRAME},     /* a cut elsewhere */
        {0, 100, 0, 7, 92, 0, FRAME},                   /* first again, and does not say so */
        {0, 100, 60, 7, 72, LAST | 0x40, FRAME},        /* a flag that nobody knows */
    };

    refuse_each(table, sizeof(table) / sizeof(table[0]), 1);
}

Test(hostile, impossible_messages_poison)
{
    static const struct raw table[] = {
        {.payload_bytes = 40, .kind = 7, .flags = FIRST},        /* a message with a frame's flag */
        {.payload_bytes = 40, .kind = 7, .flags = LAST},         /* likewise */
        {.payload_bytes = 40, .kind = 7, .flags = FIRST | LAST}, /* likewise */
        {.payload_bytes = 15, .kind = 7, .flags = 1},            /* no room for a correlation */
        {.payload_bytes = 47, .kind = 7, .flags = 7},            /* for all three extensions */
        {.payload_bytes = 40, .kind = 7, .flags = 0x20},         /* a flag that nobody knows */
        {.payload_bytes = 40, .kind = 7, .flags = 0xffe0},       /* likewise */
        {.payload_bytes = 40, .kind = 0x8000, .flags = 0},       /* kinds of layer 1's own */
        {.payload_bytes = 40, .kind = 0x8002, .flags = 0},       /* likewise */
        {.payload_bytes = 40, .kind = 0x80ff, .flags = 0},       /* likewise */
    };

    refuse_each(table, sizeof(table) / sizeof(table[0]), 0);
    refuse_each(table, sizeof(table) / sizeof(table[0]), 1);
}

Test(hostile, a_frame_behind_a_whole_message_poisons)
{
    static const struct raw whole = {.payload_bytes = 8, .kind = 3};
    static const struct raw middle = {0, 100, 60, 7, 72, LAST, FRAME};

    put(&whole);
    cr_assert(eq(int, receive(), 1));
    put(&middle);
    expect_poison("nothing was begun");
}

Test(hostile, a_frame_behind_the_last_one_poisons)
{
    put(&good_first);
    put(&good_last);
    cr_assert(eq(int, receive(), 1));
    put(&good_last);
    expect_poison("it was complete");
}

Test(hostile, a_frame_behind_a_cut_poisons)
{
    put(&good_first);
    put(&good_cut);
    cr_assert(eq(int, receive(), -ECANCELED));
    put(&good_last);
    expect_poison("it was given up");
}

Test(hostile, a_joiner_is_as_strict_from_the_first_frame_that_it_sees)
{
    static const struct raw middle = {UINT64_MAX - 9, 1000, 60, 7, 72, 0, FRAME};
    static const struct raw gap = {UINT64_MAX - 9, 1000, 140, 7, 72, 0, FRAME};

    put(&middle);
    cr_assert(eq(int, receive(), 0));
    put(&gap);
    expect_poison("a gap in what is skipped");
}

Test(hostile, a_joiner_takes_no_frame_of_a_message_to_come)
{
    static const struct raw early = {5, 1000, 60, 7, 72, 0, FRAME};

    put(&early);
    expect_poison("its first frame is not there yet");
}

Test(hostile, extensions_are_known_by_their_flags_and_stepped_over)
{
    for (uint16_t flags = 0; flags < 4; flags++) { /* a wrong CRC32C is another story */
        unsigned extension_bytes = 16 * (unsigned)__builtin_popcount(flags);
        struct raw raw = {1, 2, 3, 4, extension_bytes + 24, flags, 7};

        put(&raw);
        cr_assert(eq(int, receive(), 1));
        cr_assert(eq(u64, message.payload_bytes, 24));
        cr_assert(eq(int, message.flags, flags));
        cr_assert(eq(int, message.correlation != NULL, flags & 1));
        if (flags & 1)
            cr_assert(eq(u64, message.correlation->scope, 2));
        lam_framed_receiver_release(&receiver, &message);
    }
}

Test(hostile, kinds_of_the_layers_above_pass_through)
{
    static const struct raw raw = {.payload_bytes = 8, .kind = LAM_FRAMED_KIND_END};

    put(&raw);
    cr_assert(eq(int, receive(), 1));
    cr_assert(eq(int, message.kind, LAM_FRAMED_KIND_END));
}

static uint64_t random_state = 88172645463325252;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A good frame, one in three of them with a word or two changed. */
static void put_mutant(uint64_t *offset)
{
    static const uint64_t values[] = {0, 1, 59, 60, 61, 99, 100, 101, 200, 201, 1 << 16, 1u << 31,
        UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 31};
    struct raw raw = *offset == 0 ? good_first : good_last;
    uint64_t *words = &raw.message;

    raw.message = *offset == 0 ? producer.next : producer.next - 2;
    *offset = *offset == 0 ? 60 : 0;
    for (uint64_t count = random_u64() % 6 / 4 * (1 + random_u64() % 2); count > 0; count--) {
        uint64_t value = values[random_u64() % (sizeof(values) / sizeof(values[0]))];
        uint64_t which = random_u64() % 7;

        if (which < 4)
            words[which] = value;
        else if (which == 4)
            raw.payload_bytes = (uint32_t)(random_u64() % 1000);
        else if (which == 5)
            raw.flags = (uint16_t)(random_u64() & (random_u64() % 4 == 0 ? 0xffff : 0x1f));
        else
            raw.kind = (uint16_t)value;
    }
    put(&raw);
}

Test(hostile, mutated_frames_at_random_never_crash_or_loop)
{
    unsigned taken = 0, poisoned = 0;

    for (int round = 0; round < 4000; round++) {
        uint64_t offset = 0;
        int rc = 0;

        for (int step = 0; step < 12 && rc != -ENOTRECOVERABLE; step++) {
            put_mutant(&offset);
            rc = receive();
            if (rc == 1) {
                uint8_t sum = 0;

                for (uint64_t i = 0; i < message.payload_bytes; i++)
                    sum = (uint8_t)(sum + ((const uint8_t *)message.payload)[i]);
                (void)sum;
                lam_framed_receiver_release(&receiver, &message);
                taken++;
            }
        }
        if (rc == -ENOTRECOVERABLE) {
            poisoned++;
            close_channel();
            open_channel();
        }
    }
    /* Both happen often, or the mutants prove nothing. */
    cr_assert(lt(uint, 1000, taken));
    cr_assert(lt(uint, 1000, poisoned));
}
