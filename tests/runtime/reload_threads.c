/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload_threads.c: a module is replaced again and again while 8 threads call it. No call fails, no
 * count is lost where the state is kept, and nothing of the old codes is left: at the end there are
 * as many descriptors as after a tenth of the reloads, and mappings and memory within a bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "modules.h"

#define THREADS           8
#define MAPPINGS_MORE     32
#define RESIDENT_KIB_MORE 4096

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITH_SANITIZER 1 /* it maps, and its shadow grows, as it likes */
#else
#define WITH_SANITIZER 0
#endif

/* A call of the control plane that has to succeed. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, error.text);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static lam_atomic_u32 ended;

static struct caller {
    pthread_t thread;
    uint64_t calls, switches;
} callers[THREADS];

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

/* Alternates between a counted call and one that says whose code it is. */
static void *call(void *own)
{
    struct caller *caller = own;
    char last = 0;

    while (lam_load_acquire(&ended) == 0) {
        char kind = module_kind(module);

        CHECK(kind == 1 || kind == 2);
        caller->switches += kind != last;
        last = kind;
        CHECK(module_count(module) != 0);
        caller->calls++;
    }
    return NULL;
}

static uint64_t stop_all(void)
{
    uint64_t calls = 0, switches = 0;

    lam_store_release(&ended, 1);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(callers[i].thread, NULL) == 0);
        calls += callers[i].calls;
        switches += callers[i].switches;
    }
    printf("%llu calls, %llu times another code\n", (unsigned long long)calls,
        (unsigned long long)switches);
    CHECK(switches > THREADS);
    return calls;
}

static unsigned open_files(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What this process holds, right behind a reload: one code is mapped then. */
struct held {
    unsigned files;
    unsigned long mappings, resident_kib;
};

static struct held look(uint64_t reloads)
{
    struct held held = {.files = open_files()};
    FILE *maps = fopen("/proc/self/maps", "re");
    FILE *status = fopen("/proc/self/status", "re");
    char line[512];

    CHECK(maps != NULL && status != NULL);
    while (fgets(line, sizeof(line), maps) != NULL)
        held.mappings += strchr(line, '\n') != NULL;
    while (fgets(line, sizeof(line), status) != NULL)
        (void)sscanf(line, "VmRSS: %lu", &held.resident_kib);
    (void)fclose(maps);
    (void)fclose(status);
    printf("after %llu reloads: %lu mappings, %u descriptors, %lu KiB resident\n",
        (unsigned long long)reloads, held.mappings, held.files, held.resident_kib);
    return held;
}

/*
 * The allocator maps an arena when two threads first meet in it, which may be late; a mapping lost
 * by each reload would be 45 more, and 4,500 by hand. The bound of memory is for runs by hand: less
 * than a KiB for each of 4,500 reloads.
 */
static void check_flat(const struct held *early, const struct held *late)
{
    CHECK(late->files == early->files);
    if (WITH_SANITIZER)
        return;
    CHECK(late->mappings <= early->mappings + MAPPINGS_MORE);
    CHECK(late->resident_kib <= early->resident_kib + RESIDENT_KIB_MORE);
}

/* @keep_state: every count is there at the end. */
static void run(uint32_t keep_state, uint64_t reloads)
{
    struct lam_reload_options options = {.keep_state = keep_state};
    struct lam_module_options counted = {.counts_calls = 1};
    struct held early = {0}, late;
    uint64_t calls;

    OK(lam_runtime_load(runtime, module_file("first"), &counted, &module, &error));
    lam_store_release(&ended, 0);
    memset(callers, 0, sizeof(callers));
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&callers[i].thread, NULL, call, &callers[i]) == 0);
    for (uint64_t i = 0; i < reloads; i++) {
        options.reference = module_file(i % 2 == 0 ? "second" : "first");
        OK(lam_runtime_reload(module, &options, &error));
        CHECK(lam_runtime_prometheus(runtime, NULL, 0) != 0);
        (void)usleep(500);
        if (i + 1 == reloads / 10)
            early = look(i + 1);
    }
    late = look(reloads);
    calls = stop_all();
    check_flat(&early, &late);
    if (keep_state)
        CHECK(module_count(module) == calls + 1);
    OK(lam_runtime_unload(module, 0, &error));
}

int main(void)
{
    unsigned before = open_files();

    OK(lam_runtime_create(&runtime, NULL, &error));
    run(0, 50 * effort());
    run(1, 50 * effort());
    lam_runtime_destroy(runtime);
    CHECK(open_files() == before);
    return 0;
}
