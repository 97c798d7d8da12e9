/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "cpus.h"
#include "payload.h"
#include "watchdog.h"

/* Little beside the window of a lane with threads. */
#define NAP_NS 20000

uint32_t bench_looks_before_yield = 4096;

void *bench_shared_memory(uint64_t bytes)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t used_bytes = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    uint8_t *memory = mmap(NULL, used_bytes + page_bytes, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    /* Who writes beyond it ends there, and not in the memory of another subject. */
    if (memory == MAP_FAILED || mprotect(memory + used_bytes, page_bytes, PROT_NONE) != 0) {
        fprintf(stderr, "bench: no %llu bytes of shared memory: %s\n", (unsigned long long)bytes,
            strerror(errno));
        exit(1);
    }
    return memory;
}

void *bench_private_memory(uint64_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL) {
        fprintf(stderr, "bench: no memory\n");
        exit(1);
    }
    return memory;
}

uint64_t bench_preempted(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

static uint64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void await_release(struct bench_crew *crew)
{
    uint32_t looks = 0;

    while (lam_load_acquire(&crew->board->go) != crew->number)
        bench_pause(&looks);
}

static uint64_t skim_later(struct bench_crew *crew, struct bench_lane *lane, uint64_t count)
{
    uint64_t started_ns;

    await_release(crew);
    started_ns = bench_now_ns();
    lane->subject->skim(lane, count);
    return bench_now_ns() - started_ns;
}

static uint64_t obey(struct bench_crew *crew)
{
    struct bench_board *board = crew->board;
    struct bench_lane *lane = &crew->lanes[board->lane_index];

    switch (board->order) {
    case BENCH_ORDER_ANSWER:
        return lane->subject->answer(lane, board->count);
    case BENCH_ORDER_RECEIVE:
        return lane->subject->receive(lane, board->count);
    case BENCH_ORDER_RECEIVE_LATER:
        await_release(crew);
        return lane->subject->receive(lane, board->count);
    case BENCH_ORDER_SEND:
        await_release(crew);
        lane->subject->send(lane, board->count, BENCH_SEED);
        return 0;
    case BENCH_ORDER_SKIM:
        return lane->subject->skim(lane, board->count);
    case BENCH_ORDER_SKIM_LATER:
        return skim_later(crew, lane, board->count);
    case BENCH_ORDER_LEAVE:
        break;
    }
    return 0;
}

static int attach_all(struct bench_crew *crew, uint32_t side)
{
    for (uint32_t i = 0; i < crew->lane_count; i++) {
        struct bench_lane *lane = &crew->lanes[i];
        int rc = lane->subject->attach ? lane->subject->attach(lane, side) : 0;

        if (rc != 0) {
            fprintf(stderr, "bench: %s, side %u: %s\n", lane->subject->name, side, strerror(-rc));
            return rc;
        }
    }
    return 0;
}

static void detach_all(struct bench_crew *crew, uint32_t side)
{
    for (uint32_t i = 0; i < crew->lane_count; i++)
        if (crew->lanes[i].subject->detach)
            crew->lanes[i].subject->detach(&crew->lanes[i], side);
}

static void child(struct bench_crew *crew, uint32_t side, int cpu)
{
    struct bench_seat *seat = &crew->board->seats[side - 1];
    enum bench_order order;
    uint32_t looks = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_cpus_pin(cpu);
    if (attach_all(crew, side) != 0)
        _exit(1);
    lam_store_release(&seat->done, crew->number);
    do {
        uint64_t preempted, used_us;

        while (lam_load_acquire(&crew->board->number) == crew->number)
            bench_pause(&looks);
        crew->number++;
        order = crew->board->order;
        preempted = bench_preempted();
        used_us = cpu_us();
        lam_store_release(&seat->begun, crew->number);
        seat->result = obey(crew);
        seat->cpu_us = cpu_us() - used_us;
        seat->preempted = bench_preempted() - preempted;
        lam_store_release(&seat->done, crew->number);
    } while (order != BENCH_ORDER_LEAVE);
    detach_all(crew, side);
    _exit(0);
}

/* One step of a wait: asleep, where the lane's own threads need the CPU to bring it to an end. */
static void wait_a_moment(const struct bench_crew *crew, uint32_t *looks)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};

    if (crew->naps == 0) {
        bench_pause(looks);
    } else {
        *looks = 0;
        (void)nanosleep(&nap, NULL);
    }
}

