/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SUPPORT_NOTES_H
#define LAM_TESTS_SUPPORT_NOTES_H

/*
 * notes.h: notes (note.fbs) whose every byte is told by their number: made as values, built in
 * place, and recognised again in both forms. Shared by the tests of layers 2 and 3.
 */

#include "note.h"

#define NOTE_LINE_COUNT_MAX  4
#define NOTE_POINT_COUNT_MAX 6
#define NOTE_MARK_COUNT_MAX  50
#define NOTE_TAG_COUNT_MAX   3

/* More than any note takes once encoded, and than its value takes in an arena. */
#define NOTE_BYTES_MAX 1280

/* What a value points to. */
struct note_room {
    char text[64];
    char line_text[NOTE_LINE_COUNT_MAX][16];
    char tag_text[NOTE_TAG_COUNT_MAX][16];
    uint32_t marks[NOTE_MARK_COUNT_MAX];
    struct test_Point points[NOTE_LINE_COUNT_MAX][NOTE_POINT_COUNT_MAX];
    struct test_Line lines[NOTE_LINE_COUNT_MAX];
    struct lam_string tags[NOTE_TAG_COUNT_MAX];
};

/* Make note @number in *@note, which borrows @room. */
void note_make(struct test_Note *note, struct note_room *room, uint64_t number);

/* 1 when *@note is note @number in every part. */
int note_is(const struct test_Note *note, uint64_t number);

/* Build note @number with @builder, fresh from its init or a claim. Errors stick to the builder. */
void note_build(struct lam_fb_builder *builder, uint64_t number);

/* 1 when the verified message at @message is note @number in every part. */
int note_view_is(const void *message, uint64_t number);

/* Read every byte that a view of the verified message at @message can reach. */
uint64_t note_view_touch(const void *message);

#endif
