/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_modules.c: the modules of runtime/examples/modules through a real host.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "modules.h"

#define THREADS 4

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static struct lam_module *load(const char *name)
{
    cr_assert(eq(int, lam_runtime_load(runtime, name, NULL, &module, &error), 0), "%s", error.text);
    return module;
}

static char reason[256];

static void keep_reason(void *context, const char *name, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)context;
    (void)level;
    (void)snprintf(
        reason, sizeof(reason), "%s: %s: %s", name, text, field_count != 0 ? fields[0].value : "");
}

static void setup(void)
{
    static char program[4096];
    struct lam_runtime_options options = {
        .directories = MODULES, .worker = program, .log = keep_reason};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(modules, .init = setup, .fini = teardown, .timeout = 30);

static void *echo_often(void *unused)
{
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t answer = 0, size = sizeof(answer);

        cr_assert(eq(int, module_ask(module, "echo", &i, sizeof(i), &answer, &size), 0));
        cr_assert(eq(u64, answer, i));
    }
    return unused;
}

Test(modules, later_answers_every_thread_from_its_own)
{
    pthread_t threads[THREADS];
    char text[8];
    uint64_t size = 2;

    load("later");
    for (int i = 0; i < THREADS; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, echo_often, NULL), 0));
    for (int i = 0; i < THREADS; i++)
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
    cr_assert(eq(int, module_ask(module, "echo", "abc", 3, text, &size), -ENOSPC));
    cr_assert(eq(u64, size, 3));
}

/* @answer is what comes for @request. */
static void expect(
    const char *method, const void *request, uint64_t bytes, const void *answer, uint64_t size)
{
    char got[256];
    uint64_t came = sizeof(got);

    cr_assert(eq(int, module_ask(module, method, request, bytes, got, &came), 0), "%s", method);
    cr_assert(eq(u64, came, size), "%s", method);
    cr_assert(size == 0 || memcmp(got, answer, size) == 0, "%s", method);
}

static void expect_refused(const char *method, const void *request, uint64_t bytes, int rc)
{
    char got[256];
    uint64_t came = sizeof(got);

    cr_assert(eq(int, module_ask(module, method, request, bytes, got, &came), rc), "%s", method);
    cr_assert(eq(u64, came, 0));
}

static void expect_number(
    const char *method, const int64_t *numbers, uint64_t count, int64_t result)
{
    expect(method, numbers, count * sizeof(*numbers), &result, sizeof(result));
}

static void keep_value(void *values, const struct lam_module_metric *metric)
{
    ((uint64_t *)values)[metric->kind == LAM_METRIC_HISTOGRAM] = metric->value;
}

Test(modules, echo_answers_what_came_and_counts_it)
{
    uint64_t values[2] = {0, 0}, came = 2;
    char room[2];

    load("echo");
    expect("echo", "what came", 9, "what came", 9);
    expect("echo", NULL, 0, NULL, 0);
    expect("whoami", NULL, 0, NULL, 0);
    cr_assert(eq(int, module_ask(module, "echo", "abc", 3, room, &came), -ENOSPC));
    cr_assert(eq(u64, came, 3));
    cr_assert(eq(u32, lam_module_metrics(module, keep_value, values), 2));
    cr_assert(eq(u64, values[0], 3));
    cr_assert(eq(u64, values[1], 3));
}

Test(modules, math_adds_and_multiplies_and_looks_at_what_it_is_given)
{
    const int64_t numbers[] = {-3, 5, 40};
    const int64_t large[] = {INT64_MAX, 2}, small[] = {INT64_MIN, -1};
    char odd[17] = {0};

    load("math");
    expect_number("add", numbers, 2, 2);
    expect_number("mul", numbers, 2, -15);
    expect_number("sum", numbers, 3, 42);
    expect_number("sum", numbers, 0, 0);
    odd[1] = 7; /* not aligned */
    odd[9] = 8;
    expect("add", odd + 1, 16, "\x0f\0\0\0\0\0\0", 8);
    for (uint64_t bytes = 0; bytes <= 17; bytes++) {
        if (bytes != 16)
            expect_refused("add", odd, bytes, -EINVAL);
        if (bytes != 16)
            expect_refused("mul", odd, bytes, -EINVAL);
        if (bytes % 8 != 0)
            expect_refused("sum", odd, bytes, -EINVAL);
    }
    expect_refused("add", large, 16, -ERANGE);
    expect_refused("mul", large, 16, -ERANGE);
    expect_refused("mul", small, 16, -ERANGE);
    expect_refused("sum", small, 16, -ERANGE);
}

