/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seq_verbs.c: lamina seq send, tail and load against a real node, as a person has them: what they
 * print, and how they end.
 */
#include <unistd.h>

#include "adder.h"

static char folder[] = "/tmp/lamina-seq-XXXXXX";
static char address[128], journal[128];
static char output[1 << 16];

/* Run lamina-seq with @arguments, the address for "@". Returns its exit code; keeps its outputs. */
static int seq(const char *arguments)
{
    const char *bin = getenv("LAMINA_BIN"), *at = strchr(arguments, '@');
    char command[1024];
    FILE *pipe;
    size_t count;
    int status;

    CHECK(bin != NULL && at != NULL);
    (void)snprintf(command, sizeof(command), "exec 2>&1; %s/lamina-seq %.*s%s%s", bin,
        (int)(at - arguments), arguments, address, at + 1);
    pipe = popen(command, "r");
    CHECK(pipe != NULL);
    count = fread(output, 1, sizeof(output) - 1, pipe);
    output[count] = '\0';
    status = pclose(pipe);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void prints(const char *arguments, int code, const char *text)
{
    int found = seq(arguments);

    if (found != code || strcmp(output, text) != 0)
        (void)fprintf(stderr, "%s: %d: %s\n", arguments, found, output);
    CHECK(found == code && strcmp(output, text) == 0);
}

static void says(const char *arguments, int code, const char *text)
{
    int found = seq(arguments);

    if (found != code || strstr(output, text) == NULL)
        (void)fprintf(stderr, "%s: %d: %s\n", arguments, found, output);
    CHECK(found == code && strstr(output, text) != NULL);
}

#define ONE "0100000000000000"
#define TWO "0200000000000000"

static void send_asks_one_after_another(void)
{
    prints("send @ --hex " ONE " " TWO, 0, ONE "\n0300000000000000\n");
    prints("send @ --hex --query ''", 0, "0300000000000000\n");
    prints("send @ --hex 00 " ONE, 1,
        "lamina seq: refused (65541): nothing is not added\n0400000000000000\n");
    says("send @ --json --hex 00", 1, "\"refused\":65541,\"text\":\"nothing is not added\"}");
    says("send @ --json --hex " ONE, 0, "\"repeat\":false,\"hex\":\"0500000000000000\"}\n");
    says("send @ --hex 0x", 2, "hexadecimal");
    says("send @ 12345678901234567890123456789012345678901234567890123456789012345", 1, "longer");
}

static void send_reads_lines(void)
{
    char command[512];
    FILE *pipe;

    (void)snprintf(command, sizeof(command),
        "printf '" ONE "\\n" TWO "' | %s/lamina-seq send %s --hex", getenv("LAMINA_BIN"), address);
    pipe = popen(command, "r");
    CHECK(pipe != NULL);
    output[fread(output, 1, sizeof(output) - 1, pipe)] = '\0';
    CHECK(pclose(pipe) == 0);
    CHECK(strcmp(output, "0600000000000000\n0800000000000000\n") == 0);
}

static void tail_begins_where_it_is_told(void)
{
    char *second;

    CHECK(seq("tail @ --hex --from 1 --count 3") == 0);
    second = strchr(output, '\n');
    CHECK(strstr(output, ".0 " ONE "\n") != NULL);
    CHECK(second != NULL && strstr(second, ".0 0300000000000000\n") != NULL);
    CHECK(strstr(second, ".0 0400000000000000\n") != NULL);
}

static void load_counts_all_that_it_sent(void)
{
    char command[256], line[128];
    unsigned long long sum = 0, top = 0, last = 0, many;
    FILE *file;

    (void)snprintf(command, sizeof(command),
        "load @ --rate 2000 --seconds 0.25 --histogram %s/times X", folder);
    says(command, 0, "\"sent\":500,\"answered\":500,\"refused\":0,\"repeated\":0,\"p50_ns\":");
    CHECK(strstr(output, "\"p99_99_ns\":") != NULL && strstr(output, "\"max_ns\":") != NULL);
    (void)snprintf(command, sizeof(command), "%s/times", folder);
    file = fopen(command, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        CHECK(sscanf(line, "%llu %llu", &top, &many) == 2 && top > last);
        last = top;
        sum += many;
    }
    CHECK(fclose(file) == 0 && sum == 500);
    says("load @ --rate 1000 --seconds 0.01", 1, "\"answered\":10,\"refused\":10");
    says("load @", 2, "--rate");
}

static void mistakes_are_told(void)
{
    says("send --timeout 0.2 unix:/nowhere/node x # @", 3, "is the node running?");
    says("send nowhere # @", 2, "unix:PATH");
    says("send # @", 2, "where does the node listen?");
    says("sent @", 2, "send, tail, load");
    says("tail @ --from -1", 2, "whole number");
    says("--help # @", 0, "usage: lamina seq send");
}

int main(void)
{
    pid_t node;

    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(address, sizeof(address), "unix:%s/node", folder);
    (void)snprintf(journal, sizeof(journal), "%s/journal", folder);
    node = adder_start(journal, address);
    send_asks_one_after_another();
    send_reads_lines();
    tail_begins_where_it_is_told();
    load_counts_all_that_it_sent();
    mistakes_are_told();
    adder_kill(node);
    adder_remove(folder);
    return 0;
}
