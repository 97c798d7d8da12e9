/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a process that writes any byte of the data object at any time makes no receiver crash, hang
 * or leave its memory; and one that copies, of a sender that gives every message a checksum, never
 * hands over a byte that was not committed.
 * Method: a sender, a scribbler and a receiver are processes of their own, which run at once, by
 * the machine's own clock; the ring is new when it is poisoned or stalled. Each kind of receiver
 * has its rounds. Messages, damage and poison must all have been seen, or the test has shown
 * nothing. LAMINA_EFFORT scales the rounds.
 *
 * Mutants: hostile_frames.mutants.
 */
#include <sys/mman.h>
#include <time.h>

#include "channel.h"
#include "processes.h"
#include "starts.h"

#define ROUNDS     60
#define BYTES_MAX  6000
#define ROUND_NS   (40 * LAM_NS_PER_MS)
#define WATCHDOG_S 60 /* without the end of one round */

/* Kinds of receivers. */
enum { COPIES, LOSSY, LENDS, MANY, KIND_COUNT };

struct shared {
    lam_atomic_u32 lock;
};

struct counts {
    lam_atomic_u64 messages;
    lam_atomic_u64 damaged;
    lam_atomic_u64 poisoned;
    lam_atomic_u64 lost;
};

static struct shared *shared;
static struct counts *counts; /* of each kind */
static struct lam_ring ring;
static unsigned kind;
static uint8_t content[BYTES_MAX + 16] __attribute__((aligned(16)));
static uint8_t memory[BYTES_MAX + 16] __attribute__((aligned(16)));
static uint64_t random_state;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void count(lam_atomic_u64 *counter)
{
    (void)lam_add_acq_rel(counter, 1);
}

static uint64_t bytes_of(uint64_t number)
{
    return number % 3 == 0 ? number * 7919 % BYTES_MAX : number * 31 % 400;
}

static void nap_ns(uint64_t ns)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

/*
 * A sender's bytes are written and summed up, or scribbled on, and not both at once: a checksum
 * over what somebody else has changed before is right. Receivers know nothing of this.
 */
static void lock(void)
{
    uint32_t expected = 0;

    while (!lam_cas_acq_rel(&shared->lock, &expected, 1)) {
        expected = 0;
        nap_ns(1000);
    }
}

static void unlock(void)
{
    lam_store_release(&shared->lock, 0);
}

struct sender {
    struct lam_framed_sender one;
    struct lam_framed_many many;
};

static int attach_sender(struct sender *sender)
{
    struct lam_framed_sender_options options = {
        .message_bytes_max = BYTES_MAX, .extensions = LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C};
    struct lam_framed_many_options many_options = {
        .message_bytes_max = BYTES_MAX, .extensions = LAM_EVENT_CRC32C};

    return kind == MANY ? lam_framed_many_attach(&sender->many, &ring, &many_options, NULL)
                        : lam_framed_sender_attach(&sender->one, &ring, &options, NULL);
}

static int try_send(struct sender *sender, uint64_t number)
{
    struct lam_framed_correlation correlation = {.id = number, .scope = ~number};
    struct iovec part = {content, bytes_of(number)};
    uint16_t message_kind = (uint16_t)(number & 0x7fff);

    if (kind == MANY)
        return lam_framed_many_try_send(&sender->many, &part, 1, message_kind, &correlation);
    return lam_framed_sender_try_send(&sender->one, &part, 1, message_kind, &correlation);
}

static int open_stream(struct sender *sender, uint64_t number)
{
    struct lam_framed_correlation correlation = {.id = number, .scope = ~number};
    uint16_t message_kind = (uint16_t)(number & 0x7fff);

    if (kind == MANY)
        return lam_framed_many_open_stream(
            &sender->many, bytes_of(number), message_kind, &correlation);
    return lam_framed_sender_open_stream(
        &sender->one, bytes_of(number), message_kind, &correlation);
}

/* Returns 1 and the stream goes on, 0 there is no room, or -errno. */
static int try_piece(struct sender *sender, uint64_t *offset)
{
    uint64_t bytes;
    void *piece;
    int rc = kind == MANY ? lam_framed_many_try_claim_piece(&sender->many, &piece, &bytes)
                          : lam_framed_sender_try_claim_piece(&sender->one, &piece, &bytes);

    if (rc != 1)
        return rc;
    memcpy(piece, content + *offset, bytes);
    *offset += bytes;
    if (kind == MANY)
        lam_framed_many_commit_piece(&sender->many, bytes);
    else
        lam_framed_sender_commit_piece(&sender->one, bytes);
    return 1;
}

/* Send it, in place or in frames. Returns 0, or -errno. */
static int send_one(struct sender *sender, uint64_t number, uint64_t end_ns)
{
    uint64_t offset = 0;
    int is_open = 0;
    int rc;

    known_fill(content, number, 0, bytes_of(number));
    for (;;) {
        lock();
        rc = is_open ? try_piece(sender, &offset) : try_send(sender, number);
        if (rc == -EMSGSIZE && !is_open) {
            rc = open_stream(sender, number);
            is_open = 1;
        }
        unlock();
        if (rc < 0 || lam_clock_now_ns() > end_ns)
            return rc < 0 ? rc : -ETIMEDOUT;
        if (rc == 0 && (!is_open || offset != 0))
            nap_ns(20000);
        if (rc == 1 && (!is_open || offset == bytes_of(number)))
            return 0;
    }
}

/* Whatever comes of the scribbler's work is no reason for the sender to crash. */
static void send_all(unsigned who)
{
    static struct sender sender;
    uint64_t end_ns = lam_deadline_after_ns(2 * ROUND_NS);
    int rc = attach_sender(&sender);

    for (uint64_t number = who; rc == 0; number += 2)
        rc = send_one(&sender, number, end_ns);
}

