/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_discover.c: a directory's modules come, change and go with their files, and nothing that
 * somebody puts there is the end of it. Whatever must not be noticed is followed by a marker, a
 * module that is: what comes before it has been seen when that is loaded.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/runtime/discover.h"
#include "lamina/runtime/events.h"
#include "modules.h"
#include "processes.h"

static struct lam_runtime *runtime;
static struct lam_discovery *discovery;
static struct lam_error error;
static char folder[64], other_folder[80];

static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static char told[4096]; /* "NAME: TEXT" of what was wrong */
static pthread_mutex_t holding = PTHREAD_MUTEX_INITIALIZER;

static void tell(void *context, const struct lam_runtime_event *event)
{
    (void)context;
    /* A test that holds this holds the thread that discovers. */
    (void)pthread_mutex_lock(&holding);
    (void)pthread_mutex_unlock(&holding);
    if (event->kind != LAM_EVENT_DISCOVERY)
        return;
    (void)pthread_mutex_lock(&telling);
    if (strlen(told) + strlen(event->name) + strlen(event->text) + 4 < sizeof(told))
        (void)sprintf(told + strlen(told), "%s: %s\n", event->name, event->text);
    (void)pthread_mutex_unlock(&telling);
}

static int was_told(const char *words)
{
    int is_there;

    (void)pthread_mutex_lock(&telling);
    is_there = strstr(told, words) != NULL;
    (void)pthread_mutex_unlock(&telling);
    return is_there;
}

static void write_no_log(void *context, const char *module, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)context, (void)module, (void)level, (void)text, (void)fields, (void)field_count;
}

static void setup(void)
{
    struct lam_runtime_options options = {.log = write_no_log};

    (void)snprintf(folder, sizeof(folder), "/tmp/lamina-test-discover-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(other_folder, sizeof(other_folder), "%s.aside", folder);
    cr_assert(eq(int, mkdir(other_folder, 0755), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, tell, NULL), 0));
}

