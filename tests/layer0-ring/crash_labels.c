/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an end of a ring, whoever makes one, or whoever cleans up, dies at any of the named places
 * (LAM_CRASH_POINT) between two stores that belong together, and nobody else loses anything by it:
 * the others' streams are whole, every byte; work goes on with a successor; nothing leaks.
 *
 * Method: the ring's sources are built into this program with their crash points on. For each label
 * and each seed a round is played by real processes (crash/): a peer is killed by SIGKILL at a
 * visit to the label that is drawn from the seed, and then the survivors are looked at. Two rounds
 * are played at a time, each below a watchdog. A label at which nobody was killed is a failure.
 * LAMINA_EFFORT scales the seeds; "crash_labels LABEL [SEED]" plays one, "--list" names all.
 *
 * Mutants: crash_labels.mutants.
 */
#include "crash/crash.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define WORKERS    2
#define WATCHDOG_S 60
#define LATE_SEED  1000 /* from here on the first visit kills */

struct result {
    lam_atomic_u32 rounds;
    lam_atomic_u32 kills;
    lam_atomic_u32 bystanders;
    lam_atomic_u32 visits_max; /* of a round that nobody was killed in */
};

static struct result *results;

static void *share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    TEST_CHECK(memory != MAP_FAILED);
    return memory;
}

static void play(void)
{
    int fds = crash_count_fds();

    crash_begin_round();
    crash.of->scene();
    crash_end_round();
    crash_check_directory();
    TEST_CHECK(crash_count_fds() == fds);
    _exit(0);
}

/* Wait for a round. It is killed when it hangs, and its children by its death. */
static int watch(pid_t round)
{
    uint64_t end_ns = lam_deadline_after_ns(WATCHDOG_S * LAM_NS_PER_S);
    int how;

    while (!crash_has_ended(round, &how)) {
        if (lam_clock_now_ns() > end_ns) {
            (void)fprintf(stderr, "no end after %d s\n", WATCHDOG_S);
            (void)kill(round, SIGKILL);
            return test_wait(round);
        }
        crash_nap_us(200);
    }
    return how;
}

