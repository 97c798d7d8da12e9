/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_kills.c: the journal on the machine's own disk: its process is killed again and again,
 * and the next one finds all that was acknowledged. Size: LAMINA_EFFORT, the number of kills.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "env/linux.h"
#include "journal/journal.h"

#define KILLS      6
#define EACH       150 /* acknowledged before a kill */
#define EVENT_KIND 3

static char folder[4096];
static _Atomic uint64_t *acknowledged;

static struct lam_env_linux env;
static struct journal journal;

static void remove_folder(void)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;

    while (open_folder != NULL && (entry = readdir(open_folder)) != NULL)
        (void)unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder != NULL)
        (void)closedir(open_folder);
    (void)rmdir(folder);
}

static uint32_t event_of(uint64_t sequence, uint64_t *words)
{
    uint32_t count = (uint32_t)(sequence * 7 % 60);

    for (uint32_t i = 0; i < count; i++)
        words[i] = sequence * 1000 + i;
    return count * (uint32_t)sizeof(*words);
}

static void replay(void *context, const struct batch_record *record)
{
    uint64_t words[64], *next = context;
    uint32_t bytes = event_of(*next, words);

    CHECK(record->sequence == (*next)++ && record->kind == EVENT_KIND);
    CHECK(record->bytes == bytes && memcmp(record->data, words, bytes) == 0);
}

static int open_journal(void)
{
    struct journal_config config = {.env = &env.env,
        .segment_bytes = UINT64_C(65536),
        .reserve_bytes = 4096,
        .epoch = 1,
        .sector_bytes = 4096,
        .batch_bytes = 16384,
        .mark_batches = 16};
    struct lam_error error = {{0}};
    uint64_t next = 0;
    int result;

    CHECK(lam_env_linux_init(&env, folder) == 0);
    result = journal_open(&journal, &config, replay, &next, NULL, &error);
    if (result != 0 && result != -EBUSY)
        (void)fprintf(stderr, "%s\n", error.text);
    CHECK(result != 0 || next == journal_next(&journal));
    return result;
}

static int writer(void *unused)
{
    uint64_t words[64];

    (void)unused;
    CHECK(open_journal() == 0);
    for (;;) {
        uint64_t next = journal_next(&journal);
        uint32_t bytes = event_of(next, words);

        CHECK(journal_try_add(&journal, next, EVENT_KIND, next, words, bytes) >= 0);
        CHECK(journal_step(&journal) >= 0);
        atomic_store(acknowledged, journal_durable(&journal));
    }
}

static void one_kill(void)
{
    uint64_t before = atomic_load(acknowledged);
    pid_t pid = check_fork(writer, NULL);

    while (atomic_load(acknowledged) < before + EACH)
        CHECK(waitpid(pid, NULL, WNOHANG) == 0 && usleep(1000) == 0);
    CHECK(open_journal() == -EBUSY); /* one at a time */
    lam_env_linux_fini(&env);
    CHECK(kill(pid, SIGKILL) == 0 && check_wait(pid) == -SIGKILL);
    CHECK(open_journal() == 0);
    CHECK(journal_next(&journal) >= atomic_load(acknowledged));
    atomic_store(acknowledged, journal_next(&journal));
    journal_close(&journal);
    lam_env_linux_fini(&env);
}

int main(void)
{
    const char *run = getenv("LAMINA_RUN_DIR"), *text = getenv("LAMINA_EFFORT");
    long effort = text != NULL ? strtol(text, NULL, 10) : 1;

    (void)snprintf(folder, sizeof(folder), "%s/journal-XXXXXX", run != NULL ? run : "/tmp");
    if (run != NULL)
        (void)mkdir(run, 0700);
    CHECK(mkdtemp(folder) != NULL);
    CHECK(atexit(remove_folder) == 0);
    acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(acknowledged != MAP_FAILED);
    for (long i = 0; i < KILLS * (effort < 1 ? 1 : effort); i++)
        one_kill();
    return 0;
}
