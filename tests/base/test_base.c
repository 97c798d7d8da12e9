/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the small promises of base: histogram, errors, locks, waits, identity, segments. Method:
 * each at its edges, in one process; the locks with a forked child.
 */
#include "lamina/base/clock.h"
#include "lamina/base/error.h"
#include "lamina/base/histogram.h"
#include "lamina/base/identity.h"
#include "lamina/base/lock.h"
#include "lamina/base/segment.h"
#include "lamina/base/wait.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lam_error error;

TestSuite(base, .timeout = 20);

static uint64_t record_one_and_ask(uint64_t value_ns)
{
    static struct lam_histogram histogram;
    uint64_t found_ns = 0;

    memset(&histogram, 0, sizeof(histogram));
    lam_histogram_record(&histogram, value_ns);
    cr_assert(eq(int, lam_histogram_quantile(&histogram, 500, &found_ns), 0));
    return found_ns;
}

Test(base, every_value_of_a_histogram_is_known_to_3_2_percent)
{
    for (uint64_t value_ns = 1; value_ns < UINT64_C(1) << 60; value_ns += 1 + value_ns / 7) {
        uint64_t found_ns = record_one_and_ask(value_ns);

        cr_assert(found_ns >= value_ns && found_ns - value_ns <= value_ns / 31);
    }
    cr_assert(eq(u64, record_one_and_ask(UINT64_MAX), UINT64_MAX));
    cr_assert(eq(u64, record_one_and_ask(0), 0));
}

Test(base, quantiles_are_ranks)
{
    static struct lam_histogram histogram;
    uint64_t value_ns = 0;

    cr_assert(eq(int, lam_histogram_quantile(&histogram, 500, &value_ns), -ENODATA));
    for (uint64_t i = 1; i <= 50; i++)
        lam_histogram_record(&histogram, i);
    cr_assert(eq(u64, lam_histogram_total(&histogram), 50));
    cr_assert(eq(int, lam_histogram_quantile(&histogram, 500, &value_ns), 0));
    cr_assert(eq(u64, value_ns, 25));
    cr_assert(eq(int, lam_histogram_quantile(&histogram, 1000, &value_ns), 0));
    cr_assert(eq(u64, value_ns, 50));
    cr_assert(eq(int, lam_histogram_quantile(&histogram, 0, &value_ns), -EINVAL));
    cr_assert(eq(int, lam_histogram_quantile(&histogram, 1001, &value_ns), -EINVAL));
}

Test(base, an_error_is_cut_short_where_it_does_not_fit_and_null_is_no_harm)
{
    char word[LAM_ERROR_TEXT_BYTES * 2];

    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    cr_assert(eq(int, lam_error_set(NULL, -EINVAL, "%s", word), -EINVAL));
    cr_assert(eq(int, lam_error_set(&error, -EPROTO, "%s", word), -EPROTO));
    cr_assert(eq(sz, strlen(error.text), LAM_ERROR_TEXT_BYTES - 1));
    cr_assert(eq(int, lam_error_set(&error, -EPROTO, "low"), -EPROTO));
    cr_assert(eq(int, lam_error_prefix(&error, -EPROTO, "edge %s: ", "a"), -EPROTO));
    cr_assert(eq(str, error.text, "edge a: low"));
}

Test(base, a_lock_is_held_once_and_dies_with_its_process)
{
    struct lam_segment_options options = {.backing = LAM_BACKING_MEMFD, .head_bytes = 4096};
    struct lam_segment segment;
    struct lam_lock first = {.fd = -1}, second = {.fd = -1};
    int go[2];
    pid_t child;
    char byte = 0;

    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), 0));
    cr_assert(eq(int, lam_lock_take(&first, segment.fd, 7), 0));
    cr_assert(eq(int, lam_lock_take(&second, segment.fd, 7), -EBUSY));
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 7), 1));
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 8), 0));
    cr_assert(eq(int, pipe(go), 0));
    child = fork();
    if (child == 0) {
        /* The child's copy is closed: it does not hold what its parent holds. */
        int ok = !lam_lock_is_held(&first) && lam_lock_take(&second, segment.fd, 8) == 0;

        (void)!write(go[1], ok ? "y" : "n", 1);
        (void)pause();
        _exit(0);
    }
    cr_assert(eq(i64, (int64_t)read(go[0], &byte, 1), 1));
    cr_assert(eq(chr, byte, 'y'));
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 8), 1));
    lam_lock_drop(&first);
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 7), 0)); /* although the child lives */
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 8), 0));
    lam_lock_drop(&first); /* twice is no harm */
    lam_segment_close(&segment);
}

