/* SPDX-License-Identifier: Apache-2.0 */
#include "chart.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH        960
#define PANEL_TOP    64
#define PANEL_WIDTH  380
#define PANEL_HEIGHT 300
#define PAYLOAD_LOW  6.0  /* 64 bytes, as powers of two */
#define PAYLOAD_HIGH 21.0 /* 2 MiB */
#define LEGEND_TOP   (PANEL_TOP + PANEL_HEIGHT + 40)
#define LEGEND_ROW   16
#define LEGEND_WIDTH 215
#define LEGEND_ROOM  4 /* labels in a row */

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

static void span_values(struct panel *panel, const struct bench_points *points)
{
    panel->low = 18;
    panel->high = 0;
    for (uint32_t i = 0; i < points->count; i++) {
        const struct bench_point *point = &points->points[i];

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

static void draw_line(const struct panel *panel, const struct bench_points *points,
    const struct bench_chart_line *line)
{
    fprintf(panel->file, "<polyline fill='none' stroke='%s' stroke-width='2'%s%s%s points='",
        line->colour, line->dash[0] ? " stroke-dasharray='" : "", line->dash,
        line->dash[0] ? "'" : "");
    for (uint32_t i = 0; i < points->count; i++) {
        const struct bench_point *point = &points->points[i];

        if (point->is_clean && point->is_rate == panel->is_rate &&
            strcmp(point->name, line->name) == 0)
            fprintf(panel->file, "%.1f,%.1f ", across(panel, point->payload_bytes),
                down(panel, point->value));
    }
    fprintf(panel->file, "'/>\n");
}

static void draw_panel(
    FILE *file, const struct bench_points *points, const struct bench_chart *chart, int is_rate)
{
    struct panel panel = {.file = file, .is_rate = is_rate, .left = is_rate ? 560 : 70};

    span_values(&panel, points);
    fprintf(file, "<text x='%.1f' y='%d' font-size='14' font-weight='bold'>%s</text>\n", panel.left,
        PANEL_TOP - 12,
        is_rate ? "throughput, one sender, one receiver" : "round trip between two processes");
    draw_payload_axis(&panel);
    draw_value_axis(&panel);
    for (uint32_t i = 0; i < chart->line_count; i++)
        draw_line(&panel, points, &chart->lines[i]);
}

static int is_drawn(const struct bench_points *points, const struct bench_chart_line *line)
{
    for (uint32_t i = 0; i < points->count; i++)
        if (strcmp(points->points[i].name, line->name) == 0)
            return line->label != NULL;
    return 0;
}

/* Returns where the next text has room, from the top. */
static int draw_legend(
    FILE *file, const struct bench_points *points, const struct bench_chart *chart)
{
    int place = 0;

    for (uint32_t i = 0; i < chart->line_count; i++) {
        const struct bench_chart_line *line = &chart->lines[i];
        int x = 70 + place % LEGEND_ROOM * LEGEND_WIDTH;
        int y = LEGEND_TOP + place / LEGEND_ROOM * LEGEND_ROW;

        if (!is_drawn(points, line))
            continue;
        place++;
        fprintf(file,
            "<line x1='%d' y1='%d' x2='%d' y2='%d' stroke='%s' stroke-width='2'%s/>"
            "<text x='%d' y='%d'>%s</text>\n",
            x, y - 4, x + 20, y - 4, line->colour, line->dash[0] ? " stroke-dasharray='5 4'" : "",
            x + 26, y, line->label);
    }
    return LEGEND_TOP + (place + LEGEND_ROOM - 1) / LEGEND_ROOM * LEGEND_ROW;
}

int bench_chart_write(
    const struct bench_points *points, const struct bench_chart *chart, const char *path)
{
    int rows = ((int)chart->line_count + LEGEND_ROOM - 1) / LEGEND_ROOM;
    int height = LEGEND_TOP + (rows + 1) * LEGEND_ROW, bottom;
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return -errno;
    fprintf(file,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
        "font-family='sans-serif' font-size='11' fill='#222222'>\n"
        "<rect width='%d' height='%d' fill='#ffffff'/>\n"
        "<text x='70' y='28' font-size='16' font-weight='bold'>%s</text>\n",
        WIDTH, height, WIDTH, height, chart->title);
    draw_panel(file, points, chart, 0);
    draw_panel(file, points, chart, 1);
    bottom = draw_legend(file, points, chart);
    fprintf(file, "<text x='70' y='%d' fill='#777777'>%s; %s</text>\n</svg>\n", bottom,
        points->machine, points->date);
    return fclose(file) == 0 ? 0 : -errno;
}

int bench_chart_save(const struct bench_points *points, const struct bench_chart *chart,
    const char *folder, const char *name)
{
    char path[4096], writer[64];
    int rc;

    snprintf(writer, sizeof(writer), "./dev bench %s", name);
    snprintf(path, sizeof(path), "%s/%s.csv", folder, name);
    rc = bench_points_write(points, path, writer);
    if (rc == 0) {
        fprintf(stderr, "bench: wrote %s\n", path);
        snprintf(path, sizeof(path), "%s/%s.svg", folder, name);
        rc = bench_chart_write(points, chart, path);
    }
    fprintf(stderr, rc == 0 ? "bench: wrote %s\n" : "bench: cannot write %s\n", path);
    return rc;
}
