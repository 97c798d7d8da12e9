/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CALLS_H
#define LAM_RUNTIME_CALLS_H

/*
 * calls.h: the system calls of a module, by what becomes of them. One that stands nowhere here, or
 * that came after this was written, is not there (ENOSYS): who tries a new one has an old one to
 * fall back on. Names that this machine has not are passed over.
 */

/* What memory, files, time, threads and descriptors take. */
static const char *const calls_allowed[] = {
    /* files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "open", "openat", "openat2", "creat", "close", "close_range", "lseek", "stat",
    "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fchdir",
    "dup", "dup2", "dup3", "pipe", "pipe2", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod",
    "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "truncate",
    "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "sendfile",
    "copy_file_range", "splice", "tee", "vmsplice", "fadvise64", "readahead", "flock", "umask",
    "fcntl", "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr",
    "memfd_create", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* memory */
    "mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "brk", "mlock", "mlock2",
    "munlock", "membarrier", "get_mempolicy", "set_mempolicy", "mbind", "pkey_alloc", "pkey_free",
    "pkey_mprotect",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd", "signalfd4",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "futex", "futex_waitv", "nanosleep",
    "clock_nanosleep", "pause",
    /* time */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getitimer", "setitimer",
    "alarm", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
    /* itself */
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "getrusage", "getrlimit", "setrlimit",
    "uname", "sysinfo", "getcpu", "getpriority", "getrandom", "capget", "prctl", "arch_prctl",
    "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "sched_getattr", "sched_get_priority_max", "sched_get_priority_min", "set_tid_address",
    "set_robust_list", "get_robust_list", "rseq", "exit", "exit_group", "wait4", "waitid",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "rt_sigsuspend", "sigaltstack", "restart_syscall",
    /* sockets that are there */
    "socketpair", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
    "getsockname", "getpeername", "getsockopt", "setsockopt"};

/* What others are reached by, or what its end is known by: -EPERM, and it goes on. */
static const char *const calls_refused[] = {"setpgid", "setsid", "tkill", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal", "setuid", "setgid", "setreuid",
    "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
    "setpriority", "sched_setparam", "sched_setscheduler", "sched_setattr", "sethostname",
    "setdomainname", "syslog", "mknod", "mknodat", "shmget", "shmat", "shmdt", "shmctl", "semget",
    "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open",
    "mq_unlink"};

/* What no module has any business with: its process ends, by SIGSYS. */
static const char *const calls_fatal[] = {"ptrace", "process_vm_readv", "process_vm_writev",
    "process_madvise", "kcmp", "pidfd_getfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key",
    "request_key", "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig",
    "fspick", "mount_setattr", "pivot_root", "chroot", "swapon", "swapoff", "reboot", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "iopl", "ioperm", "acct",
    "quotactl", "quotactl_fd", "setns", "unshare", "open_by_handle_at", "name_to_handle_at",
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "lookup_dcookie", "vhangup",
    "modify_ldt"};

/* By options.processes and options.network: allowed, or refused. */
static const char *const calls_of_processes[] = {"fork", "vfork", "execve", "execveat"};
static const char *const calls_of_network[] = {"connect", "bind", "listen", "accept", "accept4"};

#endif
