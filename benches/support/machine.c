/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cpus.h"

uint64_t bench_machine_stolen_ticks(void)
{
    unsigned long long ticks[8] = {0};
    char text[256];
    int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    ssize_t bytes;

    if (fd < 0)
        return 0;
    bytes = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (bytes <= 0)
        return 0;
    text[bytes] = 0;
    /* user nice system idle iowait irq softirq steal */
    if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2],
            &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) != 8)
        return 0;
    return ticks[7];
}

static void cpu_model(char text[BENCH_MACHINE_TEXT_BYTES])
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");

    snprintf(text, BENCH_MACHINE_TEXT_BYTES, "unknown CPU");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *value = strstr(line, ": ");

        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        value[strcspn(value, "\n")] = 0;
        snprintf(text, BENCH_MACHINE_TEXT_BYTES, "%s", value + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

void bench_machine_name(char text[BENCH_MACHINE_TEXT_BYTES])
{
    char model[BENCH_MACHINE_TEXT_BYTES];
    struct utsname system;

    cpu_model(model);
    if (uname(&system) != 0)
        memset(&system, 0, sizeof(system));
    snprintf(text, BENCH_MACHINE_TEXT_BYTES, "%u CPUs, %.80s, %.20s %.40s", bench_cpus_count(),
        model, system.sysname, system.release);
}

void bench_machine_date(char text[BENCH_MACHINE_TEXT_BYTES])
{
    time_t now = time(NULL);
    struct tm date;

    if (gmtime_r(&now, &date) == NULL)
        memset(&date, 0, sizeof(date));
    strftime(text, BENCH_MACHINE_TEXT_BYTES, "%Y-%m-%d", &date);
}
