/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "path/retry_policy.h"

#define TRIES_DEFAULT          3
#define JITTER_DEFAULT         50
#define PAUSE_DEFAULT_NS       LAM_NS_PER_MS
#define PAUSE_MAX_DEFAULT_NS   (100 * LAM_NS_PER_MS)
#define BUDGET_PERCENT_DEFAULT 20
#define BUDGET_MIN_DEFAULT     10
#define HEDGE_THREADS_DEFAULT  4

static int check_range(
    const char *module, const char *field, uint64_t value, uint64_t most, struct lam_error *error)
{
    if (value <= most)
        return 0;
    return lam_error_set(error, -EINVAL, "module %s: retry: %s is %llu, at most %llu", module,
        field, (unsigned long long)value, (unsigned long long)most);
}

static int check(const struct lam_retry_options *given, const char *module, struct lam_error *error)
{
    const struct {
        const char *name;
        uint64_t value, most;
    } fields[] = {
        {"tries_max", given->tries_max, LAM_RETRY_TRIES_MAX},
        {"retries_results", given->retries_results, 1},
        {"retries_unreached", given->retries_unreached, 1},
        {"jitter_percent", given->jitter_percent, 100},
        {"budget_percent", given->budget_percent, 100},
        {"method_count", given->method_count, LAM_RETRY_METHODS_MAX},
        {"hedge_threads", given->hedge_threads, LAM_RETRY_HEDGE_THREADS_MAX},
        {"hedge_percentile", given->hedge_percentile, 999},
        {"reserved", given->reserved, 0},
        {"hedge_min_ns", given->hedge_min_ns,
            given->hedge_max_ns != 0 ? given->hedge_max_ns : UINT64_MAX},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        rc = check_range(module, fields[i].name, fields[i].value, fields[i].most, error);
    if (rc == 0 && (given->hedge_threads == 1 || (given->hedge_threads != 0 && !given->hedge_ns)))
        rc = lam_error_set(error, -EINVAL,
            "module %s: retry: hedge_threads is %u: at least 2, and hedge_ns says after which time",
            module, given->hedge_threads);
    if (rc == 0 && given->hedge_percentile != 0 && given->hedge_ns == 0)
        rc = lam_error_set(error, -EINVAL,
            "module %s: retry: hedge_percentile is %u: hedge_ns says the delay until runs are "
            "known",
            module, given->hedge_percentile);
    if (rc == 0 && given->hedge_percentile == 0 &&
        (given->hedge_min_ns != 0 || given->hedge_max_ns != 0))
        rc = lam_error_set(error, -EINVAL,
            "module %s: retry: hedge_min_ns and hedge_max_ns bound a delay by hedge_percentile, "
            "which is 0",
            module);
    if (rc == 0 && given->pause_max_ns != 0 && given->pause_ns > given->pause_max_ns)
        rc = lam_error_set(error, -EINVAL,
            "module %s: retry: pause_ns is %llu, more than pause_max_ns, which is %llu", module,
            (unsigned long long)given->pause_ns, (unsigned long long)given->pause_max_ns);
    return rc;
}

static int read_methods(struct lam_retry *retry, const struct lam_retry_options *given,
    const struct lam_module *module, struct lam_error *error)
{
    const char *names[LAM_RETRY_METHODS_MAX];
    int rc;

    for (uint32_t i = 0; i < given->method_count; i++)
        names[i] = given->methods[i].name;
    rc = lam_method_set_fill(&retry->named, module, "retry", given->method_count > 0 ? names : NULL,
        given->method_count, error);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < given->method_count; i++) {
        const struct lam_retry_method *method = &given->methods[i];

        if (method->tries_max > LAM_RETRY_TRIES_MAX || method->reserved != 0)
            return lam_error_set(error, -EINVAL,
                "module %s: retry: tries_max of %s is %u, at most %d; reserved is %u, and must be "
                "0",
                module->name, method->name, method->tries_max, LAM_RETRY_TRIES_MAX,
                method->reserved);
        retry->methods[i] = (struct retry_method){
            .tries_max = method->tries_max, .deadline_ns = method->deadline_ns};
    }
    return 0;
}

int lam_retry_read(struct lam_retry *retry, const struct lam_retry_options *given,
    const struct lam_module *module, struct lam_error *error)
{
    struct lam_retry_options *options = &retry->options;
    int rc = check(given, module->name, error);

    if (rc == 0)
        rc = read_methods(retry, given, module, error);
    if (rc != 0)
        return rc;
    *options = *given;
    options->methods = NULL;
    if (options->tries_max == 0)
        options->tries_max = TRIES_DEFAULT;
    if (options->jitter_percent == 0)
        options->jitter_percent = JITTER_DEFAULT;
    if (options->pause_ns == 0)
        options->pause_ns = PAUSE_DEFAULT_NS;
    if (options->pause_max_ns == 0)
        options->pause_max_ns =
            options->pause_ns > PAUSE_MAX_DEFAULT_NS ? options->pause_ns : PAUSE_MAX_DEFAULT_NS;
    if (options->pause_ns > options->pause_max_ns)
        options->pause_ns = options->pause_max_ns;
    if (options->budget_percent == 0)
        options->budget_percent = BUDGET_PERCENT_DEFAULT;
    if (options->hedge_threads == 0)
        options->hedge_threads = HEDGE_THREADS_DEFAULT;
    if (options->budget_min == 0)
        options->budget_min = BUDGET_MIN_DEFAULT;
    return 0;
}

uint64_t lam_retry_pause_ns(
    const struct lam_retry_options *options, uint32_t tries, uint32_t random)
{
    uint64_t pause_ns = options->pause_ns, part_ns;

    while (--tries > 0 && pause_ns < options->pause_max_ns)
        pause_ns = pause_ns > options->pause_max_ns / 2 ? options->pause_max_ns : pause_ns * 2;
    part_ns = pause_ns / 100 * options->jitter_percent;
    return pause_ns - (uint64_t)((__extension__(unsigned __int128) part_ns * random) >> 32);
}
