/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_disk.c: files and the folder, by plain calls.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/linux_parts.h"

/* One call moves at most that much: the kernel's own bound is just below 2 GiB. */
#define CALL_BYTES_MAX (UINT64_C(1) << 30)

static int64_t or_errno(int64_t result)
{
    return result < 0 ? -errno : result;
}

static int64_t move(const struct lam_env_io *io)
{
    uint64_t count = io->count < CALL_BYTES_MAX ? io->count : CALL_BYTES_MAX;
    int64_t result;

    do
        result = io->call == LAM_ENV_READ ? pread(io->file, io->bytes, count, (off_t)io->offset)
                                          : pwrite(io->file, io->bytes, count, (off_t)io->offset);
    while (result < 0 && errno == EINTR);
    return or_errno(result);
}

static int64_t lock(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(file, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static int64_t size(int file)
{
    struct stat about;

    return fstat(file, &about) == 0 ? about.st_size : -errno;
}

static int64_t list_names(DIR *folder, char *bytes, uint64_t room)
{
    const struct dirent *entry;
    uint64_t used = 0;

    while (errno = 0, (entry = readdir(folder)) != NULL) {
        uint64_t count = strlen(entry->d_name) + 1;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count > room - used)
            return -ENOSPC;
        memcpy(bytes + used, entry->d_name, count);
        used += count;
    }
    return errno != 0 ? -errno : (int64_t)used;
}

static int64_t list(int directory, const struct lam_env_io *io)
{
    int file = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = file < 0 ? NULL : fdopendir(file);
    int64_t result = folder == NULL ? -errno : list_names(folder, io->bytes, io->count);

    if (folder != NULL)
        (void)closedir(folder);
    else if (file >= 0)
        (void)close(file);
    return result;
}

int64_t linux_disk_call(int directory, const struct lam_env_io *io)
{
    switch (io->call) {
    case LAM_ENV_OPEN:
        return or_errno(openat(directory, io->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    case LAM_ENV_CREATE:
        return or_errno(openat(directory, io->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    case LAM_ENV_CLOSE:
        return or_errno(close(io->file));
    case LAM_ENV_LOCK:
        return lock(io->file);
    case LAM_ENV_SIZE:
        return size(io->file);
    case LAM_ENV_ALLOCATE:
        return or_errno(fallocate(io->file, 0, 0, (off_t)io->count));
    case LAM_ENV_READ:
    case LAM_ENV_WRITE:
        return move(io);
    case LAM_ENV_SYNC:
        return or_errno(fdatasync(io->file));
    case LAM_ENV_RENAME:
        return or_errno(renameat(directory, io->name, directory, io->to));
    case LAM_ENV_UNLINK:
        return or_errno(unlinkat(directory, io->name, 0));
    case LAM_ENV_LIST:
        return list(directory, io);
    case LAM_ENV_SYNC_DIRECTORY:
        return or_errno(fsync(directory));
    default:
        return -EINVAL;
    }
}
