/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: any order of sends, streams, cancels, receives, releases, deaths and joins behaves as a
 * queue of messages would.
 * Method: random operations on small channels of five geometries, one thread, against that queue:
 * the model. Sizes go from empty to several rings. Usage: framed_model [ROUNDS [SEED]]
 */
#include <stdio.h>

#include "channel.h"

enum { QUEUE = 4096, HELD = 8 };

/* What the sender did, in order: the receiver must see exactly this. */
struct outcome {
    uint64_t number;
    uint64_t bytes;
    int rc; /* 1 a message; or the error that takes its place */
};

static struct channel channel;
static struct outcome queue[QUEUE];
static uint64_t queued, taken; /* free running */
static struct lam_framed_message held[HELD];
static struct outcome held_as[HELD];
static unsigned held_count;
static uint64_t next_number;
static uint64_t stream_number;
static uint64_t stream_total;
static uint64_t state;
static uint64_t counts[8];

static uint64_t random_below(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % bound;
}

static void expect(uint64_t number, uint64_t bytes, int rc)
{
    queue[queued++ % QUEUE] = (struct outcome){number, bytes, rc};
}

static int wrong(const char *what, int rc)
{
    (void)fprintf(stderr, "%s: %d (queued %llu, taken %llu, held %u)\n", what, rc,
        (unsigned long long)queued, (unsigned long long)taken, held_count);
    return 0;
}

static int send_in_place(void)
{
    uint64_t bytes_max = lam_framed_sender_claim_bytes_max(&channel.sender);
    uint64_t bytes = random_below(random_below(8) == 0 ? bytes_max + 1 : 60);
    uint64_t claimed = bytes + random_below(200);
    void *payload = NULL;
    int rc;

    if (claimed > bytes_max)
        claimed = bytes_max;
    rc = lam_framed_sender_try_claim(&channel.sender, claimed, &payload);
    if (rc == 1 && random_below(8) == 0) {
        memset(payload, 0xee, claimed);
        lam_framed_sender_abort(&channel.sender);
    } else if (rc == 1) {
        known_fill(payload, next_number, 0, bytes);
        lam_framed_sender_commit(&channel.sender, bytes, (uint16_t)(next_number & 0x7fff));
        expect(next_number++, bytes, 1);
        counts[0]++;
    }
    return rc >= 0 ? 1 : wrong("claim", rc);
}

static int open_stream(void)
{
    int rc;

    stream_total = 1 + random_below(random_below(4) == 0 ? 5000 : 900);
    stream_number = next_number++;
    rc = lam_framed_sender_open_stream(
        &channel.sender, stream_total, (uint16_t)(stream_number & 0x7fff), NULL);
    return rc == 0 ? 1 : wrong("open", rc);
}

static int move_stream(void)
{
    uint64_t offset = channel.sender.stream.bytes_sent;
    uint64_t piece_bytes;
    void *piece;
    int rc;

    if (random_below(40) == 0) {
        if (random_below(2) == 0)
            (void)lam_framed_sender_try_claim_piece(&channel.sender, &piece, &piece_bytes);
        lam_framed_sender_cancel_stream(&channel.sender);
        if (offset > 0)
            expect(stream_number, stream_total, -ECANCELED);
        counts[1]++;
        return 1;
    }
    rc = lam_framed_sender_try_claim_piece(&channel.sender, &piece, &piece_bytes);
    if (rc != 1)
        return rc == 0 ? 1 : wrong("piece", rc);
    if (random_below(3) == 0)
        piece_bytes = 1 + random_below(piece_bytes);
    known_fill(piece, stream_number, offset, piece_bytes);
    lam_framed_sender_commit_piece(&channel.sender, piece_bytes);
    if (!lam_framed_sender_is_streaming(&channel.sender)) {
        expect(stream_number, stream_total, 1);
        counts[2]++;
    }
    return 1;
}

/* The sender dies, inside a message or between two, and another comes. */
static int replace_sender(void)
{
    int inside =
        lam_framed_sender_is_streaming(&channel.sender) && channel.sender.stream.bytes_sent != 0;

    lam_framed_sender_detach(&channel.sender);
    channel_attach_sender(&channel);
    if (inside) {
        expect(stream_number, stream_total, -EOWNERDEAD);
        counts[3]++;
    }
    return 1;
}

