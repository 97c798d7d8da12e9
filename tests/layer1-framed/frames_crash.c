/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a sender, one of many senders, or a receiver dies at any of the named places where a
 * message of frames, its end or its extensions are half written or half taken, and nobody else
 * loses anything by it: every message comes whole, or is told as lost and was the dead one's; in
 * order; and a successor goes on.
 * Method: layer 1's sources are built into this program with their crash points on. For each label
 * and seed a round is played by real processes; one is killed by SIGKILL at a visit to the label
 * that is drawn from the seed. A label at which nobody was killed is a failure. LAMINA_EFFORT
 * scales the seeds; "frames_crash LABEL SEED" plays one round of each case of that label, "--list"
 * names all labels.
 *
 * Mutants: frames_crash.mutants.
 */
#include "frames_crash.h"

#include <sys/mman.h>

#include "lamina/base/crash_point.h"
#include "starts.h"

#define SEEDS      6
#define WATCHDOG_S 60

static const struct crash_case cases[] = {
    {"frame.claimed", crash_scene_sender, 60},
    {"frame.header_written", crash_scene_sender, 100},
    {"frame.sealed", crash_scene_sender, 100},
    {"frame.committed", crash_scene_sender, 100},
    {"cut.begun", crash_scene_sender, 4},
    {"cut.header_written", crash_scene_sender, 4},
    {"cut.committed", crash_scene_sender, 4},
    {"extensions.written", crash_scene_sender, 120},
    {"extensions.crc_written", crash_scene_sender, 120},
    {"many.frame_claimed", crash_scene_many, 60},
    {"many.frame_sealed", crash_scene_many, 60},
    {"many.frame_committed", crash_scene_many, 60},
    {"many.cut_committed", crash_scene_many, 4},
    {"assemble.copied", crash_scene_receiver, 100},
    {"assemble.handed_back", crash_scene_receiver, 100},
    {"copy.made", crash_scene_receiver, 120},
    {"take.copied", crash_scene_receiver, 50},
    {"frame.committed", crash_scene_quicker, 1},
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

struct crash_round crash;
struct lam_ring crash_ring;

static const char *armed;
static uint64_t visits_left;

void lam_crash_point(const char *label)
{
    if (armed == NULL || strcmp(armed, label) != 0 || --visits_left != 0)
        return;
    lam_store_release(&crash.board->died_at, lam_load_acquire(&crash.board->begun[0]));
    lam_store_release(&crash.board->killed, 1);
    (void)kill(getpid(), SIGKILL);
}

pid_t crash_start(void (*work)(void), int is_armed)
{
    pid_t child = test_fork();

    if (child != 0)
        return child;
    if (is_armed) {
        armed = crash.of->label;
        visits_left = crash.visit;
    }
    work();
    _exit(0);
}

static uint64_t random_of(uint64_t seed)
{
    seed = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    seed ^= seed >> 29;
    return seed * UINT64_C(0xbf58476d1ce4e5b9) >> 16;
}

/* One round in a process of its own. Returns 1 somebody was killed, 0 nobody came by. */
static int play(size_t at, uint64_t seed)
{
    pid_t round;

    crash.of = &cases[at];
    crash.seed = seed;
    crash.visit = 1 + random_of(seed * 1000 + at) % crash.of->visits;
    crash.first = test_start(seed + at);
    memset(crash.board, 0, sizeof(*crash.board));
    round = test_fork();
    if (round == 0) {
        (void)alarm(WATCHDOG_S); /* its children go with it */
        crash.of->scene();
        _exit(0);
    }
    if (test_wait(round) != 0) {
        (void)fprintf(stderr, "label %s, seed %llu, visit %llu\n", crash.of->label,
            (unsigned long long)seed, (unsigned long long)crash.visit);
        exit(1);
    }
    return lam_load_relaxed(&crash.board->killed) != 0;
}

/* Returns an exit code: 0 somebody was killed, 1 nobody came by, 2 there is no such label. */
static int play_label(const char *label, uint64_t seed)
{
    int rc = 2;

    for (size_t at = 0; at < CASE_COUNT; at++)
        if (strcmp(cases[at].label, label) == 0)
            rc = play(at, seed) != 0 || rc == 0 ? 0 : 1;
    return rc;
}

int main(int argc, char **argv)
{
    uint64_t seeds = SEEDS * effort();
    unsigned kills = 0;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t at = 0; at < CASE_COUNT; at++)
            (void)printf("%s\n", cases[at].label);
        return 0;
    }
    crash.board =
        mmap(NULL, sizeof(*crash.board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(crash.board != MAP_FAILED);
    if (argc == 3)
        return play_label(argv[1], strtoull(argv[2], NULL, 10));
    for (size_t at = 0; at < CASE_COUNT; at++) {
        unsigned here = 0;

        for (uint64_t seed = 0; seed < seeds; seed++)
            here += (unsigned)play(at, seed);
        if (here == 0)
            (void)fprintf(stderr, "nobody died at %s\n", cases[at].label);
        TEST_CHECK(here != 0);
        kills += here;
    }
    (void)printf("%u killed at %zu labels in %llu rounds\n", kills, CASE_COUNT,
        (unsigned long long)(seeds * CASE_COUNT));
    return 0;
}
