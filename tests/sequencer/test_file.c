/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer.yaml: each key fills its field, nothing else is accepted, and what is wrong is told
 * with its place.
 */
#include "lamina/sequencer/config.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lam_sequencer_file *file_of(const char *text)
{
    struct lam_sequencer_file *file;
    char *report;
    int rc = lam_sequencer_file_read_text(&file, "/etc/node.yaml", text, strlen(text), &report);

    cr_assert_eq(rc, 0, "%s", report);
    return file;
}

/* What is said of @text, which is refused. The caller's. */
static char *report_of(const char *text)
{
    struct lam_sequencer_file *file;
    char *report;

    cr_assert_eq(lam_sequencer_file_read_text(&file, "/etc/node.yaml", text, strlen(text), &report),
        -EINVAL);
    cr_assert_not_null(report);
    return report;
}

static void expect_report(const char *text, const char *part)
{
    char *report = report_of(text);

    cr_expect_not_null(strstr(report, part), "\"%s\" is not in:\n%s", part, report);
    free(report);
}

Test(sequencer_file, what_the_file_does_not_name_stays_at_its_default)
{
    struct lam_sequencer_file *file = file_of("directory: /srv/a\nlisten: [tcp:127.0.0.1:9000]\n");
    struct lam_sequencer_config expected = {
        .directory = "/srv/a", .listen = {"tcp:127.0.0.1:9000"}};
    const struct lam_sequencer_config *config = lam_sequencer_file_config(file);

    cr_expect_str_eq(config->directory, expected.directory);
    cr_expect_str_eq(config->listen[0], expected.listen[0]);
    cr_expect_null(config->listen[1]);
    expected.directory = config->directory;
    expected.listen[0] = config->listen[0];
    cr_expect_eq(memcmp(config, &expected, sizeof(expected)), 0);
    lam_sequencer_file_destroy(file);
}

Test(sequencer_file, each_key_fills_its_field)
{
    struct lam_sequencer_file *file = file_of("directory: /srv/a\n"
                                              "listen: [unix:/run/a, shm:orders]\n"
                                              "waiting: spin\n"
                                              "policy: none\n"
                                              "disk: io_uring\n"
                                              "retain: remove\n"
                                              "segment: 1MiB\n"
                                              "reserve: 2MiB\n"
                                              "batch: 64KiB\n"
                                              "input_cells: 1024\n"
                                              "output_cells: 2048\n"
                                              "sessions: 5\n"
                                              "connections: 6\n"
                                              "window: 8\n"
                                              "replies: 3KiB\n"
                                              "tick: never\n"
                                              "digest_events: 100\n"
                                              "snapshot_events: 200\n"
                                              "heartbeat: 2s\n"
                                              "keys: /srv/keys\n"
                                              "threads: 3\n"
                                              "cpus: [3, 1]\n"
                                              "lock_memory: true\n");
    const struct lam_sequencer_config *config = lam_sequencer_file_config(file);

    cr_expect_str_eq(config->listen[0], "unix:/run/a");
    cr_expect_str_eq(config->listen[1], "shm:orders");
    cr_expect_eq(config->waiting, LAM_SEQUENCER_SPIN);
    cr_expect_eq(config->policy, LAM_SEQUENCER_NONE);
    cr_expect_eq(config->disk, LAM_SEQUENCER_DISK_URING);
    cr_expect_eq(config->retain, LAM_SEQUENCER_REMOVE);
    cr_expect_eq(config->segment_bytes, 1 << 20);
    cr_expect_eq(config->reserve_bytes, 2 << 20);
    cr_expect_eq(config->batch_bytes, 64 << 10);
    cr_expect_eq(config->input_cells, 1024);
    cr_expect_eq(config->output_cells, 2048);
    cr_expect_eq(config->sessions_max, 5);
    cr_expect_eq(config->connections_max, 6);
    cr_expect_eq(config->window, 8);
    cr_expect_eq(config->reply_bytes, 3 << 10);
    cr_expect_eq(config->tick_ns, UINT64_MAX);
    cr_expect_eq(config->digest_events, 100);
    cr_expect_eq(config->snapshot_events, 200);
    cr_expect_eq(config->heartbeat_ns, UINT64_C(2000000000));
    cr_expect_str_eq(config->keys, "/srv/keys");
    cr_expect_eq(config->threads, 3);
    cr_assert_eq(config->cpu_count, 2);
    cr_expect_eq(config->cpus[0], 3);
    cr_expect_eq(config->cpus[1], 1);
    cr_expect_eq(config->lock_memory, 1);
    lam_sequencer_file_destroy(file);
}

Test(sequencer_file, relative_paths_are_relative_to_the_folder_of_the_file)
{
    struct lam_sequencer_file *file =
        file_of("directory: data\nlisten: [unix:run/node, \"tcp:[::1]:9000\"]\nkeys: node.keys\n");
    const struct lam_sequencer_config *config = lam_sequencer_file_config(file);

    cr_expect_str_eq(config->directory, "/etc/data");
    cr_expect_str_eq(config->listen[0], "unix:/etc/run/node");
    cr_expect_str_eq(config->listen[1], "tcp:[::1]:9000");
    cr_expect_str_eq(config->keys, "/etc/node.keys");
    lam_sequencer_file_destroy(file);
}

Test(sequencer_file, what_is_wrong_is_told_with_its_place)
{
    expect_report("listen: [tcp:a:1]\n", "directory");
    expect_report("directory: a\n", "listen");
    expect_report("directory: a\nlisten: []\n", "/etc/node.yaml:2:9");
    expect_report("directory: a\nlisten: [\"9000:x\", tcp:a:1]\n", "unix:PATH, tcp:HOST:PORT");
    expect_report("directory: a\nlisten: [tcp:a:1]\nwindow: 3\n", "/etc/node.yaml:3:9");
    expect_report("directory: a\nlisten: [tcp:a:1]\npolicy: ram\n", "/etc/node.yaml:3:9");
    expect_report("directory: a\nlisten: [tcp:a:1]\nsegments: 1MiB\n", "segment");
}

Test(sequencer_file, a_setting_stands_in_the_place_of_what_the_file_says)
{
    static const char *const sets[] = {"tick=10ms", "window=16"};
    static const char *const wrong[] = {"tick"};
    char path[] = "/tmp/lamina-sequencer-XXXXXX";
    int descriptor = mkstemp(path);
    struct lam_sequencer_file *file;
    char *report;

    cr_assert(descriptor >= 0);
    cr_assert(dprintf(descriptor, "directory: a\nlisten: [tcp:a:1]\ntick: 1s\n") > 0);
    cr_assert_eq(lam_sequencer_file_read(&file, path, sets, 2, &report), 0);
    cr_expect_eq(lam_sequencer_file_config(file)->tick_ns, 10000000);
    cr_expect_eq(lam_sequencer_file_config(file)->window, 16);
    lam_sequencer_file_destroy(file);
    cr_assert_eq(lam_sequencer_file_read(&file, path, wrong, 1, &report), -EINVAL);
    cr_expect_not_null(strstr(report, "KEY=VALUE"), "%s", report);
    free(report);
    cr_expect_eq(unlink(path), 0);
    cr_assert_eq(lam_sequencer_file_read(&file, path, NULL, 0, &report), -ENOENT);
    free(report);
}
