/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each backing keeps what it promises, by the same calls: a file outlives its processes and is
 * never destroyed silently, a power cut leaves what a CRC vouches for, huge pages fall back and say
 * so, mode, group and node are what was asked for. Method: children that die, a boot id that is
 * changed under a ring nobody holds, bytes spoilt in a dead file.
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

#define FIRST (UINT64_MAX - 40) /* the sequence wraps on the way */

static char directory[64];
static struct lam_ring ring, other;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;

static void setup(void)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/lamina-backing-XXXXXX");
    cr_assert(ne(ptr, mkdtemp(directory), NULL));
    memset(&error, 0, sizeof(error));
}

static void teardown(void)
{
    static const char *const files[] = {"lamina.b.control", "lamina.b.data"};
    char path[128];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

TestSuite(backing, .init = setup, .fini = teardown, .timeout = 30);

static struct lam_ring_options file_options(void)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_FILE,
        .name = "b",
        .directory = directory,
        .depth = 64,
        .type_hash = 9,
        .first_sequence = FIRST};
}

static struct lam_ring_attach_options attach_options(enum lam_access access)
{
    return (struct lam_ring_attach_options){.name = "b", .directory = directory, .access = access};
}

/* Run @work in a process that ends without any detach, as a crash would. */
static void in_a_child(void (*work)(void))
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

static void must(int rc)
{
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        _exit(1);
    }
}

/* Publish event @number; with a CRC if @vouched. */
static void publish(uint64_t number, int vouched)
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

static void make_and_publish(void)
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
static uint64_t read_all(uint64_t number, int end)
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

static void attach_consumer(struct lam_ring *to)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};

    cr_assert(
        eq(int, lam_ring_consumer_attach(&consumer, to, &options, &error), 0), "%s", error.text);
}

Test(backing, a_file_ring_outlives_its_processes)
{
    struct lam_ring_options options = file_options();
    struct lam_ring_stat stat;

    in_a_child(make_and_publish);
    options.keep = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(
        eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0), "%s", error.text);
    attach_consumer(&ring);
    publish(8, 0); /* where the unfinished one was */
    lam_ring_producer_close(&producer);
    cr_assert(eq(u64, read_all(0, -EPIPE), 9));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.epoch, 2));
    cr_assert(eq(u32, stat.file, 1));
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(backing, a_dead_file_ring_is_never_destroyed_silently)
{
    struct lam_ring_options options = file_options();
    struct lam_ring_options tmpfs = file_options();

    in_a_child(make_and_publish);
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EEXIST));
    cr_assert(ne(ptr, strstr(error.text, "keep = 1"), NULL), "%s", error.text);
    tmpfs.backing = LAM_BACKING_NAMED; /* the same names, by one who knows nothing of files */
    cr_assert(eq(int, lam_ring_create(&ring, &tmpfs, &error), -EEXIST));
    options.keep = 1;
    options.depth = 128;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "depth 64"), NULL), "%s", error.text);
    options = file_options();
    options.keep = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    attach_consumer(&ring);
    lam_ring_producer_close(&producer);
    cr_assert(eq(u64, read_all(0, -EPIPE), 8)); /* all still there */
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(backing, keep_makes_a_ring_where_there_is_none_and_joins_a_live_one)
{
    struct lam_ring_options options = file_options();

    options.keep = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), 0), "%s", error.text);
    cr_assert(eq(u64, ring.ring_id, other.ring_id));
    lam_ring_detach(&other);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(backing, half_a_ring_does_not_stand_in_the_way_of_keep)
{
    struct lam_ring_options options = file_options();
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lamina.b.control", directory);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    cr_assert(fd >= 0);
    (void)close(fd);
    options.keep = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(backing, a_file_with_a_damaged_control_object_is_not_replaced)
{
    struct lam_ring_options options = file_options();
    char path[128];
    int fd;

    in_a_child(make_and_publish);
    (void)snprintf(path, sizeof(path), "%s/lamina.b.control", directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(fd >= 0 && pwrite(fd, "damaged!", 8, 0) == 8);
    (void)close(fd);
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EEXIST));
    options.keep = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EPROTO));
}

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

Test(backing, a_power_cut_keeps_what_a_crc_vouches_for)
{
    in_a_child(make_and_publish);
    cut_the_power();
    revived_with(8);
}

Test(backing, a_power_cut_ends_the_ring_at_the_first_event_that_is_torn)
{
    in_a_child(make_and_publish);
    cut_the_power();
    spoil(3); /* 4 to 7 are right, and no longer follow */
    revived_with(3);
}

Test(backing, a_power_cut_keeps_nothing_that_has_no_crc)
{
    child_vouches = 0;
    in_a_child(make_and_publish);
    cut_the_power();
    revived_with(0);
}

Test(backing, without_a_power_cut_nothing_needs_a_crc)
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

Test(backing, nobody_reads_a_ring_of_before_the_power_cut_that_was_not_revived)
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

