/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a waiter waits for may happen at any instruction of its wait, and is not slept
 * through. Method: from its last look at the clock on the waiter is stepped, one instruction at a
 * time, by the trap flag of x86-64; at the first, second, third ... the other end acts, in the
 * signal handler. The operation that would sleep sees whether the waiter does so although it has
 * happened: no luck with the scheduler is needed, and no time.
 *
 * Mutants this kills: wait.mutants.
 */
#include "lamina/ring/notify.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/wait_any.h"
#include "processes.h"
#include "starts.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <ucontext.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#define RINGS     3
#define DEPTH     4
#define SLEEPERS  4
#define TRAP_FLAG 0x100
#define STEPS_MAX 20000

static struct lam_ring rings[RINGS];
static struct lam_ring_producer producers[RINGS];
static struct lam_ring_consumer consumers[RINGS];

static struct lam_base_ops ops;
static uint64_t now_ns;
static void (*act)(void);  /* what is waited for */
static uint64_t acts_at;   /* after so many instructions */
static uint64_t steps;     /* since stepping began */
static int prepared;       /* stepping begins at the next look at the clock */
static int acted;          /* it has happened */
static int acted_in_sleep; /* ... when the waiter slept, as it may */
static uint32_t chosen;    /* the ring that it happens to */
static const char *scenario;

static void act_now(void)
{
    acted = 1;
    act();
}

static void step(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;

    (void)signal_number;
    (void)info;
    if (++steps < acts_at)
        return;
    machine->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
    if (!acted)
        act_now();
}

static void stop_stepping(void)
{
    __asm__("lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
            "lea 128(%%rsp), %%rsp" ::
                : "memory", "cc");
}

static void prepare(uint64_t at)
{
    acts_at = at;
    steps = 0;
    acted = acted_in_sleep = 0;
    prepared = 1;
    /* So that the first look at the clock is the last. */
    for (uint32_t i = 0; i < RINGS; i++)
        consumers[i].cadence.yields = producers[i].cadence.yields = 0;
}

static void start_stepping(void)
{
    prepared = 0;
    __asm__("lea -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n"
            "lea 128(%%rsp), %%rsp" ::
                : "memory", "cc");
}

/* A sleep. What has happened by now must have changed the word, or it is slept through. */
static void sleep_on(lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count)
{
    stop_stepping();
    for (uint32_t i = 0; i < count; i++)
        if (lam_load_acquire(words[i]) != expected[i])
            return;
    if (acted) {
        (void)fprintf(stderr, "%s: what happened at instruction %llu is slept through\n", scenario,
            (unsigned long long)acts_at);
        _exit(1);
    }
    acted_in_sleep = 1;
    act_now();
    for (uint32_t i = 0; i < count; i++)
        if (lam_load_acquire(words[i]) != expected[i])
            return;
    (void)fprintf(stderr, "%s: no bell is rung for who sleeps\n", scenario);
    _exit(1);
}

static void stepped_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns;
    sleep_on(&word, &expected, 1);
}

static void stepped_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)deadline_ns;
    sleep_on(words, expected, count);
}

static int no_wake(lam_atomic_u32 *word)
{
    (void)word;
    return 0;
}

static uint64_t next_ns(void)
{
    if (prepared)
        start_stepping();
    return now_ns += 100;
}

static void no_yield(void)
{
}

static void publish(void)
{
    void *payload = NULL;

    TEST_CHECK(lam_ring_producer_try_claim(&producers[chosen], 8, &payload) == 1);
    memset(payload, 0, 8);
    lam_ring_producer_commit(&producers[chosen], 8, 1, 0);
}

static void take(void)
{
    struct lam_event event = {.payload = NULL};

    TEST_CHECK(lam_ring_consumer_try_peek(&consumers[chosen], &event) == 1);
    (void)lam_ring_consumer_release(&consumers[chosen]);
}

static void close_producer(void)
{
    lam_ring_producer_close(&producers[chosen]);
}

static void open_rings(void)
{
    for (uint32_t i = 0; i < RINGS; i++) {
        struct lam_ring_options options = {
            .name = "interrupt-wait", .depth = DEPTH, .first_sequence = test_next_start()};
        struct lam_ring_producer_options producer_options = {.wait = LAM_WAIT_FUTEX};
        struct lam_ring_consumer_options consumer_options = {.wait = LAM_WAIT_FUTEX};
        struct lam_error error;

        TEST_OK(lam_ring_create(&rings[i], &options, &error), error);
        TEST_OK(
            lam_ring_producer_attach(&producers[i], &rings[i], &producer_options, &error), error);
        TEST_OK(
            lam_ring_consumer_attach(&consumers[i], &rings[i], &consumer_options, &error), error);
    }
}

static void close_rings(void)
{
    for (uint32_t i = 0; i < RINGS; i++) {
        lam_ring_consumer_detach(&consumers[i]);
        lam_ring_producer_detach(&producers[i]);
        (void)lam_ring_destroy(&rings[i]);
    }
}

static void wait_for_an_event(uint64_t at)
{
    int rc;

    act = publish;
    prepare(at);
    rc = lam_ring_consumer_wait_until(&consumers[0], LAM_DEADLINE_NEVER);
    stop_stepping();
    TEST_CHECK(rc == 0 && acted);
    take();
}

static void wait_for_the_close(uint64_t at)
{
    int rc;

    act = close_producer;
    prepare(at);
    rc = lam_ring_consumer_wait_until(&consumers[0], LAM_DEADLINE_NEVER);
    stop_stepping();
    TEST_CHECK(rc == -EPIPE && acted);
    lam_ring_producer_detach(&producers[0]);
    TEST_CHECK(lam_ring_producer_attach(&producers[0], &rings[0],
                   &(struct lam_ring_producer_options){.wait = LAM_WAIT_FUTEX}, NULL) == 0);
}

