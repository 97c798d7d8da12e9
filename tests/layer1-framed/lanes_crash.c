/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whoever makes, removes, sends on or receives from lanes may die at each of the named places
 * between two lanes, and the others go on: in each lane every message that was published comes,
 * in order; ends are told; names can be taken again; nothing is left behind.
 * Method: layer 1's sources are built into this program with their crash points on. A child is
 * killed by SIGKILL at each visit of each label; then the survivors are looked at. "--list" names
 * the labels.
 *
 * Mutants: lanes_crash.mutants.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lamina/base/crash_point.h"
#include "lanes.h"
#include "processes.h"
#include "starts.h"

#define LIMIT_S 60

struct board {
    lam_atomic_u64 sent[LAM_LANE_COUNT]; /* or about to be */
    lam_atomic_u64 committed[LAM_LANE_COUNT];
};

static const char *armed; /* in the child that is to die */
static unsigned visits_left;
static char directory[64];
static struct board *board;
static struct three three;
static struct lam_error error;

void lam_crash_point(const char *label)
{
    if (armed != NULL && strcmp(armed, label) == 0 && --visits_left == 0)
        (void)raise(SIGKILL);
}

static struct lam_lanes_options named(void)
{
    return (struct lam_lanes_options){.ring = {.backing = LAM_BACKING_NAMED,
                                          .name = "lanes",
                                          .directory = directory,
                                          .depth = 64,
                                          .first_sequence = test_next_start()}};
}

static void check_directory_is_empty(void)
{
    DIR *folder = opendir(directory);
    const struct dirent *entry;

    TEST_CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.') {
            (void)fprintf(stderr, "left behind: %s\n", entry->d_name);
            TEST_CHECK(0);
        }
    (void)closedir(folder);
}

static void create(void)
{
    struct lam_lanes_options options = named();

    memset(&three, 0, sizeof(three));
    memset(board, 0, sizeof(*board));
    TEST_OK(lam_lanes_create(&three.lanes, &options, &error), error);
}

static void attach_receiver(uint64_t turns_max)
{
    struct lam_lanes_receiver_options options = {
        .receiver.consumer.start = LAM_RING_OLDEST, .turns_max = turns_max};

    TEST_OK(lam_lanes_receiver_attach(&three.receiver, &three.lanes, &options, &error), error);
}

static void attach_sender(enum lam_pressure_answer answer)
{
    struct lam_lanes_sender_options options = {.answer = answer};

    TEST_OK(lam_lanes_sender_attach(&three.sender, &three.lanes, &options, &error), error);
}

static void send_one(enum lam_lane lane)
{
    struct three_message what = {.lane = lane, .number = three.sent[lane]};
    struct iovec part = {&what, sizeof(what)};
    enum lam_lane to = lane;

    lam_store_release(&board->sent[lane], what.number + 1);
    TEST_CHECK(
        lam_lanes_sender_send_until(&three.sender, &to, &part, 1, 1, NULL, three_soon()) == 0);
    TEST_CHECK(to == lane);
    three.sent[lane]++;
    lam_store_release(&board->committed[lane], three.sent[lane]);
}

static int receive_one(void)
{
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane;
    int rc = lam_lanes_receiver_receive_until(&three.receiver, three_soon(), &message, &lane);

    return rc < 0 ? rc : three_take(&three, &message, lane);
}

/* All lanes work, from both ends. */
static void check_lanes(void)
{
    for (int i = 0; i < 3 * 40; i++) {
        send_one((enum lam_lane)(i % LAM_LANE_COUNT));
        TEST_CHECK(receive_one() >= 0);
    }
}

static void arm(const char *label, unsigned visit)
{
    armed = label;
    visits_left = visit;
}

static void expect_killed(pid_t child)
{
    TEST_CHECK(test_wait(child) == 128 + SIGKILL);
}

static void dies_creating(const char *label, unsigned visit)
{
    pid_t child = test_fork();

    if (child == 0) {
        arm(label, visit);
        create();
        _exit(1);
    }
    expect_killed(child);
    create();
    attach_sender(LAM_PRESSURE_IGNORE);
    attach_receiver(0);
    check_lanes();
    three_close(&three);
}

