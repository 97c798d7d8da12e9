/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars by their row: what `4KiB`, `10ms`, `true` mean, and nothing else means anything.
 *
 * Quotes do not change a value, because JSON must quote what YAML need not.
 */
#include "node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit bytes_units[] = {
    {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};

static const struct unit duration_units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000},
    {"s", 1000000000}, {"min", UINT64_C(60000000000)}, {NULL, 0}};

static const struct unit number_units[] = {{"", 1}, {NULL, 0}};

struct shown config_shown(const char *text)
{
    struct shown shown;
    size_t used = 0;

    for (; text[used] != '\0' && used < sizeof(shown.text) - 1; used++) {
        shown.text[used] = text[used];
        if ((unsigned char)text[used] < ' ' || text[used] == 0x7f)
            shown.text[used] = '?';
    }
    shown.text[used] = '\0';
    if (text[used] != '\0') {
        /* Cut at the start of a character, or the report is no longer UTF-8. */
        used -= 3;
        while (used > 0 && ((unsigned char)text[used] & 0xc0) == 0x80)
            used--;
        memcpy(shown.text + used, "...", 4);
    }
    return shown;
}

int config_is_name(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > LAM_CONFIG_NAME_MAX)
        return 0;
    if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')))
        return 0;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
           length;
}