Test(modules, string_works_on_bytes_and_joins_by_its_arena)
{
    static char pieces[1 << 16]; /* each of no bytes */

    load("string");
    expect("upper", "aZ{`1\xe4", 6, "AZ{`1\xe4", 6);
    expect("reverse", "abc", 3, "cba", 3);
    expect("reverse", NULL, 0, NULL, 0);
    expect("join", "\2, \3one\0\3two", 12, "one, , two", 10);
    expect("join", "\2, \3one", 7, "one", 3);
    expect("join", "\2, ", 3, NULL, 0);
    expect_refused("join", NULL, 0, -EINVAL);
    expect_refused("join", "\2,", 2, -EINVAL);
    expect_refused("join", "\2, \4one", 7, -EINVAL);
    expect_refused("join", pieces, sizeof(pieces), -ENOMEM);
    expect("join", "\1-\1a\1b", 6, "a-b", 3); /* the arena is whole again */
}

/* Values as MessagePack, which a caller of any language writes; {"a": 40, "b": 2} and the like. */
static void expect_calc(enum lam_module_host host)
{
    struct lam_module_options options = {.host = host};
    uint64_t needed = 2;
    char room[2];

    cr_assert(
        eq(int, lam_runtime_load(runtime, "calc", &options, &module, &error), 0), "%s", error.text);
    expect("add",
        "\x82\xa1"
        "a\x28\xa1"
        "b\x02",
        7, "\x81\xa5value\x2a", 8);
    expect("divide",
        "\x83\xa1"
        "b\x05\xa1"
        "a\xd0\xd8\xa5label\xa1q",
        16, "\x82\xa5value\xf8\xa5label\xa1q", 16);
    expect_refused("divide",
        "\x81\xa1"
        "a\x01",
        4, -EDOM);
    expect("summarize", "\x81\xa7numbers\x93\x05\xfd\x07", 13,
        "\x84\xa5"
        "count\x03\xa5least\xfd\xa7largest\x07\xa3sum\x09",
        29);
    expect("recall", NULL, 0, "\x81\xa5value\x00", 8);
    expect("keep",
        "\x81\xa1"
        "b\x07",
        4, NULL, 0);
    expect("recall", "\xc0", 1, "\x81\xa5value\x07", 8);
    expect("forget", "\x80", 1, NULL, 0);
    expect("recall", "\x90", 1, "\x81\xa5value\x00", 8);
    cr_assert(eq(int, module_ask(module, "recall", NULL, 0, room, &needed), -ENOSPC));
    cr_assert(eq(u64, needed, 8));
    expect_refused("add",
        "\x81\xa1"
        "a\xa1x",
        5, -EBADMSG);
    cr_assert(strstr(reason, "calc: ") == reason && strstr(reason, "calc.Operands.a") != NULL, "%s",
        reason);
}

Test(modules, calc_is_given_values_and_gives_values)
{
    expect_calc(LAM_MODULE_IN_PROCESS);
}

Test(modules, calc_does_so_in_a_worker)
{
    expect_calc(LAM_MODULE_IN_WORKER);
}

