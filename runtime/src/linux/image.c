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

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "which ELF machine is this?"
#endif

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

/* A file cut short is mapped by the loader all the same, and kills this process when it is read. */
static int check_length(
    int fd, const Elf64_Ehdr *header, uint64_t bytes, const char *path, struct lam_error *error)
{
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr part;
        ssize_t got = pread(fd, &part, sizeof(part), (off_t)(header->e_phoff + i * sizeof(part)));

        if (got != (ssize_t)sizeof(part) || part.p_offset > bytes ||
            part.p_filesz > bytes - part.p_offset)
            return lam_error_set(error, -ENOEXEC,
                "module %s: it is cut short: %llu bytes, and its part %u lies behind them", path,
                (unsigned long long)bytes, i);
    }
    return 0;
}

/* What the loader would refuse with fewer words, or take for something else. */
static int check(int fd, uint64_t bytes, const char *path, struct lam_error *error)
{
    Elf64_Ehdr header;

    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return lam_error_set(error, -ENOEXEC, "module %s: not an ELF file", path);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != MACHINE)
        return lam_error_set(error, -ENOEXEC,
            "module %s: made for another machine (class %d, machine %d; here class %d, machine %d)",
            path, header.e_ident[EI_CLASS], header.e_machine, ELFCLASS64, MACHINE);
    if (header.e_type != ET_DYN)
        return lam_error_set(error, -ENOEXEC,
            "module %s: not a shared object (type %d): build it with -shared -fPIC", path,
            header.e_type);
    if (header.e_phentsize != sizeof(Elf64_Phdr))
        return lam_error_set(error, -ENOEXEC, "module %s: its parts are described in %u bytes each",
            path, header.e_phentsize);
    return check_length(fd, &header, bytes, path, error);
}

static int take_in(struct image_copy *image, int from, const char *path, struct lam_error *error)
{
    struct stat status;

    if (fstat(from, &status) != 0)
        return fail(path, "stat", error);
    if (!S_ISREG(status.st_mode))
        return lam_error_set(error, -ENOEXEC, "module %s: not a regular file", path);
    if (copy_all(from, image->fd) != 0)
        return fail(path, "read", error);
    /* Nobody writes into code that runs, this process included. */
    if (fcntl(image->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return fail(path, "seal", error);
    if (fstat(image->fd, &status) != 0)
        return fail(path, "stat", error);
    return check(image->fd, (uint64_t)status.st_size, path, error);
}

int image_open(struct image_copy *image, const char *path, struct lam_error *error)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (from < 0)
        return fail(path, "open", error);
    image->fd = memfd_create("lamina-module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    rc = image->fd < 0 ? fail(path, "memfd_create", error) : take_in(image, from, path, error);
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
