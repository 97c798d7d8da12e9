/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a store that is too full is -ENOSPC at create, with mount, needed and free bytes in the
 * message, and leaves nothing behind; never a SIGBUS later. Method: a tmpfs of 1 MiB of the test's
 * own, in a mount namespace of its own: filling /dev/shm would kill the machine.
 */
#include "lamina/ring/producer.h"
#include "lamina/ring/ring.h"
#include "processes.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static int entries_in(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    int count = 0;

    TEST_CHECK(stream != NULL);
    while ((entry = readdir(stream)) != NULL)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    (void)closedir(stream);
    return count;
}

static void refused_for_want_of_room(
    const struct lam_ring_options *options, const char *mounted, const char *number)
{
    struct lam_error error = {{0}};
    struct lam_ring ring;

    TEST_CHECK(lam_ring_create(&ring, options, &error) == -ENOSPC);
    (void)printf("%s\n", error.text);
    TEST_CHECK(strstr(error.text, mounted) != NULL);
    TEST_CHECK(strstr(error.text, "are free") != NULL);
    TEST_CHECK(strstr(error.text, number) != NULL);
}

/* Two files and the directory itself: a store may have room, and none for a name. */
static void a_store_without_inodes(const char *directory)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = "one", .depth = 64, .directory = directory};
    struct lam_error error = {{0}};
    struct lam_ring ring;

    if (mount("lamina", directory, "tmpfs", 0, "size=1m,nr_inodes=3") != 0)
        return;
    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    options.name = "two";
    refused_for_want_of_room(&options, directory, "needs an inode, 0 of 3");
    TEST_CHECK(entries_in(directory) == 2);
    TEST_OK(lam_ring_destroy(&ring), error);
    TEST_CHECK(umount(directory) == 0);
}

/* The kernel would kill who asks for a larger file than it may make. */
static void a_process_that_may_make_small_files_alone(const char *directory)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .name = "large"};
    struct rlimit small = {.rlim_cur = 1 << 16};
    struct rlimit before;
    struct lam_error error = {{0}};
    struct lam_ring ring;

    TEST_CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small.rlim_max = before.rlim_max;
    TEST_CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    options.directory = directory;
    TEST_CHECK(lam_ring_create(&ring, &options, &error) == -EFBIG);
    TEST_CHECK(strstr(error.text, "may make files of 65536") != NULL);
    options.backing = LAM_BACKING_MEMFD;
    options.directory = NULL;
    TEST_CHECK(lam_ring_create(&ring, &options, &error) == -EFBIG);
    TEST_CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    TEST_CHECK(entries_in(directory) == 0);
}

/* A store of huge pages has no others to fall back to: it says how many it lacks. */
static void a_store_of_huge_pages(const char *directory)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_HUGE,
        .name = "huge",
        .depth = 1 << 19,
        .directory = directory}; /* 32 MiB and the heads */
    struct lam_error error = {{0}};
    struct lam_ring ring;
    int rc;

    if (mount("lamina", directory, "hugetlbfs", 0, NULL) != 0) {
        (void)printf("no hugetlbfs can be mounted here: its errors were not looked at\n");
        return;
    }
    rc = lam_ring_create(&ring, &options, &error);
    if (rc == 0) {
        TEST_CHECK(ring.page_bytes > lam_segment_page_bytes());
        TEST_OK(lam_ring_destroy(&ring), error);
    } else {
        (void)printf("%s\n", error.text);
        TEST_CHECK(rc == -ENOSPC && strstr(error.text, "huge pages of") != NULL);
    }
    TEST_CHECK(entries_in(directory) == 0);
    TEST_CHECK(umount(directory) == 0);
}

int main(void)
{
    char directory[] = "/tmp/lamina-full-store-XXXXXX";
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = "full", .depth = 8192, .directory = directory};
    struct lam_ring_producer producer;
    struct lam_ring ring;
    struct lam_error error = {{0}};
    uint64_t needed = 0;
    char number[32];
    char mounted[128];

    TEST_CHECK(mkdtemp(directory) != NULL);
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        (void)rmdir(directory);
        test_skip("no mount namespace of its own can be had here");
    }
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("lamina", directory, "tmpfs", 0, "size=1m") != 0) {
        (void)rmdir(directory);
        test_skip("no tmpfs of its own can be mounted here");
    }
    TEST_OK(lam_ring_create(&ring, &options, &error), error); /* 512 KiB and the heads */
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);

    options.name = "fuller";
    TEST_OK(lam_ring_bytes(&options, &needed, &error), error);
    (void)snprintf(mounted, sizeof(mounted), "mounted at %s is too full", directory);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)(8192 * 64 + 4096));
    refused_for_want_of_room(&options, mounted, number);
    options.backing = LAM_BACKING_FILE;
    refused_for_want_of_room(&options, mounted, number);
    options.keep = 1;
    refused_for_want_of_room(&options, mounted, number);
    TEST_CHECK(entries_in(directory) == 2); /* the first ring's, and no leftovers */

    /* What was reserved is there: the whole first ring can be written. */
    for (int i = 0; i < 20000; i++) {
        void *payload = NULL;

        TEST_CHECK(lam_ring_producer_try_claim(&producer, 1000, &payload) == 1);
        memset(payload, 1, 1000);
        lam_ring_producer_commit(&producer, 1000, 1, 0);
    }
    lam_ring_producer_detach(&producer);
    TEST_OK(lam_ring_destroy(&ring), error);
    a_process_that_may_make_small_files_alone(directory);
    TEST_CHECK(umount(directory) == 0);
    a_store_without_inodes(directory);
    a_store_of_huge_pages(directory);
    TEST_CHECK(rmdir(directory) == 0);
    return 0;
}
