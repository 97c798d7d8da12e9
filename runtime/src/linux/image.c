/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux/elf.h"

#define IMAGE_BYTES_MAX (UINT64_C(1) << 30)

static int fail(const char *path, const char *what, struct lam_error *error)
{
    int rc = -errno;

    return lam_error_set(error, rc, "module %s: %s: %s", path, what, strerror(-rc));
}

static int copy_all(int from, int to)
{
    ssize_t sent;

    do
        sent = sendfile(to, from, NULL, 1 << 20);
    while (sent > 0 || (sent < 0 && errno == EINTR));
    return sent < 0 ? -1 : 0;
}

/* Who else could have written it? What was opened is asked, not its name. */
static int check_owner(const struct stat *status, const char *path, struct lam_error *error)
{
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return lam_error_set(error, -EPERM,
            "module %s: its owner is user %u, and only %u and root are trusted", path,
            (unsigned)status->st_uid, (unsigned)geteuid());
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return lam_error_set(error, -EPERM,
            "module %s: others may write to it (mode %03o): chmod go-w", path,
            (unsigned)status->st_mode & 0777);
    return 0;
}

static int take_in(struct image_copy *image, int from, const char *path, uint32_t checks_owner,
    struct lam_error *error)
{
    struct stat status;
    char magic[SELFMAG];

    if (fstat(from, &status) != 0)
        return fail(path, "stat", error);
    if (!S_ISREG(status.st_mode))
        return lam_error_set(error, -ENOEXEC, "module %s: not a regular file", path);
    if ((uint64_t)status.st_size > IMAGE_BYTES_MAX)
        return lam_error_set(error, -EFBIG, "module %s: it has %llu bytes, at most %llu", path,
            (unsigned long long)status.st_size, (unsigned long long)IMAGE_BYTES_MAX);
    /* Before it is copied: what is huge and no module takes no memory. */
    if (pread(from, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
        memcmp(magic, ELFMAG, SELFMAG) != 0)
        return lam_error_set(error, -ENOEXEC, "module %s: not an ELF file", path);
    if (checks_owner && check_owner(&status, path, error) != 0)
        return -EPERM;
    if (copy_all(from, image->fd) != 0)
        return fail(path, "read", error);
    /* Nobody writes into code that runs, this process included. */
    if (fcntl(image->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return fail(path, "seal", error);
    if (fstat(image->fd, &status) != 0)
        return fail(path, "stat", error);
    return elf_check(image->fd, (uint64_t)status.st_size, path, error);
}

int image_open(
    struct image_copy *image, const char *path, uint32_t checks_owner, struct lam_error *error)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (from < 0)
        return fail(path, "open", error);
    image->fd = memfd_create("lamina-module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    rc = image->fd < 0 ? fail(path, "memfd_create", error)
                       : take_in(image, from, path, checks_owner, error);
    (void)close(from);
    if (rc != 0 && image->fd >= 0)
        (void)close(image->fd);
    else if (rc == 0)
        image_adopt(image, image->fd);
    return rc;
}

void image_adopt(struct image_copy *image, int fd)
{
    image->fd = fd;
    (void)snprintf(image->name, sizeof(image->name), "/proc/self/fd/%d", fd);
}

void image_close(struct image_copy *image)
{
    (void)close(image->fd);
}