static void clear(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            (void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
    if (directory != NULL)
        (void)closedir(directory);
    (void)rmdir(path);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
    clear(folder);
    clear(other_folder);
}

TestSuite(discover, .init = setup, .fini = teardown, .timeout = 60);

static void start(uint32_t loads, uint32_t reloads, uint32_t unloads)
{
    struct lam_discover_options options = {.directories = folder,
        .debounce_ns = 5 * LAM_NS_PER_MS,
        .loads = loads,
        .reloads = reloads,
        .unloads = unloads};

    cr_assert(
        eq(int, lam_discover_start(runtime, &options, &discovery, &error), 0), "%s", error.text);
}

static struct lam_discover_stat look(void)
{
    struct lam_discover_stat stat;

    lam_discover_look(discovery, &stat);
    return stat;
}

static const char *at(const char *in, const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", in, name);
    return path;
}

/* Writes the module into the file, in place. */
static void copy_to(const char *kind, const char *path)
{
    char bytes[4096];
    FILE *in = fopen(module_file(kind), "rbe"), *out = fopen(path, "wbe");
    size_t got;

    cr_assert(in != NULL && out != NULL);
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        cr_assert(eq(sz, fwrite(bytes, 1, got, out), got));
    cr_assert(fclose(in) == 0 && fclose(out) == 0);
}

static void move_in(const char *kind, const char *name)
{
    copy_to(kind, at(other_folder, name));
    cr_assert(eq(int, rename(at(other_folder, name), at(folder, name)), 0));
}

/* Until the module of that name answers so; 0: until there is none. */
static void wait_for(const char *name, char kind)
{
    for (;;) {
        struct lam_module *module = lam_runtime_find(runtime, name);

        if (kind == 0 ? module == NULL : module != NULL && module_kind(module) == kind)
            return;
        (void)usleep(1000);
    }
}

/* What was written before has been looked at. */
static void wait_for_marker(void)
{
    static int count;
    char name[32];

    (void)snprintf(name, sizeof(name), "marker%d.so", ++count);
    copy_to("first", at(folder, name));
    name[strlen(name) - 3] = '\0';
    wait_for(name, 1);
}

Test(discover, what_is_there_is_loaded_when_it_begins)
{
    copy_to("first", at(folder, "a.so"));
    copy_to("second", at(folder, "b.so"));
    start(1, 1, 1);
    cr_assert(eq(int, module_kind(lam_runtime_find(runtime, "a")), 1));
    cr_assert(eq(int, module_kind(lam_runtime_find(runtime, "b")), 2));
    cr_assert(eq(u32, look().modules, 2));
    cr_assert(eq(u64, look().loads, 2));
}

Test(discover, what_is_moved_in_is_loaded_replaced_reloaded_removed_unloaded)
{
    start(1, 1, 1);
    move_in("first", "a.so");
    wait_for("a", 1);
    move_in("second", "a.so");
    wait_for("a", 2);
    cr_assert(eq(int, unlink(at(folder, "a.so")), 0));
    wait_for("a", 0);
    move_in("concurrent", "a.so");
    wait_for("a", 3);
    cr_assert(eq(int, rename(at(folder, "a.so"), at(other_folder, "a.so")), 0));
    wait_for("a", 0);
    cr_assert(eq(u64, look().failures, 0));
}

Test(discover, what_is_written_counts_when_it_is_closed)
{
    char bytes[256 * 1024];
    FILE *in = fopen(module_file("second"), "rbe");
    struct stat before;
    size_t count;
    int fd;

    cr_assert(in != NULL);
    count = fread(bytes, 1, sizeof(bytes), in);
    (void)fclose(in);
    start(1, 1, 1);
    fd = open(at(folder, "a.so"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(eq(int, (int)write(fd, bytes, 100), 100));
    wait_for_marker();
    wait_for_marker();
    cr_assert(eq(u64, look().failures, 0));
    cr_assert(eq(int, (int)write(fd, bytes + 100, count - 100), (int)(count - 100)));
    cr_assert(eq(int, close(fd), 0));
    wait_for("a", 2);
    /* In place, too, and were it as old and as long as before. */
    cr_assert(eq(int, stat(at(folder, "a.so"), &before), 0));
    in = fopen(module_file("first"), "rbe");
    cr_assert(in != NULL && fread(bytes, 1, sizeof(bytes), in) > 0 && fclose(in) == 0);
    fd = open(at(folder, "a.so"), O_WRONLY | O_CLOEXEC);
    cr_assert(eq(int, (int)write(fd, bytes, count), (int)count));
    cr_assert(eq(int, futimens(fd, (struct timespec[]){before.st_atim, before.st_mtim}), 0));
    cr_assert(eq(int, close(fd), 0));
    wait_for("a", 1);
}

/* A process that dies when it has written so much into the file, in place. */
static void leave_half_written(const char *path, const char *bytes, size_t count)
{
    pid_t child = fork();

    if (child == 0) {
        int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        if (fd >= 0 && write(fd, bytes, count) == (ssize_t)count)
            (void)raise(SIGKILL);
        _exit(1);
    }
    cr_assert(child > 0);
    cr_assert(eq(int, test_wait(child), 128 + SIGKILL));
}

Test(discover, what_a_killed_writer_left_half_written_replaces_nothing)
{
    char bytes[256 * 1024];
    FILE *in = fopen(module_file("second"), "rbe");
    size_t count;

    cr_assert(in != NULL);
    count = fread(bytes, 1, sizeof(bytes), in);
    (void)fclose(in);
    move_in("first", "a.so");
    start(1, 1, 1);
    wait_for("a", 1);
    for (size_t part = 1; part <= 5; part++) {
        uint64_t failures = look().failures;

        leave_half_written(at(folder, "a.so"), bytes, part * count / 5 - 1); /* all but one byte */
        while (look().failures == failures)
            (void)usleep(1000);
        cr_assert(eq(int, module_kind(lam_runtime_find(runtime, "a")), 1));
    }
    copy_to("second", at(folder, "a.so"));
    wait_for("a", 2);
    cr_assert(eq(u64, look().modules, 1));
}

Test(discover, names_of_others_are_not_looked_at)
{
    start(1, 1, 1);
    move_in("second", ".a.so");
    move_in("second", "a.so.tmp");
    move_in("second", "a.so~");
    move_in("second", "a\nb.so");
    move_in("second", ".so");
    move_in("second", "a@1.so");
    move_in(
        "second", "a-name-of-more-bytes-than-a-name-may-have-which-is-sixty-three-of-them-all.so");
    wait_for_marker();
    cr_assert(eq(u64, look().failures, 0));
    cr_assert(eq(u64, look().loads, 1));
}

Test(discover, what_the_policy_does_not_say_is_not_done)
{
    copy_to("first", at(folder, "a.so"));
    start(1, 0, 0);
    move_in("second", "a.so");
    wait_for_marker();
    wait_for("a", 1);
    cr_assert(eq(int, unlink(at(folder, "a.so")), 0));
    wait_for_marker();
    wait_for("a", 1);
    lam_discover_stop(discovery);
    wait_for("a", 1);
    start(0, 1, 1);
    cr_assert(eq(u32, look().modules, 0));
}

Test(discover, the_newest_version_that_is_there_serves)
{
    start(1, 1, 1);
    move_in("first", "a-1.0.1.so");
    wait_for("a", 1);
    move_in("concurrent", "a-1.0.3.so");
    wait_for("a", 3);
    move_in("second", "a-1.0.2.so");
    wait_for_marker();
    wait_for("a", 3);
    cr_assert(eq(int, unlink(at(folder, "a-1.0.3.so")), 0));
    wait_for("a", 2);
    cr_assert(eq(int, unlink(at(folder, "a-1.0.2.so")), 0));
    cr_assert(eq(int, unlink(at(folder, "a-1.0.1.so")), 0));
    wait_for("a", 0);
}

Test(discover, what_needs_others_comes_after_them_in_whatever_order)
{
    start(1, 1, 1);
    move_in("api", "api.so");
    move_in("cache", "cache.so");
    wait_for_marker();
    cr_assert(was_told("api: module api: it needs cache ~1.0, which is not loaded"));
    cr_assert(lam_runtime_find(runtime, "api") == NULL);
    move_in("db_1_0", "db.so");
    while (lam_runtime_find(runtime, "api") == NULL)
        (void)usleep(1000);
    cr_assert(eq(int, unlink(at(folder, "db.so")), 0));
    wait_for_marker();
    cr_assert(was_told("db: module db: it is needed by"));
    cr_assert(lam_runtime_find(runtime, "db") != NULL);
    cr_assert(eq(int, unlink(at(folder, "cache.so")), 0));
    cr_assert(eq(int, unlink(at(folder, "api.so")), 0));
    wait_for("api", 0);
    wait_for("cache", 0);
    wait_for("db", 0);
}

#define GARBAGE 1000

Test(discover, a_hostile_folder_is_survived)
{
    char name[32];

    cr_assert(eq(int, symlink("/nowhere/at/all", at(folder, "nowhere.so")), 0));
    cr_assert(eq(int, symlink("loop.so", at(folder, "loop.so")), 0));
    cr_assert(eq(int, symlink("/dev/zero", at(folder, "zero.so")), 0));
    cr_assert(eq(int, mkfifo(at(folder, "fifo.so"), 0644), 0));
    cr_assert(eq(int, mkdir(at(folder, "folder.so"), 0755), 0));
    copy_to("first", at(folder, "unreadable.so"));
    cr_assert(eq(int, chmod(at(folder, "unreadable.so"), 0), 0));
    cr_assert(eq(int, close(open(at(folder, "empty.so"), O_CREAT | O_WRONLY, 0644)), 0));
    cr_assert(eq(int, close(open(at(folder, "huge.so"), O_CREAT | O_WRONLY, 0644)), 0));
    cr_assert(eq(int, truncate(at(folder, "huge.so"), INT64_C(1) << 40), 0));
    copy_to("wrong_init", at(folder, "wrong.so"));
    start(1, 1, 1);
    cr_assert(was_told("nowhere: ") && was_told("loop: ") && was_told("empty: "));
    cr_assert(was_told("zero.so: not a regular file"));
    cr_assert(was_told("fifo.so: not a regular file"));
    cr_assert(was_told("folder.so: not a regular file"));
    cr_assert(was_told("wrong: its init returned 42"));
    cr_assert(was_told("huge: ") && was_told("1099511627776 bytes"));
    for (int i = 0; i < GARBAGE; i++) {
        FILE *out;

        (void)snprintf(name, sizeof(name), "garbage%d.so", i);
        out = fopen(at(folder, name), "we");
        cr_assert(out != NULL &&
                  fprintf(out,
                      "\x7f"
                      "ELF%d",
                      i) > 0 &&
                  fclose(out) == 0);
    }
    while (look().failures < GARBAGE)
        (void)usleep(1000);
    wait_for_marker();
    for (int i = 0; i < GARBAGE; i++) {
        (void)snprintf(name, sizeof(name), "garbage%d.so", i);
        (void)unlink(at(folder, name));
    }
    wait_for_marker();
    while (look().names > 16)
        (void)usleep(1000);
}

Test(discover, what_may_be_read_now_is_tried_again)
{
    if (geteuid() == 0)
        cr_skip_test("root reads everything");
    copy_to("first", at(folder, "a.so"));
    cr_assert(eq(int, chmod(at(folder, "a.so"), 0), 0));
    start(1, 1, 1);
    cr_assert(eq(u64, look().failures, 1));
    cr_assert(eq(int, chmod(at(folder, "a.so"), 0644), 0));
    wait_for("a", 1);
}

static long queue_length(void)
{
    FILE *in = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    char text[32] = "";

    if (in != NULL) {
        (void)fgets(text, sizeof(text), in);
        (void)fclose(in);
    }
    return strtol(text, NULL, 10);
}

Test(discover, events_that_were_lost_are_made_up_for_by_a_look)
{
    long length = queue_length();

    if (length <= 0 || length > 100000)
        cr_skip_test("the queue of events holds %ld: it is not filled", length);
    copy_to("second", at(folder, "gone.so"));
    start(1, 1, 1);
    cr_assert(eq(u64, look().scans, 1));
    cr_assert(eq(int, pthread_mutex_lock(&holding), 0));
    move_in("first", "a.so"); /* whose event the thread hangs at */
    wait_for("a", 1);
    for (long i = 0; i < length + 10; i++) /* one of each is not like the one before */
        cr_assert(
            eq(int, close(open(at(folder, i % 2 == 0 ? "x" : "y"), O_CREAT | O_WRONLY, 0644)), 0));
    move_in("concurrent", "b.so");
    move_in("second", "a.so");
    cr_assert(eq(int, unlink(at(folder, "gone.so")), 0));
    cr_assert(eq(int, pthread_mutex_unlock(&holding), 0));
    wait_for("b", 3);
    wait_for("a", 2);
    wait_for("gone", 0);
    cr_assert(look().scans >= 2);
}

Test(discover, a_directory_that_goes_takes_its_modules_and_brings_them_back)
{
    char away[96];

    (void)snprintf(away, sizeof(away), "%s.away", folder);
    start(1, 1, 1);
    move_in("first", "a.so");
    wait_for("a", 1);
    cr_assert(eq(int, rename(folder, away), 0));
    wait_for("a", 0);
    cr_assert(eq(int, rename(away, folder), 0));
    wait_for("a", 1);
    move_in("second", "a.so");
    wait_for("a", 2);
}

Test(discover, what_cannot_be_watched_is_refused)
{
    struct lam_discover_options options = {.directories = "/nowhere"};

    cr_assert(eq(int, lam_discover_start(runtime, &options, &discovery, &error), -ENOENT));
    cr_assert(strstr(error.text, "/nowhere") != NULL, "%s", error.text);
    options.directories = "/proc/self/maps";
    cr_assert(eq(int, lam_discover_start(runtime, &options, &discovery, &error), -ENOTDIR));
    options.directories = ":";
    cr_assert(eq(int, lam_discover_start(runtime, &options, &discovery, &error), -EINVAL));
    options.directories = folder;
    options.module.name = "x";
    cr_assert(eq(int, lam_discover_start(runtime, &options, &discovery, &error), -EINVAL));
}
