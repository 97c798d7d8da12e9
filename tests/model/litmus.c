/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the checker right? Small programs whose outcomes under C11 are known: each outcome that is
 * allowed must be seen, and no other one. A line is a program in words of a tiny language:
 *
 *     Wx1 store 1 to x     Wx1r with release      Rx load x     Rxa with acquire
 *     Xx1 exchange (acq_rel)      Ax1 add      Ox1 or (seq_cst)      Cx01 swap 0 for 1
 *     Fa Fr Fs fence: acquire, release, seq_cst
 *     Px1 plain store      Qx plain load: "race" where that may race
 *     ?1 go on only if the last value was 1
 *
 * Threads are separated by "|". An outcome is what loads, exchanges and adds returned ("-" where it
 * was not reached), in the order of the text, then, where the line says so, the last values of x
 * and y.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "litmus.h"
#include "model.h"

#define RESULT_COUNT_MAX  12
#define OUTCOME_COUNT_MAX 64

static lam_atomic_u64 words[3]; /* x, y, z */
static const struct litmus *now;
static char outcome[RESULT_COUNT_MAX + 3];
static char seen[OUTCOME_COUNT_MAX][RESULT_COUNT_MAX + 3];
static uint32_t seen_count;

static lam_atomic_u64 *word_of(char name)
{
    return &words[name - 'x'];
}

static uint64_t load(const char *step)
{
    if (step[2] == 'a')
        return lam_load_acquire(word_of(step[1]));
    return lam_load_relaxed(word_of(step[1]));
}

static void store(const char *step)
{
    uint64_t value = (uint64_t)(step[2] - '0');

    if (step[3] == 'r')
        lam_store_release(word_of(step[1]), value);
    else
        lam_store_relaxed(word_of(step[1]), value);
}

static void fence(const char *step)
{
    if (step[1] == 'a')
        lam_fence_acquire();
    else if (step[1] == 'r')
        lam_fence_release();
    else
        lam_fence_seq_cst();
}

static uint64_t modify(const char *step)
{
    uint64_t expected = (uint64_t)(step[2] - '0');
    uint64_t value = (uint64_t)(step[step[0] == 'C' ? 3 : 2] - '0');

    switch (step[0]) {
    case 'X':
        return lam_exchange_acq_rel(word_of(step[1]), value);
    case 'A':
        return lam_add_acq_rel(word_of(step[1]), value);
    case 'O':
        return lam_or_seq_cst(word_of(step[1]), value);
    default:
        (void)lam_cas_acq_rel(word_of(step[1]), &expected, value);
        return expected;
    }
}

static int has_result(char step)
{
    return strchr("RXAOCQ", step) != NULL;
}

static void run_step(const char *step, uint32_t *result, uint64_t *last)
{
    switch (step[0]) {
    case 'W':
        store(step);
        return;
    case 'F':
        fence(step);
        return;
    case 'P':
        model_write(word_of(step[1]), (uint64_t)(step[2] - '0'));
        return;
    case 'R':
        *last = load(step);
        break;
    case 'Q':
        *last = model_read(word_of(step[1]));
        break;
    default:
        *last = modify(step);
        break;
    }
    outcome[(*result)++] = (char)('0' + *last);
}

static void run_thread(uint32_t index)
{
    const char *at = now->text;
    uint32_t result = 0;
    uint64_t last = 0;

    for (; index > 0; at++) {
        result += at[0] != '|' && (at == now->text || at[-1] == ' ') && has_result(at[0]);
        index -= at[0] == '|';
    }
    for (at += strspn(at, " "); *at != '\0' && *at != '|'; at += strspn(at, " ")) {
        if (at[0] == '?' && last != (uint64_t)(at[1] - '0'))
            return;
        if (at[0] != '?')
            run_step(at, &result, &last);
        at += strcspn(at, " ");
    }
}

static void first(void)
{
    run_thread(0);
}

static void second(void)
{
    run_thread(1);
}

static void third(void)
{
    run_thread(2);
}

static void fourth(void)
{
    run_thread(3);
}

static void note(const char *what)
{
    for (uint32_t i = 0; i < seen_count; i++) {
        if (strcmp(seen[i], what) == 0)
            return;
    }
    CHECK(seen_count < OUTCOME_COUNT_MAX);
    (void)snprintf(seen[seen_count++], sizeof(seen[0]), "%s", what);
}

static void finally(void)
{
    char all[sizeof(outcome) + 2];

    (void)snprintf(all, sizeof(all), now->shows_last ? "%s%u%u" : "%s", outcome,
        (unsigned)lam_load_relaxed(&words[0]) % 10, (unsigned)lam_load_relaxed(&words[1]) % 10);
    note(all);
}

static void set_up(void)
{
    uint32_t count = 0;

    memset(words, 0, sizeof(words));
    memset(outcome, 0, sizeof(outcome));
    for (const char *at = now->text; *at != '\0'; at++)
        count += (at == now->text || at[-1] == ' ') && has_result(*at);
    memset(outcome, '-', count);
    model_region(outcome, sizeof(outcome));
}

/* Is @one among the words of @list? */
static int has_word(const char *list, const char *one)
{
    size_t length = strlen(one);

    for (const char *at = list; (at = strstr(at, one)) != NULL; at++) {
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return 1;
    }
    return 0;
}

static int has_seen(const char *word, size_t length)
{
    for (uint32_t i = 0; i < seen_count; i++) {
        if (strlen(seen[i]) == length && strncmp(seen[i], word, length) == 0)
            return 1;
    }
    return 0;
}

/* Returns how many outcomes are wrong. @all: those that are missing, too. */
static int compare(int all)
{
    int wrong = 0;

    for (uint32_t i = 0; i < seen_count; i++) {
        if (!has_word(now->outcomes, seen[i])) {
            (void)printf("%s: %s: forbidden, but seen\n", now->name, seen[i]);
            wrong++;
        }
    }
    for (const char *at = now->outcomes; all && *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        if (!has_seen(at, length)) {
            (void)printf("%s: %.*s: allowed, but not seen\n", now->name, (int)length, at);
            wrong++;
        }
        at += length;
    }
    return wrong;
}

static int run(const struct litmus *litmus, const struct model_options *options)
{
    struct model_program program = {.name = litmus->name,
        .set_up = set_up,
        .thread_count = 1,
        .threads = {first, second, third, fourth},
        .finally = finally};
    struct model_result result;

    for (const char *at = litmus->text; *at != '\0'; at++)
        program.thread_count += *at == '|';
    now = litmus;
    seen_count = 0;
    if (model_run(&program, options, &result) != 0)
        note(strncmp(result.text, "data race", 9) == 0 ? "race" : result.text);
    if (options->search == MODEL_ALL && !result.failed && !result.complete) {
        (void)printf("%s: not all schedules were tried\n", litmus->name);
        return 1;
    }
    if (options->search == MODEL_ALL)
        (void)printf("%-44s %7llu schedules, %u outcomes\n", litmus->name,
            (unsigned long long)result.schedules, seen_count);
    return compare(options->search == MODEL_ALL);
}

int main(void)
{
    const struct model_options all = {.search = MODEL_ALL, .quiet = 1};
    const struct model_options random = {
        .search = MODEL_RANDOM, .schedules_max = 300, .seed = 1, .quiet = 1};
    int wrong = 0;

    for (const struct litmus *test = litmus_tests; test->name != NULL; test++) {
        wrong += run(test, &all);
        wrong += run(test, &random);
    }
    return wrong != 0;
}
