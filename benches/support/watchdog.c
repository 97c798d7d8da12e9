/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

unsigned bench_watchdog_s = 120;

static const struct bench_crew *watched;

/* What a signal handler may put together: printf is not for it. */
struct line {
    char text[1024];
    size_t bytes;
};

static void add(struct line *line, const char *text)
{
    size_t bytes = strlen(text), room = sizeof(line->text) - line->bytes;

    bytes = bytes < room ? bytes : room;
    memcpy(line->text + line->bytes, text, bytes);
    line->bytes += bytes;
}

static void add_number(struct line *line, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    add(line, digits + at);
}

static const char *order_name(enum bench_order order)
{
    static const char *const names[] = {[BENCH_ORDER_ANSWER] = "answer",
        [BENCH_ORDER_RECEIVE] = "receive",
        [BENCH_ORDER_RECEIVE_LATER] = "receive",
        [BENCH_ORDER_SEND] = "send",
        [BENCH_ORDER_SKIM] = "skim",
        [BENCH_ORDER_SKIM_LATER] = "skim",
        [BENCH_ORDER_LEAVE] = "leave"};

    return names[order];
}

/* Orders have numbers from 2: under 1 the ends attach. */
static void add_orders(struct line *line, const struct bench_crew *crew)
{
    const struct bench_lane *lane = &crew->lanes[crew->board->lane_index];

    if (crew->number == 1) {
        add(line, "the ends of all subjects attach");
        return;
    }
    add(line, lane->subject->name);
    add(line, ", ");
    add_number(line, lane->shape.payload_bytes);
    add(line, " bytes by ");
    add_number(line, lane->shape.batch);
    add(line, ", told to ");
    add(line, order_name(crew->board->order));
    add(line, " ");
    add_number(line, crew->board->count);
}

static void add_sides(struct line *line, const struct bench_crew *crew)
{
    add(line, "; side 0 ");
    add(line, crew->awaits ? "awaits the others" : "is in its loop");
    for (uint32_t reader = 0; reader < crew->readers; reader++) {
        const struct bench_seat *seat = &crew->board->seats[reader];

        if (lam_load_acquire(&seat->done) == crew->number)
            continue;
        add(line, ", side ");
        add_number(line, 1 + reader);
        add(line,
            lam_load_acquire(&seat->begun) == crew->number ? " is in its loop" : " has not begun");
    }
}

static void bark(int signal_number)
{
    struct line line = {.bytes = 0};

    (void)signal_number;
    add(&line, "bench: not over after ");
    add_number(&line, bench_watchdog_s);
    add(&line, " s: ");
    add_orders(&line, watched);
    add_sides(&line, watched);
    add(&line, "\n");
    (void)!write(STDERR_FILENO, line.text, line.bytes);
    _exit(1);
}

void bench_watchdog_set(const struct bench_crew *crew)
{
    if (watched != crew) {
        struct sigaction action = {.sa_handler = bark};

        watched = crew;
        sigaction(SIGALRM, &action, NULL);
    }
    alarm(bench_watchdog_s);
}

void bench_watchdog_end(void)
{
    alarm(0);
}
