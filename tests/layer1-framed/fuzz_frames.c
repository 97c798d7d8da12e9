/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as events of a channel, read by every kind of receiver. They are
 * messages, or lost, or poison; nothing outside is touched, and nothing loops.
 *
 *     build/fuzz/tests/fuzz_framed_frames -max_len=4096 CORPUS
 *
 * The first byte chooses the receiver and the ring; then each step is a byte that says what, and
 * what it takes. An event's words are right, unless a byte says which are not: so short inputs come
 * far. Right ids are those of the message that was begun last.
 */
#include <stdlib.h>

#include "channel.h"
#include "lamina/ring/event_crc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BOUND = 300, MEMORY = 200 };

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static struct lam_ring ring;
static struct lam_ring_producer one;
static struct lam_ring_many_producer many;
static struct lam_framed_receiver receiver;
static struct lam_framed_message held[3];
static unsigned held_count;
static uint64_t message_id, message_offset, message_total;
static uint16_t message_flags;

static uint8_t byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static int is_many(void)
{
    return ring.producers == LAM_RING_MANY_PRODUCERS;
}

static int claim(uint64_t bytes, void **payload, uint64_t *sequence)
{
    int rc = is_many() ? lam_ring_many_try_claim(&many, bytes, payload)
                       : lam_ring_producer_try_claim(&one, bytes, payload);

    *sequence = is_many() ? many.start : one.next;
    return rc == 1;
}

static void commit(void *payload, uint32_t bytes, uint16_t kind, uint16_t flags, int is_right)
{
    if (is_right && (flags & LAM_EVENT_CRC32C) != 0 &&
        bytes >= lam_event_crc_offset(flags) + LAM_EVENT_EXTENSION_BYTES)
        lam_event_crc_write(payload, bytes, kind, flags);
    if (is_many())
        lam_ring_many_commit(&many, bytes, kind, flags);
    else
        lam_ring_producer_commit(&one, bytes, kind, flags);
}

/* A word that is no right one. */
static uint64_t wrong_word(struct input *input, uint64_t right)
{
    static const uint64_t values[] = {0, 1, 31, 32, 200, 299, 300, 301, 320, 1 << 16, UINT32_MAX,
        UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX - 31, UINT64_MAX - 1, UINT64_MAX};
    uint8_t which = byte(input);

    return which < 16 ? values[which] : right + (uint64_t)(int64_t)(int8_t)which;
}

/* The words of a frame that goes on where the last one was, but for those that @wrong names. */
static void set_words(struct input *input, uint8_t *header, uint64_t sequence, uint16_t flags,
    uint64_t piece_bytes, unsigned wrong)
{
    uint64_t words[4];

    if ((flags & LAM_EVENT_FIRST_FRAME) != 0) {
        message_id = sequence;
        message_offset = 0;
        message_total = piece_bytes + byte(input) % 128;
    }
    words[0] = message_id;
    words[1] = message_total;
    words[2] = message_offset;
    words[3] = 7 | (is_many() ? UINT64_C(1) << 32 : 0) | (piece_bytes == 0 ? 0x10000 : 0);
    for (unsigned i = 0; i < 4; i++)
        if ((wrong >> i & 1) != 0)
            words[i] = wrong_word(input, words[i]);
    message_offset += piece_bytes;
    memcpy(header, words, sizeof(words));
}

/* Of what comes next: a first frame behind a last one, extensions where they belong. */
static uint16_t right_flags(uint16_t flags, uint16_t kind, uint32_t bytes, unsigned wrong)
{
    if (kind != LAM_FRAMED_KIND_FRAME)
        return flags & 7;
    if (message_offset >= message_total) {
        message_flags = flags & LAM_EVENT_CRC32C;
        return (flags & 7) | LAM_EVENT_FIRST_FRAME;
    }
    if ((wrong & 2) == 0 && bytes >= message_total - message_offset)
        return message_flags | LAM_EVENT_LAST_FRAME;
    return message_flags;
}

