/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an object's memory comes from: its store, its pages, its NUMA node.
 */
#include "lamina/base/segment.h"
#include "lamina/base/store.h"
#include "segment_internal.h"
#include "small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NODE_COUNT_MAX 1024
#define WORD_BITS      (8 * sizeof(unsigned long))
#define SAMPLE_COUNT   32

uint64_t lam_segment_page_bytes_of(int fd)
{
    struct statfs store;

    if (fstatfs(fd, &store) == 0 && (uint64_t)store.f_type == HUGETLBFS_MAGIC)
        return (uint64_t)store.f_bsize;
    return lam_segment_page_bytes();
}

int lam_segment_huge_page_bytes(
    const char *directory, uint64_t *page_bytes, struct lam_error *error)
{
    int fd = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                               : memfd_create("lamina", MFD_CLOEXEC | MFD_HUGETLB);

    if (fd < 0 && directory != NULL)
        return lam_error_set(error, -errno, "%s: %s", directory, strerror(errno));
    if (fd < 0)
        return lam_error_set(
            error, -ENOTSUP, "this kernel gives no huge pages: %s", strerror(errno));
    *page_bytes = lam_segment_page_bytes_of(fd);
    (void)close(fd);
    if (*page_bytes == lam_segment_page_bytes())
        return lam_error_set(error, -EINVAL,
            "%s: is not in a hugetlbfs, so it has no huge pages; mount one, or name no directory",
            directory == NULL ? "memory file" : directory);
    return 0;
}

static void read_line(const char *path, char *text, size_t text_bytes)
{
    lam_small_file_read(path, text, text_bytes);
    text[strcspn(text, "\n")] = '\0';
}

static uint64_t bytes_of(const char *meminfo, const char *field)
{
    const char *at = strstr(meminfo, field);

    return at == NULL ? 0 : strtoull(at + strlen(field), NULL, 10) * 1024;
}

/* Memory is looked at before it is asked for: the kernel would kill others to find it. */
static int look_for_memory(const char *where, uint64_t bytes, struct lam_error *error)
{
    char meminfo[4096];
    uint64_t free_bytes;

    lam_small_file_read("/proc/meminfo", meminfo, sizeof(meminfo));
    if (strstr(meminfo, "MemAvailable:") == NULL)
        return 0;
    free_bytes = bytes_of(meminfo, "MemAvailable:") + bytes_of(meminfo, "SwapFree:");
    if (free_bytes >= bytes)
        return 0;
    return lam_error_set(error, -ENOSPC,
        "%s: the machine's memory is too full: needs %llu bytes, %llu of %llu are free; make depth "
        "or counts smaller",
        where, (unsigned long long)bytes, (unsigned long long)free_bytes,
        (unsigned long long)(bytes_of(meminfo, "MemTotal:") + bytes_of(meminfo, "SwapTotal:")));
}

/* The store is looked at before it is asked: filling a tmpfs that is as large as memory kills. */
static int look_for_room(const struct lam_segment *segment, uint64_t bytes, struct lam_error *error)
{
    struct statfs store;

    if (segment->page_bytes != lam_segment_page_bytes())
        return 0; /* huge pages have a pool of their own: it answers */
    if (segment->path[0] == '\0')
        return look_for_memory("memory file", bytes, error);
    if (fstatfs(segment->fd, &store) != 0 || store.f_blocks == 0)
        return 0;
    if ((uint64_t)store.f_bavail * (uint64_t)store.f_bsize >= bytes)
        return (uint64_t)store.f_type == TMPFS_MAGIC ? look_for_memory(segment->path, bytes, error)
                                                     : 0;
    return lam_store_refuse(
        segment->path, bytes, "make depth or counts smaller, or the store larger", error);
}

/* A process that may make no file of that size is killed by SIGXFSZ when it asks for one. */
static int look_at_limit(const char *where, uint64_t bytes, struct lam_error *error)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        (uint64_t)limit.rlim_cur >= bytes)
        return 0;
    return lam_error_set(error, -EFBIG,
        "%s: needs %llu bytes, and this process may make files of %llu (RLIMIT_FSIZE; ulimit -f)",
        where, (unsigned long long)bytes, (unsigned long long)limit.rlim_cur);
}

