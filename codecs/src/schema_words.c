/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_words.h"

#include <string.h>

#include "lamina/codecs/schema.h"

bool lam_words_next(struct lam_words *words)
{
    char *at = words->at;

    words->count = 0;
    if (*at == '\0')
        return false;
    words->line++;
    while (*at != '\0' && *at != '\n') {
        if (words->count == LAM_LINE_WORDS_MAX || *at == ' ')
            return false;
        words->words[words->count++] = at;
        at += strcspn(at, " \n");
        if (*at == ' ')
            *at++ = '\0';
    }
    if (*at == '\n')
        *at++ = '\0';
    words->at = at;
    return words->count != 0;
}

bool lam_words_number(const char *word, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (*word == '\0' || strlen(word) > 20)
        return false;
    for (; *word != '\0'; word++) {
        unsigned digit = (unsigned)(*word - '0');

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    *number = value;
    return value <= max;
}

unsigned lam_words_kind(const char *word)
{
    static const char *const names[LAM_KIND_UNION + 1] = {"", "bool", "i8", "u8", "i16", "u16",
        "i32", "u32", "i64", "u64", "f32", "f64", "string", "struct", "table", "union"};

    for (unsigned kind = LAM_KIND_UNION; kind > 0; kind--) {
        if (strcmp(word, names[kind]) == 0)
            return kind;
    }
    return 0;
}
