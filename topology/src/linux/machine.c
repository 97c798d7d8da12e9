/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has, and where programs are found on it. */
#include "lamina/topology/plan.h"

#include "linux/numa.h"
#include "plan.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void find_own_directory(char *path, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", path, bytes - 1);
    char *slash;

    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
}

int lam_machine_here(struct lam_machine *machine, struct lam_error *error)
{
    struct statvfs shm;
    cpu_set_t set;

    memset(machine, 0, sizeof(*machine));
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return lam_error_set(error, -errno, "sched_getaffinity: %s", strerror(errno));
    machine->core_count = (uint32_t)CPU_COUNT(&set);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && cpu < 1024; cpu++)
        if (CPU_ISSET(cpu, &set))
            machine->cpus[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    lam_numa_read(machine);
    machine->shm_free_bytes = UINT64_MAX;
    if (statvfs("/dev/shm", &shm) == 0)
        machine->shm_free_bytes = (uint64_t)shm.f_bavail * shm.f_frsize;
    machine->path = getenv("PATH");
    if (machine->path == NULL)
        machine->path = "/usr/local/bin:/usr/bin:/bin";
    find_own_directory(machine->program_directory, sizeof(machine->program_directory));
    return 0;
}

void lam_machine_any(struct lam_machine *machine)
{
    memset(machine, 0xff, sizeof(*machine));
    machine->core_count = 2;
    machine->path = NULL;
    machine->program_directory[0] = '\0';
}

static int is_program(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static int joined(const char *folder, size_t length, const char *name, char *path, size_t bytes)
{
    int wanted = length == 0 ? snprintf(path, bytes, "%s", name)
                             : snprintf(path, bytes, "%.*s/%s", (int)length, folder, name);

    if (wanted < 0 || (size_t)wanted >= bytes)
        return -ENAMETOOLONG;
    return is_program(path) ? 0 : -ENOENT;
}

int lam_plan_find_program(const struct lam_plan *plan, const char *command,
    const struct lam_machine *machine, char *path, size_t bytes)
{
    char folder[1024];
    const char *at;

    if (command[0] == '/')
        return joined("", 0, command, path, bytes);
    if (strchr(command, '/') != NULL) {
        lam_plan_directory(plan, folder, sizeof(folder));
        return joined(folder, strlen(folder), command, path, bytes);
    }
    if (joined(machine->program_directory, strlen(machine->program_directory), command, path,
            bytes) == 0)
        return 0;
    for (at = machine->path; *at != '\0'; at += *at == ':') {
        size_t length = strcspn(at, ":");

        if (length > 0 && joined(at, length, command, path, bytes) == 0)
            return 0;
        at += length;
    }
    return -ENOENT;
}

void lam_plan_directory(const struct lam_plan *plan, char *path, size_t bytes)
{
    const char *file = lam_config_file_name(plan->config);
    const char *slash = strrchr(file, '/');

    if (slash == NULL)
        (void)snprintf(path, bytes, ".");
    else
        (void)snprintf(path, bytes, "%.*s", slash == file ? 1 : (int)(slash - file), file);
}
