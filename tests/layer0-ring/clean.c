/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what kill -9 left is removed, what anybody holds stays, whatever a cleaner meets: ends that
 * join, makers that make, other cleaners, its own death. Names are never taken from who
 * has them by right.
 *
 * Method: real processes in a directory of the test's own. Moments between two steps of a cleaner
 * or replacer are had by putting a function of ours in the place of its look at the locks.
 */
#include "layout.h"

#include "dead_rings.h"

static void only_what_is_dead_is_removed_and_only_when_asked(void)
{
    static const char *const foreign[] = {"other", "lamina.strange.control", "lamina.alone.data",
        "lamina.x.topology", ".lamina.x.control.12", ".lamina.x.data.a.1"};
    pid_t child = live_on("live", LAM_BACKING_NAMED);
    struct count count;

    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        touch(foreign[i], "no ring");
    leave_dead("dead", LAM_BACKING_NAMED);
    leave_dead("kept", LAM_BACKING_FILE);
    count = clean(0, 0);
    TEST_CHECK(count.of[LAM_RING_FIND_ALIVE] == 1 && count.of[LAM_RING_FIND_DEAD] == 1);
    TEST_CHECK(count.of[LAM_RING_FIND_FILE] == 1 && count.of[LAM_RING_FIND_UNSURE] == 2);
    TEST_CHECK(count.removed == 0 && is_there("dead"));
    count = clean(1, 0);
    TEST_CHECK(count.removed == 1 && !is_there("dead"));
    TEST_CHECK(is_there("live") && is_there("kept"));
    count = clean(1, 1);
    TEST_CHECK(count.removed == 1 && !is_there("kept") && is_there("live"));
    test_kill(child);
    count = clean(1, 0);
    TEST_CHECK(count.removed == 1 && count.of[LAM_RING_FIND_DEAD] == 1 && !is_there("live"));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        TEST_CHECK(remove_file(foreign[i]) == 0);
    TEST_CHECK(count_entries() == 0);
}

static void find_one_and_remove_both(void *context, const struct lam_ring_found *finding)
{
    TEST_CHECK(finding->find == LAM_RING_FIND_UNSURE);
    ++*(unsigned *)context;
    (void)remove_file("lamina.first.data");
    (void)remove_file("lamina.second.data");
}

/* A directory is read in pieces: a name of such a piece may be gone when its turn comes. */
static void what_is_gone_since_the_directory_was_read_is_not_told(void)
{
    struct lam_ring_clean_options options = {.directory = directory};
    unsigned found = 0;

    touch("lamina.first.data", "no ring");
    touch("lamina.second.data", "no ring");
    TEST_OK(lam_ring_clean(&options, find_one_and_remove_both, &found, &error), error);
    TEST_CHECK(found == 1 && count_entries() == 0);
}

/* A maker that died before its objects had their names; one that lives and is not done yet. */
static void what_is_half_made_is_removed_when_its_maker_is_gone(void)
{
    struct lam_segment_options options = {.backing = LAM_BACKING_NAMED,
        .directory = directory,
        .name = "lamina.half.control",
        .head_bytes = lam_segment_page_bytes()};
    struct lam_segment segment;
    struct count count;
    pid_t child = test_fork();

    if (child == 0) {
        TEST_OK(lam_segment_create(&segment, &options, &error), error);
        _exit(0); /* and nothing is closed in order */
    }
    TEST_CHECK(test_wait(child) == 0);
    TEST_OK(lam_segment_create(&segment, &options, &error), error); /* beside the other one */
    TEST_CHECK(count_entries() == 2);
    count = clean(0, 0);
    TEST_CHECK(count.of[LAM_RING_FIND_HALF] == 1 && count.of[LAM_RING_FIND_ALIVE] == 1);
    count = clean(1, 0);
    TEST_CHECK(count.removed == 1 && count_entries() == 1);
    TEST_OK(lam_segment_appear(&segment, &error), error);
    TEST_OK(lam_segment_unlink(&segment), error);
    lam_segment_close(&segment);
    TEST_CHECK(count_entries() == 0);
}

static void wait_all(const pid_t *children, int count)
{
    for (int i = 0; i < count; i++)
        TEST_CHECK(test_wait(children[i]) == 0);
}

