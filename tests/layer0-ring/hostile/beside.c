/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: as turns.c, of a peer that keeps no turns: a process that writes into the objects as fast
 * as it can while another one makes all the calls of all kinds of ends, by the machine's own clock
 * and its real sleeps.
 *
 * Method: rings are made, a writer and a victim are forked; the victim counts its calls in a shared
 * page, and the parent sees that it goes on and how it ends. Not the same on each run: the turns
 * are for that.
 */
#include "prey.h"
#include "processes.h"
#include "scene.h"
#include "world.h"

#include "lamina/base/clock.h"

#include <sys/mman.h>
#include <time.h>

#define MUTATIONS_EACH 4000
#define CALLS_EACH     600
#define STUCK_NS       (60 * LAM_NS_PER_S) /* without one call's end */

#ifndef HOSTILE_MUTATIONS
#define HOSTILE_MUTATIONS 40000
#endif

struct page {
    _Atomic uint64_t calls;
    _Atomic uint64_t mutations;
};

static struct scene scene;
static struct page *page;

/* Between bursts the rings are let heal, or nobody would live on. */
static void write_bytes(void)
{
    for (;;) {
        prey_look();
        for (uint64_t left = 1 + world_pick(8); left > 0; left--)
            prey_mutate();
        page->mutations = prey_count();
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)world_pick(20000)}, NULL);
        prey_undo();
    }
}

static void call_all(void)
{
    world_progress = &page->calls;
    for (int call = 0; call < CALLS_EACH || page->mutations < MUTATIONS_EACH; call++) {
        scene_call(&scene);
        if (world_once_in(30))
            scene_with_threads(&scene);
    }
    scene_leave(&scene);
    _exit(0);
}

static pid_t start(void (*run)(void))
{
    pid_t child = test_fork();

    if (child == 0) {
        run();
        _exit(0);
    }
    return child;
}

/* Wait for the victim as long as it goes on. Returns its end. */
static int watch(pid_t victim)
{
    uint64_t calls = 0;
    uint64_t since_ns = lam_clock_now_ns();
    int status = 0;

    while (waitpid(victim, &status, WNOHANG) == 0) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        if (page->calls != calls) {
            calls = page->calls;
            since_ns = lam_clock_now_ns();
        }
        TEST_CHECK(lam_clock_now_ns() - since_ns < STUCK_NS);
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t wanted = HOSTILE_MUTATIONS * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t mutations = 0, calls = 0;

    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(page != MAP_FAILED);
    world_open(seed, 1);
    for (uint64_t part = 0; mutations < wanted; part++) {
        pid_t writer, victim;

        page->calls = page->mutations = 0;
        world_part(part);
        scene_make(&scene);
        writer = start(write_bytes);
        victim = start(call_all);
        TEST_CHECK(watch(victim) == 0);
        test_kill(writer);
        mutations += page->mutations;
        calls += page->calls;
        scene_end(&scene);
    }
    (void)printf("seed %llu: %llu mutations beside %llu calls\n", (unsigned long long)seed,
        (unsigned long long)mutations, (unsigned long long)calls);
    return 0;
}
