/* SPDX-License-Identifier: Apache-2.0 */
#include "notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct lam_string print(char *to, size_t bytes, const char *what, uint64_t number)
{
    int length =
        snprintf(to, bytes, "%s %" PRIu64 " %.*s", what, number, (int)(number % 7), "......");

    return lam_string_of(to, (size_t)length);
}

void note_make(struct test_Note *note, struct note_room *room, uint64_t number)
{
    test_Note_init(note);
    note->id = number;
    note->text = print(room->text, sizeof(room->text), "note", number);
    note->marks.data = room->marks;
    note->marks.count = (uint32_t)(number % NOTE_MARK_COUNT_MAX);
    for (uint32_t i = 0; i < note->marks.count; i++)
        room->marks[i] = (uint32_t)(number * 31 + i);
    note->lines.data = room->lines;
    note->lines.count = (uint32_t)(number % (NOTE_LINE_COUNT_MAX + 1));
    for (uint32_t i = 0; i < note->lines.count; i++) {
        struct test_Line *line = &room->lines[i];

        line->text = print(room->line_text[i], sizeof(room->line_text[i]), "l", i);
        line->points.data = room->points[i];
        line->points.count = (uint32_t)((number + i) % (NOTE_POINT_COUNT_MAX + 1));
        for (uint32_t k = 0; k < line->points.count; k++)
            room->points[i][k] = (struct test_Point){(float)(i + k), (float)(number % 1000)};
    }
    note->color = (test_Color)(number % 3);
    note->ratio = (double)number * 0.5;
    note->done = (number & 1) != 0;
    note->tags.data = room->tags;
    note->tags.count = (uint32_t)(number % (NOTE_TAG_COUNT_MAX + 1));
    for (uint32_t i = 0; i < note->tags.count; i++)
        room->tags[i] = print(room->tag_text[i], sizeof(room->tag_text[i]), "t", i);
}

static int same_text(struct lam_string a, struct lam_string b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static int same_points(struct test_Point_span a, struct test_Point_span b)
{
    return a.count == b.count &&
           (a.count == 0 || memcmp(a.data, b.data, a.count * sizeof(*a.data)) == 0);
}

static int same_marks(struct lam_u32_span a, struct lam_u32_span b)
{
    return a.count == b.count &&
           (a.count == 0 || memcmp(a.data, b.data, a.count * sizeof(*a.data)) == 0);
}

int note_is(const struct test_Note *note, uint64_t number)
{
    struct note_room room;
    struct test_Note want;

    note_make(&want, &room, number);
    if (note->id != number || !same_text(note->text, want.text) ||
        !same_marks(note->marks, want.marks) || note->color != want.color ||
        note->ratio != want.ratio || note->done != want.done ||
        note->lines.count != want.lines.count || note->tags.count != want.tags.count)
        return 0;
    for (uint32_t i = 0; i < want.lines.count; i++)
        if (!same_text(note->lines.data[i].text, want.lines.data[i].text) ||
            !same_points(note->lines.data[i].points, want.lines.data[i].points))
            return 0;
    for (uint32_t i = 0; i < want.tags.count; i++)
        if (!same_text(note->tags.data[i], want.tags.data[i]))
            return 0;
    return 1;
}

void note_build(struct lam_fb_builder *builder, uint64_t number)
{
    struct test_Note_at at = test_Note_start(builder);
    struct lam_fb_strings_at tags;
    struct test_Line_vector_at lines;
    struct note_room room;
    struct test_Note note;

    note_make(&note, &room, number);
    test_Note_set_id(builder, at, note.id);
    test_Note_set_text(builder, at, note.text.data, note.text.size);
    test_Note_set_marks(builder, at, note.marks.data, note.marks.count);
    test_Note_set_color(builder, at, note.color);
    test_Note_set_ratio(builder, at, note.ratio);
    test_Note_set_done(builder, at, note.done);
    lines = test_Note_open_lines(builder, at, note.lines.count);
    for (uint32_t i = 0; i < note.lines.count; i++) {
        const struct test_Line *line = &note.lines.data[i];
        struct test_Line_at line_at = test_Line_vector_open(builder, lines, i);
        struct test_Point *points;

        test_Line_set_text(builder, line_at, line->text.data, line->text.size);
        points = test_Line_open_points(builder, line_at, line->points.count);
        if (points != NULL && line->points.count != 0)
            memcpy(points, line->points.data, line->points.count * sizeof(*points));
    }
    tags = test_Note_open_tags(builder, at, note.tags.count);
    for (uint32_t i = 0; i < note.tags.count; i++)
        lam_fb_strings_set(builder, tags, i, note.tags.data[i].data, note.tags.data[i].size);
}

int note_view_is(const void *message, uint64_t number)
{
    struct test_Note_view view = test_Note_root(message);
    struct test_Line_views lines = test_Note_get_lines(view);
    struct lam_fb_strings tags = test_Note_get_tags(view);
    struct note_room room;
    struct test_Note want;

    note_make(&want, &room, number);
    if (test_Note_get_id(view) != number || !same_text(test_Note_get_text(view), want.text) ||
        !same_marks(test_Note_get_marks(view), want.marks) ||
        test_Note_get_color(view) != want.color || test_Note_get_ratio(view) != want.ratio ||
        test_Note_get_done(view) != want.done || lines.count != want.lines.count ||
        tags.count != want.tags.count)
        return 0;
    for (uint32_t i = 0; i < lines.count; i++) {
        struct test_Line_view line = test_Line_views_at(lines, i);

        if (!same_text(test_Line_get_text(line), want.lines.data[i].text) ||
            !same_points(test_Line_get_points(line), want.lines.data[i].points))
            return 0;
    }
    for (uint32_t i = 0; i < tags.count; i++)
        if (!same_text(lam_fb_strings_at(tags, i), want.tags.data[i]))
            return 0;
    return 1;
}

static uint64_t touch(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += at[i];
    return sum;
}

uint64_t note_view_touch(const void *message)
{
    struct test_Note_view view = test_Note_root(message);
    struct lam_string text = test_Note_get_text(view);
    struct lam_u32_span marks = test_Note_get_marks(view);
    struct test_Line_views lines = test_Note_get_lines(view);
    struct lam_fb_strings tags = test_Note_get_tags(view);
    uint64_t sum = test_Note_get_id(view) + test_Note_get_color(view) + test_Note_get_done(view);

    sum += touch(text.data, text.size) + touch(marks.data, marks.count * sizeof(*marks.data));
    sum += test_Note_get_ratio(view) > 1;
    for (uint32_t i = 0; i < lines.count; i++) {
        struct test_Line_view line = test_Line_views_at(lines, i);
        struct test_Point_span points = test_Line_get_points(line);

        text = test_Line_get_text(line);
        sum +=
            touch(text.data, text.size) + touch(points.data, points.count * sizeof(*points.data));
    }
    for (uint32_t i = 0; i < tags.count; i++) {
        text = lam_fb_strings_at(tags, i);
        sum += touch(text.data, text.size);
    }
    return sum;
}
