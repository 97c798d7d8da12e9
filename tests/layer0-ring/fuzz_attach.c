/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a ring's two objects (fuzz_attach.h), received from a stranger.
 * They are refused, or whoever joins does a few things, is answered, and reads nothing outside.
 *
 *     build/fuzz/tests/fuzz_ring_attach -max_len=4096 CORPUS
 *
 * The folder CORPUS is made, and real rings are put into it, if it is not there.
 */
#include "fuzz_attach.h"

#include "dump.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/group.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/many.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t now_ns_last = LAM_NS_PER_S;

/* A clock that goes by being looked at: what would wait, waits no time. */
static uint64_t now_ns(void)
{
    return now_ns_last += 100000;
}

static void futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)word;
    (void)expected;
    (void)deadline_ns;
}

static void futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)words;
    (void)expected;
    (void)count;
    (void)deadline_ns;
}

static void yield(void)
{
}

static struct lam_base_ops ops;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ops = lam_base_linux;
    ops.now_ns = now_ns;
    ops.futex_wait = futex_wait;
    ops.futex_wait_any = futex_wait_any;
    ops.yield = yield;
    ops.cpu_wait = NULL;
    lam_base = &ops;
    for (int i = 1; i < *argc; i++)
        if ((*argv)[i][0] != '-' && access((*argv)[i], F_OK) != 0)
            fuzz_seed((*argv)[i]);
    /* What the dumps say is not for anyone. */
    return freopen("/dev/null", "w", stdout) == NULL;
}

static uint64_t soon(void)
{
    return lam_deadline_after_ns(LAM_NS_PER_MS);
}

static void read_all(const struct lam_event *event)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < event->payload_bytes; i++)
        sum += ((const uint8_t *)event->payload)[i];
    __asm__("" ::"r"(sum)); /* keep the loads */
}

static void dump_both(const int fds[2])
{
    for (int i = 0; i < 2; i++) {
        struct dump dump = {.fd = fds[i],
            .object_bytes = (uint64_t)lseek(fds[i], 0, SEEK_END),
            .json = i,
            .cells = 1};

        if (i == 0)
            dump_data(&dump);
        else
            dump_control(&dump);
    }
}

static void observe(const struct lam_ring *ring)
{
    static uint8_t buffer[1 << 16];
    static struct lam_ring_stat stat;
    struct lam_ring_observer observer;
    struct lam_event event = {.payload = NULL};
    uint64_t lost;

    (void)lam_ring_stat_read(ring, &stat);
    if (lam_ring_observer_begin(&observer, ring, LAM_RING_OLDEST) != 0)
        return;
    for (int i = 0; i < 20; i++)
        if (lam_ring_observer_try_read(&observer, buffer, sizeof(buffer), &event, &lost) == 1)
            read_all(&(struct lam_event){.payload = buffer,
                .payload_bytes = event.payload_bytes < sizeof(buffer) ? event.payload_bytes : 0});
}

static void consume(struct lam_ring *ring, enum lam_ring_policy policy, enum lam_ring_start start)
{
    static uint8_t buffer[1 << 16];
    struct lam_ring_consumer_options options = {.name = policy == LAM_RING_LOSSY ? NULL : "one",
        .policy = policy,
        .start = policy == LAM_RING_LOSSY ? LAM_RING_OLDEST : start,
        .patience_ns = policy == LAM_RING_GATE_THEN_EVICT};
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    uint64_t lost;

    if (lam_ring_consumer_attach(&consumer, ring, &options, NULL) != 0)
        return;
    for (int i = 0; i < 20; i++) {
        if (policy == LAM_RING_LOSSY)
            (void)lam_ring_consumer_try_read(&consumer, buffer, sizeof(buffer), &event, &lost);
        else if (lam_ring_consumer_try_peek(&consumer, &event) == 1)
            read_all(&event);
        if (policy != LAM_RING_LOSSY && i % 3 == 0)
            (void)lam_ring_consumer_release(&consumer);
    }
    if (policy != LAM_RING_LOSSY)
        (void)lam_ring_consumer_peek_until(&consumer, soon(), &event);
    lam_ring_consumer_detach(&consumer);
}

static void share(struct lam_ring *ring)
{
    struct lam_ring_member_options options = {.group = "workers", .start = LAM_RING_OLDEST};
    struct lam_ring_member member;
    struct lam_event event = {.payload = NULL};

    if (lam_ring_member_attach(&member, ring, &options, NULL) != 0)
        return;
    for (int i = 0; i < 10; i++) {
        if (lam_ring_member_try_peek(&member, &event) == 1)
            read_all(&event);
        lam_ring_member_release(&member);
    }
    lam_ring_member_detach(&member);
}

static void produce(struct lam_ring *ring)
{
    static struct lam_ring_many_producer many;
    static struct lam_ring_producer one;
    uint64_t bytes = lam_ring_payload_bytes_max(ring);
    void *payload = NULL;

    if (lam_ring_producer_attach(&one, ring, NULL, NULL) == 0) {
        for (int i = 0; i < 20; i++)
            if (lam_ring_producer_claim_until(&one, bytes >> i % 8, soon(), &payload) == 0) {
                memset(payload, i, bytes >> i % 8);
                lam_ring_producer_commit(&one, bytes >> i % 8, 1, 0);
            }
        lam_ring_producer_close(&one);
        lam_ring_producer_detach(&one);
    } else if (lam_ring_many_attach(&many, ring, NULL, NULL) == 0) {
        for (int i = 0; i < 20; i++)
            if (lam_ring_many_claim_until(&many, bytes >> i % 8, soon(), &payload) == 0) {
                memset(payload, i, bytes >> i % 8);
                lam_ring_many_commit(&many, (bytes >> i % 8) / 2, 1, 0);
            }
        lam_ring_many_close(&many);
        lam_ring_many_detach(&many);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lam_ring_attach_options options = {.access = LAM_ACCESS_READ};
    struct lam_ring ring;
    int fds[2];

    if (!fuzz_objects(data, size, fds))
        return 0;
    options.observe = data[2] % 4 == 3;
    options.access = (data[2] & 1) != 0 ? LAM_ACCESS_READ : LAM_ACCESS_WRITE;
    if (data[2] % 8 == 5)
        dump_both(fds);
    if (lam_ring_attach_fds(&ring, fds[0], fds[1], &options, NULL) == 0) {
        observe(&ring);
        produce(&ring);
        for (int policy = LAM_RING_GATE; policy <= LAM_RING_LOSSY; policy++)
            consume(&ring, (enum lam_ring_policy)policy, (enum lam_ring_start)(data[2] / 8 % 3));
        share(&ring);
        lam_ring_detach(&ring);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
    return 0;
}
