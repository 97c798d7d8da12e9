/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a round must not leave: descriptors, names, locks, places in the tables.
 */
#include "crash.h"

#include "lamina/ring/clean.h"
#include "lamina/ring/many.h"
#include "layout.h"

#include <dirent.h>

static unsigned count_entries(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    unsigned count = 0;

    TEST_CHECK(stream != NULL);
    while ((entry = readdir(stream)) != NULL)
        count += entry->d_name[0] != '.' || strncmp(entry->d_name, ".lamina", 7) == 0;
    (void)closedir(stream);
    return count;
}

int crash_count_fds(void)
{
    return (int)count_entries("/proc/self/fd");
}

unsigned crash_count_files(void)
{
    return count_entries(crash.directory);
}

static void count_leftover(void *context, const struct lam_ring_found *finding)
{
    unsigned *count = context;

    TEST_CHECK(finding->code == 0);
    *count += finding->find == LAM_RING_FIND_DEAD || finding->find == LAM_RING_FIND_HALF;
}

unsigned crash_clean(int remove, int files)
{
    struct lam_ring_clean_options options = {
        .directory = crash.directory, .remove = remove, .files = files};
    unsigned count = 0;

    TEST_OK(lam_ring_clean(&options, count_leftover, &count, &crash_error), crash_error);
    return count;
}

void crash_check_directory(void)
{
    (void)crash_clean(1, 1);
    TEST_CHECK(crash_count_files() == 0);
}

/* 64 consumers have a place each, whatever the dead left in the table, and one more has none. */
static void check_consumers(struct lam_ring *ring)
{
    static struct lam_ring_consumer ends[LAM_RING_CONSUMER_COUNT_MAX + 1];

    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++)
        TEST_OK(lam_ring_consumer_attach(&ends[i], ring, NULL, &crash_error), crash_error);
    TEST_CHECK(lam_ring_consumer_attach(
                   &ends[LAM_RING_CONSUMER_COUNT_MAX], ring, NULL, &crash_error) == -EUSERS);
    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++)
        lam_ring_consumer_detach(&ends[i]);
}

static void check_producers(struct lam_ring *ring)
{
    static struct lam_ring_many_producer ends[LAM_RING_PRODUCER_COUNT_MAX];

    if (ring->producers == LAM_RING_ONE_PRODUCER)
        return;
    for (int i = 0; i < LAM_RING_PRODUCER_COUNT_MAX; i++)
        TEST_OK(lam_ring_many_attach(&ends[i], ring, NULL, &crash_error), crash_error);
    for (int i = 0; i < LAM_RING_PRODUCER_COUNT_MAX; i++) {
        lam_ring_many_close(&ends[i]);
        lam_ring_many_detach(&ends[i]);
    }
}

void crash_check_ring(const struct lam_ring *ring)
{
    for (uint64_t byte = 0; byte < LAM_RING_LOCK_END; byte++)
        TEST_CHECK(lam_base->lock_probe(ring->control.fd, byte) == (byte == LAM_RING_LOCK_CREATOR));
    for (uint32_t i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++)
        TEST_CHECK(lam_ring_group_state_of(lam_load_relaxed(
                       &ring->control_head->groups[i].state)) != LAM_RING_GROUP_OPEN);
}

void crash_check_places(struct lam_ring *ring)
{
    check_consumers(ring);
    check_producers(ring);
    check_consumers(ring);
}
