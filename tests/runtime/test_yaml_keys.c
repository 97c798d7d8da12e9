/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_yaml_keys.c: which field of which option struct each key of runtime.yaml fills.
 */
#include "yaml.h"

TestSuite(yaml_keys, .fini = teardown, .timeout = 20);

Test(yaml_keys, each_key_of_the_runtime_fills_its_field)
{
    const struct lam_runtime_options *options;

    accept("directories: [/a, /b/c]\nworker: /w\ndepth: 3\narena: 8KiB\ndrain: 5s\n"
           "checks_owner: true\nloads_dependencies: true\nallowed_sha256: [" SUM "0, " SUM "1]\n"
           "deadline: 30s\nmemory: 64MiB\nlimits: {bytes: 1MiB}\n");
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
    cr_expect(eq(u64, options->call_ns, 30 * LAM_NS_PER_S));
    cr_expect(eq(u64, options->worker_memory_bytes, 64 << 20));
    cr_assert(options->limits != NULL);
    cr_expect(eq(u64, options->limits->bytes_max, 1 << 20));
    refuse("allowed_sha256: [abc]\n", "t.yaml:1:18: allowed_sha256[0]: 3 bytes long: at least 64");
}

Test(yaml_keys, each_key_of_serving_fills_its_field)
{
    const struct lam_runtime_serving *serving;

    accept("serve: {endpoint: plugins, directory: /run/x, mode: 0660, clients: 7, threads: 2, "
           "queue: 9,\n"
           "        changes: true, bytes: 2MiB, call: 1s, streams: 4MiB, stream_time: "
           "2s}\nmetrics: {address: 127.0.0.2, port: "
           "9464}\n");
    serving = lam_runtime_config_serving(config);
    cr_expect(eq(str, (char *)serving->remote.endpoint, "plugins"));
    cr_expect(eq(str, (char *)serving->remote.directory, "/run/x"));
    cr_expect(eq(u32, serving->remote.mode, 0660));
    cr_expect(eq(u32, serving->remote.clients_max, 7));
    cr_expect(eq(u32, serving->remote.threads, 2));
    cr_expect(eq(u32, serving->remote.queue_max, 9));
    cr_expect(eq(u32, serving->remote.lets_change, 1));
    cr_expect(eq(u64, serving->remote.bytes_max, 2 << 20));
    cr_expect(eq(u64, serving->remote.call_ns_max, LAM_NS_PER_S));
    cr_expect(eq(u64, serving->remote.stream_bytes_max, 4 << 20));
    cr_expect(eq(u64, serving->remote.stream_ns, 2 * LAM_NS_PER_S));
    cr_assert(serving->metrics != NULL);
    cr_expect(eq(str, (char *)serving->metrics->address, "127.0.0.2"));
    cr_expect(eq(u32, serving->metrics->port, 9464));
    cr_expect(serving->metrics->socket == NULL);
    accept("metrics: {socket: /run/m.sock}\n");
    cr_expect(eq(str, (char *)lam_runtime_config_serving(config)->metrics->socket, "/run/m.sock"));
    accept("metrics: {}\n");
    cr_expect(lam_runtime_config_serving(config)->metrics != NULL);
}

Test(yaml_keys, each_key_of_a_module_fills_its_field)
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

Test(yaml_keys, each_key_of_a_sandbox_fills_its_field)
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

Test(yaml_keys, each_key_of_a_breaker_fills_its_field)
{
    const struct lam_breaker_options *breaker;

    accept("modules:\n  a:\n    breaker: {window: 1s, open: 2s, slow: 3ms, window_calls: 40,\n"
           "      calls_min: 5, failure_percent: 6, slow_percent: 7, probes: 8,\n"
           "      counts_results: true, resets_on_reload: true, follows_health: true}\n");
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
    cr_expect(eq(u32, breaker->follows_health, 1));
}

Test(yaml_keys, each_key_of_a_cache_fills_its_field)
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

Test(yaml_keys, each_key_of_limits_fills_its_field)
{
    const struct lam_limits_options *limits;

    accept("modules:\n  a:\n    limits: {calls: 1, caller_calls: 2, calls_per_s: 3,\n"
           "      caller_calls_per_s: 4, burst: 5, caller_burst: 6, request: 7, reply: 8,\n      "
           "bytes: 10, caller_bytes: 11,\n"
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
    cr_expect(eq(u64, limits->bytes_max, 10));
    cr_expect(eq(u64, limits->caller_bytes_max, 11));
    cr_expect(eq(int, limits->full, LAM_LIMITS_DEGRADE));
    cr_expect(eq(u32, limits->queue_max, 9));
    cr_expect(eq(str, (char *)limits->fallback_module, "m"));
    cr_expect(eq(str, (char *)limits->fallback_method, "f"));
}

Test(yaml_keys, each_key_of_a_trace_fills_its_field)
{
    const struct lam_trace_options *trace;

    accept("trace: {ring: 64, sample_every: 10}\n");
    trace = lam_runtime_config_options(config)->trace;
    cr_assert(trace != NULL);
    cr_expect(eq(u32, trace->ring_spans, 64));
    cr_expect(eq(u32, trace->sample_every, 10));
    cr_expect(trace->sink == NULL);
}

Test(yaml_keys, each_key_of_a_pool_fills_its_field)
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

Test(yaml_keys, each_key_of_a_retry_fills_its_field)
{
    const struct lam_retry_options *retry;

    accept(
        "modules:\n  a:\n    retry: {tries: 2, results: true, unreached: true,\n"
        "      jitter_percent: 3, pause: 4ns, pause_max: 5ns, budget_percent: 6, budget_min: 7,\n"
        "      deadline: 8ns, methods: [{name: x, tries: 1}, {name: y, deadline: 9ns}],\n"
        "      hedge: 10ns, hedge_threads: 11, hedge_percentile: 950, hedge_min: 12ns,\n"
        "      hedge_max: 13ns}\n");
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
    cr_expect(eq(u64, retry->hedge_ns, 10));
    cr_expect(eq(u32, retry->hedge_threads, 11));
    cr_expect(eq(u32, retry->hedge_percentile, 950));
    cr_expect(eq(u64, retry->hedge_min_ns, 12));
    cr_expect(eq(u64, retry->hedge_max_ns, 13));
}

Test(yaml_keys, each_key_of_a_batch_fills_its_field)
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

Test(yaml_keys, each_key_of_health_fills_its_field)
{
    const struct lam_health_options *health;

    accept("modules:\n  a: {health: {by: [calls], failures: 4, successes: 5, interval: 1ms,\n"
           "      timeout: 2s}}\n  b: {health: {by: [probes]}}\n");
    health = wanted(0)->options.health;
    cr_assert(health != NULL);
    cr_expect(eq(u32, health->by, LAM_HEALTH_BY_CALLS));
    cr_expect(eq(u32, health->failures, 4));
    cr_expect(eq(u32, health->successes, 5));
    cr_expect(eq(u64, health->interval_ns, 1000000));
    cr_expect(eq(u64, health->timeout_ns, 2 * LAM_NS_PER_S));
    cr_expect(eq(u32, wanted(1)->options.health->by, LAM_HEALTH_BY_PROBES));
}