Test(modules, counter_keeps_its_state_over_a_reload)
{
    const int64_t numbers[] = {40, 2, INT64_MAX, INT64_MIN, -1};
    struct lam_reload_options keep = {.keep_state = 1};
    uint64_t value = 0;

    load("counter");
    expect_number("get", NULL, 0, 0);
    expect_number("add", &numbers[0], 1, 40);
    cr_assert(eq(int, lam_runtime_reload(module, &keep, &error), 0), "%s", error.text);
    expect_number("get", NULL, 0, 40);
    expect_number("add", &numbers[1], 1, 42);
    (void)lam_module_metrics(module, keep_value, &value);
    cr_assert(eq(u64, value, 42));
    expect_refused("add", &numbers[2], 8, -ERANGE);
    expect_refused("add", numbers, 7, -EINVAL);
    expect_refused("get", numbers, 8, -EINVAL);
    expect_number("get", NULL, 0, 42);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    expect_number("get", NULL, 0, 0);
    expect_number("add", &numbers[4], 1, -1);
    expect_refused("add", &numbers[3], 8, -ERANGE);
}

static void load_crypto(void)
{
    if (!HAS_CRYPTO)
        cr_skip_test("the crypto module is left out of this build: no libcrypto");
    load("crypto");
}

static void expect_digest(const char *method, const void *request, uint64_t bytes, const char *hex)
{
    uint8_t digest[32];

    for (int i = 0; i < 32; i++)
        cr_assert(eq(int, sscanf(hex + 2 * (size_t)i, "%2hhx", &digest[i]), 1));
    expect(method, request, bytes, digest, sizeof(digest));
}

/* Digests of FIPS 180-2, codes of RFC 4231. */
Test(modules, crypto_gives_the_known_answers)
{
    load_crypto();
    expect_digest(
        "sha256", NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest(
        "sha256", "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_digest("hmac-sha256", "\4Jefewhat do ya want for nothing?", 33,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect_digest("hmac-sha256",
        "\24\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13\13Hi There", 29,
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    expect_refused("hmac-sha256", NULL, 0, -EINVAL);
    expect_refused("hmac-sha256", "\4Jef", 4, -EINVAL);
}

Test(modules, crypto_gives_as_many_random_bytes_as_were_asked_for)
{
    char first[64] = {0}, second[64] = {0};
    uint64_t size = sizeof(first);

    load_crypto();
    cr_assert(eq(int, module_ask(module, "random", "\100\0\0\0", 4, first, &size), 0));
    cr_assert(eq(u64, size, 64));
    cr_assert(eq(int, module_ask(module, "random", "\100\0\0\0", 4, second, &size), 0));
    cr_assert(memcmp(first, second, sizeof(first)) != 0);
    cr_assert(eq(int, module_ask(module, "random", "\101\0\0\0", 4, second, &size), -ENOSPC));
    cr_assert(eq(u64, size, 65));
    expect("random", "\0\0\0\0", 4, NULL, 0);
    expect_refused("random", "\1\0\0", 3, -EINVAL);
    expect_refused("random", "\1\0\0\1", 4, -EINVAL);
}

static struct lam_module *math, *string;

/* Numbers and words of its own; returns NULL where an answer is another's. */
static void *call_both(void *own)
{
    int64_t numbers[2] = {*(int *)own, 0}, sum;
    char word[32], back[32];

    for (int i = 0; i < 5000; i++) {
        uint64_t size = sizeof(sum);
        int length;

        numbers[1] = i;
        if (module_ask(math, "add", numbers, sizeof(numbers), &sum, &size) != 0 ||
            sum != numbers[0] + i)
            return NULL;
        length = snprintf(word, sizeof(word), "%d:%d", *(int *)own, i);
        size = sizeof(back);
        if (module_ask(string, "reverse", word, (uint64_t)length, back, &size) != 0 ||
            size != (uint64_t)length)
            return NULL;
        for (int at = 0; at < length; at++)
            if (back[at] != word[length - 1 - at])
                return NULL;
    }
    return own;
}

Test(modules, math_and_string_are_called_by_several_threads_at_once)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    void *ok;

    math = load("math");
    string = load("string");
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = 1000000 * i;
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_both, &numbers[i]), 0));
    }
    for (int i = 0; i < THREADS; i++) {
        cr_assert(eq(int, pthread_join(threads[i], &ok), 0));
        cr_assert(ok == &numbers[i]);
    }
}
