/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_THREAD_H
#define LAM_SEQUENCER_THREAD_H

/*
 * thread.h: what a process is given beside its env: threads on their CPUs, memory that stays,
 * signals, a place for its last words.
 */

#include <pthread.h>

struct env_thread {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
};

/*
 * Begins @thread, which stays where it is, with its run and context set. @cpu: the one it stays on,
 * from its first instruction; -1: any. Returns 0, or negative errno.
 */
int env_thread_start(struct env_thread *thread, int cpu);

void env_thread_join(struct env_thread *thread);

/* On how many CPUs this process may run, 1 or more. */
unsigned env_cpu_count(void);

/* All memory of this process stays where it is, what comes too. Returns 0, or negative errno. */
int env_lock_memory(void);

/* The folder @path is there. Returns 0, or negative errno. */
int env_make_folder(const char *path);

/*
 * From now on the first SIGTERM or SIGINT calls @stop, in a signal handler; the second one ends the
 * process with status 3.
 */
void env_catch_signals(void (*stop)(void));

/* A line on standard error. */
void env_say(const char *text);

#endif
