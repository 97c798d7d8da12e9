/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnostics.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer source line is shown as the part around the mistake. */
#define EXCERPT_BYTES 160u

void schema_diagnostics_init(struct schema_diagnostics *diagnostics)
{
    *diagnostics = (struct schema_diagnostics){0};
}

void schema_diagnostics_fini(struct schema_diagnostics *diagnostics)
{
    free(diagnostics->text);
    *diagnostics = (struct schema_diagnostics){0};
}

const char *schema_diagnostics_text(const struct schema_diagnostics *diagnostics)
{
    return diagnostics->text == NULL ? "" : diagnostics->text;
}

static void append(struct schema_diagnostics *diagnostics, const char *text, size_t bytes)
{
    if (diagnostics->text_bytes + bytes + 1 > diagnostics->capacity) {
        size_t capacity = (diagnostics->text_bytes + bytes + 1) * 2;
        char *larger = realloc(diagnostics->text, capacity);

        if (larger == NULL)
            return; /* the error still counts; only its words are lost */
        diagnostics->text = larger;
        diagnostics->capacity = capacity;
    }
    memcpy(diagnostics->text + diagnostics->text_bytes, text, bytes);
    diagnostics->text_bytes += bytes;
    diagnostics->text[diagnostics->text_bytes] = '\0';
}

static void append_text(struct schema_diagnostics *diagnostics, const char *text)
{
    append(diagnostics, text, strlen(text));
}

static void append_formatted(
    struct schema_diagnostics *diagnostics, const char *format, va_list arguments)
{
    char text[2048];
    int bytes = vsnprintf(text, sizeof(text), format, arguments);

    if (bytes >= 0)
        append_text(diagnostics, text);
}

static const char *line_start(const struct schema_place *place)
{
    const char *at = place->file->text;

    for (uint32_t line = 1; line < place->line; line++) {
        const char *end = strchr(at, '\n');

        if (end == NULL)
            return at;
        at = end + 1;
    }
    return at;
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0u) != 0x80u;
}

/* Source bytes may hold anything: what could steer a terminal is shown as a question mark. */
static void append_shown(struct schema_diagnostics *diagnostics, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];

        append(diagnostics, byte == '\t' || (byte >= 0x20 && byte != 0x7f) ? &text[i] : "?", 1);
    }
}

/* The caret stands under its character: tabs are repeated, multi-byte characters count once. */
static void append_caret(struct schema_diagnostics *diagnostics, const char *text, size_t before,
    size_t bytes, uint32_t length)
{
    size_t end = before + length < bytes ? before + length : bytes;

    append_text(diagnostics, "    ");
    for (size_t i = 0; i < before && i < bytes; i++)
        if (starts_character(text[i]))
            append_text(diagnostics, text[i] == '\t' ? "\t" : " ");
    append_text(diagnostics, "^");
    for (size_t i = before + 1; i < end; i++)
        if (starts_character(text[i]))
            append_text(diagnostics, "~");
    append_text(diagnostics, "\n");
}

static void append_excerpt(struct schema_diagnostics *diagnostics, const struct schema_place *place)
{
    const char *text = line_start(place);
    size_t bytes = strcspn(text, "\n");
    size_t before = place->column - 1;

    if (bytes > 0 && text[bytes - 1] == '\r')
        bytes--;
    if (before > bytes)
        before = bytes;
    if (bytes > EXCERPT_BYTES && before > EXCERPT_BYTES / 2) {
        size_t skip = before - EXCERPT_BYTES / 2;

        while (skip < before && !starts_character(text[skip]))
            skip++;
        text += skip;
        bytes -= skip;
        before -= skip;
    }
    if (bytes > EXCERPT_BYTES)
        bytes = EXCERPT_BYTES;
    append_text(diagnostics, "    ");
    append_shown(diagnostics, text, bytes);
    append_text(diagnostics, "\n");
    append_caret(diagnostics, text, before, bytes, place->length);
}

static void add_message(struct schema_diagnostics *diagnostics, const struct schema_place *place,
    const char *kind, const char *format, va_list arguments)
{
    char position[64];

    if (place->file != NULL) {
        append_text(diagnostics, place->file->path);
        if (place->line != 0) {
            int bytes = snprintf(position, sizeof(position), ":%u:%u", (unsigned)place->line,
                (unsigned)place->column);

            append(diagnostics, position, bytes > 0 ? (size_t)bytes : 0);
        }
        append_text(diagnostics, ": ");
    }
    append_text(diagnostics, kind);
    append_formatted(diagnostics, format, arguments);
    append_text(diagnostics, "\n");
    if (place->file != NULL && place->line != 0 && place->file->text != NULL)
        append_excerpt(diagnostics, place);
}

int schema_error_at(struct schema_diagnostics *diagnostics, const struct schema_place *place,
    const char *format, ...)
{
    va_list arguments;

    diagnostics->error_count++;
    if (diagnostics->error_count > SCHEMA_MESSAGE_COUNT_MAX) {
        if (!diagnostics->suppressed)
            append_text(diagnostics, "further errors are not shown\n");
        diagnostics->suppressed = true;
        return -EINVAL;
    }
    va_start(arguments, format);
    add_message(diagnostics, place, "error: ", format, arguments);
    va_end(arguments);
    return -EINVAL;
}

void schema_note_at(struct schema_diagnostics *diagnostics, const struct schema_place *place,
    const char *format, ...)
{
    va_list arguments;

    if (diagnostics->suppressed)
        return;
    va_start(arguments, format);
    add_message(diagnostics, place, "note: ", format, arguments);
    va_end(arguments);
}
