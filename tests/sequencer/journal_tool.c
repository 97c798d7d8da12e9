/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_tool.c: `lamina journal` on folders of this machine's disk: whole ones, damaged ones, and
 * one that a living process has open. Arguments: none; the command is found in LAMINA_BIN.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "env/linux.h"
#include "journal/journal.h"
#include "snapshot/snapshot.h"

#define EVENTS       60
#define OUTPUT_BYTES 65536

static char work[PATH_MAX], folder[PATH_MAX + 16], other[PATH_MAX + 16];
static char output[OUTPUT_BYTES];
static struct lam_env_linux env;
static struct journal journal;

static void remove_folder(const char *path)
{
    DIR *open_folder = opendir(path);
    const struct dirent *entry;

    while (open_folder != NULL && (entry = readdir(open_folder)) != NULL)
        (void)unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder != NULL)
        (void)closedir(open_folder);
    (void)rmdir(path);
}

static void remove_all(void)
{
    remove_folder(folder);
    remove_folder(other);
    (void)rmdir(work);
}

static void open_journal(const char *path)
{
    struct journal_config config = {.env = &env.env,
        .segment_bytes = UINT64_C(16384),
        .reserve_bytes = 4096,
        .sector_bytes = 4096,
        .batch_bytes = 4096,
        .mark_batches = 16};
    struct lam_error error;

    CHECK(mkdir(path, 0700) == 0 || errno == EEXIST);
    CHECK(lam_env_linux_init(&env, path) == 0);
    CHECK(journal_open(&journal, &config, NULL, NULL, NULL, &error) == 0);
}

static void close_journal(void)
{
    journal_close(&journal);
    lam_env_linux_fini(&env);
}

/* Each event is one batch, its data its own number. */
static void add(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t next = journal_next(&journal);

        CHECK(journal_try_add(&journal, next, 9, 1000 + next, &next, sizeof(next)) == 1);
        while (!journal_is_idle(&journal))
            CHECK(journal_step(&journal) >= 0);
    }
}

static void take_snapshot(void)
{
    struct snapshot_place place = {.app_version = 1, .app_name = "tool"};
    struct snapshot_writer *writer;
    struct lam_error error;
    int result;

    journal_durable_place(&journal, &place);
    CHECK(snapshot_writer_create(&writer, &env.env, &place, "state", 5) == 0);
    do
        result = snapshot_writer_step(writer, &error);
    while (result >= 0);
    CHECK(result == -EALREADY);
    snapshot_writer_destroy(writer);
}

/* The same events at the same times: what differs is random, and no event. */
static void make(const char *path)
{
    open_journal(path);
    add(EVENTS - 10);
    take_snapshot();
    add(10);
    close_journal();
}

