/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_DEAD_RINGS_H
#define LAM_TEST_DEAD_RINGS_H

/*
 * For clean.c: a directory of the test's own, rings that live or are left dead in it, and what a
 * cleaning finds there.
 */

#include "lamina/ring/clean.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "processes.h"
#include "starts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static char directory[64];
static struct lam_ring ring;
static struct lam_error error;

static inline struct lam_ring_options options_of(const char *name)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_NAMED,
        .name = name,
        .directory = directory,
        .depth = 64,
        .first_sequence = test_start_from(UINT64_MAX - 2)};
}

static inline const char *path_of(const char *name, const char *part)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/lamina.%s.%s", directory, name, part);
    return path;
}

static inline int is_there(const char *name)
{
    return access(path_of(name, "control"), F_OK) == 0 || access(path_of(name, "data"), F_OK) == 0;
}

static inline void pause_ms(long milliseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

/* A process that makes ring @name, has both ends on it, and lives until it is killed. */
static inline pid_t live_on(const char *name, enum lam_backing backing)
{
    struct lam_ring_options options = options_of(name);
    int ready[2];
    pid_t child;
    char byte;

    TEST_CHECK(pipe(ready) == 0);
    options.backing = backing;
    child = test_fork();
    if (child == 0) {
        static struct lam_ring_producer producer;
        static struct lam_ring_consumer consumer;

        TEST_OK(lam_ring_create(&ring, &options, &error), error);
        TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
        TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
        TEST_CHECK(write(ready[1], "r", 1) == 1);
        for (;;)
            (void)pause();
    }
    TEST_CHECK(read(ready[0], &byte, 1) == 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static inline void leave_dead(const char *name, enum lam_backing backing)
{
    test_kill(live_on(name, backing));
}

/* What a cleaning found, by kind. */
struct count {
    unsigned of[5];
    unsigned removed;
    unsigned failed;
};

static inline void count_one(void *context, const struct lam_ring_found *finding)
{
    struct count *count = context;

    TEST_CHECK(finding->text != NULL && finding->text[0] != '\0');
    count->of[finding->find]++;
    count->removed += finding->removed != 0;
    count->failed += finding->code != 0;
}

static inline struct count clean(int remove, int files)
{
    struct lam_ring_clean_options options = {
        .directory = directory, .remove = remove, .files = files};
    struct count count = {.removed = 0};

    TEST_OK(lam_ring_clean(&options, count_one, &count, &error), error);
    TEST_CHECK(count.failed == 0);
    return count;
}

static inline void touch(const char *file, const char *text)
{
    char path[256];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, file);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    TEST_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static inline int remove_file(const char *file)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, file);
    return unlink(path);
}

static inline int count_entries(void)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    int count = 0;

    TEST_CHECK(stream != NULL);
    while ((entry = readdir(stream)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(stream);
    return count;
}

#endif
