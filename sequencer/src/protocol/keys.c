/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UID_PREFIX "uid:"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A piece of a line. */
struct word {
    const char *at;
    size_t count;
};

void keys_text(const uint8_t key[FRAME_KEY_BYTES], char text[KEYS_BASE64_BYTES])
{
    for (size_t i = 0; i < 11; i++) {
        uint32_t bits = (uint32_t)key[3 * i] << 16 | (uint32_t)key[3 * i + 1] << 8;

        if (i < 10) /* 32 bytes are ten triples and a pair */
            bits |= key[3 * i + 2];
        for (size_t k = 0; k < 4; k++)
            text[4 * i + k] = digits[bits >> (18 - 6 * k) & 63];
    }
    text[43] = '=';
    text[44] = '\0';
}

/* 44 digits, the last of them '='. Returns 1, or 0: they are no key, or not as keys_text says. */
static int read_key(struct word word, uint8_t key[FRAME_KEY_BYTES])
{
    uint32_t bits = 0;
    unsigned used = 0;

    if (word.count != 44 || word.at[43] != '=')
        return 0;
    for (unsigned i = 0; i < 43; i++) {
        const char *found = memchr(digits, word.at[i], sizeof(digits) - 1);

        if (found == NULL)
            return 0;
        bits = bits << 6 | (uint32_t)(found - digits);
        if (i % 4 == 0)
            continue;
        key[used++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return (bits & 3) == 0; /* what is left over is zeros, or two texts were one key */
}

static int read_number(struct word word, uint32_t *number)
{
    uint64_t value = 0;

    if (word.count == 0 || word.count > 10)
        return 0;
    for (size_t i = 0; i < word.count; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return 0;
        value = 10 * value + (uint64_t)(word.at[i] - '0');
    }
    *number = (uint32_t)value;
    return value <= UINT32_MAX;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct word next_word(struct word *line)
{
    struct word word;

    while (line->count != 0 && is_blank(line->at[0])) {
        line->at++;
        line->count--;
    }
    word = (struct word){line->at, 0};
    while (line->count != 0 && !is_blank(line->at[0])) {
        line->at++;
        line->count--;
        word.count++;
    }
    return word;
}

/* Keys before uids, both in order. */
static int compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;

    if (a->is_uid != b->is_uid)
        return a->is_uid < b->is_uid ? -1 : 1;
    if (a->uid != b->uid)
        return a->uid < b->uid ? -1 : 1;
    return memcmp(a->key, b->key, sizeof(a->key));
}

/* Returns 1 and *@key, 0: the line says nothing, or -EINVAL. */
static int read_line(
    struct word line, const char *path, uint32_t number, struct key *key, struct lam_error *error)
{
    struct word role = next_word(&line), who = next_word(&line);
    size_t prefix = sizeof(UID_PREFIX) - 1;

    if (role.count == 0 || role.at[0] == '#')
        return 0;
    *key = (struct key){.line = number};
    if (!read_number(role, &key->role))
        return lam_error_set(error, -EINVAL,
            "%s:%u: \"%.*s\" is no role: a line is ROLE KEY COMMENT, and ROLE a number below 2^32",
            path, number, (int)(role.count < 40 ? role.count : 40), role.at);
    if (who.count >= prefix && memcmp(who.at, UID_PREFIX, prefix) == 0) {
        struct word uid = {who.at + prefix, who.count - prefix};

        key->is_uid = 1;
        if (read_number(uid, &key->uid) && key->uid != (uid_t)-1)
            return 1;
        return lam_error_set(
            error, -EINVAL, "%s:%u: behind \"uid:\" the number of a user is wanted", path, number);
    }
    if (read_key(who, key->key))
        return 1;
    return lam_error_set(error, -EINVAL,
        "%s:%u: the second word is no key: 32 bytes in base64 are wanted, 44 characters with one "
        "\"=\" at the end; or uid:NUMBER",
        path, number);
}

/* The next line of @rest. */
static struct word cut_line(struct word *rest)
{
    const char *end = memchr(rest->at, '\n', rest->count);
    struct word line = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->count};
    size_t used = line.count + (end != NULL);

    rest->at += used;
    rest->count -= used;
    return line;
}

static int add(struct keys *keys, const struct key *key, const char *path, struct lam_error *error)
{
    if (keys->count == KEYS_COUNT_MAX)
        return lam_error_set(
            error, -E2BIG, "%s:%u: more than %d keys", path, key->line, KEYS_COUNT_MAX);
    if ((keys->count & (keys->count - 1)) == 0) {
        size_t room = keys->count == 0 ? 1 : 2 * (size_t)keys->count;
        struct key *more = realloc(keys->all, room * sizeof(*more));

        if (more == NULL)
            return lam_error_set(error, -ENOMEM, "%s: out of memory for its keys", path);
        keys->all = more;
    }
    keys->all[keys->count++] = *key;
    return 0;
}

static int put_in_order(struct keys *keys, const char *path, struct lam_error *error)
{
    if (keys->count == 0)
        return lam_error_set(error, -EINVAL,
            "%s: it has no key, so that nobody could come in: add a line ROLE KEY COMMENT", path);
    qsort(keys->all, keys->count, sizeof(*keys->all), compare);
    for (uint32_t i = 1; i < keys->count; i++) {
        uint32_t a = keys->all[i - 1].line, b = keys->all[i].line;

        if (compare(&keys->all[i - 1], &keys->all[i]) == 0)
            return lam_error_set(error, -EINVAL,
                "%s:%u: this %s stands in line %u, too: leave one of them", path, a > b ? a : b,
                keys->all[i].is_uid ? "uid" : "key", a < b ? a : b);
    }
    return 0;
}

int keys_parse(
    struct keys *keys, const char *bytes, size_t count, const char *path, struct lam_error *error)
{
    struct word rest = {bytes, count};
    int rc = 0;

    *keys = (struct keys){NULL, 0};
    for (uint32_t number = 1; rc == 0 && rest.count != 0; number++) {
        struct key key;

        rc = read_line(cut_line(&rest), path, number, &key, error);
        if (rc == 1)
            rc = add(keys, &key, path, error);
    }
    if (rc == 0)
        rc = put_in_order(keys, path, error);
    if (rc != 0)
        keys_free(keys);
    return rc;
}

void keys_free(struct keys *keys)
{
    free(keys->all);
    *keys = (struct keys){NULL, 0};
}

static int find(const struct keys *keys, const struct key *wanted, uint32_t *role)
{
    const struct key *found =
        keys->count != 0 ? bsearch(wanted, keys->all, keys->count, sizeof(*wanted), compare) : NULL;

    if (found == NULL)
        return 0;
    *role = found->role;
    return 1;
}

int keys_find(const struct keys *keys, const uint8_t key[FRAME_KEY_BYTES], uint32_t *role)
{
    struct key wanted = {.is_uid = 0};

    memcpy(wanted.key, key, sizeof(wanted.key));
    return find(keys, &wanted, role);
}

int keys_find_uid(const struct keys *keys, uid_t uid, uint32_t *role)
{
    struct key wanted = {.is_uid = 1, .uid = uid};

    return find(keys, &wanted, role);
}
