/* SPDX-License-Identifier: Apache-2.0 */
/* Problems: collected while reading, printed in the order of the file with the line and a caret. */
#include "node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SHOWN 100 /* characters of a source line that are printed */

static int note(struct lam_config *config, uint32_t line, uint32_t column, const char *message)
{
    struct problem *problem;

    if (config->problem_count++ >= LAM_CONFIG_PROBLEMS_MAX)
        return -EINVAL;
    problem = &config->problems[config->problem_count - 1];
    problem->line = line;
    problem->column = column;
    problem->text = config_copy_text(config, message, strlen(message));
    return -EINVAL;
}

int config_problem_at(
    struct lam_config *config, uint32_t line, uint32_t column, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return note(config, line, column, message);
}

int lam_config_problem(
    struct lam_config *config, const struct lam_config_node *node, const char *format, ...)
{
    char message[512];
    char whole[1024];
    char path[192];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (node == NULL)
        return note(config, 0, 0, message);
    config_path(node, path, sizeof(path));
    (void)snprintf(whole, sizeof(whole), "%s%s%s%s%s", node->origin != NULL ? node->origin : "",
        node->origin != NULL ? ": " : "", path, path[0] != '\0' ? ": " : "", message);
    return note(config, node->origin != NULL ? 0 : node->line, node->column, whole);
}

uint32_t lam_config_problem_count(const struct lam_config *config)
{
    return config->problem_count;
}

void config_path(const struct lam_config_node *node, char *path, size_t bytes)
{
    const struct lam_config_node *chain[LAM_CONFIG_DEPTH_MAX + 2];
    size_t count = 0;
    size_t used = 0;

    for (; node != NULL && node->parent != NULL && count < LAM_CONFIG_DEPTH_MAX + 2;
         node = node->parent)
        chain[count++] = node;
    path[0] = '\0';
    while (count-- > 0 && used < bytes) {
        const struct lam_config_node *step = chain[count];

        if (step->key != NULL)
            used += (size_t)snprintf(path + used, bytes - used, "%s%s", used > 0 ? "." : "",
                config_shown(step->key).text);
        else
            used += (size_t)snprintf(path + used, bytes - used, "[%u]", step->index);
    }
}

/* Bytes of the UTF-8 character at @text, 1 where it is none; never past @end. */
static size_t character_bytes(const char *text, const char *end)
{
    unsigned char lead = (unsigned char)*text;
    size_t bytes = lead >= 0xf0 ? 4 : (lead >= 0xe0 ? 3 : (lead >= 0xc2 ? 2 : 1));

    if ((size_t)(end - text) < bytes)
        return 1;
    for (size_t i = 1; i < bytes; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return bytes;
}

static const char *line_start(const struct lam_config *config, uint32_t line)
{
    const char *at = config->source;

    for (; line > 1 && at != NULL; line--) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return at;
}

/* The source line and a caret below @column; a long line is cut to a window around it. */
static void print_line(const struct lam_config *config, const struct problem *problem, FILE *out)
{
    const char *at = line_start(config, problem->line);
    const char *end = config->source + config->source_bytes;
    uint32_t from = problem->column > LINE_SHOWN * 3 / 4 ? problem->column - LINE_SHOWN / 2 : 1;
    uint32_t column = 1;

    if (at == NULL || at > end)
        return;
    (void)fputs(from > 1 ? "  ..." : "  ", out);
    while (at < end && *at != '\n' && *at != '\r' && column < from + LINE_SHOWN) {
        size_t bytes = character_bytes(at, end);
        int is_plain = bytes > 1 || ((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);

        if (column >= from && is_plain)
            (void)fwrite(at, 1, bytes, out);
        else if (column >= from)
            (void)fputc(*at == '\t' ? ' ' : '?', out);
        at += bytes;
        column++;
    }
    (void)fprintf(out, "\n%*s^\n", (int)(problem->column - from + (from > 1 ? 5 : 2)), "");
}

static int comes_before(const struct problem *left, const struct problem *right)
{
    /* Overrides, which have no line, come last. */
    uint32_t left_line = left->line - 1;
    uint32_t right_line = right->line - 1;

    return left_line != right_line ? left_line < right_line : left->column < right->column;
}

/* By place; equal ones stay in the order in which they were found. */
static void sort_problems(struct problem *problems, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct problem moved = problems[i];
        uint32_t to = i;

        for (; to > 0 && comes_before(&moved, &problems[to - 1]); to--)
            problems[to] = problems[to - 1];
        problems[to] = moved;
    }
}

static void print_problems(struct lam_config *config, FILE *out)
{
    uint32_t count = config->problem_count;

    if (count > LAM_CONFIG_PROBLEMS_MAX)
        count = LAM_CONFIG_PROBLEMS_MAX;
    sort_problems(config->problems, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct problem *problem = &config->problems[i];
        const char *text = problem->text != NULL ? problem->text : "out of memory";

        if (problem->line > 0)
            (void)fprintf(
                out, "%s:%u:%u: %s\n", config->name, problem->line, problem->column, text);
        else if (strncmp(text, "--", 2) == 0)
            (void)fprintf(out, "%s\n", text);
        else
            (void)fprintf(out, "%s: %s\n", config->name, text);
        if (problem->line > 0)
            print_line(config, problem, out);
    }
    if (config->problem_count > count)
        (void)fprintf(out, "%s: and %u more\n", config->name, config->problem_count - count);
}

const char *lam_config_report(struct lam_config *config)
{
    size_t bytes = 0;
    FILE *out;

    free(config->report);
    config->report = NULL;
    out = open_memstream(&config->report, &bytes);
    if (out == NULL)
        return "out of memory\n";
    print_problems(config, out);
    if (fclose(out) != 0 || config->report == NULL)
        return "out of memory\n";
    return config->report;
}
