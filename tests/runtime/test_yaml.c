/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_yaml.c: runtime.yaml: which field each key fills, what is refused and where the message
 * points, and that all modules of a file are loaded, or none.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/batch.h"
#include "lamina/runtime/breaker.h"
#include "lamina/runtime/cache.h"
#include "lamina/runtime/config.h"
#include "lamina/runtime/limits.h"
#include "lamina/runtime/pool.h"
#include "lamina/runtime/retry.h"
#include "lamina/runtime/split.h"
#include "lamina/runtime/trace.h"
#include "modules.h"

static struct lam_runtime_config *config;
static struct lam_runtime *runtime;
static struct lam_error error;
static char *report;

static void teardown(void)
{
    lam_runtime_destroy(runtime);
    lam_runtime_config_destroy(config);
    free(report);
}

TestSuite(yaml, .fini = teardown, .timeout = 20);

static int read_as(const char *name, const char *text)
{
    free(report);
    lam_runtime_config_destroy(config);
    config = NULL;
    return lam_runtime_config_read_text(&config, name, text, strlen(text), &report);
}

static void accept(const char *text)
{
    cr_assert(eq(int, read_as("t.yaml", text), 0), "%s", report);
}

/* The first line of the report. */
static void refuse(const char *text, const char *message)
{
    size_t length;

    cr_assert(eq(int, read_as("t.yaml", text), -EINVAL), "%s", text);
    length = strcspn(report, "\n");
    cr_expect(length == strlen(message) && strncmp(report, message, length) == 0,
        "for:\n%s\nexpected: %s\nfound:    %s", text, message, report);
}

static const struct lam_runtime_wanted *wanted(uint32_t index)
{
    return lam_runtime_config_module(config, index);
}

static void make_runtime(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, lam_runtime_config_options(config), &error), 0));
}

/* All but the last digit of a sum. */
#define SUM "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0"

Test(yaml, a_file_that_says_nothing_is_a_runtime_with_all_defaults)
{
    struct lam_runtime_options none;
    struct lam_remote_options no_serving;

    memset(&none, 0, sizeof(none));
    memset(&no_serving, 0, sizeof(no_serving));
    accept("{}");
    cr_expect(memcmp(lam_runtime_config_options(config), &none, sizeof(none)) == 0);
    cr_expect(
        memcmp(&lam_runtime_config_serving(config)->remote, &no_serving, sizeof(no_serving)) == 0);
    cr_expect(lam_runtime_config_serving(config)->metrics == NULL);
    cr_expect(eq(u32, lam_runtime_config_count(config), 0));
}

Test(yaml, each_key_of_the_runtime_fills_its_field)
{
    const struct lam_runtime_options *options;

    accept("directories: [/a, /b/c]\nworker: /w\ndepth: 3\narena: 8KiB\ndrain: 5s\n"
           "checks_owner: true\nloads_dependencies: true\nallowed_sha256: [" SUM "0, " SUM "1]\n");
    options = lam_runtime_config_options(config);
    cr_expect(eq(str, (char *)options->directories, "/a:/b/c"));
    cr_expect(eq(str, (char *)options->worker, "/w"));
    cr_expect(eq(u32, options->depth_max, 3));
    cr_expect(eq(u64, options->arena_bytes, 8192));
    cr_expect(eq(u64, options->drain_ns, 5 * LAM_NS_PER_S));
    cr_expect(eq(u32, options->checks_owner, 1));
    cr_expect(eq(u32, options->loads_dependencies, 1));
    cr_expect(eq(str, (char *)options->allowed_sha256, SUM "0 " SUM "1"));
    cr_expect(eq(u32, options->reserved, 0));
}

Test(yaml, each_key_of_serving_fills_its_field)
{
    const struct lam_runtime_serving *serving;

    accept("serve: {endpoint: plugins, directory: /run/x, clients: 7, threads: 2, queue: 9,\n"
           "        changes: true, bytes: 2MiB, call: 1s}\nmetrics: {address: 127.0.0.2, port: "
           "9464}\n");
    serving = lam_runtime_config_serving(config);
    cr_expect(eq(str, (char *)serving->remote.endpoint, "plugins"));
    cr_expect(eq(str, (char *)serving->remote.directory, "/run/x"));
    cr_expect(eq(u32, serving->remote.clients_max, 7));
    cr_expect(eq(u32, serving->remote.threads, 2));
    cr_expect(eq(u32, serving->remote.queue_max, 9));
    cr_expect(eq(u32, serving->remote.lets_change, 1));
    cr_expect(eq(u64, serving->remote.bytes_max, 2 << 20));
    cr_expect(eq(u64, serving->remote.call_ns_max, LAM_NS_PER_S));
    cr_assert(serving->metrics != NULL);
    cr_expect(eq(str, (char *)serving->metrics->address, "127.0.0.2"));
    cr_expect(eq(u32, serving->metrics->port, 9464));
    cr_expect(serving->metrics->socket == NULL);
    accept("metrics: {socket: /run/m.sock}\n");
    cr_expect(eq(str, (char *)lam_runtime_config_serving(config)->metrics->socket, "/run/m.sock"));
    accept("metrics: {}\n");
    cr_expect(lam_runtime_config_serving(config)->metrics != NULL);
}

