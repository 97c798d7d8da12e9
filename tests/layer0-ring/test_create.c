/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a ring is made whole or not at all, each wrong option is named, and a live ring is never
 * replaced. Method: options at and beyond each bound; names taken by the living. By the dead:
 * test_replace.c.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[64];
static struct lam_ring ring, other;
static struct lam_error error;

static void setup(void)
{
    (void)snprintf(name, sizeof(name), "test-create-%d", (int)getpid());
    memset(&error, 0, sizeof(error));
}

TestSuite(create, .init = setup, .timeout = 20);

static struct lam_ring_options named(void)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_NAMED, .name = name, .depth = 64};
}

static int exists(const char *part)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.%s", name, part);
    return access(path, F_OK) == 0;
}

static int refused(struct lam_ring_options options, const char *word)
{
    int rc = lam_ring_create(&ring, &options, &error);

    cr_assert(eq(int, rc, -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, word), NULL), "\"%s\" lacks \"%s\"", error.text, word);
    cr_assert(not(exists("control")));
    cr_assert(not(exists("data")));
    return 1;
}

Test(create, each_option_out_of_range_is_named)
{
    char long_name[LAM_RING_NAME_MAX + 2];
    struct lam_ring_options options = named();

    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    options.depth = 63;
    refused(options, "depth of 63");
    options.depth = 1;
    refused(options, "depth of 1 ");
    options.depth = UINT64_C(1) << 60;
    refused(options, "depth of");
    options = named();
    options.cell_bytes = 16;
    refused(options, "cell of 16");
    options.cell_bytes = 96;
    refused(options, "cell of 96");
    options.cell_bytes = 131072;
    refused(options, "cell of 131072");
    options = named();
    options.name = NULL;
    refused(options, "name");
    options.name = "";
    refused(options, "name");
    options.name = "a/b";
    refused(options, "a/b");
    options.name = long_name;
    refused(options, "bytes");
    options = named();
    options.waiting = (enum lam_ring_waiting)7;
    refused(options, "waiting 7");
    options = named();
    options.schema_bytes = 10;
    refused(options, "schema");
    options.schema = long_name;
    options.schema_bytes = LAM_RING_SCHEMA_BYTES_MAX + 1;
    refused(options, "schema");
    options = named();
    options.mode = 04600;
    refused(options, "mode 04600");
    options = named();
    options.type_name = long_name;
    refused(options, "type name");
}

Test(create, options_that_a_ring_without_a_name_cannot_keep_are_refused)
{
    static const enum lam_backing backings[] = {
        LAM_BACKING_ANONYMOUS, LAM_BACKING_MEMFD, LAM_BACKING_HUGE};
    struct lam_ring_options options = named();

    for (int i = 0; i < 3; i++) {
        options.backing = backings[i];
        options.keep = 1;
        refused(options, "keep");
        options.keep = 0;
        options.directory = "/dev/shm";
        refused(options, options.directory); /* which is no hugetlbfs, either */
        lam_ring_detach(&ring);              /* nothing to do, and safe */
        options.directory = NULL;
    }
}

Test(create, names_appear_and_go_with_the_ring)
{
    struct lam_ring_options options = named();
    struct stat status;
    char path[128];

    (void)umask(077);
    options.mode = 0640;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(exists("control"));
    cr_assert(exists("data"));
    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.data", name);
    cr_assert(eq(int, stat(path, &status), 0));
    cr_assert(eq(int, (int)(status.st_mode & 0777), 0640));
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    cr_assert(not(exists("control")));
    cr_assert(not(exists("data")));
}

Test(create, a_live_ring_is_not_replaced_and_the_holder_is_named)
{
    struct lam_ring_options options = named();
    struct lam_ring_producer producer;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), -EEXIST));
    cr_assert(ne(ptr, strstr(error.text, "made it"), NULL), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), -EEXIST));
    cr_assert(ne(ptr, strstr(error.text, "producer, pid"), NULL), "%s", error.text);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

Test(create, a_directory_that_is_not_there_is_an_error_of_its_own)
{
    struct lam_ring_options options = named();

    options.directory = "/nonexistent";
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -ENOENT));
    cr_assert(ne(ptr, strstr(error.text, "/nonexistent"), NULL));
}

Test(create, the_bytes_that_a_ring_takes_are_known_before)
{
    struct lam_ring_options options = named();
    uint64_t bytes = 0;
    struct stat data, control;
    char path[128];

    options.depth = 4096;
    cr_assert(eq(int, lam_ring_bytes(&options, &bytes, &error), 0));
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.data", name);
    cr_assert(eq(int, stat(path, &data), 0));
    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.control", name);
    cr_assert(eq(int, stat(path, &control), 0));
    cr_assert(eq(u64, bytes, (uint64_t)data.st_size + (uint64_t)control.st_size));
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    options.depth = 5;
    cr_assert(eq(int, lam_ring_bytes(&options, &bytes, &error), -EINVAL));
}

Test(create, schema_and_type_travel_with_the_ring)
{
    static const char schema[] = "table T { a:int; }";
    struct lam_ring_options options = named();
    struct lam_ring_attach_options attach = {.name = name, .type_hash = 77};
    char type_name[LAM_RING_TYPE_NAME_MAX + 1];
    const void *found = NULL;

    options.schema = schema;
    options.schema_bytes = sizeof(schema);
    options.type_hash = 77;
    options.type_name = "test.T";
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_attach(&other, &attach, &error), 0), "%s", error.text);
    cr_assert(eq(i64, lam_ring_schema(&other, &found), (int64_t)sizeof(schema)));
    cr_assert(eq(int, memcmp(found, schema, sizeof(schema)), 0));
    lam_ring_type_name(&other, type_name);
    cr_assert(eq(str, type_name, "test.T"));
    lam_ring_detach(&other);
    attach.type_hash = 78;
    cr_assert(eq(int, lam_ring_attach(&other, &attach, &error), -EPROTOTYPE));
    cr_assert(ne(ptr, strstr(error.text, "test.T"), NULL), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}
