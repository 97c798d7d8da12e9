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

int main(void)
{
    char directory[] = "/tmp/lamina-full-store-XXXXXX";
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = "full", .depth = 8192, .directory = directory};
    struct lam_ring_producer producer;
    struct lam_ring ring, second;
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
    TEST_CHECK(lam_ring_create(&second, &options, &error) == -ENOSPC);
    (void)printf("%s\n", error.text);
    (void)snprintf(mounted, sizeof(mounted), "mounted at %s is too full", directory);
    TEST_CHECK(strstr(error.text, mounted) != NULL);
    TEST_CHECK(strstr(error.text, "are free") != NULL);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)(8192 * 64 + 4096));
    TEST_CHECK(strstr(error.text, number) != NULL);
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
    TEST_CHECK(umount(directory) == 0);
    TEST_CHECK(rmdir(directory) == 0);
    return 0;
}