Test(yaml, each_key_of_a_module_fills_its_field)
{
    accept("modules:\n"
           "  zeta: {reference: /m/z.so, host: worker, config: hello, counts_calls: true}\n"
           "  alpha: {}\n"
           "  beta: {reference: other, config_hex: 00fFa1}\n");
    cr_assert(eq(u32, lam_runtime_config_count(config), 3));
    cr_expect(eq(str, (char *)wanted(0)->reference, "/m/z.so"));
    cr_expect(eq(str, (char *)wanted(0)->options.name, "zeta"));
    cr_expect(eq(int, wanted(0)->options.host, LAM_MODULE_IN_WORKER));
    cr_expect(eq(u64, wanted(0)->options.config_bytes, 5));
    cr_expect(memcmp(wanted(0)->options.config, "hello", 5) == 0);
    cr_expect(eq(u32, wanted(0)->options.counts_calls, 1));
    cr_expect(eq(str, (char *)wanted(1)->reference, "alpha"));
    cr_expect(eq(int, wanted(1)->options.host, LAM_MODULE_IN_PROCESS));
    cr_expect(eq(u32, wanted(1)->options.counts_calls, 0));
    cr_expect(wanted(1)->options.config == NULL && wanted(1)->options.sandbox == NULL);
    cr_expect(eq(str, (char *)wanted(2)->reference, "other"));
    cr_expect(eq(u64, wanted(2)->options.config_bytes, 3));
    cr_expect(memcmp(wanted(2)->options.config, "\x00\xff\xa1", 3) == 0);
}

Test(yaml, each_key_of_a_sandbox_fills_its_field)
{
    const struct lam_sandbox_options *sandbox;

    accept("modules:\n  a:\n    host: worker\n    sandbox: {layers: [limits, pids], strict: true,\n"
           "      readable: [/r], writable: [/w, /v], memory: 64MiB, file: 1MiB, reply: 4KiB,\n"
           "      cpu_s: 30, files: 16, processes: 2, network: true}\n");
    sandbox = wanted(0)->options.sandbox;
    cr_assert(sandbox != NULL);
    cr_expect(eq(u32, sandbox->layers,
        LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS) | LAM_SANDBOX_BIT(LAM_SANDBOX_PIDS)));
    cr_expect(eq(u32, sandbox->strict, 1));
    cr_expect(eq(str, (char *)sandbox->readable, "/r"));
    cr_expect(eq(str, (char *)sandbox->writable, "/w:/v"));
    cr_expect(eq(u64, sandbox->memory_bytes, 64 << 20));
    cr_expect(eq(u64, sandbox->file_bytes, 1 << 20));
    cr_expect(eq(u64, sandbox->reply_bytes, 4096));
    cr_expect(eq(u32, sandbox->cpu_s, 30));
    cr_expect(eq(u32, sandbox->files, 16));
    cr_expect(eq(u32, sandbox->processes, 2));
    cr_expect(eq(u32, sandbox->network, 1));
}

Test(yaml, each_key_of_a_breaker_fills_its_field)
{
    const struct lam_breaker_options *breaker;

    accept("modules:\n  a:\n    breaker: {window: 1s, open: 2s, slow: 3ms, window_calls: 40,\n"
           "      calls_min: 5, failure_percent: 6, slow_percent: 7, probes: 8,\n"
           "      counts_results: true, resets_on_reload: true}\n");
    breaker = wanted(0)->options.breaker;
    cr_assert(breaker != NULL);
    cr_expect(eq(u64, breaker->window_ns, LAM_NS_PER_S));
    cr_expect(eq(u64, breaker->open_ns, 2 * LAM_NS_PER_S));
    cr_expect(eq(u64, breaker->slow_ns, 3000000));
    cr_expect(eq(u32, breaker->window_calls, 40));
    cr_expect(eq(u32, breaker->calls_min, 5));
    cr_expect(eq(u32, breaker->failure_percent, 6));
    cr_expect(eq(u32, breaker->slow_percent, 7));
    cr_expect(eq(u32, breaker->probes, 8));
    cr_expect(eq(u32, breaker->counts_results, 1));
    cr_expect(eq(u32, breaker->resets_on_reload, 1));
}

