/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c: rlimits, soft and hard, so that whoever is held does not raise them again.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "linux/confine.h"

#if defined(__has_feature) /* clang */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW 1
#endif
#endif
#if defined(HAS_SHADOW)
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1 /* an address space of terabytes, most of it a sanitizer's */
#else
#define HAS_SHADOW 0
#endif

/* In a PID namespace two stand between the host and the worker. */
#define OWN_PROCESSES(wish)                                                                        \
    (((wish)->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_PIDS)) != 0 ? UINT64_C(3) : UINT64_C(1))

struct limit {
    __rlimit_resource_t resource;
    const char *name;
    uint64_t value; /* UINT64_MAX: as it is */
    uint64_t grace; /* that the hard limit is higher */
};

static uint64_t address_space_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL || fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What is tighter already stays. */
static int set(const struct limit *limit)
{
    struct rlimit now;

    if (limit->value == UINT64_MAX)
        return 0;
    if (getrlimit(limit->resource, &now) != 0)
        return -1;
    if (now.rlim_max > limit->value + limit->grace)
        now.rlim_max = limit->value + limit->grace;
    if (now.rlim_cur > limit->value)
        now.rlim_cur = limit->value;
    if (now.rlim_cur > now.rlim_max)
        now.rlim_cur = now.rlim_max;
    return setrlimit(limit->resource, &now);
}

static uint64_t plus(uint64_t value, uint64_t more)
{
    return value > UINT64_MAX - more ? UINT64_MAX : value + more;
}

/* Processes are counted by user: in a user namespace those that are in it, and of root none. */
static int check_processes(
    const struct sandbox_wish *wish, uint32_t has_users, struct lam_sandbox_state *state)
{
    if (wish->processes == 0)
        return 0; /* the layer of system calls refuses to make any */
    if (geteuid() == 0)
        return confine_fail(state, "processes of root are not counted", EPERM);
    if (!has_users)
        return confine_fail(state, "processes are counted in the layer users", EINVAL);
    return 0;
}

int confine_limits(const struct sandbox_wish *wish, uint64_t own_bytes, uint32_t has_users,
    struct lam_sandbox_state *state)
{
    uint64_t memory = wish->memory_bytes == UINT64_MAX
                          ? UINT64_MAX
                          : plus(address_space_bytes() + own_bytes, wish->memory_bytes);
    int rc = check_processes(wish, has_users, state);
    const struct limit limits[] = {{RLIMIT_CORE, "RLIMIT_CORE", 0, 0},
        {RLIMIT_NOFILE, "RLIMIT_NOFILE", wish->files, 0},
        {RLIMIT_FSIZE, "RLIMIT_FSIZE", wish->file_bytes, 0},
        /* A second between the signal that tells and the one that ends. */
        {RLIMIT_CPU, "RLIMIT_CPU", wish->cpu_s == 0 ? UINT64_MAX : wish->cpu_s, 1},
        {RLIMIT_NPROC, "RLIMIT_NPROC",
            rc == 0 && wish->processes != 0 ? wish->processes + OWN_PROCESSES(wish) : UINT64_MAX,
            0},
        {RLIMIT_AS, "RLIMIT_AS", HAS_SHADOW ? UINT64_MAX : memory, 0}};

    for (uint32_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (set(&limits[i]) != 0 && rc == 0)
            rc = confine_fail(state, limits[i].name, errno);
    if (rc == 0 && HAS_SHADOW && memory != UINT64_MAX)
        rc = confine_fail(state, "RLIMIT_AS under a sanitizer", ENOTSUP);
    return rc;
}
