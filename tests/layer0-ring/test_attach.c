/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an object that is not a ring of ours, or a damaged one, is refused, and the message says
 * which field, what was found and what was expected. Method: a good ring, one field spoilt at a
 * time through a mapping of its own.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static struct lam_ring ring, other;
static struct lam_error error;

static void setup(void)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .name = name, .depth = 64, .type_hash = 5};

    (void)snprintf(name, sizeof(name), "test-attach-%d", (int)getpid());
    memset(&error, 0, sizeof(error));
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    (void)lam_ring_destroy(&ring);
}

TestSuite(attach, .init = setup, .fini = teardown, .timeout = 20);

static int attach(void)
{
    struct lam_ring_attach_options options = {.name = name};

    return lam_ring_attach(&other, &options, &error);
}

static void refused_with(const char *word)
{
    cr_assert(eq(int, attach(), -EPROTO));
    cr_assert(ne(ptr, strstr(error.text, word), NULL), "\"%s\" lacks \"%s\"", error.text, word);
    cr_assert(ne(ptr, strstr(error.text, name), NULL), "no ring name in \"%s\"", error.text);
}

#define SPOIL(field, value, word)                                                                  \
    do {                                                                                           \
        __typeof__(field) saved = (field);                                                         \
        (field) = (__typeof__(field))(value);                                                      \
        refused_with(word);                                                                        \
        (field) = saved;                                                                           \
    } while (0)

Test(attach, each_spoilt_field_is_named)
{
    struct lam_ring_data *data = ring.data_head;
    struct lam_ring_control *control = ring.control_head;

    SPOIL(data->mark.magic, 0, "data object: magic");
    SPOIL(data->mark.version, 1, "layout version");
    SPOIL(data->mark.byte_order, 0x04030201, "byte order");
    SPOIL(data->mark.object_bytes, 4096, "stated size");
    SPOIL(data->mark.ring_id, 1, "ring id");
    SPOIL(data->head_bytes, 8192, "head size");
    SPOIL(data->depth, 63, "depth is 63");
    SPOIL(data->depth, 0, "depth is 0");
    SPOIL(data->depth, UINT64_C(1) << 63, "depth");
    SPOIL(data->depth, 128, "mapped cells");
    SPOIL(data->mapped_cells, 1 << 20, "mapped cells");
    SPOIL(data->cell_bytes, 0, "cell size is 0");
    SPOIL(data->cell_bytes, 100, "cell size is 100");
    SPOIL(data->waiting, 2, "waiting is 2");
    SPOIL(control->mark.magic, 0, "control object: magic");
    SPOIL(control->mark.version, 0, "layout version");
    SPOIL(control->mark.ring_id, 1, "ring id");
    SPOIL(control->mark.object_bytes, 1, "stated size");
    SPOIL(control->entry_count, 65, "entry count");
    SPOIL(control->entry_bytes, 64, "entry size");
    SPOIL(control->schema_offset, 1 << 30, "schema offset");
    SPOIL(control->schema_bytes, 0xffffffff, "schema size");
    SPOIL(control->schema_bytes, 70000, "stated size");
    memset(data->name, 'x', sizeof(data->name));
    refused_with("not terminated");
    (void)snprintf(data->name, sizeof(data->name), "%s", name);
    cr_assert(eq(int, attach(), 0), "%s", error.text);
    lam_ring_detach(&other);
}

Test(attach, an_object_that_is_cut_short_is_refused_before_it_is_mapped)
{
    static const off_t sizes[] = {0, 1, 100, 4096, 8191};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        cr_assert(eq(int, truncate(ring.data.path, sizes[i]), 0));
        cr_assert(eq(int, attach(), -EPROTO));
        cr_assert(ne(ptr, strstr(error.text, name), NULL), "%s", error.text);
    }
}

Test(attach, a_foreign_object_under_our_name_is_refused)
{
    char junk[65536];
    int fd;

    memset(junk, 0x5a, sizeof(junk));
    fd = open(ring.control.path, O_WRONLY);
    cr_assert(eq(i64, (int64_t)write(fd, junk, sizeof(junk)), (int64_t)sizeof(junk)));
    (void)close(fd);
    refused_with("control object: magic");
}