Test(yaml, each_key_of_a_cache_fills_its_field)
{
    const struct lam_cache_options *cache;

    accept("modules:\n  a: {cache: {bytes: 1MiB, ttl: 2s, error_ttl: never, methods: [one, two],\n"
           "      shards: 4}}\n  b: {cache: {}}\n");
    cache = wanted(0)->options.cache;
    cr_assert(cache != NULL);
    cr_expect(eq(u64, cache->bytes_max, 1 << 20));
    cr_expect(eq(u64, cache->ttl_ns, 2 * LAM_NS_PER_S));
    cr_expect(eq(u64, cache->error_ttl_ns, UINT64_MAX));
    cr_assert(eq(u32, cache->method_count, 2));
    cr_expect(eq(str, (char *)cache->methods[0], "one"));
    cr_expect(eq(str, (char *)cache->methods[1], "two"));
    cr_expect(eq(u32, cache->shard_count, 4));
    cr_expect(wanted(0)->options.breaker == NULL);
    cr_assert(wanted(1)->options.cache != NULL);
    cr_expect(eq(u64, wanted(1)->options.cache->ttl_ns, 0));
}

Test(yaml, each_key_of_limits_fills_its_field)
{
    const struct lam_limits_options *limits;

    accept("modules:\n  a:\n    limits: {calls: 1, caller_calls: 2, calls_per_s: 3,\n"
           "      caller_calls_per_s: 4, burst: 5, caller_burst: 6, request: 7, reply: 8,\n"
           "      full: degrade, queue: 9, fallback_module: m, fallback_method: f}\n");
    limits = wanted(0)->options.limits;
    cr_assert(limits != NULL);
    cr_expect(eq(u32, limits->calls_max, 1));
    cr_expect(eq(u32, limits->caller_calls_max, 2));
    cr_expect(eq(u64, limits->calls_per_s, 3));
    cr_expect(eq(u64, limits->caller_calls_per_s, 4));
    cr_expect(eq(u32, limits->burst, 5));
    cr_expect(eq(u32, limits->caller_burst, 6));
    cr_expect(eq(u64, limits->request_bytes_max, 7));
    cr_expect(eq(u64, limits->reply_bytes_max, 8));
    cr_expect(eq(int, limits->full, LAM_LIMITS_DEGRADE));
    cr_expect(eq(u32, limits->queue_max, 9));
    cr_expect(eq(str, (char *)limits->fallback_module, "m"));
    cr_expect(eq(str, (char *)limits->fallback_method, "f"));
}

Test(yaml, each_key_of_a_trace_fills_its_field)
{
    const struct lam_trace_options *trace;

    accept("trace: {ring: 64, sample_every: 10}\n");
    trace = lam_runtime_config_options(config)->trace;
    cr_assert(trace != NULL);
    cr_expect(eq(u32, trace->ring_spans, 64));
    cr_expect(eq(u32, trace->sample_every, 10));
    cr_expect(trace->sink == NULL);
}

Test(yaml, each_key_of_a_pool_fills_its_field)
{
    const struct lam_pool_options *pool;

    accept(
        "modules:\n  a:\n    host: worker\n    pool: {min: 2, max: 3, choice: by-key, key_bytes: "
        "4,\n      load_up: 500, load_down: 100, window: 1ms, cooldown: 2s}\n");
    pool = wanted(0)->options.pool;
    cr_assert(pool != NULL);
    cr_expect(eq(u32, pool->workers_min, 2));
    cr_expect(eq(u32, pool->workers_max, 3));
    cr_expect(eq(int, pool->choice, LAM_POOL_BY_KEY));
    cr_expect(eq(u32, pool->key_bytes, 4));
    cr_expect(eq(u32, pool->load_up, 500));
    cr_expect(eq(u32, pool->load_down, 100));
    cr_expect(eq(u64, pool->window_ns, 1000000));
    cr_expect(eq(u64, pool->cooldown_ns, 2 * LAM_NS_PER_S));
    cr_expect(pool->key == NULL);
}

