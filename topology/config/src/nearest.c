/* SPDX-License-Identifier: Apache-2.0 */
/* Which known word was meant: edit distance, where swapped neighbours count as one edit. */
#include "node.h"

#include <string.h>

#define WORD_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

static int folded(char letter)
{
    if (letter == '-')
        return '_';
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

static unsigned distance(const char *left, size_t left_length, const char *right)
{
    size_t right_length = strlen(right);
    unsigned rows[3][WORD_MAX + 1];

    if (right_length > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= right_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= left_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *two_above = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= right_length; j++) {
            unsigned differs = folded(left[i - 1]) != folded(right[j - 1]);

            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] &&
                two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[left_length % 3][right_length];
}

const char *lam_config_nearest(const char *word, const char *const *words, size_t count)
{
    size_t length = strlen(word);
    unsigned best = (unsigned)(length / 3 > 0 ? length / 3 : 1) + 1;
    const char *found = NULL;

    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned edits = distance(word, length, words[i]);

        /* A word of one or two letters is near to any other: all of it would be replaced. */
        if (edits < best && edits < strlen(words[i]) && edits < length) {
            best = edits;
            found = words[i];
        }
    }
    return found;
}

static struct hint hint_of(const char *found)
{
    struct hint hint = {""};

    if (found != NULL)
        (void)snprintf(hint.text, sizeof(hint.text), " (did you mean \"%s\"?)", found);
    return hint;
}

struct hint config_field_hint(const struct lam_config_field *fields, const char *key)
{
    const char *words[128];
    size_t count = 0;

    for (; fields->key != NULL && count < 128; fields++)
        words[count++] = fields->key;
    return hint_of(lam_config_nearest(key, words, count));
}

struct hint config_child_hint(const struct lam_config_node *node, const char *key)
{
    const char *words[128];
    size_t count = 0;

    for (struct lam_config_node *child = node->first; child != NULL && count < 128;
         child = child->next)
        if (child->key != NULL)
            words[count++] = child->key;
    return hint_of(lam_config_nearest(key, words, count));
}
