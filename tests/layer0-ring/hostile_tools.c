/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever bytes a ring's objects hold, and however short they are, lamina stat, tail and
 * dump end, with an answer: never by a signal, a sanitizer's report or not at all.
 *
 * Method: the objects of a ring that was used are spoilt by random words, most of them in the
 * heads, or cut short, and each command is run over them; now and then they are spoilt again while
 * it runs. LAMINA_BIN is the folder of the commands.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/many.h"
#include "lamina/ring/producer.h"
#include "nasty_word.h"
#include "processes.h"
#include "ring_stream.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DEPTH 64

static uint64_t random_state = 5;
static char folder[] = "/tmp/lamina-hostile-XXXXXX";

struct object {
    char path[128];
    uint8_t *bytes; /* as they were */
    size_t byte_count;
};

static struct object objects[2];

static uint64_t pick(uint64_t count)
{
    return pick_from(&random_state, count);
}

static void publish_as_one(struct lam_ring *ring, struct lam_ring_consumer *consumer)
{
    struct lam_ring_producer producer;
    struct lam_event event;
    struct lam_error error;

    TEST_OK(lam_ring_producer_attach(&producer, ring, NULL, &error), error);
    for (uint64_t i = 0; i < 3 * DEPTH; i++) {
        void *payload = NULL;

        TEST_CHECK(lam_ring_producer_try_claim(&producer, i % 200, &payload) == 1);
        test_event_fill(payload, (uint32_t)(i % 200), i, producer.next);
        lam_ring_producer_commit(&producer, i % 200, 1, 0);
        TEST_CHECK(lam_ring_consumer_try_peek(consumer, &event) == 1);
        if (i % 3 == 0)
            TEST_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
    lam_ring_producer_detach(&producer);
}

static void publish_as_many(struct lam_ring *ring, struct lam_ring_consumer *consumer)
{
    struct lam_ring_many_producer producer;
    struct lam_event event;
    struct lam_error error;

    TEST_OK(lam_ring_many_attach(&producer, ring, NULL, &error), error);
    for (uint64_t i = 0; i < 3 * DEPTH; i++) {
        void *payload = NULL;

        TEST_CHECK(lam_ring_many_try_claim(&producer, i % 200, &payload) == 1);
        if (i % 5 == 0) {
            lam_ring_many_abort(&producer); /* padding */
            continue;
        }
        test_event_fill(payload, (uint32_t)(i % 200), i, i);
        lam_ring_many_commit(&producer, i % 200, 1, 0);
        TEST_CHECK(lam_ring_consumer_try_peek(consumer, &event) == 1);
        TEST_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
    lam_ring_many_detach(&producer);
}

/* A ring of several laps, with its consumer, counters and all. */
static void make_ring(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .directory = folder,
        .name = "x",
        .depth = DEPTH,
        .histograms = 2,
        .producers = producers,
        .schema = "some schema",
        .schema_bytes = 11};
    struct lam_ring_consumer consumer;
    struct lam_error error;
    struct lam_ring ring;

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
    if (producers == LAM_RING_ONE_PRODUCER)
        publish_as_one(&ring, &consumer);
    else
        publish_as_many(&ring, &consumer);
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&ring);
}

static void load(struct object *object, const char *suffix)
{
    struct stat status;
    int fd;

    (void)snprintf(object->path, sizeof(object->path), "%s/lamina.x.%s", folder, suffix);
    fd = open(object->path, O_RDONLY | O_CLOEXEC);
    TEST_CHECK(fd >= 0 && fstat(fd, &status) == 0);
    object->byte_count = (size_t)status.st_size;
    object->bytes = malloc(object->byte_count);
    TEST_CHECK(object->bytes != NULL &&
               read(fd, object->bytes, object->byte_count) == (ssize_t)object->byte_count);
    (void)close(fd);
}

static void spoil_word(int fd, size_t byte_count)
{
    /* Half the time in the heads, where each word means something, though not always in step. */
    uint64_t offset = pick(pick(2) == 0 ? 2048 : byte_count) / 4 * 4;
    uint64_t word = 0;

    if (offset + sizeof(word) > byte_count)
        return;
    (void)!pread(fd, &word, sizeof(word), (off_t)offset);
    word = nasty_word(&random_state, word);
    (void)!pwrite(fd, &word, pick(2) == 0 ? 4 : 8, (off_t)offset);
}