static int word_index(const char *const *words, const char *text)
{
    for (int i = 0; words != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

static size_t word_count(const char *const *words)
{
    size_t count = 0;

    while (words != NULL && words[count] != NULL)
        count++;
    return count;
}

/* "a, b or c" */
static void list_words(const char *const *words, char *text, size_t bytes)
{
    size_t count = word_count(words);
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", words[i],
            i + 2 < count ? ", " : (i + 2 == count ? " or " : ""));
}

static void bind_word(struct lam_config *config, struct lam_config_node *node)
{
    const char *const *words = node->field->words;
    const char *near;
    char all[256];

    node->word = word_index(words, node->text);
    if (node->word >= 0)
        return;
    list_words(words, all, sizeof(all));
    near = lam_config_nearest(node->text, words, word_count(words));
    if (near != NULL)
        (void)lam_config_problem(config, node, "\"%s\" is not one of %s (did you mean \"%s\"?)",
            config_shown(node->text).text, all, near);
    else
        (void)lam_config_problem(
            config, node, "\"%s\" is not one of %s", config_shown(node->text).text, all);
}

static void bind_flag(struct lam_config *config, struct lam_config_node *node)
{
    if (strcmp(node->text, "true") == 0)
        node->number = 1;
    else if (strcmp(node->text, "false") != 0)
        (void)lam_config_problem(
            config, node, "\"%s\" is neither true nor false", config_shown(node->text).text);
}

/* Digits, then a unit. Returns 0, or -EINVAL (form) or -ERANGE (64 bits do not hold it). */
static int parse_quantity(const char *text, const struct unit *units, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    uint64_t number;

    if (digits == 0)
        return -EINVAL;
    unit += *unit == ' ';
    errno = 0;
    number = strtoull(text, NULL, 10);
    for (; units->name != NULL; units++) {
        if (strcmp(units->name, unit) != 0)
            continue;
        if (errno == ERANGE || number > UINT64_MAX / units->factor)
            return -ERANGE;
        *value = number * units->factor;
        return 0;
    }
    return -EINVAL;
}

static const struct unit *units_of(enum lam_config_kind kind)
{
    if (kind == LAM_CONFIG_BYTES)
        return bytes_units;
    return kind == LAM_CONFIG_DURATION ? duration_units : number_units;
}

/* The largest unit that divides @value. */
static void print_quantity(const struct unit *units, uint64_t value, char *text, size_t bytes)
{
    const struct unit *best = units;

    for (; units->name != NULL; units++)
        if (value != 0 && value % units->factor == 0)
            best = units;
    (void)snprintf(text, bytes, "%" PRIu64 "%s", value / best->factor, best->name);
}

static void refuse_form(struct lam_config *config, const struct lam_config_node *node)
{
    struct shown shown = config_shown(node->text);
    const char *found = shown.text;
    char also[192] = "";
    char words[128];

    if (word_count(node->field->words) > 0) {
        list_words(node->field->words, words, sizeof(words));
        (void)snprintf(also, sizeof(also), ", nor %s", words);
    }
    if (node->field->kind == LAM_CONFIG_BYTES)
        (void)lam_config_problem(config, node,
            "\"%s\" is not a size: digits, then B, KiB, MiB or GiB, as in 64KiB%s", found, also);
    else if (node->field->kind == LAM_CONFIG_DURATION)
        (void)lam_config_problem(config, node,
            "\"%s\" is not a duration: digits, then ns, us, ms, s or min, as in 10ms%s", found,
            also);
    else
        (void)lam_config_problem(
            config, node, "\"%s\" is not a whole number (decimal digits only)%s", found, also);
}

static uint64_t power_of_two_above(uint64_t value)
{
    uint64_t power = 1;

    while (power < value && power <= UINT64_MAX / 2)
        power *= 2;
    return power;
}

static void check_range(struct lam_config *config, const struct lam_config_node *node)
{
    const struct lam_config_field *field = node->field;
    const struct unit *units = units_of(field->kind);
    struct shown shown = config_shown(node->text);
    char bound[32];

    if (node->number < field->min) {
        print_quantity(units, field->min, bound, sizeof(bound));
        (void)lam_config_problem(config, node, "%s is too small: at least %s", shown.text, bound);
    } else if (field->max != 0 && node->number > field->max) {
        print_quantity(units, field->max, bound, sizeof(bound));
        (void)lam_config_problem(config, node, "%s is too large: at most %s", shown.text, bound);
    } else if ((field->flags & LAM_CONFIG_POWER_OF_TWO) != 0 &&
               (node->number & (node->number - 1)) != 0) {
        print_quantity(units, power_of_two_above(node->number), bound, sizeof(bound));
        (void)lam_config_problem(
            config, node, "%s is not a power of two (next: %s)", shown.text, bound);
    }
}

static void bind_quantity(struct lam_config *config, struct lam_config_node *node)
{
    struct shown shown = config_shown(node->text);
    int code;

    node->word = word_index(node->field->words, node->text);
    if (node->word >= 0)
        return;
    code = parse_quantity(node->text, units_of(node->field->kind), &node->number);
    if (code == -EINVAL)
        refuse_form(config, node);
    else if (code == -ERANGE)
        (void)lam_config_problem(config, node, "%s does not fit in 64 bits", shown.text);
    else
        check_range(config, node);
}

static void bind_text(struct lam_config *config, struct lam_config_node *node)
{
    size_t length = strlen(node->text);

    if (node->field->max != 0 && length > node->field->max)
        (void)lam_config_problem(
            config, node, "%zu bytes long: at most %" PRIu64, length, node->field->max);
    else if (length > 0 && length < node->field->min)
        (void)lam_config_problem(
            config, node, "%zu bytes long: at least %" PRIu64, length, node->field->min);
    else if (length < node->field->min)
        (void)lam_config_problem(config, node, "must not be empty");
}

static void bind_name(struct lam_config *config, struct lam_config_node *node)
{
    if (!config_is_name(node->text))
        (void)lam_config_problem(config, node,
            "\"%s\" is not a name: a letter, then letters, digits, - or _, at most %d in all",
            config_shown(node->text).text, LAM_CONFIG_NAME_MAX);
}

void config_bind_scalar(struct lam_config *config, struct lam_config_node *node)
{
    if (!node->quoted && node->origin == NULL && !node->is_default &&
        (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0)) {
        (void)lam_config_problem(config, node, "has no value: give one, or leave the key out%s",
            node->field->kind == LAM_CONFIG_TEXT ? "; an empty text is \"\"" : "");
        return;
    }
    switch (node->field->kind) {
    case LAM_CONFIG_TEXT:
        bind_text(config, node);
        return;
    case LAM_CONFIG_NAME:
        bind_name(config, node);
        return;
    case LAM_CONFIG_FLAG:
        bind_flag(config, node);
        return;
    case LAM_CONFIG_WORD:
        bind_word(config, node);
        return;
    default:
        bind_quantity(config, node);
        return;
    }
}