static int release_some(void)
{
    unsigned count = 1 + (unsigned)random_below(held_count);

    for (unsigned i = 0; i < held_count; i++)
        if (!known_is(&held[i], held_as[i].number, held_as[i].bytes))
            return wrong("a held message changed", (int)i);
    /* One by one, or by the last one alone. */
    for (unsigned i = random_below(2) ? 0 : count - 1; i < count; i++)
        lam_framed_receiver_release(&channel.receiver, &held[i]);
    held_count -= count;
    memmove(held, held + count, held_count * sizeof(held[0]));
    memmove(held_as, held_as + count, held_count * sizeof(held_as[0]));
    return 1;
}

/* All was taken and released, so all of the ring is free. */
static int all_is_free(void)
{
    struct lam_framed_batch batch;
    int rc = lam_framed_sender_try_claim_batch(
        &channel.sender, (uint32_t)channel.ring.depth - 1, 48, &batch);

    if (rc == 1)
        lam_framed_sender_abort(&channel.sender);
    return rc == 1 ? 1 : wrong("what was released is not free", rc);
}

static int receive(void)
{
    struct outcome *expected = &queue[taken % QUEUE];
    struct lam_framed_message message = {.payload = NULL};
    int rc = lam_framed_receiver_try_receive(&channel.receiver, &message);

    if (rc == -EBUSY && held_count > 0)
        return release_some();
    if (rc == 0) {
        counts[4]++;
        if (taken == queued && held_count == 0 && !lam_framed_sender_is_streaming(&channel.sender))
            return all_is_free();
        /* A death inside a message is known once the successor says something. */
        if (taken == queued || expected->rc == -EOWNERDEAD)
            return 1;
        return wrong("nothing, though something was sent", 0);
    }
    if (rc == -EMSGSIZE || taken == queued)
        return wrong("something, though nothing was sent", rc);
    taken++;
    if (rc != expected->rc)
        return wrong("another outcome", rc);
    if (rc != 1)
        return 1;
    if (!known_is(&message, expected->number, expected->bytes))
        return wrong("another message", (int)expected->number);
    held_as[held_count] = *expected;
    held[held_count++] = message;
    counts[5]++;
    return 1;
}

static int step(void)
{
    uint64_t choice = random_below(100);

    if (choice < 50 && held_count < HELD)
        return receive();
    if (choice < 65 && held_count > 0)
        return release_some();
    if (choice == 99)
        return replace_sender();
    if (lam_framed_sender_is_streaming(&channel.sender))
        return move_stream();
    return random_below(6) == 0 ? open_stream() : send_in_place();
}

/* A channel of this geometry for @rounds steps. Returns 1 it was right, 0 not. */
static int run(uint64_t depth, uint32_t cell_bytes, uint64_t rounds)
{
    queued = taken = 0;
    held_count = 0;
    memset(counts, 0, sizeof(counts));
    /* And over the end of sequences. */
    channel_make_ring_of(&channel.ring, depth, cell_bytes, 0 - UINT64_C(5000));
    channel_attach_sender(&channel);
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    for (uint64_t round = 0; round < rounds; round++)
        if (!step()) {
            (void)fprintf(stderr, "round %llu of %llu cells of %u bytes\n",
                (unsigned long long)round, (unsigned long long)depth, cell_bytes);
            return 0;
        }
    channel_close(&channel);
    (void)printf("%llu cells of %u: in place %llu, cancelled %llu, in frames %llu, orphaned %llu, "
                 "idle %llu, received %llu\n",
        (unsigned long long)depth, cell_bytes, (unsigned long long)counts[0],
        (unsigned long long)counts[1], (unsigned long long)counts[2], (unsigned long long)counts[3],
        (unsigned long long)counts[4], (unsigned long long)counts[5]);
    /* Each kind of step was taken, or the seed shows nothing. */
    return counts[0] && counts[1] && counts[2] && counts[3] && counts[4] && counts[5];
}

int main(int argc, char **argv)
{
    static const struct {
        uint64_t depth;
        uint32_t cell_bytes;
    } geometries[] = {{16, 64}, {8, 64}, {4, 128}, {64, 64}, {8, 1024}};
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 150000 * effort();
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++)
        if (!run(geometries[i].depth, geometries[i].cell_bytes, rounds)) {
            (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
            return 1;
        }
    return 0;
}