/* The object anew, then spoilt, or cut short. */
static void write_spoilt(const struct object *object)
{
    int fd = open(object->path, O_RDWR | O_CLOEXEC);

    TEST_CHECK(fd >= 0);
    TEST_CHECK(ftruncate(fd, (off_t)object->byte_count) == 0);
    TEST_CHECK(pwrite(fd, object->bytes, object->byte_count, 0) == (ssize_t)object->byte_count);
    for (uint64_t spoils = pick(6); spoils > 0; spoils--)
        spoil_word(fd, object->byte_count);
    if (pick(8) == 0)
        TEST_CHECK(ftruncate(fd, (off_t)pick(object->byte_count)) == 0);
    (void)close(fd);
}

static pid_t start(const char *command, char **argv)
{
    const char *bin = getenv("LAMINA_BIN");
    char path[512];
    pid_t child = test_fork();

    if (child != 0)
        return child;
    (void)snprintf(
        path, sizeof(path), "%s/lamina-%s", bin == NULL ? "build/release/bin" : bin, command);
    (void)!freopen("/dev/null", "w", stdout);
    (void)alarm(20); /* a loop without end is a failure, with a signal for a name */
    (void)execv(path, argv);
    _exit(100);
}

/* Runs one. 0 and the two ways to say that it is damaged are answers; anything else is not. */
static int run_one(const char *command, char **argv, int meanwhile)
{
    pid_t child = start(command, argv);
    int status;

    for (int i = 0; meanwhile && i < 50; i++) {
        const struct object *object = &objects[pick(2)];
        int fd = open(object->path, O_RDWR | O_CLOEXEC);

        spoil_word(fd, object->byte_count);
        if (pick(100) == 0)
            (void)!ftruncate(fd, (off_t)pick(object->byte_count));
        (void)close(fd);
    }
    TEST_CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) &&
        (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 4))
        return WEXITSTATUS(status);
    (void)fprintf(stderr, "lamina %s ended with status 0x%x; the objects are in %s\n", command,
        (unsigned)status, folder);
    _exit(1);
}

static void run_all(uint64_t answers[5])
{
    char *stat_text[] = {"lamina-stat", "--ring", objects[0].path, NULL};
    char *stat_json[] = {
        "lamina-stat", "--ring", objects[0].path, "--json", "--every", "1ms", "--count", "2", NULL};
    char *list[] = {"lamina-stat", "--rings", "--directory", folder, NULL};
    char *tail[] = {
        "lamina-tail", objects[0].path, "--from", "oldest", "--once", "--bytes", "65536", NULL};
    char *dump_data[] = {"lamina-dump", objects[0].path, "--cells", NULL};
    char *dump_control[] = {"lamina-dump", objects[1].path, "--json", NULL};
    int meanwhile = pick(3) == 0;

    switch (pick(3)) {
    case 0:
        answers[run_one("stat", stat_text, meanwhile)]++;
        break;
    case 1:
        answers[run_one("stat", stat_json, meanwhile)]++;
        break;
    default:
        answers[run_one("stat", list, meanwhile)]++;
        break;
    }
    answers[run_one("tail", tail, meanwhile)]++;
    answers[run_one("dump", dump_data, meanwhile)]++;
    answers[run_one("dump", dump_control, meanwhile)]++;
}

static void spoil_rings(enum lam_ring_producers producers, uint64_t rounds, uint64_t answers[5])
{
    make_ring(producers);
    load(&objects[0], "data");
    load(&objects[1], "control");
    for (uint64_t round = 0; round < rounds; round++) {
        write_spoilt(&objects[0]);
        write_spoilt(&objects[1]);
        run_all(answers);
    }
    for (int i = 0; i < 2; i++) {
        (void)unlink(objects[i].path);
        free(objects[i].bytes);
    }
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t rounds = 20 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t answers[5] = {0};

    TEST_CHECK(mkdtemp(folder) != NULL);
    spoil_rings(LAM_RING_ONE_PRODUCER, rounds, answers);
    spoil_rings(LAM_RING_MANY_PRODUCERS, rounds, answers);
    (void)rmdir(folder);
    (void)printf("%llu rounds: %llu commands found nothing, %llu no ring, %llu damage\n",
        (unsigned long long)(2 * rounds), (unsigned long long)answers[0],
        (unsigned long long)answers[3], (unsigned long long)answers[4]);
    TEST_CHECK(answers[0] > 0 && answers[4] > 0);
    return 0;
}
