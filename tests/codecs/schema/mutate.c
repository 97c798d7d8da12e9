/* SPDX-License-Identifier: Apache-2.0 */

/*
 * mutate: whatever bytes a schema has, the front end ends, soon and in order: it answers with a
 * schema or with a message that has a place, never with a crash. Method: schemas with random
 * mistakes (bytes changed, pieces cut, doubled, moved, words of the language put in), from a fixed
 * seed. LAMINA_EFFORT multiplies the rounds. Official schemas are used where they are found.
 */

#include "dump.h"
#include "sources.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS     20000u
#define TEXT_BYTES (64u * 1024u)

static const char own[] =
    "namespace a.b;\nattribute \"mine\";\n/// Doc.\nenum E : ubyte (bit_flags) { A, B = 3 }\n"
    "enum F : long { X = -5, Y, Z = 0 }\nstruct S (force_align: 16) { a:[int:3]; b:E; }\n"
    "struct R { s:[S:2]; c:bool; }\nunion U { T, Alias: T, S, Text: string }\n"
    "table T { k:string (key); u:U; us:[U]; n:[ubyte] (nested_flatbuffer: \"T\"); r:R;\n"
    "  e:E = \"A B\"; f:F = Y; d:double = -inf; g:float = 1.5e-3; h:ulong = 0xFFFF; i:int = null;\n"
    "  j:[string] (max: 8, max_text: 9, required); l:T (deprecated); m:bool = true (mine: 1); }\n"
    "rpc_service V { m(T):T (streaming: \"none\"); }\nroot_type T;\n"
    "file_identifier \"ABCD\";\nfile_extension \"bin\";\n";

static const char *const words[] = {"table", "struct", "enum", "union", "{", "}", "(", ")", "[",
    "]", ":", ";", ",", "=", "\"", "\\u0041", "//", "/*", "*/", "-", "18446744073709551616", "null",
    "nan", "id: 0", "force_align: 32", "include \"t.fbs\";", "namespace", "string", "T", "a.b.T",
    "\xff", "\n", "99999", "[T]", "[[", "root_type T;"};

static uint64_t state = 88172645463325252u;

static size_t pick(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below == 0 ? 0 : (size_t)(state % below);
}

/* Replace @cut bytes at @at of @text by the @bytes at @part, if there is room. */
static void splice(char *text, size_t at, size_t cut, const char *part, size_t bytes)
{
    size_t length = strlen(text);

    if (cut > length - at)
        cut = length - at;
    if (length - cut + bytes >= TEXT_BYTES)
        return;
    memmove(text + at + bytes, text + at + cut, length - at - cut + 1);
    memcpy(text + at, part, bytes);
}

static void mutate(char *text)
{
    size_t length = strlen(text);
    size_t at = pick(length + 1);
    char piece[256];
    size_t bytes = pick(sizeof(piece));
    const char *word = words[pick(sizeof(words) / sizeof(words[0]))];
    char byte = (char)(1 + pick(255));

    switch (pick(5)) {
    case 0:
        splice(text, at, 1, &byte, 1);
        break;
    case 1:
        splice(text, at, pick(40), "", 0);
        break;
    case 2:
        splice(text, at, pick(2) * pick(8), word, strlen(word));
        break;
    case 3:
        if (bytes > length - at)
            bytes = length - at;
        memcpy(piece, text + at, bytes);
        splice(text, pick(length + 1), 0, piece, bytes);
        break;
    default:
        text[at] = '\0';
    }
}

/* Returns whether the answer to @text is in order. */
static bool answers(const char *text)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;
    int result = text_load(text, &diagnostics, &schema);
    const char *message = schema_diagnostics_text(&diagnostics);
    bool ordered = result == 0 ? *message == '\0' && schema != NULL
                               : result == -EINVAL && strncmp(message, "t.fbs:", 6) == 0 &&
                                     strstr(message, ": error: ") != NULL;

    if (result == 0) {
        char *dump = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&dump, &bytes);

        ordered = ordered && out != NULL && dump_schema(schema, out) == 0;
        if (out != NULL && fclose(out) != 0)
            ordered = false;
        free(dump);
    }
    if (!ordered)
        printf("result %d, message: %s\n", result, message);
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
    return ordered;
}

/* Rounds on one schema. Returns whether every mutant was answered in order, and soon. */
static bool mutate_all(const char *name, const char *schema, unsigned rounds)
{
    static char text[TEXT_BYTES];

    for (unsigned round = 0; round < rounds; round++) {
        struct timespec begin;
        struct timespec end;
        int64_t took_ms;

        snprintf(text, sizeof(text), "%s", schema);
        for (size_t i = 1 + pick(4); i > 0; i--)
            mutate(text);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        if (!answers(text)) {
            printf("%s, round %u:\n%s\n", name, round, text);
            return false;
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        took_ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
        if (took_ms > 5000) {
            printf("%s, round %u: took %lld ms:\n%s\n", name, round, (long long)took_ms, text);
            return false;
        }
    }
    return true;
}

static unsigned mutate_official(const char *folder, unsigned rounds, bool *failed)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;

    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && !*failed;) {
        static char text[TEXT_BYTES];
        char path[4096 + 260];
        FILE *in;

        if (strstr(entry->d_name, ".fbs") == NULL)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        in = fopen(path, "re");
        if (in == NULL)
            continue;
        text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
        fclose(in);
        *failed = !mutate_all(entry->d_name, text, rounds);
        count++;
    }
    closedir(dir);
    return count;
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    const char *data = getenv("LAMINA_TEST_DATA");
    unsigned rounds = ROUNDS * (effort != NULL && atoi(effort) > 0 ? (unsigned)atoi(effort) : 1);
    char folder[4096];
    bool failed = false;
    unsigned count;

    if (!answers(own) || !mutate_all("own", own, rounds))
        return 1;
    snprintf(folder, sizeof(folder), "%s/flatbuffers", data != NULL ? data : "/nonexistent");
    count = mutate_official(folder, rounds / 8, &failed);
    printf("%u mutants of our own schema, %u of each of %u official ones\n", rounds, rounds / 8,
        count);
    return failed ? 1 : 0;
}