/* Spins until the word says what is awaited, or ends the program with the child. */
static void await(struct bench_crew *crew, uint32_t reader, lam_atomic_u64 *word)
{
    uint32_t looks = 0, rounds = 0;
    int status;

    crew->awaits = 1;
    while (lam_load_acquire(word) != crew->number) {
        wait_a_moment(crew, &looks);
        if (looks == 0 && ++rounds % 16 == 0 && waitpid(crew->pids[reader], &status, WNOHANG) > 0) {
            /* Told to leave, it may have said so and gone since we looked. */
            if (lam_load_acquire(word) == crew->number)
                break;
            fprintf(stderr, "bench: side %u ended by itself, status %#x\n", reader + 1, status);
            exit(1);
        }
    }
    crew->awaits = 0;
}

int bench_crew_start(struct bench_crew *crew, struct bench_lane *lanes, uint32_t lane_count,
    uint32_t readers, const int *cpus)
{
    LAM_ASSERT(readers >= 1 && readers <= BENCH_READERS_MAX);
    memset(crew, 0, sizeof(*crew));
    crew->board = bench_shared_memory(sizeof(*crew->board));
    crew->lanes = lanes;
    crew->lane_count = lane_count;
    crew->readers = readers;
    bench_cpus_choose(cpus, 1 + readers, crew->cpus);
    crew->oversubscribed = bench_cpus_count() < 1 + readers;
    bench_looks_before_yield = crew->oversubscribed ? 64 : 4096;
    for (uint32_t i = 0; i < lane_count; i++) {
        int rc = lanes[i].subject->open(&lanes[i]);

        if (rc != 0) {
            fprintf(stderr, "bench: %s does not open: %s\n", lanes[i].subject->name, strerror(-rc));
            return rc;
        }
    }
    fflush(NULL);
    crew->number = 1;
    bench_watchdog_set(crew);
    lam_store_relaxed(&crew->board->number, 1);
    for (uint32_t reader = 0; reader < readers; reader++) {
        crew->pids[reader] = fork();
        if (crew->pids[reader] < 0)
            return -errno;
        if (crew->pids[reader] == 0)
            child(crew, 1 + reader, crew->cpus[1 + reader]);
    }
    bench_cpus_pin(crew->cpus[0]);
    if (attach_all(crew, 0) != 0)
        exit(1);
    for (uint32_t reader = 0; reader < readers; reader++)
        await(crew, reader, &crew->board->seats[reader].done);
    return 0;
}

void bench_crew_order(
    struct bench_crew *crew, enum bench_order order, uint32_t lane_index, uint64_t count)
{
    struct bench_board *board = crew->board;

    crew->naps = (uint32_t)crew->lanes[lane_index].subject->threads;
    board->order = order;
    board->lane_index = lane_index;
    board->count = count;
    lam_store_release(&board->number, ++crew->number);
    bench_watchdog_set(crew);
    for (uint32_t reader = 0; reader < crew->readers; reader++)
        await(crew, reader, &board->seats[reader].begun);
}

void bench_crew_release(struct bench_crew *crew)
{
    lam_store_release(&crew->board->go, crew->number);
}

uint64_t bench_crew_finish(struct bench_crew *crew)
{
    uint64_t sum = 0;

    for (uint32_t reader = 0; reader < crew->readers; reader++)
        await(crew, reader, &crew->board->seats[reader].done);
    for (uint32_t reader = 0; reader < crew->readers; reader++)
        sum += crew->board->seats[reader].result;
    return sum;
}

uint64_t bench_crew_preempted(const struct bench_crew *crew)
{
    uint64_t preempted = 0;

    for (uint32_t reader = 0; reader < crew->readers; reader++)
        preempted += crew->board->seats[reader].preempted;
    return preempted;
}

uint64_t bench_crew_cpu_us(const struct bench_crew *crew)
{
    uint64_t used_us = 0;

    for (uint32_t reader = 0; reader < crew->readers; reader++)
        used_us += crew->board->seats[reader].cpu_us;
    return used_us;
}

void bench_crew_stop(struct bench_crew *crew)
{
    bench_crew_order(crew, BENCH_ORDER_LEAVE, 0, 0);
    (void)bench_crew_finish(crew);
    detach_all(crew, 0);
    for (uint32_t reader = 0; reader < crew->readers; reader++)
        waitpid(crew->pids[reader], NULL, 0);
    bench_watchdog_end();
    munmap(crew->board, sizeof(*crew->board));
}
