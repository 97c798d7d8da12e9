/* SPDX-License-Identifier: Apache-2.0 */
#include "env/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_AT_ONCE 3

static void (*stop_function)(void);
static sig_atomic_t signals_caught;

static void *start(void *context)
{
    struct env_thread *thread = context;

    thread->run(thread->context);
    return NULL;
}

int env_thread_start(struct env_thread *thread, int cpu)
{
    pthread_attr_t attributes;
    cpu_set_t cpus;
    int result = pthread_attr_init(&attributes);

    if (result != 0)
        return -result;
    if (cpu >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET((unsigned)cpu, &cpus);
        /* Before it begins: one that spins on the wrong CPU may never come to move itself. */
        result = pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
    }
    if (result == 0)
        result = pthread_create(&thread->thread, &attributes, start, thread);
    (void)pthread_attr_destroy(&attributes);
    return -result;
}

void env_thread_join(struct env_thread *thread)
{
    (void)pthread_join(thread->thread, NULL);
}

unsigned env_cpu_count(void)
{
    cpu_set_t cpus;

    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) /* more than fit there */
        return CPU_SETSIZE;
    return (unsigned)CPU_COUNT(&cpus);
}

int env_lock_memory(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : -errno;
}

int env_make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static void caught(int signal)
{
    int before = errno;

    (void)signal;
    if (signals_caught++ != 0)
        _exit(EXIT_AT_ONCE);
    stop_function();
    errno = before;
}

void env_catch_signals(void (*stop)(void))
{
    struct sigaction action = {.sa_handler = caught, .sa_flags = SA_RESTART};

    stop_function = stop;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

void env_say(const char *text)
{
    (void)fprintf(stderr, "%s\n", text);
}
