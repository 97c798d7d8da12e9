/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sandbox.c: a module that tries everything gets what its sandbox allows, and nothing else;
 * what a kernel cannot hold is said, and refused where the sandbox is strict.
 */
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sandbox_help.h"

Test(sandbox, the_report_says_what_was_asked_for_and_what_is_active)
{
    int missing = 0;

    load(NULL);
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++) {
        const struct lam_sandbox_state *state = &report.layers[i];

        cr_assert(eq(u32, state->is_asked, LAM_SANDBOX_DEFAULT >> i & 1));
        cr_assert(eq(u32, state->is_active, state->is_asked && state->error == 0));
        missing += state->is_asked && !state->is_active;
    }
    cr_assert(report.layers[LAM_SANDBOX_PRIVILEGES].is_active);
    cr_assert(report.layers[LAM_SANDBOX_LIMITS].is_active);
    cr_assert(eq(int, lam_module_sandbox(module, &report), missing));
    unload();
    cr_assert(eq(int, lam_module_sandbox(module, &report), -ENODEV));
}

Test(sandbox, a_wish_that_makes_no_sense_is_refused_by_its_field)
{
    static const struct {
        struct lam_sandbox_options options;
        int rc;
        const char *text;
    } wrong[] = {
        {{.layers = 0x80000001}, -EINVAL, "0x80000000 is no layer"},
        {{.strict = 2}, -EINVAL, "sandbox.strict is 2"},
        {{.network = 3}, -EINVAL, "sandbox.network is 3"},
        {{.files = LAM_SANDBOX_FILES_MIN - 1}, -EINVAL,
            "sandbox.files is 15, and a worker needs 16 at least"},
        {{.readable = "tmp"}, -EINVAL, "sandbox.readable: tmp is not"},
        {{.readable = "/:/nowhere"}, -ENOENT, "sandbox.readable: /nowhere: No such"},
        {{.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS), .writable = "/tmp"}, -EINVAL,
            "sandbox.writable is given"},
        {{.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_NETWORK), .network = 1}, -EINVAL,
            "sandbox.network is 1"},
    };
    struct lam_module_options here = {.sandbox = &wrong[0].options};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert(eq(int, try_load(&wrong[i].options), wrong[i].rc), "%s", wrong[i].text);
        cr_assert(strstr(error.text, wrong[i].text) != NULL, "%s", error.text);
    }
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("tries"), &here, &module, &error), -EINVAL));
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("tries"), NULL, &module, &error), 0));
    cr_assert(eq(int, lam_module_sandbox(module, &report), -ENOTSUP));
}

Test(sandbox, strict_refuses_what_is_not_active_by_its_name)
{
    struct lam_sandbox_options all = {.layers = LAM_SANDBOX_ALL};
    int missing;

    load(&all);
    missing = lam_module_sandbox(module, &report);
    unload();
    all.strict = 1;
    if (missing == 0) {
        cr_assert(eq(int, try_load(&all), 0), "%s", error.text);
        return;
    }
    cr_assert(eq(int, try_load(&all), -ENOTSUP));
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++)
        if (!report.layers[i].is_active) {
            cr_assert(strstr(error.text, lam_sandbox_layer_name((enum lam_sandbox_layer)i)) != NULL,
                "%s", error.text);
            break;
        }
}

/* Always to be had: root is not counted, and else it takes a namespace. */
Test(sandbox, a_bound_of_processes_that_the_kernel_does_not_hold_is_said)
{
    struct lam_sandbox_options some = {
        .layers = LAM_SANDBOX_BIT(LAM_SANDBOX_LIMITS), .processes = 4};

    load(&some);
    cr_assert(eq(u32, report.layers[LAM_SANDBOX_LIMITS].is_active, 0));
    cr_assert(lt(i32, report.layers[LAM_SANDBOX_LIMITS].error, 0));
    cr_assert(strstr(report.layers[LAM_SANDBOX_LIMITS].step, "processes") != NULL);
    unload();
    some.strict = 1;
    cr_assert(eq(int, try_load(&some), -ENOTSUP));
    cr_assert(
        strstr(error.text, "its layer limits is not active: processes") != NULL, "%s", error.text);
}

