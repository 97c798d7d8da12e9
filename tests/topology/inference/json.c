/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: each skip_ function moves over one thing and returns the byte behind it, or NULL.
 */

#include "json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

static const char *skip_space(const char *at)
{
    return at == NULL ? NULL : at + strspn(at, " \t\r\n");
}

static const char *skip_byte(const char *at, char byte)
{
    at = skip_space(at);
    return at != NULL && *at == byte ? at + 1 : NULL;
}

static const char *skip_string(const char *at)
{
    at = skip_byte(at, '"');
    while (at != NULL && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\') {
            at++;
            if (*at == 'u' && strspn(at + 1, "0123456789abcdefABCDEF") >= 4)
                at += 4;
            else if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL)
                return NULL;
        }
        at++;
    }
    return at == NULL ? NULL : at + 1;
}

static const char *skip_number(const char *at)
{
    const char *start = at;

    at += *at == '-';
    if (!isdigit((unsigned char)*at) || (*at == '0' && isdigit((unsigned char)at[1])))
        return NULL;
    at += strspn(at, "0123456789");
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");

        if (digits == 0)
            return NULL;
        at += 1 + digits;
    }
    return at == start ? NULL : at;
}

static const char *skip_value(const char *at, int depth);

/* An object or an array, from its first byte. */
static const char *skip_group(const char *at, int depth)
{
    char end = *at == '{' ? '}' : ']';
    int is_object = *at == '{';
    const char *after = skip_byte(at + 1, end);

    if (after != NULL)
        return after;
    at++;
    for (;;) {
        if (is_object)
            at = skip_byte(skip_string(at), ':');
        at = skip_value(at, depth + 1);
        if (at == NULL)
            return NULL;
        after = skip_byte(at, end);
        if (after != NULL)
            return after;
        at = skip_byte(at, ',');
        if (at == NULL)
            return NULL;
    }
}

static const char *skip_value(const char *at, int depth)
{
    static const char *const words[] = {"true", "false", "null"};

    at = skip_space(at);
    if (at == NULL || depth > DEPTH_MAX)
        return NULL;
    if (*at == '{' || *at == '[')
        return skip_group(at, depth);
    if (*at == '"')
        return skip_string(at);
    for (int i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    return skip_number(at);
}

int json_is_one_object(const char *text)
{
    const char *at = skip_space(text);

    if (*at != '{')
        return 0;
    at = skip_space(skip_value(at, 0));
    return at != NULL && *at == '\0';
}

/* The member or element @name, @length bytes, of the group at @at. */
static const char *enter(const char *at, const char *name, size_t length)
{
    int is_object = *at == '{';
    unsigned long wanted = is_object ? 0 : strtoul(name, NULL, 10);

    for (unsigned long i = 0; at != NULL && *at != '}' && *at != ']'; i++) {
        const char *key = at = skip_space(at + 1); /* behind the brace or the comma */

        if (is_object) {
            at = skip_space(skip_byte(skip_string(at), ':'));
            if (at != NULL && strncmp(key + 1, name, length) == 0 && key[1 + length] == '"')
                return at;
        } else if (i == wanted && *at != ']') {
            return at;
        }
        at = skip_space(skip_value(at, 0));
    }
    return NULL;
}

const char *json_find(const char *text, const char *path)
{
    const char *at = skip_space(text);

    while (at != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        if (*at != '{' && *at != '[')
            return NULL;
        at = enter(at, path, length);
        path += length + (path[length] == '.');
    }
    return at;
}

uint64_t json_count(const char *text, const char *path)
{
    const char *at = json_find(text, path);
    uint64_t value;

    return at != NULL && sscanf(at, "%" SCNu64, &value) == 1 ? value : UINT64_MAX;
}

int json_is_text(const char *text, const char *path, const char *wanted)
{
    const char *at = json_find(text, path);
    size_t length = strlen(wanted);

    return at != NULL && *at == '"' && strncmp(at + 1, wanted, length) == 0 &&
           at[1 + length] == '"';
}