/* A byte, a word, or some more; mostly where events are. */
static void scribble(void)
{
    uint64_t data_bytes = ring.data.head_bytes + ring.data.body_bytes;
    uint64_t cells_at = (uint64_t)(ring.cells - ring.data.base);

    for (;;) {
        uint64_t at = random_u64() % 8 == 0 ? random_u64() % data_bytes
                                            : cells_at + random_u64() % (data_bytes - cells_at);
        uint64_t length = random_u64() % 4 == 0 ? 1 + random_u64() % 64 : 1;

        lock();
        for (uint64_t i = 0; i < length && at + i < data_bytes; i++)
            ring.data.base[at + i] = (uint8_t)random_u64();
        unlock();
        nap_ns(random_u64() % 300000);
    }
}

/* What was handed over is what was committed, byte for byte. */
static void check(const struct lam_framed_message *message)
{
    uint64_t number;

    count(&counts[kind].messages);
    if (kind == LENDS) {
        uint64_t sum = 0;

        for (uint64_t i = 0; i < message->payload_bytes; i++)
            sum += ((const uint8_t *)message->payload)[i];
        __asm__("" ::"r"(sum)); /* keep the loads */
        return;
    }
    TEST_CHECK(message->correlation != NULL);
    number = message->correlation->id;
    TEST_CHECK(message->correlation->scope == ~number);
    TEST_CHECK(known_is(message, number, bytes_of(number)));
}

static int receive_one(struct lam_framed_receiver *receiver)
{
    uint64_t deadline_ns = lam_deadline_after_ns(LAM_NS_PER_MS);
    struct lam_framed_message message = {.payload = NULL};
    int takes = random_u64() % 2 == 0;
    int rc = takes ? lam_framed_receiver_take_until(
                         receiver, deadline_ns, memory, sizeof(memory), &message)
                   : lam_framed_receiver_receive_until(receiver, deadline_ns, &message);

    if (rc == 0) {
        check(&message);
        if (!takes)
            (void)lam_framed_receiver_release(receiver, &message);
    }
    return rc;
}

static void receive_all(void)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = BYTES_MAX,
        .streams_max = 2,
        .copies = kind != LENDS,
        .is_checked = kind != LENDS,
        .consumer = {.policy = kind == LOSSY ? LAM_RING_LOSSY : LAM_RING_GATE}};
    uint64_t end_ns = lam_deadline_after_ns(ROUND_NS);
    struct lam_framed_receiver receiver;
    int rc = lam_framed_receiver_attach(&receiver, &ring, &options, NULL);

    TEST_CHECK(rc == 0 || rc == -EPROTO);
    while (rc != -EPROTO && rc != -ENOTRECOVERABLE && lam_clock_now_ns() < end_ns) {
        rc = receive_one(&receiver);
        if (rc == -EBADMSG)
            count(&counts[kind].damaged);
        else if (rc == -ENOTRECOVERABLE)
            count(&counts[kind].poisoned);
        else if (rc != 0 && rc != -ETIMEDOUT)
            count(&counts[kind].lost);
    }
    _exit(0);
}

static pid_t start(void (*work)(unsigned), unsigned who)
{
    pid_t child = test_fork();

    if (child == 0) {
        work(who);
        _exit(0);
    }
    return child;
}

static void scribble_as(unsigned who)
{
    random_state += who;
    scribble();
}

static void receive_as(unsigned who)
{
    random_state += who;
    receive_all();
}

static void play(uint64_t round)
{
    struct lam_ring_options options = {.name = "framed-hostile",
        .depth = 64,
        .first_sequence = test_start(round),
        .producers = kind == MANY ? LAM_RING_MANY_PRODUCERS : LAM_RING_ONE_PRODUCER};
    pid_t senders[2], scribbler, receiver;

    TEST_CHECK(lam_ring_create(&ring, &options, NULL) == 0);
    random_state = round * UINT64_C(0x9e3779b97f4a7c15) + 1;
    lam_store_release(&shared->lock, 0);
    receiver = start(receive_as, 11);
    senders[0] = start(send_all, 0);
    senders[1] = kind == MANY ? start(send_all, 1) : -1;
    scribbler = start(scribble_as, 7);
    (void)alarm(WATCHDOG_S);
    TEST_CHECK(test_wait(receiver) == 0);
    test_kill(scribbler);
    for (int i = 0; i < 2; i++)
        if (senders[i] > 0) {
            int how;

            TEST_CHECK(kill(senders[i], SIGKILL) == 0);
            how = test_wait(senders[i]);
            TEST_CHECK(how == 0 || how == 128 + SIGKILL);
        }
    (void)lam_ring_destroy(&ring);
}

int main(void)
{
    static const char *const names[] = {"copies", "lossy", "lends", "many"};
    uint64_t rounds = ROUNDS * effort();

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK((void *)shared != MAP_FAILED);
    counts = (struct counts *)(void *)((uint8_t *)shared + 1024);
    for (uint64_t round = 0; round < rounds; round++) {
        kind = (unsigned)(round % KIND_COUNT);
        play(round);
    }
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        (void)printf("%s: %llu messages, %llu damaged, %llu poisoned, %llu lost otherwise\n",
            names[i], (unsigned long long)lam_load_relaxed(&counts[i].messages),
            (unsigned long long)lam_load_relaxed(&counts[i].damaged),
            (unsigned long long)lam_load_relaxed(&counts[i].poisoned),
            (unsigned long long)lam_load_relaxed(&counts[i].lost));
        TEST_CHECK(lam_load_relaxed(&counts[i].messages) > 10);
        TEST_CHECK(i == LENDS || lam_load_relaxed(&counts[i].damaged) > 0);
    }
    return 0;
}