int lam_segment_refuse_name(const struct lam_segment *segment, int code, struct lam_error *error)
{
    const char *where = segment->path[0] != '\0' ? segment->path : "memory file";

    if (code == -ENOSPC && segment->path[0] != '\0')
        return lam_store_refuse(segment->path, 0, "make room for more files there", error);
    return lam_error_set(error, code, "%s: cannot create: %s", where, strerror(-code));
}

static int no_huge_pages(
    const struct lam_segment *segment, uint64_t bytes, int code, struct lam_error *error)
{
    char path[128];
    char free_pages[32];

    (void)snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB/free_hugepages",
        (unsigned long long)segment->page_bytes / 1024);
    read_line(path, free_pages, sizeof(free_pages));
    return lam_error_set(error, code == -ENOMEM ? -ENOSPC : code,
        "%s: needs %llu huge pages of %llu KiB, %s are free: %s; more are had by "
        "/proc/sys/vm/nr_hugepages",
        segment->path[0] != '\0' ? segment->path : "memory file",
        (unsigned long long)(bytes / segment->page_bytes),
        (unsigned long long)segment->page_bytes / 1024, free_pages[0] == '\0' ? "?" : free_pages,
        strerror(-code));
}

int lam_segment_reserve(struct lam_segment *segment, uint64_t bytes, struct lam_error *error)
{
    const char *where = segment->path[0] != '\0' ? segment->path : "memory file";
    int code = look_for_room(segment, bytes, error);

    if (code == 0)
        code = look_at_limit(where, bytes, error);
    if (code != 0)
        return code;
    code = -posix_fallocate(segment->fd, 0, (off_t)bytes);
    if (code != 0 && segment->page_bytes != lam_segment_page_bytes())
        return no_huge_pages(segment, bytes, code, error);
    if (code != 0)
        return lam_error_set(error, code, "%s: cannot reserve %llu bytes: %s", where,
            (unsigned long long)bytes, strerror(-code));
    return 0;
}

static int refuse_node(uint32_t node, int code, struct lam_error *error)
{
    char online[128];

    if (code == -ENOSYS)
        return lam_error_set(
            error, -ENOTSUP, "NUMA node %u: this kernel places no memory (it has no mbind)", node);
    read_line("/sys/devices/system/node/online", online, sizeof(online));
    return lam_error_set(error, code, "NUMA node %u: memory cannot be placed there (%s); nodes: %s",
        node, strerror(-code), online[0] == '\0' ? "unknown" : online);
}

int lam_segment_bind(
    struct lam_segment *segment, uint64_t bytes, uint32_t node, struct lam_error *error)
{
    unsigned long mask[NODE_COUNT_MAX / WORD_BITS] = {0};
    void *pages;
    int code = 0;

    if (node >= NODE_COUNT_MAX)
        return refuse_node(node, -EINVAL, error);
    mask[node / WORD_BITS] = 1UL << (node % WORD_BITS);
    /* The policy of a shared mapping is the object's own, and holds for what is reserved later. */
    pages = mmap(NULL, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, segment->fd, 0);
    if (pages == MAP_FAILED)
        return lam_error_set(
            error, -errno, "cannot map %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
    /* One more than there are bits: the kernel takes one off. */
    if (syscall(SYS_mbind, pages, bytes, MPOL_BIND, mask, NODE_COUNT_MAX + 1UL, 0U) != 0)
        code = -errno;
    (void)munmap(pages, bytes);
    return code == 0 ? 0 : refuse_node(node, code, error);
}

int lam_segment_find_node(const struct lam_segment *segment)
{
    uint64_t pages = (segment->head_bytes + segment->body_bytes) / segment->page_bytes;
    unsigned long count = pages < SAMPLE_COUNT ? (unsigned long)pages : SAMPLE_COUNT;
    void *addresses[SAMPLE_COUNT];
    int nodes[SAMPLE_COUNT];

    for (unsigned long i = 0; i < count; i++) {
        addresses[i] = segment->base + pages * i / count * segment->page_bytes;
        nodes[i] = -1;
    }
    /* Without nodes to move to it only tells where they are. */
    if (count == 0 || syscall(SYS_move_pages, 0, count, addresses, NULL, nodes, 0) != 0)
        return -1;
    for (unsigned long i = 1; i < count; i++)
        if (nodes[i] != nodes[0])
            return -1;
    return nodes[0] < 0 ? -1 : nodes[0];
}
