/* SPDX-License-Identifier: Apache-2.0 */
#include "env/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(int file, const char *path, int is_secret, uint32_t room, struct lam_error *error)
{
    struct stat about;

    if (fstat(file, &about) != 0)
        return lam_error_set(error, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return lam_error_set(error, -EINVAL, "%s: it is no plain file", path);
    if (is_secret && (about.st_mode & 077) != 0)
        return lam_error_set(error, -EPERM,
            "%s: its mode is %04o, and it is a secret: chmod 600 %s", path,
            (unsigned)about.st_mode & 07777, path);
    if (about.st_size > room)
        return lam_error_set(error, -EFBIG, "%s: it has %lld bytes, and %u are the most", path,
            (long long)about.st_size, room);
    return 0;
}

/* It may be cut while it is read, not grow past the room. */
static int64_t read_all(
    int file, const char *path, char *bytes, uint32_t room, struct lam_error *error)
{
    uint32_t used = 0;
    ssize_t count;

    do {
        count = read(file, bytes + used, room - used);
        if (count > 0)
            used += (uint32_t)count;
    } while ((count > 0 && used < room) || (count < 0 && errno == EINTR));
    if (count < 0)
        return lam_error_set(error, -errno, "%s: %s", path, strerror(errno));
    return used;
}

int64_t lam_env_small_file(
    const char *path, int is_secret, void *bytes, uint32_t room, struct lam_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int64_t result;

    if (file < 0)
        return lam_error_set(error, -errno, "%s: %s", path, strerror(errno));
    result = check(file, path, is_secret, room, error);
    if (result == 0)
        result = read_all(file, path, bytes, room, error);
    (void)close(file);
    return result;
}
