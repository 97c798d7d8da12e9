/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_line.c: strict on purpose. A field is taken whole or the line is refused, with a reason
 * that names the field: a trace that is slightly wrong gives figures that are quietly wrong.
 */

#include "trace_line.h"

#include <stdbool.h>
#include <string.h>

struct text {
    const char *at;
    const char *end;
};

static bool take_byte(struct text *text, char byte)
{
    if (text->at == text->end || *text->at != byte)
        return false;
    text->at++;
    return true;
}

/* Exactly @digits decimal digits, between @low and @high. */
static bool take_fixed(struct text *text, int digits, uint32_t low, uint32_t high, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        if (text->at == text->end || *text->at < '0' || *text->at > '9')
            return false;
        *value = *value * 10 + (uint32_t)(*text->at++ - '0');
    }
    return *value >= low && *value <= high;
}

/* One to nine digits behind a point, as nanoseconds. */
static bool take_fraction(struct text *text, uint32_t *fraction_ns)
{
    uint32_t scale = 100000000;
    int digits = 0;

    *fraction_ns = 0;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; digits++) {
        if (digits == 9)
            return false;
        *fraction_ns += (uint32_t)(*text->at++ - '0') * scale;
        scale /= 10;
    }
    return digits > 0;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (uint32_t)(leap && month == 2);
}

static uint64_t seconds_since_epoch(uint32_t year, uint32_t month, uint32_t day)
{
    uint64_t days = day - 1;

    for (uint32_t m = 1; m < month; m++)
        days += days_of_month(year, m);
    /* Leap days of the whole years before this one, less those before 1970. */
    year--;
    days += (uint64_t)(year - 1969) * 365 + (year / 4 - year / 100 + year / 400) -
            (1969 / 4 - 1969 / 100 + 1969 / 400);
    return days * 86400;
}

static const char *take_timestamp(struct text *text, uint64_t *arrival_ns)
{
    uint32_t year, month, day, hour, minute, second;
    uint32_t fraction_ns = 0;
    bool good = take_fixed(text, 4, 1970, 2500, &year) && take_byte(text, '-') &&
                take_fixed(text, 2, 1, 12, &month) && take_byte(text, '-') &&
                take_fixed(text, 2, 1, days_of_month(year, month), &day) && take_byte(text, ' ') &&
                take_fixed(text, 2, 0, 23, &hour) && take_byte(text, ':') &&
                take_fixed(text, 2, 0, 59, &minute) && take_byte(text, ':') &&
                take_fixed(text, 2, 0, 59, &second);

    if (good && take_byte(text, '.'))
        good = take_fraction(text, &fraction_ns);
    if (!good || text->at == text->end || *text->at != ',')
        return "TIMESTAMP is not a time like 2023-11-16 18:15:46.6805900";
    text->at++;
    *arrival_ns = (seconds_since_epoch(year, month, day) + (uint64_t)hour * 3600 +
                      (uint64_t)minute * 60 + second) *
                      UINT64_C(1000000000) +
                  fraction_ns;
    return NULL;
}

/* A whole number of tokens that ends at a comma, or at the end of the text. */
static const char *take_tokens(struct text *text, bool last, const char *reason, uint32_t *value)
{
    const char *start = text->at;
    uint64_t sum = 0;

    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        sum = sum * 10 + (uint64_t)(*text->at - '0');
        if (sum > TRACE_TOKENS_MAX)
            return reason;
    }
    if (text->at == start || (last ? text->at != text->end : !take_byte(text, ',')))
        return reason;
    *value = (uint32_t)sum;
    return NULL;
}

static const char *wrong_field_count(const char *text, size_t length)
{
    size_t commas = 0;

    if (length == 0)
        return "the line is empty";
    for (size_t i = 0; i < length; i++)
        commas += text[i] == ',';
    if (commas < 2)
        return "fewer than 3 fields (" TRACE_HEADER ")";
    if (commas > 2)
        return "more than 3 fields (" TRACE_HEADER ")";
    return NULL;
}

const char *trace_parse_line(const char *text, size_t length, struct trace_line *line)
{
    struct text rest = {text, text + length};
    const char *reason = wrong_field_count(text, length);

    if (reason == NULL)
        reason = take_timestamp(&rest, &line->arrival_ns);
    if (reason == NULL)
        reason = take_tokens(&rest, false, "ContextTokens is not a whole number from 0 to 1000000",
            &line->context_tokens);
    if (reason == NULL)
        reason = take_tokens(&rest, true, "GeneratedTokens is not a whole number from 0 to 1000000",
            &line->generated_tokens);
    return reason;
}
