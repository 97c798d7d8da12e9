/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FILE_RING_H
#define LAM_TEST_FILE_RING_H

/*
 * file_ring.h: a ring in two files of a directory of the test's own, made, published into and left
 * by a process that ends without a word; its events are checked by their numbers. For Criterion
 * suites, of which each test has a process of its own.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/event_crc.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "layout.h"
#include "ring_stream.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
/* Where the next ring starts to count; the tests that count go through all of them. */
static const uint64_t file_ring_starts[] = {
    UINT32_MAX - UINT64_C(2), INT64_MAX - UINT64_C(2), UINT64_MAX - 2};
static uint64_t file_ring_first = UINT64_MAX - 2;

static char directory[64];
static struct lam_ring ring, other;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;

static inline void setup(void)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/lamina-backing-XXXXXX");
    cr_assert(ne(ptr, mkdtemp(directory), NULL));
    memset(&error, 0, sizeof(error));
}

static inline void teardown(void)
{
    static const char *const files[] = {"lamina.b.control", "lamina.b.data"};
    char path[128];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

static inline struct lam_ring_options file_options(void)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_FILE,
        .name = "b",
        .directory = directory,
        .depth = 64,
        .type_hash = 9,
        .first_sequence = file_ring_first};
}

static inline struct lam_ring_attach_options attach_options(enum lam_access access)
{
    return (struct lam_ring_attach_options){.name = "b", .directory = directory, .access = access};
}

/* Run @work in a process that ends without any detach, as a crash would. */
static inline void in_a_child(void (*work)(void))
{
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        work();
        _exit(0);
    }
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, status, 0));
}

static inline void must(int rc)
{
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        _exit(1);
    }
}

/* Publish event @number; with a CRC if @vouched. */
static inline void publish(uint64_t number, int vouched)
{
    uint16_t flags = vouched ? LAM_EVENT_CRC32C : 0;
    uint32_t head_bytes = vouched ? LAM_EVENT_EXTENSION_BYTES : 0;
    uint32_t bytes = head_bytes + 8 + test_event_bytes(number, 200);
    uint8_t *payload = NULL;

    if (lam_ring_producer_try_claim(&producer, bytes, (void **)&payload) != 1)
        _exit(2);
    memcpy(payload + head_bytes, &number, 8);
    test_event_fill(payload + head_bytes + 8, bytes - head_bytes - 8, number, producer.next);
    if (vouched)
        lam_event_crc_write(payload, bytes, 5, flags);
    lam_ring_producer_commit(&producer, bytes, 5, flags);
}

static uint64_t published_by_child = 8;
static int child_vouches = 1;

static inline void make_and_publish(void)
{
    struct lam_ring_options options = file_options();
    void *payload;

    must(lam_ring_create(&ring, &options, &error));
    must(lam_ring_producer_attach(&producer, &ring, NULL, &error));
    for (uint64_t number = 0; number < published_by_child; number++)
        publish(number, child_vouches);
    /* An unfinished one, full of what looks like stamps. */
    if (lam_ring_producer_try_claim(&producer, 100, &payload) != 1)
        _exit(3);
    test_event_fill(payload, 100, 99, producer.next);
}

/* Read what is there; each event must be the next number from @number on. Returns how many. */
static inline uint64_t read_all(uint64_t number, int end)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_event event = {.payload = NULL};
    uint64_t count = 0;
    int rc;

    while ((rc = lam_ring_consumer_peek_until(&consumer, deadline_ns, &event)) == 0) {
        uint32_t head_bytes = (event.flags & LAM_EVENT_CRC32C) != 0 ? LAM_EVENT_EXTENSION_BYTES : 0;
        const uint8_t *payload = (const uint8_t *)event.payload + head_bytes;
        uint64_t found = 0;

        memcpy(&found, payload, 8);
        cr_assert(eq(u64, found, number + count));
        cr_assert(test_event_is(
            payload + 8, event.payload_bytes - head_bytes - 8, found, event.sequence));
        if (head_bytes != 0)
            cr_assert(eq(int, lam_event_crc_is_right(&event), 1));
        lam_ring_consumer_release(&consumer);
        count++;
    }
    cr_assert(eq(int, rc, end));
    return count;
}

static inline void attach_consumer(struct lam_ring *to)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};

    cr_assert(
        eq(int, lam_ring_consumer_attach(&consumer, to, &options, &error), 0), "%s", error.text);
}

#endif