static void cleaners_at_once_and_cleaners_that_are_killed_do_no_harm(int rounds)
{
    pid_t live = live_on("live", LAM_BACKING_NAMED);
    pid_t cleaners[3];
    char name[32];

    for (int round = 0; round < rounds; round++) {
        pid_t killed;

        for (int i = 0; i < 4; i++) {
            (void)snprintf(name, sizeof(name), "dead-%d", i);
            leave_dead(name, LAM_BACKING_NAMED);
        }
        (void)snprintf(name, sizeof(name), "dead-%d", round % 4);
        TEST_CHECK(unlink(path_of(name, "data")) == 0); /* half way already */
        killed = test_fork();
        if (killed == 0) {
            (void)clean(1, 0);
            _exit(0);
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = round * 37000L % 900000}, NULL);
        (void)kill(killed, SIGKILL);
        (void)test_wait(killed);
        for (int i = 0; i < 3; i++) {
            cleaners[i] = test_fork();
            if (cleaners[i] == 0) {
                (void)clean(1, 0);
                _exit(0);
            }
        }
        wait_all(cleaners, 3);
        (void)clean(1, 0); /* what two cleaners left to each other */
        TEST_CHECK(count_entries() == 2 && is_there("live"));
    }
    test_kill(live);
    TEST_CHECK(clean(1, 0).removed == 1);
}

/* What happens while somebody looks at locks, or NULL. */
static void (*meanwhile)(int fd);
static int looks_before; /* without the replace lock, to see whether it is worth taking */
static pid_t joiner;

static int probe_and_more(int fd, uint64_t byte)
{
    int held = lam_base_linux.lock_probe(fd, byte);
    void (*now)(int) = meanwhile;

    /* The last one that is looked at: the places of all ends have been seen to be free. */
    if (byte == LAM_RING_LOCK_CREATOR && now != NULL && looks_before-- == 0) {
        meanwhile = NULL;
        now(fd);
    }
    return held;
}

static struct lam_ring_attach_options to_race(void)
{
    return (struct lam_ring_attach_options){.name = "race", .directory = directory};
}

/* A process that attached before joins now, and has its lock: too late to be looked at. */
static int started[2];

static void join_now(int fd)
{
    TEST_CHECK(write(started[1], "j", 1) == 1);
    for (int i = 0; i < 5000; i++) {
        for (uint64_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++)
            if (lam_base_linux.lock_probe(fd, LAM_RING_LOCK_CONSUMER + index) == 1)
                return;
        pause_ms(1);
    }
    TEST_CHECK(!"the joiner takes its lock");
}

/* Whoever joins between the look at the locks and the removal finds out, and is not left alone. */
static void who_joins_while_names_are_taken_away_is_told(int by_create)
{
    static struct lam_base_ops ops;
    struct lam_ring_options options = options_of("race");
    struct lam_ring_attach_options attach = to_race();
    struct lam_ring successor;

    leave_dead("race", LAM_BACKING_NAMED);
    TEST_CHECK(pipe(started) == 0);
    joiner = test_fork();
    if (joiner == 0) {
        static struct lam_ring_consumer consumer;
        char byte;
        int rc;

        TEST_OK(lam_ring_attach(&ring, &attach, &error), error);
        TEST_CHECK(read(started[0], &byte, 1) == 1);
        rc = lam_ring_consumer_attach(&consumer, &ring, NULL, &error);
        _exit(rc == -ENOENT && strstr(error.text, "attach it anew") != NULL ? 0 : 1);
    }
    pause_ms(20); /* so that it has attached; if not, the test fails for that */
    ops = lam_base_linux;
    ops.lock_probe = probe_and_more;
    meanwhile = join_now;
    looks_before = by_create ? 0 : 1;
    lam_base = &ops;
    if (by_create)
        TEST_OK(lam_ring_create(&successor, &options, &error), error);
    else
        TEST_CHECK(clean(1, 0).of[LAM_RING_FIND_DEAD] == 1);
    lam_base = &lam_base_linux;
    TEST_CHECK(meanwhile == NULL);
    TEST_CHECK(test_wait(joiner) == 0);
    if (by_create)
        TEST_OK(lam_ring_destroy(&successor), error);
    TEST_CHECK(count_entries() == 0);
    (void)close(started[0]);
    (void)close(started[1]);
}

/* Who joined first is seen, and its ring stays. */
static void who_has_joined_is_seen(void)
{
    struct lam_ring_attach_options attach = to_race();
    static struct lam_ring_consumer consumer;
    struct lam_ring_options options = options_of("race");
    struct lam_ring other;

    leave_dead("race", LAM_BACKING_NAMED);
    TEST_OK(lam_ring_attach(&ring, &attach, &error), error);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
    TEST_CHECK(clean(1, 0).removed == 0 && is_there("race"));
    TEST_CHECK(lam_ring_create(&other, &options, &error) == -EEXIST);
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&ring);
    TEST_CHECK(clean(1, 0).removed == 1);
}

