/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SANDBOX_H
#define LAM_RUNTIME_SANDBOX_H

/*
 * lamina/runtime/sandbox.h: what a module in a worker may do, and what of that the kernel holds.
 *
 * Runtime, floor 6. A worker confines itself before it is given the module's image, so that no
 * byte of the module runs outside. Each *layer* is a means of the kernel's. A kernel may lack one,
 * or not allow it: then the report says so, with the step that failed, and *strict* refuses to
 * load. A module never has a layer less than the report of its load says.
 *
 * What a module is refused it learns as from a kernel without a sandbox: -1 and an errno. What no
 * module has any business with ends its worker: LAM_FAILURE_CRASHED, and the signal as detail
 * (SIGSYS: a system call; SIGXCPU: its CPU time; SIGXFSZ: a file too large).
 */

#include <stdint.h>

#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_module;

enum lam_sandbox_layer {
    LAM_SANDBOX_PRIVILEGES = 0, /* no capabilities, none by exec; no core dump. Always asked for */
    LAM_SANDBOX_LIMITS = 1,     /* rlimits: memory, CPU time, descriptors, size of files */
    LAM_SANDBOX_CALLS = 2,      /* seccomp: the listed system calls and no others; processes */
    LAM_SANDBOX_FILES = 3,      /* Landlock: files by path; where it can, TCP and signals, too */
    LAM_SANDBOX_USERS = 4,      /* a user namespace; the next five stand on it unless one is root */
    LAM_SANDBOX_NETWORK = 5,    /* a network namespace, with nothing in it */
    LAM_SANDBOX_IPC = 6,        /* an IPC namespace */
    LAM_SANDBOX_MOUNTS = 7,     /* a mount namespace: all read-only but the writable paths */
    LAM_SANDBOX_PIDS = 8,       /* a PID namespace: no process but its own is there */
    LAM_SANDBOX_LAYERS = 9,
};

#define LAM_SANDBOX_BIT(layer) (1U << (layer))
#define LAM_SANDBOX_ALL        (LAM_SANDBOX_BIT(LAM_SANDBOX_LAYERS) - 1)
/* What costs a call next to nothing, and no well-meaning module anything. */
#define LAM_SANDBOX_DEFAULT                                                                        \
    (LAM_SANDBOX_BIT(LAM_SANDBOX_PRIVILEGES) | LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS) |               \
        LAM_SANDBOX_BIT(LAM_SANDBOX_CALLS))

/* Descriptors that a worker has itself, with some for the loader. */
#define LAM_SANDBOX_FILES_MIN 16

/*
 * Zero is the default of each. Everything is copied. A worker's life is from one death or reload to
 * the next.
 */
struct lam_sandbox_options {
    uint32_t layers; /* LAM_SANDBOX_BIT() of each that is asked for; default LAM_SANDBOX_DEFAULT,
                        and FILES where a path is given */
    uint32_t strict; /* 1: the load is refused where a layer that is asked for is not active */
    /* Absolute paths, "/a:/b". Without FILES and MOUNTS the user's rights hold. */
    const char *readable;  /* read and run, beneath them; default: what the loader needs */
    const char *writable;  /* read, written, made and removed; default none */
    uint64_t memory_bytes; /* address space beyond what its worker needs itself; default: no end */
    uint64_t file_bytes;   /* largest file that it may write; default: no end */
    uint64_t reply_bytes;  /* longest answer; a longer one finds no room (-ENOSPC) */
    uint32_t cpu_s;        /* CPU time of a worker's life, in seconds; default: no end */
    uint32_t files;        /* open descriptors, from LAM_SANDBOX_FILES_MIN on; default 1024 */
    uint32_t processes;    /* beside its own; default none. Threads: none counted by default, and
                                as processes otherwise. To be bounded they need USERS, and a host
                                that is not root, whom the kernel does not count */
    uint32_t network;      /* 1: it may have sockets of its own */
};

/* What became of one layer. */
struct lam_sandbox_state {
    uint32_t is_asked;
    uint32_t is_active;
    int32_t
        error; /* asked and not active: a negative errno; -ENOSYS: not in this kernel or build */
    uint32_t level; /* of FILES: the kernel's Landlock ABI */
    char step[48];  /* that failed, or "" */
};

struct lam_sandbox_report {
    struct lam_sandbox_state layers[LAM_SANDBOX_LAYERS];
};

/* The name of a layer as reports and errors have it ("files"), or "?". */
const char *lam_sandbox_layer_name(enum lam_sandbox_layer layer);

/*
 * What holds the module's workers. Waits for a reload of it, and must not be called from one. Any
 * thread.
 *
 * Returns how many layers were asked for and are not active, or
 *   -ENODEV   it is unloaded
 *   -ENOTSUP  it runs in this process: nothing holds it
 */
int lam_module_sandbox(struct lam_module *module, struct lam_sandbox_report *report);

#ifdef __cplusplus
}
#endif

#endif
