/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c: a range is what all its terms leave of the line of versions, so it is one piece.
 */
#include "lamina/runtime/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PART_BITS 16
#define ABOVE_ALL (UINT64_C(1) << 3 * PART_BITS)

static uint64_t place_of(struct lam_version version)
{
    return ((uint64_t)version.major << 2 * PART_BITS) | ((uint64_t)version.minor << PART_BITS) |
           version.patch;
}

int lam_version_compare(struct lam_version a, struct lam_version b)
{
    uint64_t first = place_of(a), second = place_of(b);

    return (first > second) - (first < second);
}

const char *lam_version_format(struct lam_version version, char text[LAM_VERSION_TEXT_BYTES])
{
    (void)snprintf(
        text, LAM_VERSION_TEXT_BYTES, "%u.%u.%u", version.major, version.minor, version.patch);
    return text;
}

/* One to three numbers. Returns how many, or 0: there are none, or they make no sense. */
static int take_parts(const char **at, uint16_t parts[3])
{
    int count = 0;

    memset(parts, 0, 3 * sizeof(parts[0]));
    for (;;) {
        uint32_t number = 0;
        int digits = 0;

        for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
            number = number > UINT16_MAX ? number : number * 10 + (uint32_t)(**at - '0');
        if (digits == 0 || number > UINT16_MAX)
            return 0;
        parts[count++] = (uint16_t)number;
        if (count == 3 || **at != '.')
            return count;
        (*at)++;
    }
}

static uint64_t place_of_parts(const uint16_t parts[3])
{
    struct lam_version version = {.major = parts[0], .minor = parts[1], .patch = parts[2]};

    return place_of(version);
}

int lam_version_parse(const char *text, struct lam_version *version)
{
    uint16_t parts[3];

    if (take_parts(&text, parts) != 3 || *text != '\0')
        return -EINVAL;
    *version = (struct lam_version){.major = parts[0], .minor = parts[1], .patch = parts[2]};
    return 0;
}

/* The first version behind all that begin with the first @count numbers of @parts. */
static uint64_t place_behind(const uint16_t parts[3], int count)
{
    uint64_t step = UINT64_C(1) << (count >= 3 ? 0 : 3 - count) * PART_BITS;

    return (place_of_parts(parts) & ~(step - 1)) + step;
}

/* Where ^ ends: behind the first number that is not zero, or the last that was given. */
static uint64_t place_behind_caret(const uint16_t parts[3], int count)
{
    int kept = 1;

    while (kept < count && parts[kept - 1] == 0)
        kept++;
    return place_behind(parts, kept);
}

static const char *take_operator(const char **at)
{
    static const char *const operators[] = {">=", "<=", ">", "<", "=", "^", "~"};

    for (uint32_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (strncmp(*at, operators[i], strlen(operators[i])) == 0) {
            *at += strlen(operators[i]);
            return operators[i];
        }
    return "=";
}

static struct lam_range range_of(const char *operator, const uint16_t parts[3], int count)
{
    uint64_t place = place_of_parts(parts), behind = place_behind(parts, count);

    switch (operator[0]) {
    case '>':
        return (struct lam_range){operator[1] == '=' ? place : behind, ABOVE_ALL};
    case '<':
        return (struct lam_range){0, operator[1] == '=' ? behind : place };
    case '^':
        return (struct lam_range){place, place_behind_caret(parts, count)};
    case '~':
        return (struct lam_range){place, place_behind(parts, count < 2 ? count : 2)};
    default:
        return (struct lam_range){place, behind};
    }
}

/* One term. Returns 0 and narrows *@range, or -EINVAL. */
static int take_term(const char **at, struct lam_range *range)
{
    struct lam_range term;
    const char *operator;
    uint16_t parts[3];
    int count;

    if (**at == '*') {
        (*at)++;
        return 0;
    }
    operator= take_operator(at);
    *at += strspn(*at, " ");
    count = take_parts(at, parts);
    if (count == 0)
        return -EINVAL;
    term = range_of(operator, parts, count);
    range->low = term.low > range->low ? term.low : range->low;
    range->high = term.high < range->high ? term.high : range->high;
    return 0;
}

int lam_range_parse(struct lam_range *range, const char *text, struct lam_error *error)
{
    struct lam_range all = {0, ABOVE_ALL};
    const char *at = text == NULL ? "" : text;

    for (at += strspn(at, " "); *at != '\0';) {
        size_t between;

        if (take_term(&at, &all) != 0)
            return lam_error_set(error, -EINVAL,
                "\"%s\" is no range of versions: \"%.20s\" is not MAJOR.MINOR.PATCH behind "
                "=, ^, ~, >=, >, < or <=",
                text, at);
        between = strspn(at, " ,");
        if (*at != '\0' && between == 0)
            return lam_error_set(error, -EINVAL,
                "\"%s\" is no range of versions: \"%.20s\" follows without a comma", text, at);
        at += between;
    }
    if (all.low >= all.high)
        return lam_error_set(error, -EINVAL, "\"%s\": no version is in this range", text);
    *range = all;
    return 0;
}

int lam_range_has(const struct lam_range *range, struct lam_version version)
{
    return place_of(version) >= range->low && place_of(version) < range->high;
}
