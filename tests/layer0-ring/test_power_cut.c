/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: after a power cut a file ring holds what a CRC vouches for, from the oldest on without a
 * gap, and nothing else, and nobody reads it before that was looked at. Method: a ring left by a
 * process that died, whose boot is changed, and bytes of it, before it is attached again.
 */
#include "file_ring.h"

TestSuite(power_cut, .init = setup, .fini = teardown, .timeout = 30);

/* What a machine that starts anew finds: the boot of before. */
static void cut_the_power(void)
{
    struct lam_ring_data *data;
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lamina.b.data", directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(fd >= 0);
    data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert(ne(ptr, (void *)data, MAP_FAILED));
    lam_store_relaxed(&data->boot, lam_load_relaxed(&data->boot) ^ 1);
    (void)munmap(data, 4096);
    (void)close(fd);
}

/* Change one byte of the payload of the event that has @number. */
static void spoil(uint64_t number)
{
    uint8_t bytes[64];
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lamina.b.data", directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    for (off_t at = 4096; pread(fd, bytes, 64, at) == 64; at += 64) {
        struct lam_event_header header;
        uint64_t found;

        memcpy(&header, bytes, sizeof(header));
        memcpy(&found, bytes + 32, 8);
        if ((uint16_t)(lam_load_relaxed(&header.shape) >> 32) != 5 || found != number)
            continue;
        bytes[16 + 16 + 3] ^= 0x10;
        cr_assert(eq(i64, (int64_t)pwrite(fd, bytes, 64, at), 64));
        (void)close(fd);
        return;
    }
    cr_assert(0, "event %llu is not there", (unsigned long long)number);
}

/* After a cut: attach for writing, a producer, a consumer; @kept events from the oldest on. */
static void revived_with(uint64_t kept)
{
    struct lam_ring_attach_options options = attach_options(LAM_ACCESS_WRITE);

    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(
        eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0), "%s", error.text);
    attach_consumer(&ring);
    /* Over what lies behind the cut, stamps of before among it. */
    for (uint64_t number = kept; number < kept + 6; number++)
        publish(number, 1);
    lam_ring_producer_close(&producer);
    cr_assert(eq(u64, read_all(0, -EPIPE), kept + 6));
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(power_cut, a_power_cut_keeps_what_a_crc_vouches_for)
{
    for (int i = 0; i < 3; i++) {
        file_ring_first = file_ring_starts[i];
        in_a_child(make_and_publish);
        cut_the_power();
        revived_with(8);
    }
}

Test(power_cut, a_power_cut_ends_the_ring_at_the_first_event_that_is_torn)
{
    for (int i = 0; i < 3; i++) {
        file_ring_first = file_ring_starts[i];
        in_a_child(make_and_publish);
        cut_the_power();
        spoil(3); /* 4 to 7 are right, and no longer follow */
        revived_with(3);
    }
}

Test(power_cut, a_power_cut_keeps_nothing_that_has_no_crc)
{
    for (int i = 0; i < 3; i++) {
        file_ring_first = file_ring_starts[i];
        child_vouches = 0;
        in_a_child(make_and_publish);
        cut_the_power();
        revived_with(0);
    }
}

Test(power_cut, without_a_power_cut_nothing_needs_a_crc)
{
    struct lam_ring_attach_options options = attach_options(LAM_ACCESS_WRITE);

    in_a_child(make_and_publish);
    spoil(3);
    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(u64, producer.ordinal, 8));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(power_cut, nobody_reads_a_ring_of_before_the_power_cut_that_was_not_revived)
{
    struct lam_ring_attach_options reading = attach_options(LAM_ACCESS_READ);
    struct lam_ring_attach_options writing = attach_options(LAM_ACCESS_WRITE);

    in_a_child(make_and_publish);
    cut_the_power();
    cr_assert(eq(int, lam_ring_attach(&other, &reading, &error), -EOWNERDEAD));
    cr_assert(ne(ptr, strstr(error.text, "started anew"), NULL), "%s", error.text);
    reading.observe = 1; /* a tool may look */
    cr_assert(eq(int, lam_ring_attach(&other, &reading, &error), 0), "%s", error.text);
    lam_ring_detach(&other);
    reading.observe = 0;
    cr_assert(eq(int, lam_ring_attach(&ring, &writing, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_attach(&other, &reading, &error), 0), "%s", error.text);
    lam_ring_detach(&other);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(power_cut, a_cursor_behind_the_cut_is_moved_back)
{
    struct lam_ring_attach_options options = attach_options(LAM_ACCESS_WRITE);

    in_a_child(make_and_publish);
    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0));
    lam_store_relaxed(&ring.control_head->entries[3].cursor, file_ring_first + 60);
    lam_ring_detach(&ring);
    cut_the_power();
    spoil(0);
    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0));
    cr_assert(eq(u64, lam_load_relaxed(&ring.control_head->entries[3].cursor), file_ring_first));
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}
