/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PATH_BYTES 1024

/* Where the store of the file @path is mounted: as far up as directories are on one device. */
static void find_mount(const char *path, char mount[PATH_BYTES])
{
    char above[PATH_BYTES];
    size_t length = strlen(path);
    dev_t device = 0;
    struct stat status;

    mount[0] = '\0';
    while (length > 0) {
        while (path[--length] != '/' && length > 0)
            continue;
        (void)snprintf(above, sizeof(above), "%.*s", length == 0 ? 1 : (int)length, path);
        if (stat(above, &status) != 0 || (mount[0] != '\0' && status.st_dev != device))
            return;
        device = status.st_dev;
        (void)snprintf(mount, PATH_BYTES, "%s", above);
    }
}

int lam_store_refuse(const char *path, uint64_t bytes, const char *advice, struct lam_error *error)
{
    char mount[PATH_BYTES];
    struct statfs store;

    find_mount(path, mount);
    if (statfs(mount, &store) != 0 || (bytes == 0 && (store.f_files == 0 || store.f_ffree != 0)))
        return lam_error_set(error, -ENOSPC, "%s: cannot create: %s", path, strerror(ENOSPC));
    if (bytes == 0)
        return lam_error_set(error, -ENOSPC,
            "%s: the store mounted at %s is too full: needs an inode, 0 of %llu are free; %s", path,
            mount, (unsigned long long)store.f_files, advice);
    return lam_error_set(error, -ENOSPC,
        "%s: the store mounted at %s is too full: needs %llu bytes, %llu of %llu are free; %s",
        path, mount, (unsigned long long)bytes,
        (unsigned long long)store.f_bavail * (unsigned long long)store.f_bsize,
        (unsigned long long)store.f_blocks * (unsigned long long)store.f_bsize, advice);
}
