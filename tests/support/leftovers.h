/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_LEFTOVERS_H
#define LAM_TEST_LEFTOVERS_H

/*
 * For programs that make named rings, and may fail or be killed by their time limit: whatever ends
 * them, nothing of theirs stays in /dev/shm. Where all goes well the ring's own calls have left
 * nothing to remove.
 */

#include <dirent.h>
#include <fcntl.h>

#include "processes.h"

#define TEST_SHM "/dev/shm"

static inline int test_begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The ring @name's objects, and those that were being made: see names.c. */
static inline void test_remove_objects(const char *name)
{
    char shown[128], hidden[136];
    DIR *folder = opendir(TEST_SHM);
    struct dirent *object;

    (void)snprintf(shown, sizeof(shown), "lamina.%s.", name);
    (void)snprintf(hidden, sizeof(hidden), ".lamina.%s.", name);
    while (folder != NULL && (object = readdir(folder)) != NULL)
        if (test_begins_with(object->d_name, shown) || test_begins_with(object->d_name, hidden))
            (void)unlinkat(dirfd(folder), object->d_name, 0);
    if (folder != NULL)
        (void)closedir(folder);
}

/*
 * Remove what is left of the ring @name once this process and all that it forks from now on are
 * gone: they hold the other end of a pipe. Who waits for that is nobody's child, and in no group,
 * so that no time limit ends it with them.
 */
static inline void test_leave_nothing(const char *name)
{
    int ends[2];
    char byte;
    pid_t child;

    TEST_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    child = fork();
    TEST_CHECK(child >= 0);
    if (child == 0) {
        if (setsid() < 0 || fork() != 0)
            _exit(0);
        for (int fd = 0; fd < 256; fd++) /* whoever reads the output waits for no one else */
            if (fd != ends[0])
                (void)close(fd);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        test_remove_objects(name);
        _exit(0);
    }
    TEST_CHECK(test_wait(child) == 0);
    (void)close(ends[0]);
}

#endif
