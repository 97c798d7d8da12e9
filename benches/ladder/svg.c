/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two panels side by side, both axes logarithmic: round trips on the left, bytes a second on the
 * right, one line for each subject. Readable on white and on dark pages: the page is white itself.
 */
#include "ladder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH        960
#define HEIGHT       430
#define PANEL_TOP    64
#define PANEL_WIDTH  380
#define PANEL_HEIGHT 300
#define PAYLOAD_LOW  6.0  /* 64 bytes, as powers of two */
#define PAYLOAD_HIGH 21.0 /* 2 MiB */

static const struct {
    const char *name, *label, *colour, *dash;
} lines[] = {
    {"ring", "layer 0: ring", "#1b6ca8", ""},
    {"framed", "layer 1: framed", "#2a9d5c", ""},
    {"typed", "layer 2: typed (pod)", "#d98e04", ""},
    {"zerocopy", "layer 3: zero-copy (FlatBuffers)", "#b5304a", ""},
    {"buffer2", "probe: two bare buffers", "#777777", "5 4"},
    {"stamped", "probe: bare stamped ring", "#777777", "5 4"},
};

#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

struct panel {
    FILE *file;
    int is_rate;
    double left;      /* pixels */
    double low, high; /* powers of ten that the axis spans */
};

static double across(const struct panel *panel, double payload_bytes)
{
    double share = (log2(payload_bytes) - PAYLOAD_LOW) / (PAYLOAD_HIGH - PAYLOAD_LOW);

    return panel->left + share * PANEL_WIDTH;
}

static double down(const struct panel *panel, double value)
{
    double share = (log10(value) - panel->low) / (panel->high - panel->low);

    return PANEL_TOP + (1 - share) * PANEL_HEIGHT;
}

static void span_values(struct panel *panel, const struct ladder *ladder)
{
    panel->low = 18;
    panel->high = 0;
    for (uint32_t i = 0; i < ladder->point_count; i++) {
        const struct ladder_point *point = &ladder->points[i];

        if (!point->is_clean || point->is_rate != panel->is_rate || point->value <= 0)
            continue;
        panel->low = fmin(panel->low, floor(log10(point->value)));
        panel->high = fmax(panel->high, ceil(log10(point->value)));
    }
    if (panel->high <= panel->low)
        panel->high = panel->low + 1;
}

static void draw_payload_axis(const struct panel *panel)
{
    static const char *const labels[] = {"64 B", "512 B", "4 KiB", "32 KiB", "256 KiB", "2 MiB"};

    for (int i = 0; i < 6; i++) {
        double x = across(panel, exp2(PAYLOAD_LOW + 3 * i));

        fprintf(panel->file,
            "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#e4e4e4'/>\n"
            "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n",
            x, PANEL_TOP, x, PANEL_TOP + PANEL_HEIGHT, x, PANEL_TOP + PANEL_HEIGHT + 18, labels[i]);
    }
}

static void draw_value_axis(const struct panel *panel)
{
    static const char *const times[] = {
        "1 ns", "10 ns", "100 ns", "1 us", "10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s"};
    static const char *const rates[] = {"1 B/s", "10 B/s", "100 B/s", "1 KB/s", "10 KB/s",
        "100 KB/s", "1 MB/s", "10 MB/s", "100 MB/s", "1 GB/s", "10 GB/s", "100 GB/s", "1 TB/s"};

    for (int power = (int)panel->low; power <= (int)panel->high; power++) {
        double y = down(panel, pow(10, power));
        const char *label =
            panel->is_rate ? (power < 13 ? rates[power] : "") : (power < 10 ? times[power] : "");

        fprintf(panel->file,
            "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#cccccc'/>\n"
            "<text x='%.1f' y='%.1f' text-anchor='end'>%s</text>\n",
            panel->left, y, panel->left + PANEL_WIDTH, y, panel->left - 6, y + 4, label);
    }
}

static void draw_line(const struct panel *panel, const struct ladder *ladder, size_t line)
{
    fprintf(panel->file, "<polyline fill='none' stroke='%s' stroke-width='2'%s%s%s points='",
        lines[line].colour, lines[line].dash[0] ? " stroke-dasharray='" : "", lines[line].dash,
        lines[line].dash[0] ? "'" : "");
    for (uint32_t i = 0; i < ladder->point_count; i++) {
        const struct ladder_point *point = &ladder->points[i];

        if (point->is_clean && point->is_rate == panel->is_rate &&
            strcmp(point->name, lines[line].name) == 0)
            fprintf(panel->file, "%.1f,%.1f ", across(panel, point->payload_bytes),
                down(panel, point->value));
    }
    fprintf(panel->file, "'/>\n");
}

static void draw_panel(FILE *file, const struct ladder *ladder, int is_rate)
{
    struct panel panel = {.file = file, .is_rate = is_rate, .left = is_rate ? 560 : 70};

    span_values(&panel, ladder);
    fprintf(file, "<text x='%.1f' y='%d' font-size='14' font-weight='bold'>%s</text>\n", panel.left,
        PANEL_TOP - 12,
        is_rate ? "throughput, one sender, one receiver" : "round trip between two processes");
    draw_payload_axis(&panel);
    draw_value_axis(&panel);
    for (size_t line = 0; line < LINE_COUNT; line++)
        draw_line(&panel, ladder, line);
}

static void draw_legend(FILE *file)
{
    static const int columns[LINE_COUNT] = {70, 180, 300, 445, 665, 665};
    static const int rows[LINE_COUNT] = {0, 0, 0, 0, 0, 1};

    for (size_t line = 0; line < LINE_COUNT; line++) {
        int x = columns[line], y = PANEL_TOP + PANEL_HEIGHT + 40 + 16 * rows[line];

        if (rows[line] == 1)
            continue; /* both probes are drawn alike: each panel has one */
        fprintf(file,
            "<line x1='%d' y1='%d' x2='%d' y2='%d' stroke='%s' stroke-width='2'%s/>"
            "<text x='%d' y='%d'>%s</text>\n",
            x, y - 4, x + 20, y - 4, lines[line].colour,
            lines[line].dash[0] ? " stroke-dasharray='5 4'" : "", x + 26, y,
            lines[line].dash[0] ? "probe: bare buffers, bare stamped ring" : lines[line].label);
    }
}

int ladder_write_svg(const struct ladder *ladder, const char *path)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return -errno;
    fprintf(file,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
        "font-family='sans-serif' font-size='11' fill='#222222'>\n"
        "<rect width='%d' height='%d' fill='#ffffff'/>\n"
        "<text x='70' y='28' font-size='16' font-weight='bold'>Four layers, payloads from 64 bytes "
        "to 2 MiB</text>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_panel(file, ladder, 0);
    draw_panel(file, ladder, 1);
    draw_legend(file);
    fprintf(file, "<text x='70' y='%d' fill='#777777'>%s; %s</text>\n</svg>\n", HEIGHT - 8,
        ladder->machine, ladder->date);
    return fclose(file) == 0 ? 0 : -errno;
}
