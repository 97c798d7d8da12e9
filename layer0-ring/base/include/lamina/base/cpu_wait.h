/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_CPU_WAIT_H
#define LAM_BASE_CPU_WAIT_H

/*
 * lamina/base/cpu_wait.h: waiting for a store to a line inside the CPU, where it can do that.
 *
 * Base, floor 0. Intel's umonitor and umwait, AMD's monitorx and mwaitx, AArch64's wfe: the core
 * rests until the line is written, instead of polling it; its sibling thread has the whole core
 * meanwhile. Found out once per process, from the CPU's own flags; a hypervisor that does not allow
 * the instruction hides its flag. LAMINA_WAIT_CPU in the environment: off, umwait, mwaitx, wfe or
 * auto; what the CPU does not have is never used, whatever it says.
 */

#include "lamina/base/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_cpu_wait_kind {
    LAM_CPU_WAIT_NONE = 0,
    LAM_CPU_WAIT_UMWAIT = 1,
    LAM_CPU_WAIT_MWAITX = 2,
    LAM_CPU_WAIT_WFE = 3,
};

/*
 * No wait is longer than so many ticks of the CPU's time stamp counter: 5 to 10 us at 2 to 4 GHz.
 * With wfe it is a period of the kernel's event stream instead, 100 us by default.
 */
#define LAM_CPU_WAIT_TICKS 20000

/* What the CPU says about itself: the registers that the decision is made of. */
struct lam_cpu_flags {
    uint32_t leaf7_ecx;    /* x86: bit 5, WAITPKG */
    uint32_t extended_ecx; /* x86: leaf 0x80000001, bit 29, MONITORX */
    uint64_t hwcap;        /* AArch64: bit 2, EVTSTRM: without it a wfe might not end */
};

/* The flags of this CPU; those of other architectures are 0. */
struct lam_cpu_flags lam_cpu_flags_read(void);

/*
 * The decision: @wanted is the value of LAMINA_WAIT_CPU, or NULL. An unknown word is "off": who
 * sets it has a reason. Pure.
 */
enum lam_cpu_wait_kind lam_cpu_wait_choose(const struct lam_cpu_flags *flags, const char *wanted);

/* What this process uses: decided at the first call, which reads the environment. Any thread. */
enum lam_cpu_wait_kind lam_cpu_wait_kind(void);

/* "none", "umwait", "mwaitx", "wfe". */
const char *lam_cpu_wait_name(enum lam_cpu_wait_kind kind);

/*
 * Whether what @watch waits for is so. Acquire: whoever stored the word has stored what it
 * announces.
 */
static inline int lam_watch_is_over(const struct lam_watch *watch)
{
    return (lam_load_acquire(watch->word) == watch->value) == (watch->until_equal != 0);
}

/*
 * Rest until the watched line is stored to, the limit is over, or the CPU feels like it: the caller
 * looks again. The word is looked at after the line is armed, so a store is never slept through.
 *
 * Returns 1, or 0 at once where the CPU cannot, or it is switched off.
 */
int lam_cpu_wait(const struct lam_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