Test(backing, a_cursor_behind_the_cut_is_moved_back)
{
    struct lam_ring_attach_options options = attach_options(LAM_ACCESS_WRITE);

    in_a_child(make_and_publish);
    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0));
    lam_store_relaxed(&ring.control_head->entries[3].cursor, FIRST + 60);
    lam_ring_detach(&ring);
    cut_the_power();
    spoil(0);
    cr_assert(eq(int, lam_ring_attach(&ring, &options, &error), 0));
    cr_assert(eq(u64, lam_load_relaxed(&ring.control_head->entries[3].cursor), FIRST));
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

/* Publish and read through a ring of huge pages. Returns the size of the pages that it got. */
static uint64_t go_through_huge(void)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_HUGE, .name = "b", .depth = 1024};
    struct lam_ring_stat stat;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.page_bytes, ring.page_bytes));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    attach_consumer(&ring);
    for (uint64_t number = 0; number < 9; number++)
        publish(number, 0);
    lam_ring_producer_close(&producer);
    cr_assert(eq(u64, read_all(0, -EPIPE), 9));
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    return stat.page_bytes;
}

#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"

/* Have @wanted huge pages in the pool. Returns how many there were before, or -1: we may not. */
static int pool_of(int wanted)
{
    FILE *file = fopen(HUGE_PAGES, "r+");
    int before = -1;
    int written;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%d", &before) != 1)
        before = -1;
    rewind(file);
    written = fprintf(file, "%d\n", wanted);
    return fclose(file) == 0 && written > 0 ? before : -1;
}

static int in_pool(void)
{
    FILE *file = fopen(HUGE_PAGES, "r");
    int count = 0;

    if (file != NULL) {
        if (fscanf(file, "%d", &count) != 1)
            count = 0;
        (void)fclose(file);
    }
    return count;
}

/* Also when an assertion ends the test on the way. */
static int pool_to_put_back = -1;

static void put_pool_back(void)
{
    if (pool_to_put_back >= 0)
        (void)pool_of(pool_to_put_back);
    teardown();
}

Test(backing, huge_pages_are_got_or_small_ones_are_reported, .fini = put_pool_back)
{
    uint64_t huge_bytes = 0;

    if (in_pool() != 0)
        cr_skip_test("this machine has huge pages of others in use: the fallback cannot be run");
    cr_assert(eq(u64, go_through_huge(), lam_segment_page_bytes()));
    if (lam_segment_huge_page_bytes(NULL, &huge_bytes, &error) != 0)
        cr_skip_test("only the fallback was run: %s", error.text);
    pool_to_put_back = pool_of(8);
    if (in_pool() < 8)
        cr_skip_test("only the fallback was run: no huge pages can be reserved here");
    cr_assert(eq(u64, go_through_huge(), huge_bytes));
}

Test(backing, a_directory_without_huge_pages_is_refused)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_HUGE, .name = "b", .directory = directory};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "hugetlbfs"), NULL), "%s", error.text);
}

Test(backing, mode_and_group_are_what_was_asked_for)
{
    struct lam_ring_options options = file_options();
    struct stat status;
    char path[128];

    (void)umask(077);
    options.mode = 0660;
    options.set_group = 1;
    options.group = getuid() == 0 ? 12345 : getgid(); /* anyone's own group can be given */
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(
            path, sizeof(path), "%s/lamina.b.%s", directory, i == 0 ? "data" : "control");
        cr_assert(eq(int, stat(path, &status), 0));
        cr_assert(eq(u32, status.st_mode & 07777, 0660));
        cr_assert(eq(u32, status.st_gid, options.group));
    }
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(backing, memory_is_bound_to_the_node_that_was_asked_for_or_create_fails)
{
    struct lam_ring_options options = {.name = "b", .depth = 1024, .bind_node = 1};
    struct lam_ring_stat stat;
    int rc = lam_ring_create(&ring, &options, &error);

    if (rc == -ENOTSUP)
        cr_skip_test("%s", error.text);
    cr_assert(eq(int, rc, 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, stat.numa_node, 0));
    (void)lam_ring_destroy(&ring);
    options.numa_node = 1000;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "NUMA node 1000"), NULL), "%s", error.text);
    options.numa_node = 100000;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    options = file_options();
    options.bind_node = 1;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "page cache"), NULL), "%s", error.text);
}

Test(backing, a_file_without_a_directory_is_refused)
{
    struct lam_ring_options options = file_options();

    options.directory = NULL;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "directory"), NULL), "%s", error.text);
}

Test(backing, a_relative_directory_means_the_same_after_a_chdir)
{
    struct lam_ring_options options = file_options();

    cr_assert(eq(int, chdir("/tmp"), 0));
    options.directory = directory + strlen("/tmp/");
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, chdir("/"), 0));
    cr_assert(
        eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0), "%s", error.text);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    cr_assert(eq(int, rmdir(directory), 0)); /* it is empty again */
}