static void put(struct input *input)
{
    uint8_t what = byte(input), wrong = byte(input);
    uint16_t kind = (what & 1) != 0 ? (uint16_t)(byte(input) << 8) : LAM_FRAMED_KIND_FRAME;
    uint16_t flags = (uint16_t)(what >> 1 & 0x3f);
    uint32_t bytes = byte(input);
    uint32_t extension_bytes = 16 * (uint32_t)__builtin_popcount(flags & 7);
    uint64_t sequence;
    void *payload;

    if (wrong < 0x80)
        wrong = 0; /* most are right, or all would be poison soon */
    if ((wrong & 64) == 0)
        flags = right_flags(flags, kind, bytes, wrong);
    if (kind == LAM_FRAMED_KIND_FRAME && wrong == 0 && message_offset < message_total &&
        bytes > message_total - message_offset)
        bytes = (uint32_t)(message_total - message_offset);
    if (kind == LAM_FRAMED_KIND_FRAME && (wrong & 16) == 0)
        bytes += extension_bytes + LAM_FRAME_HEADER_BYTES;
    if (!claim(bytes, &payload, &sequence))
        return;
    memset(payload, 0x5a, bytes);
    if (kind == LAM_FRAMED_KIND_FRAME && bytes >= extension_bytes + LAM_FRAME_HEADER_BYTES)
        set_words(input, (uint8_t *)payload + extension_bytes, sequence, flags,
            bytes - extension_bytes - LAM_FRAME_HEADER_BYTES, wrong);
    commit(payload, bytes, kind, flags, (wrong & 32) == 0);
}

static void look_at(const struct lam_framed_message *message)
{
    uint64_t sum = message->correlation != NULL ? message->correlation->scope : 0;

    for (uint64_t i = 0; i < message->payload_bytes; i++)
        sum += ((const uint8_t *)message->payload)[i];
    __asm__("" ::"r"(sum)); /* keep the loads */
}

static void receive(struct input *input)
{
    uint32_t count = 1 + byte(input) % 3;
    int rc = lam_framed_receiver_try_receive_batch(&receiver, held, count);
    struct lam_framed_loss loss;

    for (int i = 0; i < rc; i++)
        look_at(&held[i]);
    held_count = rc > 0 ? (unsigned)rc : 0;
    (void)lam_framed_receiver_loss(&receiver, &loss);
    if (rc == -ESTALE)
        abort(); /* nobody evicts here */
}

static void release(void)
{
    if (held_count != 0)
        (void)lam_framed_receiver_release(&receiver, &held[held_count - 1]);
    held_count = 0;
}

static void take(struct input *input)
{
    static uint8_t memory[MEMORY];
    struct lam_framed_message message;
    uint64_t capacity = byte(input) % (MEMORY + 1);

    release(); /* it would release that, too */
    if (lam_framed_receiver_try_take(&receiver, memory, capacity, &message) == 1)
        look_at(&message);
}

static int open_all(uint8_t choice, uint8_t *buffer)
{
    struct lam_ring_options options = {.name = "fuzz",
        .depth = 32,
        .first_sequence = UINT64_MAX - 20,
        .producers = (choice & 1) != 0 ? LAM_RING_MANY_PRODUCERS : LAM_RING_ONE_PRODUCER};
    struct lam_framed_receiver_options receiver_options = {.message_bytes_max = BOUND,
        .streams_max = 1 + (choice >> 1 & 1),
        .copies = choice >> 2 & 1,
        .is_checked = choice >> 3 & 1,
        .buffer = buffer,
        .consumer = {
            .policy = (choice & 16) != 0 ? LAM_RING_LOSSY : LAM_RING_GATE, .wait = LAM_WAIT_YIELD}};

    if (lam_ring_create(&ring, &options, NULL) != 0)
        return 0;
    if (is_many() ? lam_ring_many_attach(&many, &ring, NULL, NULL)
                  : lam_ring_producer_attach(&one, &ring, NULL, NULL))
        return 0;
    return lam_framed_receiver_attach(&receiver, &ring, &receiver_options, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    /* Of its own allocation, for AddressSanitizer to guard. */
    uint8_t choice = byte(&input);
    uint8_t *buffer = malloc(lam_framed_buffer_bytes(BOUND, 1 + (choice >> 1 & 1)));

    if (buffer == NULL || !open_all(choice, buffer))
        abort();
    held_count = 0;
    message_id = message_offset = message_total = message_flags = 0;
    while (input.at < input.end) {
        uint8_t step = byte(&input);

        switch (step % 16) {
        case 0:
            release();
            break;
        case 1:
            take(&input);
            break;
        case 2:
        case 3:
            if (held_count == 0)
                receive(&input);
            break;
        case 4:
        case 5:
            put(&input);
            break;
        default: /* and look at what it makes */
            put(&input);
            release();
            receive(&input);
            release();
        }
    }
    lam_framed_receiver_detach(&receiver);
    if (is_many())
        lam_ring_many_detach(&many);
    else
        lam_ring_producer_detach(&one);
    (void)lam_ring_destroy(&ring);
    free(buffer);
    return 0;
}