/* A receiver that was there before keeps what it has; the name is free for others. */
static void dies_destroying(const char *label, unsigned visit)
{
    struct lam_ring_attach_options attach = {
        .name = "lanes", .directory = directory, .deadline_ns = three_soon()};
    int go[2], there[2];
    char byte = 0;
    pid_t child;

    TEST_CHECK(pipe(go) == 0 && pipe(there) == 0);
    child = test_fork();
    if (child == 0) {
        create();
        attach_sender(LAM_PRESSURE_IGNORE);
        for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
            send_one((enum lam_lane)lane);
        TEST_CHECK(write(there[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 1);
        lam_lanes_sender_close(&three.sender);
        lam_lanes_sender_detach(&three.sender);
        arm(label, visit);
        (void)lam_lanes_destroy(&three.lanes);
        _exit(1);
    }
    TEST_CHECK(read(there[0], &byte, 1) == 1);
    memset(&three, 0, sizeof(three));
    TEST_OK(lam_lanes_attach(&three.lanes, &attach, &error), error);
    attach_receiver(0);
    TEST_CHECK(write(go[1], &byte, 1) == 1);
    expect_killed(child);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        TEST_CHECK(receive_one() == lane);
    TEST_CHECK(receive_one() == -EPIPE);
    lam_lanes_receiver_detach(&three.receiver);
    lam_lanes_detach(&three.lanes);
    create();
    attach_sender(LAM_PRESSURE_IGNORE);
    attach_receiver(2);
    check_lanes();
    three_close(&three);
    for (int i = 0; i < 2; i++) {
        (void)close(go[i]);
        (void)close(there[i]);
    }
}

/* Until the end of all is told. */
static void receive_to_the_end(int end)
{
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane = LAM_LANE_LOW;

    while (lane != LAM_LANE_COUNT) {
        int rc = lam_lanes_receiver_receive_until(&three.receiver, three_soon(), &message, &lane);

        if (rc == 0)
            TEST_CHECK(three_take(&three, &message, lane) == (int)lane);
        else
            TEST_CHECK(rc == -EOWNERDEAD || rc == end);
        if (lane == LAM_LANE_COUNT)
            TEST_CHECK(rc == end);
    }
    for (int at = 0; at < LAM_LANE_COUNT; at++) {
        TEST_CHECK(three.received[at] >= lam_load_acquire(&board->committed[at]));
        TEST_CHECK(three.received[at] <= lam_load_acquire(&board->sent[at]));
    }
}

static void dies_sending(const char *label, unsigned visit)
{
    pid_t child;

    create();
    attach_receiver(visit % 4);
    child = test_fork();
    if (child == 0) {
        arm(label, visit);
        attach_sender(LAM_PRESSURE_WAIT);
        for (int i = 0; i < 300; i++)
            send_one((enum lam_lane)(i * 7 / 3 % LAM_LANE_COUNT));
        lam_lanes_sender_close(&three.sender);
        _exit(1);
    }
    /* Who dies before it has all lanes leaves some without an end. */
    if (strcmp(label, "lanes.one_sender_attached") == 0 && visit < LAM_LANE_COUNT)
        expect_killed(child);
    else
        receive_to_the_end(strcmp(label, "lanes.one_closed") == 0 && visit == LAM_LANE_COUNT
                               ? -EPIPE
                               : -EOWNERDEAD);
    if (strcmp(label, "lanes.one_sender_attached") != 0 || visit == LAM_LANE_COUNT)
        expect_killed(child);
    memcpy(three.sent, three.received, sizeof(three.sent));
    attach_sender(LAM_PRESSURE_DEGRADE);
    check_lanes();
    lam_lanes_sender_close(&three.sender);
    receive_to_the_end(-EPIPE);
    three_close(&three);
}

/* Another receiver loses nothing, and the sender is held by nobody who is dead. */
static void dies_receiving(const char *label, unsigned visit)
{
    pid_t child;

    create();
    attach_sender(LAM_PRESSURE_WAIT);
    attach_receiver(2);
    for (int i = 0; i < 20; i++)
        send_one((enum lam_lane)(i % LAM_LANE_COUNT));
    child = test_fork();
    if (child == 0) {
        arm(label, visit);
        memset(&three.received, 0, sizeof(three.received));
        attach_receiver(2);
        for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
            TEST_CHECK(lam_lanes_receiver_demand(&three.receiver, (enum lam_lane)lane, 1000) == 0);
        while (receive_one() >= 0)
            ;
        _exit(1);
    }
    expect_killed(child);
    for (int i = 0; i < 20; i++)
        TEST_CHECK(receive_one() >= 0);
    check_lanes();
    lam_lanes_sender_close(&three.sender);
    receive_to_the_end(-EPIPE);
    three_close(&three);
}

static const struct {
    const char *label;
    void (*scene)(const char *label, unsigned visit);
    unsigned visits; /* each of so many */
} cases[] = {
    {"lanes.one_created", dies_creating, 3},
    {"lanes.one_destroyed", dies_destroying, 3},
    {"lanes.one_sender_attached", dies_sending, 3},
    {"lanes.one_closed", dies_sending, 3},
    {"lanes.lane_chosen", dies_sending, 40},
    {"lanes.one_receiver_attached", dies_receiving, 3},
    {"lanes.turn_chosen", dies_receiving, 8},
};
#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void play_all(void)
{
    for (size_t i = 0; i < CASE_COUNT; i++)
        for (unsigned visit = 1; visit <= cases[i].visits; visit++) {
            cases[i].scene(cases[i].label, visit);
            check_directory_is_empty();
        }
}

/* Also after a failure: what rings it has left goes with it. */
static void remove_directory(void)
{
    DIR *folder = opendir(directory);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(directory);
}

static pid_t player;

/* Told to end: the player goes first, and then the directory. */
static void stop(int signal)
{
    (void)signal;
    (void)kill(player, SIGKILL);
}

int main(int argc, char **argv)
{
    struct sigaction stopping = {.sa_handler = stop, .sa_flags = SA_RESTART};
    int code;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < CASE_COUNT; i++)
            (void)puts(cases[i].label);
        return 0;
    }
    (void)snprintf(directory, sizeof(directory), "/dev/shm/lanes-crash-XXXXXX");
    TEST_CHECK(mkdtemp(directory) != NULL);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(board != MAP_FAILED);
    player = test_fork();
    if (player == 0) {
        (void)alarm((unsigned)(LIMIT_S * three_effort())); /* a survivor that hangs ends it */
        for (uint64_t round = 0; round < three_effort(); round++)
            play_all();
        _exit(0);
    }
    (void)sigaction(SIGTERM, &stopping, NULL);
    code = test_wait(player);
    remove_directory();
    return code != 0;
}
