/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/cpu_wait.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define WAITPKG  (UINT32_C(1) << 5)
#define MONITORX (UINT32_C(1) << 29)
#define EVTSTRM  (UINT64_C(1) << 2)

struct lam_cpu_flags lam_cpu_flags_read(void)
{
    struct lam_cpu_flags flags = {0};
#if defined(__x86_64__)
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;

    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        flags.leaf7_ecx = ecx;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
        flags.extended_ecx = ecx;
#elif defined(__aarch64__)
    flags.hwcap = getauxval(AT_HWCAP);
#endif
    return flags;
}

static int is_wanted(const char *wanted, enum lam_cpu_wait_kind kind)
{
    return wanted == NULL || wanted[0] == '\0' || strcmp(wanted, "auto") == 0 ||
           strcmp(wanted, lam_cpu_wait_name(kind)) == 0;
}

enum lam_cpu_wait_kind lam_cpu_wait_choose(const struct lam_cpu_flags *flags, const char *wanted)
{
    if ((flags->leaf7_ecx & WAITPKG) != 0 && is_wanted(wanted, LAM_CPU_WAIT_UMWAIT))
        return LAM_CPU_WAIT_UMWAIT;
    if ((flags->extended_ecx & MONITORX) != 0 && is_wanted(wanted, LAM_CPU_WAIT_MWAITX))
        return LAM_CPU_WAIT_MWAITX;
    if ((flags->hwcap & EVTSTRM) != 0 && is_wanted(wanted, LAM_CPU_WAIT_WFE))
        return LAM_CPU_WAIT_WFE;
    return LAM_CPU_WAIT_NONE;
}

const char *lam_cpu_wait_name(enum lam_cpu_wait_kind kind)
{
    static const char *const names[] = {"none", "umwait", "mwaitx", "wfe"};

    return names[kind];
}

enum lam_cpu_wait_kind lam_cpu_wait_kind(void)
{
    static lam_atomic_u32 decided; /* kind + 1; 0 not yet. Relaxed: all threads decide alike */
    uint32_t now = lam_load_relaxed(&decided);

    if (now == 0) {
        struct lam_cpu_flags flags = lam_cpu_flags_read();

        now = (uint32_t)lam_cpu_wait_choose(&flags, getenv("LAMINA_WAIT_CPU")) + 1;
        lam_store_relaxed(&decided, now);
    }
    return (enum lam_cpu_wait_kind)(now - 1);
}

#if defined(__x86_64__)

/* Coded by bytes where the compiler is not told of the CPU: the flag was looked at. */
static int wait_umwait(const struct lam_watch *watch)
{
    uint64_t limit;

    /* umonitor rax */
    __asm__(".byte 0xf3, 0x0f, 0xae, 0xf0" ::"a"(watch->word) : "memory");
    if (lam_watch_is_over(watch))
        return 1;
    limit = __builtin_ia32_rdtsc() + LAM_CPU_WAIT_TICKS;
    /* umwait ecx, with bit 0 set: the shallow state, which is left fastest */
    __asm__(
        ".byte 0xf2, 0x0f, 0xae, 0xf1" ::"c"(1), "a"((uint32_t)limit), "d"((uint32_t)(limit >> 32))
        : "memory", "cc");
    return 1;
}

static int wait_mwaitx(const struct lam_watch *watch)
{
    /* monitorx rax, ecx, edx */
    __asm__(".byte 0x0f, 0x01, 0xfa" ::"a"(watch->word), "c"(0), "d"(0) : "memory");
    if (lam_watch_is_over(watch))
        return 1;
    /* mwaitx eax, ecx: shallowest state, and bit 1 of ecx: ebx is a limit in ticks */
    __asm__(".byte 0x0f, 0x01, 0xfb" ::"a"(0xf0), "b"(LAM_CPU_WAIT_TICKS), "c"(2) : "memory");
    return 1;
}

int lam_cpu_wait(const struct lam_watch *watch)
{
    enum lam_cpu_wait_kind kind = lam_cpu_wait_kind();

    if (kind == LAM_CPU_WAIT_UMWAIT)
        return wait_umwait(watch);
    return kind == LAM_CPU_WAIT_MWAITX ? wait_mwaitx(watch) : 0;
}

#elif defined(__aarch64__)

int lam_cpu_wait(const struct lam_watch *watch)
{
    uint64_t seen;

    if (lam_cpu_wait_kind() != LAM_CPU_WAIT_WFE)
        return 0;
    /* An exclusive load arms the monitor; whoever stores to the line sends the event. */
    __asm__("ldaxr %0, [%1]" : "=r"(seen) : "r"(watch->word) : "memory");
    if ((seen == watch->value) != (watch->until_equal != 0))
        __asm__("wfe" ::: "memory");
    return 1;
}

#else

int lam_cpu_wait(const struct lam_watch *watch)
{
    (void)watch;
    return 0;
}

#endif
