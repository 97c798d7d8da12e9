/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "which ELF machine is this?"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_HERE ELFDATA2LSB
#else
#define BYTE_ORDER_HERE ELFDATA2MSB
#endif

/* The loader maps all of it, whatever the file holds. */
#define MEMORY_BYTES_MAX (UINT64_C(4) << 30)
/* It keeps their table on its stack. */
#define PARTS_MAX 128

static int check_header(const Elf64_Ehdr *header, const char *path, struct lam_error *error)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE)
        return lam_error_set(error, -ENOEXEC,
            "module %s: made for another machine (class %d, machine %d; here class %d, machine %d)",
            path, header->e_ident[EI_CLASS], header->e_machine, ELFCLASS64, MACHINE);
    if (header->e_ident[EI_DATA] != BYTE_ORDER_HERE || header->e_ident[EI_VERSION] != EV_CURRENT)
        return lam_error_set(error, -ENOEXEC,
            "module %s: its byte order is %d and its version %d (here %d, %d)", path,
            header->e_ident[EI_DATA], header->e_ident[EI_VERSION], BYTE_ORDER_HERE, EV_CURRENT);
    if (header->e_type != ET_DYN)
        return lam_error_set(error, -ENOEXEC,
            "module %s: not a shared object (type %d): build it with -shared -fPIC", path,
            header->e_type);
    if (header->e_phentsize != sizeof(Elf64_Phdr))
        return lam_error_set(error, -ENOEXEC, "module %s: its parts are described in %u bytes each",
            path, header->e_phentsize);
    if (header->e_phnum == 0 || header->e_phnum > PARTS_MAX)
        return lam_error_set(error, -ENOEXEC, "module %s: it has %u parts, not 1 to %d", path,
            header->e_phnum, PARTS_MAX);
    return 0;
}

/* Cut short, a file is mapped by the loader all the same, and kills this process when it is read.
 */
static int check_part(const Elf64_Phdr *part, uint32_t index, uint64_t bytes, const char *path,
    struct lam_error *error)
{
    if (part->p_offset > bytes || part->p_filesz > bytes - part->p_offset)
        return lam_error_set(error, -ENOEXEC,
            "module %s: it is cut short: %llu bytes, and its part %u lies behind them", path,
            (unsigned long long)bytes, index);
    if (part->p_type != PT_LOAD)
        return 0;
    if (part->p_filesz > part->p_memsz || part->p_memsz > MEMORY_BYTES_MAX ||
        part->p_vaddr > MEMORY_BYTES_MAX - part->p_memsz)
        return lam_error_set(error, -ENOEXEC,
            "module %s: its part %u wants %#llx bytes at %#llx, and holds %#llx", path, index,
            (unsigned long long)part->p_memsz, (unsigned long long)part->p_vaddr,
            (unsigned long long)part->p_filesz);
    return 0;
}

static int check_parts(
    int fd, const Elf64_Ehdr *header, uint64_t bytes, const char *path, struct lam_error *error)
{
    uint32_t code = 0, dynamic = 0;

    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr part;
        uint64_t at = header->e_phoff + i * sizeof(part);
        int rc;

        if (header->e_phoff > bytes || at + sizeof(part) > bytes ||
            pread(fd, &part, sizeof(part), (off_t)at) != (ssize_t)sizeof(part))
            return lam_error_set(error, -ENOEXEC,
                "module %s: it is cut short: %llu bytes, and the description of its part %u lies "
                "behind them",
                path, (unsigned long long)bytes, i);
        rc = check_part(&part, i, bytes, path, error);
        if (rc != 0)
            return rc;
        code += part.p_type == PT_LOAD;
        dynamic += part.p_type == PT_DYNAMIC;
    }
    if (code == 0 || dynamic != 1)
        return lam_error_set(error, -ENOEXEC,
            "module %s: %u parts to load and %u tables for the loader, not some and one", path,
            code, dynamic);
    return 0;
}

/*
 * The loader does not read the table of sections, which linkers write last: where it is missing the
 * file is one that somebody did not finish to write, though all of its code may be there.
 */
static int check_end(
    const Elf64_Ehdr *header, uint64_t bytes, const char *path, struct lam_error *error)
{
    uint64_t table = (uint64_t)header->e_shnum * header->e_shentsize;

    if (header->e_shnum != 0 && (header->e_shoff > bytes || table > bytes - header->e_shoff))
        return lam_error_set(error, -ENOEXEC,
            "module %s: it is cut short: %llu bytes, and its table of sections lies behind them",
            path, (unsigned long long)bytes);
    return 0;
}

int elf_check(int fd, uint64_t bytes, const char *path, struct lam_error *error)
{
    Elf64_Ehdr header;
    int rc;

    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return lam_error_set(error, -ENOEXEC, "module %s: not an ELF file", path);
    rc = check_header(&header, path, error);
    if (rc == 0)
        rc = check_parts(fd, &header, bytes, path, error);
    return rc != 0 ? rc : check_end(&header, bytes, path, error);
}
