/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each backing keeps what it promises, by the same calls: a file outlives its processes, and
 * is never destroyed silently; huge pages fall back and say so; mode, group and node are what was
 * asked for. Method: children that die; what was got is asked of the kernel.
 */
#include "file_ring.h"

TestSuite(backing, .init = setup, .fini = teardown, .timeout = 30);

Test(backing, a_file_ring_outlives_its_processes)
{
    struct lam_ring_stat stat;

    for (int i = 0; i < 3; i++) {
        file_ring_first = file_ring_starts[i];
        struct lam_ring_options options = file_options();

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

    in_a_child(make_and_publish);
    (void)snprintf(path, sizeof(path), "%s/lamina.b.data", directory);
    cr_assert(eq(int, unlink(path), 0));
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
