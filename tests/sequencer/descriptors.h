/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_DESCRIPTORS_H
#define LAM_TESTS_SEQUENCER_DESCRIPTORS_H

/*
 * descriptors.h: how many this process has open, to see that none is left.
 */

#include <dirent.h>
#include <stddef.h>

static inline unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        (void)closedir(folder);
    return count;
}

#endif