/* Returns the exit code; what it said, to either stream, is in output. */
static int tool(const char *arguments)
{
    const char *bin = getenv("LAMINA_BIN");
    char command[3 * PATH_MAX];
    size_t used = 0, got;
    FILE *pipe;
    int status;

    (void)snprintf(
        command, sizeof(command), "%s/lamina-journal %s 2>&1", bin != NULL ? bin : ".", arguments);
    pipe = popen(command, "r");
    CHECK(pipe != NULL);
    while (used < sizeof(output) - 1 &&
           (got = fread(output + used, 1, sizeof(output) - 1 - used, pipe)) > 0)
        used += got;
    output[used] = 0;
    status = pclose(pipe);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int verb(const char *name, const char *more)
{
    char arguments[2 * PATH_MAX];

    (void)snprintf(arguments, sizeof(arguments), "%s %s %s", name, folder, more);
    return tool(arguments);
}

static int says(const char *text)
{
    return strstr(output, text) != NULL;
}

static unsigned lines(void)
{
    unsigned count = 0;

    for (const char *at = output; *at != 0; at++)
        count += *at == '\n';
    return count;
}

static void whole_ones_are_shown(void)
{
    uint64_t first;

    CHECK(verb("inspect", "") == 0 && says("next event 60") && says("snapshot-"));
    CHECK(verb("verify", "") == 0 && says("60 events in 60 batches, whole"));
    CHECK(says("of application \"tool\" 1, all before event 50"));
    CHECK(verb("dump", "") == 0 && lines() == EVENTS);
    CHECK(verb("dump", "--json --from 58") == 0 && lines() == 2);
    CHECK(says("{\"sequence\":58,\"time_ns\":1058,\"kind\":9,\"data\":\"3a00000000000000\"}"));
    CHECK(verb("export", "--from 7 --count 1") == 0);
    memcpy(&first, output, sizeof(first));
    CHECK(first == 7);
    CHECK(verb("diff", other) == 0 && says("equal"));
}

static void longer_and_other_ones_differ(void)
{
    open_journal(other);
    add(1);
    close_journal();
    CHECK(verb("diff", other) == 1 && says("goes on with event 60"));
}

/* One byte of a file at an offset. */
static void flip(const char *name, off_t offset)
{
    char path[2 * PATH_MAX];
    uint8_t byte;
    int file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = open(path, O_RDWR | O_CLOEXEC);
    CHECK(file >= 0 && pread(file, &byte, 1, offset) == 1);
    byte ^= 1;
    CHECK(pwrite(file, &byte, 1, offset) == 1 && close(file) == 0);
}

static void damaged_ones_are_named(void)
{
    flip("segment-0000000000000002", 4096 + 130);
    CHECK(verb("verify", "") == 1 && says("segment 2, offset 4096"));
    CHECK(verb("dump", "") == 1 && says("segment 2, offset 4096") && says("verify"));
    CHECK(verb("diff", other) == 1);
    CHECK(verb("inspect", "") == 1);
    flip("segment-0000000000000002", 4096 + 130);
    flip("segment-0000000000000001", 16);
    CHECK(verb("verify", "") == 1 && says("header"));
    flip("segment-0000000000000001", 16);
    CHECK(verb("verify", "") == 0);
    flip("segment-0000000000000014", 4096 + 100); /* behind the end */
    CHECK(verb("verify", "") == 0 && says("torn behind them"));
    CHECK(verb("dump", "") == 1 && says("behind event 59"));
    flip("segment-0000000000000014", 4096 + 100);
    flip("mark", 20);
    flip("mark", 4096 + 20);
    CHECK(verb("verify", "") == 1 && says("mark"));
    flip("mark", 20);
    flip("mark", 4096 + 20);
}

static void what_a_living_process_has_is_left_alone(void)
{
    open_journal(folder);
    CHECK(verb("dump", "") == 3 && says("end it first"));
    CHECK(verb("diff", other) == 3 && verb("export", "") == 3);
    CHECK(verb("inspect", "") == 0 && says("has") && says("open"));
    CHECK(verb("verify", "") == 0);
    close_journal();
    CHECK(verb("dump", "") == 0);
}

static void wrong_command_lines_say_what_is_right(void)
{
    CHECK(tool("") == 2 && says("usage"));
    CHECK(tool("--help") == 0 && says("usage"));
    CHECK(tool("mend x") == 2 && says("there is no verb mend"));
    CHECK(verb("dump", "--from") == 2 && verb("dump", "--from x") == 2);
    CHECK(verb("dump", "--all") == 2 && verb("diff", "") == 2 && verb("verify", "a b") == 2);
    CHECK(tool("verify /nowhere/at/all") == 3 && says("No such file"));
    CHECK(tool("verify /") == 3 && says("there is no journal"));
}

int main(void)
{
    const char *run = getenv("LAMINA_RUN_DIR");

    if (run != NULL)
        (void)mkdir(run, 0700);
    (void)snprintf(work, sizeof(work), "%s/tool-XXXXXX", run != NULL ? run : "/tmp");
    CHECK(mkdtemp(work) != NULL);
    (void)snprintf(folder, sizeof(folder), "%s/one", work);
    (void)snprintf(other, sizeof(other), "%s/other", work);
    CHECK(atexit(remove_all) == 0);
    make(folder);
    make(other);
    whole_ones_are_shown();
    longer_and_other_ones_differ();
    damaged_ones_are_named();
    what_a_living_process_has_is_left_alone();
    wrong_command_lines_say_what_is_right();
    return 0;
}