static lam_atomic_u32 forks_are_done;

/* Takes and drops a lock until the forks are done, then keeps it. NULL: somebody else had it. */
static void *take_and_drop(void *object_fd)
{
    static struct lam_lock lock = {.fd = -1};

    for (;;) {
        uint32_t done = lam_load_acquire(&forks_are_done);

        if (lam_lock_take(&lock, *(const int *)object_fd, 7) != 0)
            return NULL;
        if (done)
            return &lock;
        lam_lock_drop(&lock);
    }
}

/* A process whose children live on until @wait_fd says so. Returns 0 if they were in no way. */
static int fork_while_taking(int object_fd, int wait_fd)
{
    pthread_t thread;
    void *taken = NULL;
    char byte;

    if (pthread_create(&thread, NULL, take_and_drop, &object_fd) != 0)
        return 1;
    for (int i = 0; i < 30; i++) {
        if (fork() == 0) {
            (void)!read(wait_fd, &byte, 1);
            _exit(0);
        }
    }
    lam_store_release(&forks_are_done, 1);
    (void)pthread_join(thread, &taken);
    return taken == NULL;
}

Test(base, a_child_forked_by_another_thread_keeps_no_lock)
{
    struct lam_segment_options options = {.head_bytes = lam_segment_page_bytes()};
    struct lam_segment segment;
    int ends[2], status = 1;
    pid_t child;

    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, pipe(ends), 0));
    child = fork();
    if (child == 0) {
        (void)close(ends[1]);
        _exit(fork_while_taking(segment.fd, ends[0]));
    }
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, status, 0));
    /* Its children live. One that has not run yet has not closed its copies yet. */
    for (int i = 0; i < 2000 && lam_base->lock_probe(segment.fd, 7) != 0; i++)
        (void)usleep(1000);
    cr_assert(eq(int, lam_base->lock_probe(segment.fd, 7), 0));
    (void)close(ends[0]);
    (void)close(ends[1]);
    lam_segment_close(&segment);
}

Test(base, the_body_of_a_segment_is_the_same_memory_twice)
{
    struct lam_segment_options options = {.head_bytes = 4096, .body_bytes = 8192};
    struct lam_segment segment;

    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), 0));
    segment.base[4096 + 10] = 77;
    lam_fence_seq_cst(); /* the compiler does not know that both are one byte */
    cr_assert_eq(segment.base[4096 + 8192 + 10], 77);
    segment.base[4096 + 8192 + 8191] = 78;
    lam_fence_seq_cst();
    cr_assert_eq(segment.base[4096 + 8191], 78);
    cr_assert_eq(segment.base[0], 0);
    lam_segment_close(&segment);
    lam_segment_close(&segment);
    options.head_bytes = 100;
    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), -EINVAL));
    options = (struct lam_segment_options){
        .backing = LAM_BACKING_NAMED, .name = ".hidden", .head_bytes = 4096};
    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), -EINVAL));
}

Test(base, memory_that_the_machine_has_not_is_refused_before_it_is_asked_for)
{
    struct lam_segment_options options = {
        .backing = LAM_BACKING_MEMFD, .head_bytes = 4096, .body_bytes = UINT64_C(1) << 46};
    struct rlimit limit = {.rlim_cur = 1 << 24, .rlim_max = 1 << 24};
    struct lam_segment segment;

    /* Should it be asked for after all, this refuses it: without, others would be killed. */
    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), -ENOSPC), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "needs 70368744181760 bytes"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "are free"), "%s", error.text);
    options = (struct lam_segment_options){.backing = LAM_BACKING_NAMED,
        .name = "lamina.no-memory",
        .head_bytes = 4096,
        .body_bytes = UINT64_C(1) << 46};
    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), -ENOSPC), "%s", error.text);
}