/* Who destroys waits for who replaces, and then leaves the successor's names alone. */
static void destroy_never_takes_a_successors_names(void)
{
    struct lam_ring_attach_options attach = to_race();
    struct lam_ring_options options = options_of("race");
    struct lam_lock replace = {.fd = -1};
    struct lam_ring successor;
    pid_t destroyer;

    leave_dead("race", LAM_BACKING_NAMED);
    TEST_OK(lam_ring_attach(&ring, &attach, &error), error);
    TEST_CHECK(lam_lock_take(&replace, ring.control.fd, LAM_RING_LOCK_REPLACE) == 0);
    destroyer = test_fork();
    if (destroyer == 0)
        _exit(lam_ring_destroy(&ring) == 0 ? 0 : 1);
    pause_ms(50);
    TEST_CHECK(is_there("race")); /* it waits */
    TEST_CHECK(unlink(path_of("race", "data")) == 0 && unlink(path_of("race", "control")) == 0);
    TEST_OK(lam_ring_create(&successor, &options, &error), error);
    lam_lock_drop(&replace);
    TEST_CHECK(test_wait(destroyer) == 0);
    TEST_CHECK(access(path_of("race", "control"), F_OK) == 0);
    TEST_CHECK(access(path_of("race", "data"), F_OK) == 0);
    lam_ring_detach(&ring);
    TEST_OK(lam_ring_destroy(&successor), error);
}

/* Run the verb. Returns its exit code; the first bytes that it writes are in @text. */
static int run_verb(const char *arguments, char *text, size_t text_bytes)
{
    const char *folder = getenv("LAMINA_BIN");
    char command[512];
    FILE *out;
    size_t got;

    (void)snprintf(command, sizeof(command), "%s/lamina-clean %s 2>&1", folder, arguments);
    out = popen(command, "r");
    TEST_CHECK(out != NULL);
    got = fread(text, 1, text_bytes - 1, out);
    text[got] = '\0';
    return WEXITSTATUS(pclose(out));
}

static void the_verb_says_what_it_does(void)
{
    char arguments[256];
    char text[4096];
    pid_t child;

    if (getenv("LAMINA_BIN") == NULL) {
        (void)printf("the verb was not run: LAMINA_BIN is not set\n");
        return;
    }
    child = live_on("live", LAM_BACKING_NAMED);
    leave_dead("dead", LAM_BACKING_NAMED);
    TEST_CHECK(run_verb("--nonsense", text, sizeof(text)) == 2);
    TEST_CHECK(strstr(text, "usage: lamina clean") != NULL);
    TEST_CHECK(run_verb("--directory /nonexistent", text, sizeof(text)) == 3);
    (void)snprintf(arguments, sizeof(arguments), "--directory %s", directory);
    TEST_CHECK(run_verb(arguments, text, sizeof(text)) == 0);
    TEST_CHECK(strstr(text, "1 alive, 0 left alone, 1 dead") != NULL && is_there("dead"));
    (void)snprintf(arguments, sizeof(arguments), "--yes --directory=%s live", directory);
    TEST_CHECK(run_verb(arguments, text, sizeof(text)) == 0);
    TEST_CHECK(strstr(text, "ring live is alive: producer, pid") != NULL && is_there("dead"));
    (void)snprintf(arguments, sizeof(arguments), "--yes --directory %s mistyped", directory);
    TEST_CHECK(run_verb(arguments, text, sizeof(text)) == 3);
    TEST_CHECK(strstr(text, "has nothing by the name mistyped") != NULL);
    (void)snprintf(arguments, sizeof(arguments), "--yes --json --directory %s", directory);
    TEST_CHECK(run_verb(arguments, text, sizeof(text)) == 0);
    TEST_CHECK(strstr(text, "{\"find\": \"dead\", \"name\": \"dead\", \"bytes\": ") != NULL);
    TEST_CHECK(strstr(text, "\"removed\": true") != NULL && !is_there("dead") && is_there("live"));
    test_kill(child);
    TEST_CHECK(clean(1, 0).removed == 1);
}

static void run_all(void)
{
    const char *effort = getenv("LAMINA_EFFORT");

    only_what_is_dead_is_removed_and_only_when_asked();
    what_is_gone_since_the_directory_was_read_is_not_told();
    what_is_half_made_is_removed_when_its_maker_is_gone();
    cleaners_at_once_and_cleaners_that_are_killed_do_no_harm(
        12 * (effort == NULL ? 1 : atoi(effort)));
    who_joins_while_names_are_taken_away_is_told(0);
    who_joins_while_names_are_taken_away_is_told(1);
    who_has_joined_is_seen();
    destroy_never_takes_a_successors_names();
    the_verb_says_what_it_does();
    TEST_CHECK(count_entries() == 0);
}

/* Also what a test that failed has left. */
static void remove_directory(void)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;

    TEST_CHECK(stream != NULL);
    while ((entry = readdir(stream)) != NULL)
        (void)unlinkat(dirfd(stream), entry->d_name, 0);
    (void)closedir(stream);
    TEST_CHECK(rmdir(directory) == 0);
}

int main(void)
{
    pid_t child;
    int code;

    (void)snprintf(directory, sizeof(directory), "/dev/shm/test-clean-XXXXXX");
    TEST_CHECK(mkdtemp(directory) != NULL);
    child = test_fork();
    if (child == 0) {
        run_all();
        exit(0);
    }
    code = test_wait(child);
    remove_directory();
    return code;
}