Test(yaml, each_key_of_a_retry_fills_its_field)
{
    const struct lam_retry_options *retry;

    accept(
        "modules:\n  a:\n    retry: {tries: 2, results: true, unreached: true,\n"
        "      jitter_percent: 3, pause: 4ns, pause_max: 5ns, budget_percent: 6, budget_min: 7,\n"
        "      deadline: 8ns, methods: [{name: x, tries: 1}, {name: y, deadline: 9ns}]}\n");
    retry = wanted(0)->options.retry;
    cr_assert(retry != NULL);
    cr_expect(eq(u32, retry->tries_max, 2));
    cr_expect(eq(u32, retry->retries_results, 1));
    cr_expect(eq(u32, retry->retries_unreached, 1));
    cr_expect(eq(u32, retry->jitter_percent, 3));
    cr_expect(eq(u64, retry->pause_ns, 4));
    cr_expect(eq(u64, retry->pause_max_ns, 5));
    cr_expect(eq(u32, retry->budget_percent, 6));
    cr_expect(eq(u32, retry->budget_min, 7));
    cr_expect(eq(u64, retry->deadline_ns, 8));
    cr_assert(eq(u32, retry->method_count, 2));
    cr_expect(eq(str, (char *)retry->methods[0].name, "x"));
    cr_expect(eq(u32, retry->methods[0].tries_max, 1));
    cr_expect(eq(str, (char *)retry->methods[1].name, "y"));
    cr_expect(eq(u64, retry->methods[1].deadline_ns, 9));
}

Test(yaml, each_key_of_a_batch_fills_its_field)
{
    const struct lam_batch_options *batch;

    accept("modules:\n  a: {batch: {calls: 8, wait: 1us, methods: [one]}}\n");
    batch = wanted(0)->options.batch;
    cr_assert(batch != NULL);
    cr_expect(eq(u32, batch->count_max, 8));
    cr_expect(eq(u64, batch->wait_ns, 1000));
    cr_assert(eq(u32, batch->method_count, 1));
    cr_expect(eq(str, (char *)batch->methods[0], "one"));
}

Test(yaml, a_split_starts_when_all_modules_are_there)
{
    struct lam_split_stat stat;
    int seconds = 0;

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one:\n    reference: test_module_first\n"
           "    split: {candidate: two, steps: [{percent: 50, time: 1000s}, {percent: 60}],\n"
           "      by: call, failure_percent: 5, calls_min: 7, window: 3s}\n"
           "  two: {reference: test_module_second}\n");
    cr_expect(eq(u32, wanted(0)->options.can_split, 1));
    cr_expect(eq(u32, wanted(1)->options.can_split, 0));
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_module_split_look(lam_runtime_find(runtime, "one"), &stat), 0));
    cr_expect(eq(int, stat.phase, LAM_SPLIT_RUNNING));
    cr_expect(eq(u32, stat.percent, 50));
    for (int i = 0; i < 100; i++)
        seconds += module_kind(lam_runtime_find(runtime, "one")) == 2;
    cr_expect(eq(int, seconds, 50));
}

Test(yaml, after_a_split_that_cannot_start_no_module_is_loaded)
{
    accept("directories: [" MODULES "]\nmodules:\n"
           "  one:\n    reference: test_module_first\n"
           "    split: {candidate: one, steps: [{percent: 50}]}\n");
    make_runtime();
    cr_assert(lt(int, lam_runtime_config_load(config, runtime, &error), 0));
    cr_expect(strncmp(error.text, "t.yaml:4:5: modules.one: ", 25) == 0, "%s", error.text);
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
}

Test(yaml, every_layer_of_the_sandbox_has_its_name)
{
    char text[128];

    for (int layer = 0; layer < LAM_SANDBOX_LAYERS; layer++) {
        (void)snprintf(text, sizeof(text), "modules: {a: {host: worker, sandbox: {layers: [%s]}}}",
            lam_sandbox_layer_name((enum lam_sandbox_layer)layer));
        accept(text);
        cr_expect(eq(u32, wanted(0)->options.sandbox->layers, LAM_SANDBOX_BIT(layer)));
    }
}

Test(yaml, paths_are_relative_to_the_file)
{
    char folder[] = "/tmp/lamina-yaml-XXXXXX", name[64], expected[128];

    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "%s/t.yaml", folder);
    cr_assert(eq(int,
        read_as(name, "directories: [plug, /b]\nmodules: {a: {reference: ./a.so}, b: {reference: "
                      "b}}\n"),
        0));
    (void)rmdir(folder);
    (void)snprintf(expected, sizeof(expected), "%s/plug:/b", folder);
    cr_expect(eq(str, (char *)lam_runtime_config_options(config)->directories, expected));
    (void)snprintf(expected, sizeof(expected), "%s/./a.so", folder);
    cr_expect(eq(str, (char *)wanted(0)->reference, expected));
    cr_expect(eq(str, (char *)wanted(1)->reference, "b"));
}

