/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor and what watches it, by 512 slots: an alarm goes past all telemetry that waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

enum { TELEMETRY = 1, ALARM = 2, SLOTS = 512, READINGS = 300, TOO_HOT = 90 };

struct reading {
    uint32_t sensor;
    uint32_t number;
    int32_t celsius;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "sensors: %s\n", what);
    exit(1);
}

/* What is dropped when nobody keeps up is telemetry; an alarm waits for room. */
static int run_sensor(int filled)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_client_options options = {.endpoint = "sensors", .name = "boiler", .depth = SLOTS};
    static struct lam_client client;
    struct lam_error error;
    int dropped = 0;

    if (lam_client_connect(&client, &options, end_ns, &error) != 0)
        fail(error.text);
    for (uint32_t i = 0; i < READINGS; i++) {
        struct reading reading = {.number = i, .celsius = i == READINGS - 10 ? 95 : 70};
        struct iovec part = {&reading, sizeof(reading)};

        if (reading.celsius > TOO_HOT &&
            lam_client_send_until(&client, LAM_LANE_CRITICAL, &part, 1, ALARM, end_ns) != 0)
            fail("an alarm was not sent");
        dropped += lam_client_try_send(&client, LAM_LANE_LOW, &part, 1, TELEMETRY) == 0;
    }
    printf("%d readings, %d dropped since their lane was full\n", READINGS, dropped);
    (void)fflush(stdout);
    if (write(filled, "f", 1) != 1)
        return 1;
    lam_client_disconnect(&client, (uint32_t)dropped, "cold again");
    return 0;
}

int main(void)
{
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_daemon_options options = {.name = "sensors", .depth = SLOTS};
    static struct lam_daemon daemon;
    struct lam_daemon_event event = {.type = LAM_DAEMON_SILENT};
    struct lam_error error;
    uint32_t before_alarm = 0, readings = 0, alarms = 0;
    int filled[2], status;
    char byte;

    if (lam_daemon_create(&daemon, &options, &error) != 0)
        fail(error.text);
    if (pipe(filled) != 0)
        return 1;
    if (fork() == 0)
        exit(run_sensor(filled[1]));
    while (event.type != LAM_DAEMON_GONE && lam_daemon_wait_until(&daemon, end_ns, &event) == 0) {
        if (event.type == LAM_DAEMON_CONNECTED && read(filled[0], &byte, 1) != 1)
            return 1; /* we were busy elsewhere until all lay there */
        if (event.type != LAM_DAEMON_MESSAGE)
            continue;
        alarms += event.message.kind == ALARM;
        readings += event.message.kind == TELEMETRY;
        if (alarms == 0)
            before_alarm++;
    }
    printf("%u alarm, %u readings, %u of them seen before it\n", alarms, readings, before_alarm);
    lam_daemon_destroy(&daemon);
    return wait(&status) < 0 || status != 0 || alarms != 1 || before_alarm != 0 ||
           readings + event.goodbye != READINGS;
}