static void wait_for_room(uint64_t at)
{
    void *payload = NULL;
    int rc;

    for (int i = 0; i < DEPTH - 1; i++)
        publish();
    act = take;
    prepare(at);
    rc = lam_ring_producer_claim_until(&producers[0], 8, LAM_DEADLINE_NEVER, &payload);
    stop_stepping();
    TEST_CHECK(rc == 0 && acted);
    lam_ring_producer_abort(&producers[0]);
    for (int i = 0; i < DEPTH - 2; i++)
        take();
}

static void wait_for_any(uint64_t at)
{
    struct lam_ring_consumer *all[RINGS] = {&consumers[0], &consumers[1], &consumers[2]};
    static uint32_t last;
    uint32_t index = UINT32_MAX;
    int rc;

    chosen = last = (last + 1) % RINGS;
    act = publish;
    prepare(at);
    rc = lam_ring_wait_any_until(all, RINGS, LAM_DEADLINE_NEVER, &index);
    stop_stepping();
    TEST_CHECK(rc == 0 && acted && index == chosen);
    take();
    chosen = 0;
}

/* At each @stride-th instruction in turn, until the wait is over before. */
static uint64_t at_each_instruction(const char *name, void (*wait)(uint64_t at), uint64_t stride)
{
    uint64_t at = 0;

    scenario = name;
    open_rings();
    do {
        at += stride;
        TEST_CHECK(at < STEPS_MAX);
        wait(at);
    } while (!acted_in_sleep);
    close_rings();
    return at;
}

/*
 * The notifier's thread is another one: it sleeps without an end, and the arming is stepped. It is
 * not idle, which would get it a kick by each arming: another consumer is armed all the time.
 */
static void endless_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait_any(words, expected, count, LAM_DEADLINE_NEVER);
}

static uint64_t arm_at_each_instruction(void)
{
    struct lam_ring_notifier notifier;
    struct lam_ring_watch watch, other;
    uint64_t at = 0;
    int armed;

    scenario = "an arming";
    act = publish;
    ops.futex_wait_any = endless_futex_wait_any;
    ops.futex_wake_all = lam_base_linux.futex_wake_all;
    open_rings();
    TEST_CHECK(lam_ring_notifier_open(&notifier, NULL) == 0);
    TEST_CHECK(lam_ring_notifier_add(&notifier, &watch, &consumers[0], NULL) == 0);
    TEST_CHECK(lam_ring_notifier_add(&notifier, &other, &consumers[1], NULL) == 0);
    TEST_CHECK(lam_ring_watch_arm(&other) == 0);
    do {
        struct pollfd fd = {.fd = watch.fd, .events = POLLIN};

        prepare(++at);
        start_stepping();
        armed = lam_ring_watch_arm(&watch) == 0;
        stop_stepping();
        if (!acted)
            break; /* it was over before */
        if (armed && poll(&fd, 1, 10000) != 1) {
            (void)fprintf(stderr, "%s: what happened at instruction %llu is not told\n", scenario,
                (unsigned long long)at);
            _exit(1);
        }
        take();
    } while (at < STEPS_MAX);
    lam_ring_notifier_remove(&watch);
    lam_ring_notifier_remove(&other);
    lam_ring_notifier_close(&notifier);
    close_rings();
    return at;
}

static lam_atomic_u32 bell;

static void *sleep_for_good(void *argument)
{
    (void)argument;
    while (lam_load_acquire(&bell) == 0)
        lam_base_linux.futex_wait(&bell, 0, LAM_DEADLINE_NEVER);
    return NULL;
}

/* The real call wakes all: else this hangs, and the alarm ends it. */
static void wake_all(void)
{
    pthread_t threads[SLEEPERS];

    for (int i = 0; i < SLEEPERS; i++)
        TEST_CHECK(pthread_create(&threads[i], NULL, sleep_for_good, NULL) == 0);
    (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    lam_store_release(&bell, 1);
    (void)lam_base_linux.futex_wake_all(&bell);
    for (int i = 0; i < SLEEPERS; i++)
        (void)pthread_join(threads[i], NULL);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    /* A step takes tens of microseconds in a virtual machine, and these two are long. */
    uint64_t stride = getenv("LAMINA_EFFORT") == NULL ? 3 : 1;
    uint64_t counts[5];

    (void)alarm(60);
    TEST_CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    ops = lam_base_linux;
    ops.now_ns = next_ns;
    ops.yield = no_yield;
    ops.futex_wait = stepped_futex_wait;
    ops.futex_wait_any = stepped_futex_wait_any;
    ops.futex_wake_all = no_wake;
    lam_base = &ops;
    counts[0] = at_each_instruction("a wait for an event", wait_for_an_event, 1);
    counts[1] = at_each_instruction("a wait for the close", wait_for_the_close, 1);
    counts[2] = at_each_instruction("a wait for room", wait_for_room, stride);
    counts[3] = at_each_instruction("a wait for any", wait_for_any, stride);
    counts[4] = arm_at_each_instruction();
    wake_all();
    (void)printf("acted at each instruction up to %llu, %llu, %llu, %llu and %llu: "
                 "nothing was slept through\n",
        (unsigned long long)counts[0], (unsigned long long)counts[1], (unsigned long long)counts[2],
        (unsigned long long)counts[3], (unsigned long long)counts[4]);
    return 0;
}

#else

int main(void)
{
    test_skip("only x86-64 without sanitizers is stepped by its trap flag");
    return 0;
}

#endif