Test(yaml, what_is_wrong_is_refused_at_its_place)
{
    refuse("depht: 3\n", "t.yaml:1:1: depht: unknown key (did you mean \"depth\"?)");
    refuse("depth: 17\n", "t.yaml:1:8: depth: 17 is too large: at most 16");
    refuse("depth: 0\n", "t.yaml:1:8: depth: 0 is too small: at least 1");
    refuse("drain: 5\n", "t.yaml:1:8: drain: \"5\" is not a duration: digits, then ns, us, ms, s "
                         "or min, as in 10ms");
    refuse("modules:\n  a: {host: wroker}\n",
        "t.yaml:2:13: modules.a.host: \"wroker\" is not one of process or worker (did you mean "
        "\"worker\"?)");
    refuse("modules:\n  a: {config: x, config_hex: 00}\n",
        "t.yaml:2:6: modules.a: give one of config, config_hex and config_file");
    refuse("modules:\n  a: {config_hex: 0}\n", "t.yaml:2:19: modules.a.config_hex: two "
                                               "hexadecimal digits for each byte, and nothing "
                                               "else");
    refuse("modules:\n  a: {sandbox: {}}\n", "t.yaml:2:16: modules.a.sandbox: nothing holds a "
                                             "module in this process: say host: worker");
    refuse("modules:\n  a: {pool: {}}\n",
        "t.yaml:2:13: modules.a.pool: a pool has workers: say host: worker");
    refuse("modules:\n  a: {split: {candidate: b, steps: [{percent: 1}]}}\n",
        "t.yaml:2:26: modules.a.split.candidate: there is no module \"b\" in this file");
    refuse("metrics: {socket: /s, port: 1}\n",
        "t.yaml:1:10: metrics: give a socket, or an address and a port");
    refuse("directories: [\"/a:/b\"]\n",
        "t.yaml:1:15: directories[0]: a path with a ':' cannot be listed");
    refuse("modules: {a: {config_file: /nowhere}}\n",
        "t.yaml:1:28: modules.a.config_file: /nowhere: No such file or directory");
    refuse("modules: {a: {config_file: /dev/zero}}\n",
        "t.yaml:1:28: modules.a.config_file: /dev/zero: Invalid argument");
}

Test(yaml, a_setting_takes_the_place_of_what_the_file_says)
{
    const char *sets[] = {"depth=2", "modules.a.config=from the line"};
    char path[] = "/tmp/lamina-yaml-XXXXXX";
    const char text[] = "depth: 3\nmodules: {a: {config: from the file}}\n";
    int file = mkstemp(path);

    cr_assert(eq(sz, (size_t)write(file, text, sizeof(text) - 1), sizeof(text) - 1));
    cr_assert(eq(int, lam_runtime_config_read(&config, path, sets, 2, &report), 0), "%s", report);
    cr_expect(eq(u32, lam_runtime_config_options(config)->depth_max, 2));
    cr_expect(memcmp(wanted(0)->options.config, "from the line", 13) == 0);
    lam_runtime_config_destroy(config);
    config = NULL;
    sets[1] = "dpeth=2";
    cr_assert(eq(int, lam_runtime_config_read(&config, path, sets, 2, &report), -EINVAL));
    cr_expect(strstr(report, "--set dpeth=2: ") == report, "%s", report);
    cr_assert(eq(int, close(file) | unlink(path), 0));
}

Test(yaml, all_modules_of_a_file_are_loaded)
{
    struct lam_module *first, *second;

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_second, config: x}\n");
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), 0), "%s", error.text);
    first = lam_runtime_find(runtime, "one");
    second = lam_runtime_find(runtime, "two");
    cr_assert(first != NULL && second != NULL);
    cr_expect(eq(int, module_kind(first), 1));
    cr_expect(eq(int, module_kind(second), 2));
}

Test(yaml, of_a_file_with_one_wrong_module_none_is_loaded)
{
    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_concurrent}\n"
           "  three: {reference: test_module_wrong_init}\n");
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), -ECANCELED));
    cr_expect(strncmp(error.text, "t.yaml:5:10: modules.three: ", 28) == 0, "%s", error.text);
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
    cr_expect(lam_runtime_find(runtime, "two") == NULL);
}

Test(yaml, what_others_loaded_before_stays_after_a_failed_file)
{
    struct lam_module *mine;
    struct lam_module_options options = {.name = "two"};

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_second}\n");
    make_runtime();
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), &options, &mine, &error), 0));
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), -EEXIST));
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
    cr_expect(lam_runtime_find(runtime, "two") == mine);
    cr_expect(eq(int, module_kind(mine), 3));
}