Test(sandbox, no_privilege_is_left_and_none_comes_by_exec)
{
    load_with((struct lam_sandbox_options){.layers = LAM_SANDBOX_BIT(LAM_SANDBOX_PRIVILEGES)},
        LAM_SANDBOX_PRIVILEGES);
    cr_assert(eq(i64, try_call((struct try_call){SYS_prctl, {PR_GET_NO_NEW_PRIVS}}), 1));
    /* What takes a capability, whoever runs this. */
    cr_assert(eq(i64, try_call((struct try_call){SYS_sethostname, {0, 0}}), -EPERM));
}

Test(sandbox, memory_past_its_limit_is_not_to_be_had)
{
    uint64_t wanted = UINT64_C(400) << 20;

    load(NULL);
    cr_assert(eq(i64, try("allocate", &wanted, sizeof(wanted)), (int64_t)wanted));
    unload();
    load_with((struct lam_sandbox_options){.memory_bytes = UINT64_C(64) << 20}, LAM_SANDBOX_LIMITS);
    /* Its own, and what its worker does not need at once. */
    cr_assert(lt(i64, try("allocate", &wanted, sizeof(wanted)), INT64_C(200) << 20));
    cr_assert(ge(i64, try("allocate", &wanted, sizeof(wanted)), INT64_C(60) << 20));
}

Test(sandbox, a_module_that_does_not_say_has_the_memory_of_the_runtime)
{
    uint64_t wanted = UINT64_C(400) << 20;

    bound_all_workers(UINT64_C(64) << 20);
    load_with((struct lam_sandbox_options){.cpu_s = 0}, LAM_SANDBOX_LIMITS);
    cr_assert(lt(i64, try("allocate", &wanted, sizeof(wanted)), INT64_C(200) << 20));
    unload();
    load_with((struct lam_sandbox_options){.memory_bytes = UINT64_C(1) << 30}, LAM_SANDBOX_LIMITS);
    cr_assert(eq(i64, try("allocate", &wanted, sizeof(wanted)), (int64_t)wanted));
}

Test(sandbox, cpu_time_past_its_limit_is_an_end_with_its_signal)
{
    load_with((struct lam_sandbox_options){.cpu_s = 1}, LAM_SANDBOX_LIMITS);
    expect_end("burn", NULL, 0, SIGXCPU);
}

Test(sandbox, a_file_past_its_limit_is_an_end_with_its_signal)
{
    uint64_t allowed = 8192, more = 8193;

    load_with((struct lam_sandbox_options){.file_bytes = 8192}, LAM_SANDBOX_LIMITS);
    cr_assert(eq(i64, try("fill", &allowed, sizeof(allowed)), 1));
    expect_end("fill", &more, sizeof(more), SIGXFSZ);
}

Test(sandbox, descriptors_past_their_limit_are_not_to_be_had)
{
    load_with((struct lam_sandbox_options){.files = 40}, LAM_SANDBOX_LIMITS);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 40));
    unload();
    load(NULL);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 1024));
    cr_assert(ge(i64, try("descriptors", NULL, 0), 40));
    unload();
    /* The least that is taken is enough to load it, and leaves it some. */
    load_with((struct lam_sandbox_options){.files = LAM_SANDBOX_FILES_MIN}, LAM_SANDBOX_LIMITS);
    cr_assert(ge(i64, try("descriptors", NULL, 0), 1));
}

Test(sandbox, an_answer_past_its_limit_finds_no_room)
{
    char room[64];

    load(&(struct lam_sandbox_options){.reply_bytes = 16});
    reply = (struct lam_module_reply){.data = room, .capacity = sizeof(room)};
    cr_assert(eq(int,
        lam_module_call(
            module, lam_method_id("echo"), "0123456789abcdef", 16, &reply, LAM_DEADLINE_NEVER),
        0));
    cr_assert(eq(int,
        lam_module_call(
            module, lam_method_id("echo"), "0123456789abcdefg", 17, &reply, LAM_DEADLINE_NEVER),
        -ENOSPC));
    cr_assert(eq(u64, reply.bytes, 17));
}

