/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as events of a channel, read by every kind of receiver. They are
 * messages, or lost, or poison; nothing outside is touched, and nothing loops.
 *
 *     build/fuzz/tests/fuzz_framed_frames -max_len=4096 CORPUS
 *
 * The first bytes choose the receiver and the ring; then each step is a byte that says what, and
 * what it takes. An event's words can be made right, so that short inputs come far: its ids are
 * those of the message that was begun last, its checksum is the right one.
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

static uint8_t byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static void take_bytes(struct input *input, void *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)to)[i] = byte(input);
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

/* The words of a frame that goes on where the last one was, as far as @right says. */
static void set_words(
    uint8_t *header, uint64_t sequence, uint16_t flags, uint64_t piece_bytes, unsigned right)
{
    uint64_t words[4];

    memcpy(words, header, sizeof(words));
    if ((flags & LAM_EVENT_FIRST_FRAME) != 0) {
        message_id = sequence;
        message_offset = 0;
        message_total = words[1] % (BOUND + 20) + 1;
    }
    if ((right & 1) != 0)
        words[0] = message_id;
    if ((right & 2) != 0)
        words[1] = message_total;
    if ((right & 4) != 0)
        words[2] = message_offset;
    if ((right & 8) != 0)
        words[3] = 7 | (words[3] & 0x10000) | (is_many() ? UINT64_C(1) << 32 : 0);
    if ((right & 16) != 0)
        words[3] &= ~UINT64_C(0x10000);
    message_offset += piece_bytes;
    memcpy(header, words, sizeof(words));
}

static void put(struct input *input)
{
    uint8_t what = byte(input), right = byte(input);
    uint16_t kind = (what & 1) != 0 ? LAM_FRAMED_KIND_FRAME : (uint16_t)(byte(input) | right << 8);
    uint16_t flags = (uint16_t)(what >> 1 & 0x3f);
    uint32_t bytes = byte(input);
    uint32_t extension_bytes = 16 * (uint32_t)__builtin_popcount(flags & 7);
    uint64_t sequence;
    void *payload;

    if (!claim(bytes, &payload, &sequence))
        return;
    take_bytes(input, payload, bytes);
    if (kind == LAM_FRAMED_KIND_FRAME && bytes >= extension_bytes + LAM_FRAME_HEADER_BYTES)
        set_words((uint8_t *)payload + extension_bytes, sequence, flags,
            bytes - extension_bytes - LAM_FRAME_HEADER_BYTES, right);
    commit(payload, bytes, kind, flags, (right & 32) != 0);
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
    message_id = message_offset = message_total = 0;
    while (input.at < input.end)
        switch (byte(&input) % 8) {
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
        default:
            put(&input);
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
