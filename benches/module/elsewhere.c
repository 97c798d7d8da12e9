/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "layers.h"

int module_elsewhere_open(struct module_elsewhere *elsewhere)
{
    return pipe2(elsewhere->wake, O_CLOEXEC) != 0 ? -errno : 0;
}

void module_elsewhere_close(struct module_elsewhere *elsewhere)
{
    close(elsewhere->wake[0]);
    close(elsewhere->wake[1]);
}

uint64_t module_elsewhere_answer(struct bench_lane *lane, uint64_t count)
{
    const struct module_elsewhere *elsewhere = lane->state;
    char byte;

    while (read(elsewhere->wake[0], &byte, 1) < 0 && errno == EINTR)
        ;
    return 0;
}

void module_elsewhere_begin(struct bench_crew *crew, uint32_t lane_index)
{
    bench_crew_order(crew, BENCH_ORDER_ANSWER, lane_index, 1);
}

void module_elsewhere_end(struct bench_crew *crew, uint32_t lane_index)
{
    const struct module_elsewhere *elsewhere = crew->lanes[lane_index].state;

    bench_must(write(elsewhere->wake[1], "", 1) == 1 ? 0 : -EIO);
    (void)bench_crew_finish(crew);
}

void module_elsewhere_start(pthread_t *thread, int cpu, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    bench_must(-pthread_attr_init(&attributes));
    bench_must(-pthread_attr_setaffinity_np(&attributes, sizeof(set), &set));
    bench_must(-pthread_create(thread, &attributes, function, argument));
    (void)pthread_attr_destroy(&attributes);
}
