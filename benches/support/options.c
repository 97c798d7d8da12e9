/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "payload.h"
#include "watchdog.h"

static const char usage[] =
    "%s\n"
    "usage: %s [options]\n"
    "  --quick       few and short windows\n"
    "  --windows N   clean rounds wanted, at most 256\n"
    "  --layer N     one layer alone, 0 to 3\n"
    "  --payload N   one payload size alone, bytes, a multiple of 8\n"
    "  --batch N     one batch size alone\n"
    "  --depth N     cells of the ring, a power of two\n"
    "  --cell N      bytes of a cell, a power of two from 32 to 4096\n"
    "  --part NAME   one part alone, of a bench that has parts\n"
    "  --cpus A,B    the CPUs of the two sides\n"
    "  --out FOLDER  where a picture is written\n"
    "One JSON object a line on standard output; benches/README.md says how\n"
    "to read them.\n";

static uint32_t number(const char *name, const char *text, uint32_t low, uint32_t high)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || value < low || value > high) {
        fprintf(stderr, "bench: %s %s is not a number from %u to %u\n", name, text, low, high);
        exit(2);
    }
    return (uint32_t)value;
}

static uint32_t power_of_two(const char *name, const char *text, uint32_t low, uint32_t high)
{
    uint32_t value = number(name, text, low, high);

    if ((value & (value - 1)) != 0) {
        fprintf(stderr, "bench: %s %u is not a power of two\n", name, value);
        exit(2);
    }
    return value;
}

static void read_cpus(struct bench_options *options, char *text)
{
    for (char *part = strtok(text, ","); part != NULL; part = strtok(NULL, ",")) {
        if (options->cpu_count == BENCH_CPUS_MAX) {
            fprintf(stderr, "bench: --cpus names more than %u\n", BENCH_CPUS_MAX);
            exit(2);
        }
        options->cpus[options->cpu_count++] = (int)number("--cpus", part, 0, 4095);
    }
}

static uint32_t payload_bytes(const char *text)
{
    uint32_t bytes = number("--payload", text, 8, BENCH_PAYLOAD_BYTES_MAX);

    if (bytes % 8 != 0) {
        fprintf(stderr, "bench: --payload %u is not a multiple of 8\n", bytes);
        exit(2);
    }
    return bytes;
}

void bench_options_read(struct bench_options *options, int argc, char **argv, const char *about)
{
    static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
        {"windows", required_argument, NULL, 'w'}, {"layer", required_argument, NULL, 'l'},
        {"payload", required_argument, NULL, 'p'}, {"batch", required_argument, NULL, 'b'},
        {"depth", required_argument, NULL, 'd'}, {"cell", required_argument, NULL, 's'},
        {"cpus", required_argument, NULL, 'c'}, {"out", required_argument, NULL, 'o'},
        {"part", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int choice;

    memset(options, 0, sizeof(*options));
    options->layer = -1;
    while ((choice = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (choice == 'q')
            options->quick = 1;
        else if (choice == 'w')
            options->windows = number("--windows", optarg, 1, 256);
        else if (choice == 'l')
            options->layer = (int)number("--layer", optarg, 0, 3);
        else if (choice == 'p')
            options->payload_bytes = payload_bytes(optarg);
        else if (choice == 'b')
            options->batch = number("--batch", optarg, 1, 1024);
        else if (choice == 'd')
            options->depth = power_of_two("--depth", optarg, 2, 1U << 24);
        else if (choice == 's')
            options->cell_bytes = power_of_two("--cell", optarg, 32, 4096);
        else if (choice == 'c')
            read_cpus(options, optarg);
        else if (choice == 'o')
            options->folder = optarg;
        else if (choice == 'a')
            options->part = optarg;
        else {
            fprintf(choice == 'h' ? stdout : stderr, usage, about, argv[0]);
            exit(choice == 'h' ? 0 : 2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bench: %s is not an option\n", argv[optind]);
        exit(2);
    }
    if (options->quick)
        bench_watchdog_s = 20;
    /* Lines appear as they are found, also in a pipe. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_payload_init();
}

void bench_options_need_two_cpus(void)
{
    if (bench_cpus_count() < 2) {
        printf("skipped: two processes that spin need two CPUs, and this one may use 1\n");
        exit(77);
    }
}

const int *bench_options_cpus(const struct bench_options *options, uint32_t ends)
{
    if (options->cpu_count == 0)
        return NULL;
    if (options->cpu_count < ends) {
        fprintf(stderr, "bench: --cpus names %u, and %u are needed\n", options->cpu_count, ends);
        exit(2);
    }
    return options->cpus;
}