Test(sandbox, a_successor_of_a_reload_is_held_as_well)
{
    load_with((struct lam_sandbox_options){.files = 40}, LAM_SANDBOX_LIMITS);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(lt(i64, try("descriptors", NULL, 0), 40));
    cr_assert(ge(int, lam_module_sandbox(module, &report), 0));
    cr_assert(report.layers[LAM_SANDBOX_LIMITS].is_active);
}

Test(sandbox, a_call_that_no_module_has_any_business_with_is_an_end_by_sigsys)
{
    static const long fatal[] = {SYS_ptrace, 425, 426, 427, SYS_process_vm_readv, SYS_bpf,
        SYS_unshare, SYS_keyctl, SYS_mount, SYS_chroot, SYS_perf_event_open, SYS_userfaultfd,
        SYS_setns, SYS_init_module};

    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        struct try_call call = {fatal[i], {0}};

        load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
        expect_end("call", &call, sizeof(call), SIGSYS);
        unload();
    }
}

Test(sandbox, a_call_that_reaches_others_is_refused_and_the_module_goes_on)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call((struct try_call){SYS_setsid, {0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_setpgid, {0, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_kill, {getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_tgkill, {getpid(), getpid(), 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_shmget, {0, 4096, 0600}}), -EPERM));
    /* Its arguments lie in memory, or it types into a terminal. */
    cr_assert(eq(i64, try_call((struct try_call){435, {0, 0}}), -ENOSYS));
    cr_assert(eq(i64, try_call((struct try_call){SYS_ioctl, {0, TIOCSTI, 0}}), -ENOSYS));
    cr_assert(eq(
        i64, try_call((struct try_call){SYS_ioctl, {0, TIOCSTI | INT64_C(1) << 32, 0}}), -ENOSYS));
    cr_assert(eq(i64, try("thread", NULL, 0), 0));
}

Test(sandbox, a_call_that_nobody_knows_is_not_there)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call((struct try_call){SYS_personality, {0xffffffff}}), -ENOSYS));
    cr_assert(eq(i64, try_call((struct try_call){1000000, {0}}), -ENOSYS));
}

Test(sandbox, it_makes_no_process_unless_it_may)
{
    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try("bomb", NULL, 0), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_execve, {0, 0, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_clone, {CLONE_NEWUSER | SIGCHLD}}), -ENOSYS));
    unload();
    load_with((struct lam_sandbox_options){.processes = 40}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try("bomb", NULL, 0), 32));
    cr_assert(eq(i64, try_call((struct try_call){SYS_execve, {0, 0, 0}}), -EFAULT));
    cr_assert(eq(i64, try_call((struct try_call){SYS_clone, {CLONE_NEWUSER | SIGCHLD}}), -ENOSYS));
}

Test(sandbox, it_has_no_socket_of_its_own_unless_it_may)
{
    struct try_call inet = {SYS_socket, {AF_INET, SOCK_STREAM, 0}};

    load_with((struct lam_sandbox_options){0}, LAM_SANDBOX_CALLS);
    cr_assert(eq(i64, try_call(inet), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_socket, {AF_UNIX, SOCK_STREAM, 0}}), -EPERM));
    cr_assert(eq(i64, try_call((struct try_call){SYS_connect, {0, 0, 0}}), -EPERM));
    unload();
    load_with((struct lam_sandbox_options){.network = 1}, LAM_SANDBOX_CALLS);
    cr_assert(ge(i64, try_call(inet), 0));
    cr_assert(eq(i64, try_call((struct try_call){SYS_connect, {0, 0, 0}}), -ENOTSOCK));
    /* The wire itself, and the kernel's own ciphers. */
    cr_assert(eq(i64, try_call((struct try_call){SYS_socket, {AF_PACKET, SOCK_RAW, 0}}), -ENOSYS));
    cr_assert(
        eq(i64, try_call((struct try_call){SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}}), -ENOSYS));
}