Test(attach, what_is_no_file_under_our_name_is_refused)
{
    struct lam_ring_attach_options options = {.name = "no-file", .access = LAM_ACCESS_WRITE};
    static const char *const objects[] = {"data", "control"};
    char directory[] = "/tmp/lamina-attach-XXXXXX", path[96];

    cr_assert(ne(ptr, mkdtemp(directory), NULL));
    options.directory = directory;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/lamina.no-file.%s", directory, objects[i]);
        cr_assert(eq(int, mkfifo(path, 0600), 0));
    }
    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -EPROTO));
    cr_assert(ne(ptr, strstr(error.text, "no regular file"), NULL), "%s", error.text);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/lamina.no-file.%s", directory, objects[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

Test(attach, a_ring_that_is_not_there_is_waited_for_until_the_deadline)
{
    struct lam_ring_attach_options options = {.name = "test-attach-nobody"};
    uint64_t begun_ns;

    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -ENOENT));
    cr_assert(ne(ptr, strstr(error.text, "started?"), NULL), "%s", error.text);
    begun_ns = lam_clock_now_ns();
    options.deadline_ns = lam_deadline_after_ns(30 * LAM_NS_PER_MS);
    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -ENOENT));
    cr_assert(lam_clock_now_ns() - begun_ns >= 30 * LAM_NS_PER_MS);
}

Test(attach, wrong_names_are_errors)
{
    static const char *const wrong[] = {NULL, "", "a/b", "../x"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lam_ring_attach_options options = {.name = wrong[i]};

        cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -EINVAL));
        lam_ring_detach(&other); /* safe on a ring that failed to open */
    }
}

Test(attach, another_type_is_refused)
{
    struct lam_ring_attach_options options = {.name = name, .type_hash = 6};

    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -EPROTOTYPE));
    options.type_hash = 5;
    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), 0));
    lam_ring_detach(&other);
}

Test(attach, a_read_only_ring_takes_consumers_but_no_producer)
{
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumer;

    cr_assert(eq(int, attach(), 0));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &other, NULL, &error), -EACCES));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &other, NULL, &error), 0));
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&other);
}

Test(attach, an_observer_takes_no_end)
{
    struct lam_ring_attach_options options = {.name = name, .observe = 1};
    struct lam_ring_consumer consumer;

    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &other, NULL, &error), -EACCES));
    lam_ring_detach(&other);
}

static void exit_by_fault(int signal_number)
{
    (void)signal_number;
    _exit(42);
}

Test(attach, a_consumer_cannot_write_the_cells)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)signal(SIGSEGV, exit_by_fault);
        if (attach() != 0)
            _exit(1);
        other.cells[0] = 1; /* the mapping is read-only: SIGSEGV */
        _exit(2);
    }
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    cr_assert(eq(int, status, 42 << 8));
}

Test(attach, descriptors_of_a_memory_file_do_as_well_as_a_name)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD, .name = "passed", .depth = 8};
    struct lam_ring_attach_options attach_options = {.access = LAM_ACCESS_READ};
    struct lam_ring made;
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;
    int data_fd, control_fd;

    cr_assert(eq(int, lam_ring_create(&made, &options, &error), 0), "%s", error.text);
    lam_ring_fds(&made, &data_fd, &control_fd);
    cr_assert(eq(int, ftruncate(data_fd, 4096), -1)); /* sealed */
    cr_assert(eq(int, errno, EPERM));
    cr_assert(eq(int, lam_ring_attach_fds(&other, control_fd, data_fd, &attach_options, &error),
        -EPROTO)); /* the wrong way round */
    cr_assert(eq(int, lam_ring_attach_fds(&other, data_fd, control_fd, &attach_options, &error), 0),
        "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &made, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &other, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 5, &payload), 1));
    memcpy(payload, "hello", 5);
    lam_ring_producer_commit(&producer, 5, 3, 0);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(int, memcmp(event.payload, "hello", 5), 0));
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    lam_ring_detach(&other);
    (void)lam_ring_destroy(&made);
}