static void draw(size_t at, uint64_t seed)
{
    static const uint64_t firsts[] = {
        (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};
    uint64_t state = seed * 1000 + at;
    uint64_t known = lam_load_relaxed(&results[at].visits_max);

    crash.of = &crash_cases[at];
    crash.seed = seed;
    crash.random = test_random(&state);
    crash.first = firsts[(seed + at) % 3];
    /* Few come by so often: then what one came by is the bound for the next. */
    if (known == 0)
        known = crash.of->visits;
    crash.visit = seed >= LATE_SEED ? 1 : 1 + test_random(&state) % known;
}

static void play_round(size_t at, uint64_t seed)
{
    struct result *result = &results[at];
    pid_t round;
    int how;

    draw(at, seed);
    round = test_fork();
    if (round == 0)
        play();
    how = watch(round);
    if (how != 0) {
        (void)fprintf(stderr, "label %s (%zu), seed %llu, visit %llu: ended with %d\n",
            crash.of->label, at, (unsigned long long)seed, (unsigned long long)crash.visit, how);
        _exit(1);
    }
    (void)lam_add_acq_rel(&result->rounds, 1);
    if (lam_load_relaxed(&crash.board->killed) != 0)
        (void)lam_add_acq_rel(&result->kills, 1);
    else
        lam_store_relaxed(&result->visits_max, (uint32_t)lam_load_relaxed(&crash.board->visits));
    if (lam_load_relaxed(&crash.board->bystander) != 0)
        (void)lam_add_acq_rel(&result->bystanders, 1);
}

/* Every other round; @only: of one case. */
static void work(unsigned worker, size_t only, uint64_t seed_from, uint64_t seed_end)
{
    uint64_t count = 0;

    (void)snprintf(crash.name, sizeof(crash.name), "crash-%d-%u", (int)getppid(), worker);
    crash.board = share(sizeof(*crash.board));
    for (uint64_t seed = seed_from; seed < seed_end; seed++)
        for (size_t at = 0; at < crash_case_count; at++)
            if ((only == crash_case_count || only == at) && count++ % WORKERS == worker &&
                (seed < LATE_SEED || lam_load_relaxed(&results[at].kills) == 0))
                play_round(at, seed);
}

static void name_directory(unsigned worker)
{
    (void)snprintf(crash.directory, sizeof(crash.directory), "/dev/shm/test-crash-%d-%u",
        (int)getpid(), worker);
}

/* Also what a round that failed has left, and what its children leave as they die behind it. */
static void remove_directory(unsigned worker)
{
    int rc = -1;

    name_directory(worker);
    for (int tries = 0; tries < 1000 && rc != 0; tries++) {
        DIR *stream = opendir(crash.directory);
        const struct dirent *entry;

        TEST_CHECK(stream != NULL);
        while ((entry = readdir(stream)) != NULL)
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
        (void)closedir(stream);
        rc = rmdir(crash.directory);
        if (rc != 0)
            crash_nap_us(1000);
    }
    TEST_CHECK(rc == 0);
}

static volatile sig_atomic_t is_told_to_end;

static void told_to_end(int signal_number)
{
    (void)signal_number;
    is_told_to_end = 1;
}

/* Wait for both; the first that fails, or a signal, ends the other one, too. Returns 0 or not. */
static int wait_for_workers(const pid_t *workers)
{
    int code = 0, how;

    for (unsigned i = 0; i < WORKERS; i++) {
        while (code == 0 && !is_told_to_end && !crash_has_ended(workers[i], &how))
            crash_nap_us(1000);
        if (code != 0 || is_told_to_end) {
            (void)kill(workers[i], SIGKILL);
            how = test_wait(workers[i]);
        }
        code |= how;
    }
    return code;
}

static int run_workers(size_t only, uint64_t seed_from, uint64_t seed_end)
{
    pid_t workers[WORKERS];
    int code;

    for (unsigned i = 0; i < WORKERS; i++) {
        name_directory(i);
        TEST_CHECK(mkdir(crash.directory, 0700) == 0);
        workers[i] = test_fork();
        if (workers[i] == 0) {
            (void)signal(SIGTERM, SIG_DFL);
            work(i, only, seed_from, seed_end);
            _exit(0);
        }
    }
    code = wait_for_workers(workers);
    for (unsigned i = 0; i < WORKERS; i++)
        remove_directory(i);
    return code;
}

/* A line a case. Returns 1 when somebody was killed at each. */
static int tell(size_t only)
{
    uint32_t kills = 0, rounds = 0, bystanders = 0;
    int all = 1;

    for (size_t at = 0; at < crash_case_count; at++) {
        if (only != crash_case_count && only != at)
            continue;
        (void)printf("%-26s %3u killed in %3u rounds\n", crash_cases[at].label,
            lam_load_relaxed(&results[at].kills), lam_load_relaxed(&results[at].rounds));
        kills += lam_load_relaxed(&results[at].kills);
        rounds += lam_load_relaxed(&results[at].rounds);
        bystanders += lam_load_relaxed(&results[at].bystanders);
        if (lam_load_relaxed(&results[at].kills) == 0) {
            (void)fprintf(stderr, "nobody was killed at %s\n", crash_cases[at].label);
            all = 0;
        }
    }
    (void)printf("%u killed in %u rounds, %u with a child that lived on; the others went on\n",
        kills, rounds, bystanders);
    return all;
}

int main(int argc, char **argv)
{
    const char *effort = getenv("LAMINA_EFFORT");
    /* One seed in a short run, 25 at the effort of the long one. */
    uint64_t seeds = effort == NULL ? 1 : strtoull(effort, NULL, 10) * 5 / 2;
    size_t only = crash_case_count;
    int code = 0;

    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (size_t at = 0; at < crash_case_count; at++)
            (void)printf("%s\n", crash_cases[at].label);
        return 0;
    }
    (void)signal(SIGTERM, told_to_end); /* so that nothing is left in the store */
    results = share(crash_case_count * sizeof(*results));
    if (argc == 1)
        code = run_workers(only, 0, seeds);
    /* Who comes by only when another one waits may not have in a few rounds. */
    for (size_t at = 0; argc == 1 && at < crash_case_count && code == 0; at++)
        if (lam_load_relaxed(&results[at].kills) == 0)
            code = run_workers(at, LATE_SEED, LATE_SEED + 20);
    for (size_t at = 0; argc > 1 && at < crash_case_count && code == 0; at++) {
        uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

        if (strcmp(argv[1], crash_cases[at].label) != 0)
            continue;
        only = at;
        code = run_workers(at, seed, argc > 2 ? seed + 1 : seeds);
    }
    return code == 0 && tell(only) ? 0 : 1;
}