Test(base, a_segment_is_not_seen_before_it_appears)
{
    char name[64];
    struct lam_segment_options options = {
        .backing = LAM_BACKING_NAMED, .name = name, .head_bytes = 4096};
    struct lam_segment segment, other;

    (void)snprintf(name, sizeof(name), "lamina.test-base-%d", (int)getpid());
    cr_assert(eq(int, lam_segment_create(&segment, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_segment_open(&other, NULL, name, LAM_ACCESS_READ, &error), -ENOENT));
    cr_assert(eq(int, lam_segment_appear(&segment, &error), 0));
    cr_assert(eq(int, lam_segment_open(&other, NULL, name, LAM_ACCESS_READ, &error), 0));
    cr_assert(eq(i64, lam_segment_object_bytes(&other), 4096));
    cr_assert(eq(int, lam_segment_map(&other, 8192, 0, &error), -EINVAL));
    lam_segment_close(&other);
    cr_assert(eq(int, lam_segment_create(&other, &options, &error), 0));
    cr_assert(eq(int, lam_segment_appear(&other, &error), -EEXIST));
    lam_segment_close(&other);
    cr_assert(eq(int, lam_segment_unlink(&segment), 0));
    cr_assert(eq(int, lam_segment_unlink(&segment), 0));
    lam_segment_close(&segment);
}

Test(base, identity_names_this_process_and_tells_two_apart)
{
    struct lam_identity self = lam_identity_self();
    struct lam_identity again = lam_identity_self();
    int status = 0;

    cr_assert(eq(u32, self.pid, (uint32_t)getpid()));
    cr_assert(self.boot != 0 && self.start_ticks != 0);
    cr_assert_eq(memcmp(&self, &again, sizeof(self)), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lam_identity mine = lam_identity_self();

        _exit(mine.boot == self.boot && mine.pid != self.pid ? 0 : 1);
    }
    (void)waitpid(child, &status, 0);
    cr_assert(eq(int, status, 0));
}

static uint64_t fake_now_ns(void)
{
    static uint64_t now_ns;

    return now_ns += 1000;
}

Test(base, the_ladder_spins_then_asks_for_sleep_and_ends_at_the_deadline)
{
    struct lam_wait wait;
    struct lam_base_ops simulated = lam_base_linux;
    int verdict, parked = 0, checked = 0;

    simulated.now_ns = fake_now_ns; /* a microsecond a look, however long this process waits */
    lam_base = &simulated;
    lam_wait_init(&wait, LAM_WAIT_HYBRID, 1000, lam_deadline_after_ns(20 * LAM_NS_PER_MS));
    while ((verdict = lam_wait_step(&wait)) >= 0) {
        parked += verdict == LAM_WAIT_PARK;
        checked += verdict == LAM_WAIT_CHECK;
        if (verdict == LAM_WAIT_PARK)
            cr_assert(lam_wait_park_until(&wait) <= wait.deadline_ns);
    }
    cr_assert(eq(int, verdict, -ETIMEDOUT));
    cr_assert(parked > 0 && checked > 0);
    lam_wait_init(&wait, LAM_WAIT_SPIN, 1000, lam_deadline_after_ns(10 * LAM_NS_PER_MS));
    while ((verdict = lam_wait_step(&wait)) >= 0)
        cr_assert(ne(int, verdict, LAM_WAIT_PARK));
    lam_wait_init(&wait, LAM_WAIT_FUTEX, 1000, LAM_DEADLINE_NEVER);
    cr_assert(eq(int, lam_wait_step(&wait), LAM_WAIT_PARK));
    cr_assert(eq(u64, lam_deadline_after_ns(LAM_DEADLINE_NEVER), LAM_DEADLINE_NEVER));
    lam_base = &lam_base_linux;
}

Test(base, time_comes_from_the_table)
{
    struct lam_base_ops simulated = lam_base_linux;

    simulated.now_ns = fake_now_ns;
    lam_base = &simulated;
    cr_assert(eq(u64, lam_clock_now_ns(), 1000));
    cr_assert(eq(u64, lam_deadline_after_ns(5), 2005));
    lam_base = &lam_base_linux;
}

Test(base, a_broken_precondition_aborts_in_release_too, .signal = SIGABRT)
{
    LAM_ASSERT(error.text == NULL);
}
