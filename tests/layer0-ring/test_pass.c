/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a ring without a name reaches another process by its descriptors, with the giver known, and
 * nothing that a stranger sends does harm; a hardened ring can be written by its maker alone.
 * Method: socket pairs and forked children; messages and objects that are wrong in one way each.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/pass.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "starts.h"

static int ends[2];
static struct lam_ring ring, other;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;
static int fds_before;

static int count_fds(void)
{
    DIR *stream = opendir("/proc/self/fd");
    int count = 0;

    cr_assert(ne(ptr, stream, NULL));
    while (readdir(stream) != NULL)
        count++;
    (void)closedir(stream);
    return count;
}

static uint64_t soon(void)
{
    return lam_deadline_after_ns(10 * LAM_NS_PER_S);
}

static void make(int hardened)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "passed",
        .depth = 64,
        .hardened = hardened,
        .first_sequence = test_start_from(UINT64_MAX - 2)};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
}

static void setup(void)
{
    cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0));
    make(0);
    fds_before = count_fds();
}

static void teardown(void)
{
    lam_ring_detach(&ring);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

TestSuite(pass, .init = setup, .fini = teardown, .timeout = 30);

static int receive(enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access, .deadline_ns = soon()};

    return lam_ring_receive(ends[1], &other, &options, NULL, &error);
}

static void refused_with(int code, const char *word)
{
    cr_assert(eq(int, receive(LAM_ACCESS_READ), code));
    cr_assert(ne(ptr, strstr(error.text, word), NULL), "\"%s\" lacks \"%s\"", error.text, word);
    cr_assert(eq(int, count_fds(), fds_before), "descriptors were left open");
}

/* Read three events in a process that got the ring from us. Its exit code. */
static int read_three(int hardened)
{
    struct lam_ring_attach_options options = {.access = LAM_ACCESS_READ, .deadline_ns = soon()};
    struct lam_ring_peer peer;
    struct lam_event event = {.payload = NULL};

    if (lam_ring_receive(ends[1], &other, &options, &peer, &error) != 0)
        return 10;
    if (peer.pid != getppid() || peer.uid != getuid() || peer.gid != getgid())
        return 11;
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other.data.fd, 0) != MAP_FAILED)
        return 12;
    if (hardened) {
        char path[40];
        int fd;

        /* Even opened anew for writing it cannot be written. */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", other.data.fd);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || pwrite(fd, "x", 1, 5000) == 1 ||
            mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
            return 13;
    }
    if (lam_ring_consumer_attach(&consumer, &other, NULL, &error) != 0)
        return 14;
    for (int i = 0; i < 3; i++) {
        if (lam_ring_consumer_peek_until(&consumer, soon(), &event) != 0 ||
            *(const int *)event.payload != i)
            return 15;
        lam_ring_consumer_release(&consumer);
    }
    return lam_ring_consumer_peek_until(&consumer, soon(), &event) == -EPIPE ? 0 : 16;
}

static void pass_and_publish(int hardened)
{
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        lam_ring_detach(&ring); /* what we inherited is no help */
        _exit(read_three(hardened));
    }
    cr_assert(eq(int, lam_ring_send(ends[0], &ring, LAM_ACCESS_READ, soon(), &error), 0), "%s",
        error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, soon()), 0));
    for (int i = 0; i < 3; i++) {
        int *payload = NULL;

        cr_assert(
            eq(int, lam_ring_producer_claim_until(&producer, 4, soon(), (void **)&payload), 0));
        *payload = i;
        lam_ring_producer_commit(&producer, 4, 1, 0);
    }
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(eq(int, status, 0), "exit code %d", WEXITSTATUS(status));
    lam_ring_producer_detach(&producer);
}

Test(pass, a_ring_reaches_another_process_and_its_giver_is_known)
{
    pass_and_publish(0);
}

Test(pass, a_hardened_ring_is_written_by_its_maker_alone)
{
    struct lam_ring_attach_options writing = {.access = LAM_ACCESS_WRITE};
    struct lam_ring_stat stat;
    int data_fd, control_fd;

    lam_ring_detach(&ring);
    make(1);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u32, stat.hardened, 1));
    pass_and_publish(1);
    lam_ring_fds(&ring, &data_fd, &control_fd);
    cr_assert(eq(int, lam_ring_attach_fds(&other, data_fd, control_fd, &writing, &error), -EPERM));
    cr_assert(ne(ptr, strstr(error.text, "a successor makes a new ring"), NULL), "%s", error.text);
}

Test(pass, the_successor_of_a_hardened_producer_passes_a_new_ring)
{
    struct lam_ring_attach_options options = {.access = LAM_ACCESS_READ, .deadline_ns = soon()};
    struct lam_event event = {.payload = NULL};
    struct lam_ring next;

    for (int generation = 0; generation < 2; generation++) {
        pid_t child = fork();
        int *payload = NULL;

        if (child == 0) {
            make(1);
            if (lam_ring_producer_attach(&producer, &ring, NULL, &error) != 0 ||
                lam_ring_producer_try_claim(&producer, 4, (void **)&payload) != 1)
                _exit(1);
            *payload = generation;
            lam_ring_producer_commit(&producer, 4, 1, 0);
            _exit(lam_ring_send(ends[0], &ring, LAM_ACCESS_READ, soon(), &error) != 0);
        }
        struct lam_ring *to = generation == 0 ? &other : &next;
        struct lam_ring_consumer_options oldest = {.start = LAM_RING_OLDEST};

        cr_assert(
            eq(int, lam_ring_receive(ends[1], to, &options, NULL, &error), 0), "%s", error.text);
        cr_assert(eq(int, lam_ring_consumer_attach(&consumer, to, &oldest, &error), 0));
        cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, soon(), &event), 0));
        cr_assert(eq(int, *(const int *)event.payload, generation));
        lam_ring_consumer_release(&consumer);
        cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, soon(), &event), -EOWNERDEAD));
        lam_ring_consumer_detach(&consumer);
        lam_ring_detach(to);
        cr_assert(eq(int, waitpid(child, NULL, 0), child));
    }
}

Test(pass, an_object_with_a_name_cannot_be_hardened_nor_passed)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .depth = 8, .hardened = 1};
    char name[64];

    (void)snprintf(name, sizeof(name), "test-pass-%d", (int)getpid());
    options.name = name;
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "hardened"), NULL), "%s", error.text);
    options.hardened = 0;
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_send(ends[0], &other, LAM_ACCESS_READ, soon(), &error), -EINVAL));
    cr_assert(eq(int, lam_ring_destroy(&other), 0));
}

Test(pass, an_access_that_is_none_is_not_given_as_another)
{
    struct lam_ring_attach_options options = {.access = (enum lam_access)9};
    int fds[2];

    cr_assert(eq(int, lam_ring_send(ends[0], &ring, options.access, soon(), &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "no access 9"), NULL), "%s", error.text);
    lam_ring_fds(&ring, &fds[0], &fds[1]);
    cr_assert(eq(int, lam_ring_attach_fds(&other, fds[0], fds[1], &options, &error), -EINVAL));
    options.name = "any";
    cr_assert(eq(int, lam_ring_attach(&other, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "no access 9"), NULL), "%s", error.text);
}

Test(pass, a_ring_is_attached_for_writing_only_by_who_was_given_that)
{
    cr_assert(eq(int, lam_ring_send(ends[0], &ring, LAM_ACCESS_WRITE, soon(), &error), 0));
    cr_assert(eq(int, receive(LAM_ACCESS_WRITE), 0), "%s", error.text);
    lam_ring_detach(&other);
    cr_assert(eq(int, lam_ring_send(ends[0], &ring, LAM_ACCESS_READ, soon(), &error), 0));
    cr_assert(eq(int, receive(LAM_ACCESS_WRITE), -EACCES));
    cr_assert(eq(int, count_fds(), fds_before));
}

Test(pass, deadlines_and_closed_ends_are_told)
{
    struct lam_ring_attach_options options = {.deadline_ns = 1};
    char block[4096] = {0};

    cr_assert(eq(int, lam_ring_receive(ends[1], &other, &options, NULL, &error), -ETIMEDOUT));
    while (send(ends[0], block, sizeof(block), MSG_DONTWAIT) > 0)
        continue;
    cr_assert(eq(int, lam_ring_send(ends[0], &ring, LAM_ACCESS_READ, 1, &error), -ETIMEDOUT));
    (void)close(ends[0]);
    (void)close(ends[1]);
    cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0));
    (void)close(ends[0]);
    ends[0] = -1;
    fds_before--;
    refused_with(-EPIPE, "no ring came");
    cr_assert(eq(int, lam_ring_send(ends[1], &ring, LAM_ACCESS_READ, soon(), &error), -EPIPE));
}

/* Not after a wait for a socket that is none. */
Test(pass, what_is_no_socket_is_told_at_once)
{
    struct lam_ring_attach_options options = {.deadline_ns = LAM_DEADLINE_NEVER};
    int pipe_ends[2];

    cr_assert(eq(int, pipe(pipe_ends), 0));
    cr_assert(eq(int, lam_ring_receive(-1, &other, &options, NULL, &error), -EBADF));
    cr_assert(ne(ptr, strstr(error.text, "descriptor -1"), NULL), "%s", error.text);
    cr_assert(eq(int, lam_ring_receive(pipe_ends[0], &other, &options, NULL, &error), -ENOTSOCK));
    cr_assert(
        eq(int, lam_ring_send(-1, &ring, LAM_ACCESS_READ, LAM_DEADLINE_NEVER, &error), -EBADF));
    cr_assert(ne(ptr, strstr(error.text, "descriptor -1"), NULL), "%s", error.text);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

/* Send @bytes of @text and the descriptors along. */
static void send_raw(const void *text, size_t bytes, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(32 * sizeof(int))];
    } control = {.room = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = bytes};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (count != 0) {
        struct cmsghdr *rights;

        header.msg_control = control.room;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
    }
    cr_assert(eq(i64, (int64_t)sendmsg(ends[0], &header, 0), (int64_t)bytes));
}

static const uint64_t magic = UINT64_C(0x31535350414d414c);

Test(pass, what_is_no_ring_is_refused_and_closed)
{
    uint64_t words[2] = {magic, 1};
    int fds[32];

    for (int i = 0; i < 32; i++)
        fds[i] = ends[0];
    send_raw("0123456789abcdef", 16, NULL, 0);
    refused_with(-EPROTO, "bytes of something else: they begin with 0x3736353433323130");
    send_raw(words, 16, NULL, 0);
    refused_with(-EPROTO, "with 0 descriptors");
    send_raw(words, 16, fds, 1);
    refused_with(-EPROTO, "with 1 descriptors");
    send_raw(words, 16, fds, 3);
    refused_with(-EPROTO, "with 3 descriptors");
    send_raw(words, 16, fds, 32);
    refused_with(-EPROTO, "or more");
    send_raw(words, 16, fds, 2);
    refused_with(-EPROTO, "sealed");
}

Test(pass, bytes_that_are_too_few_or_a_packet_of_too_many_are_told)
{
    struct lam_ring_attach_options options = {.deadline_ns = lam_deadline_after_ns(LAM_NS_PER_MS)};

    send_raw("hello\n", 6, NULL, 0);
    cr_assert(eq(int, lam_ring_receive(ends[1], &other, &options, NULL, &error), -ETIMEDOUT));
    cr_assert(ne(ptr, strstr(error.text, "6 bytes of the 16"), NULL), "%s", error.text);
    (void)close(ends[0]);
    (void)close(ends[1]);
    cr_assert(eq(int, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0));
    send_raw("0123456789abcdefg", 17, NULL, 0);
    refused_with(-EPROTO, "a packet of more than 16 bytes");
}

/* More descriptors than are open here, and all below it taken. */
#define ROOM_END 200

/* The kernel drops what we have no room for: what is left may look like a ring. */
Test(pass, descriptors_that_were_lost_on_the_way_are_noticed)
{
    uint64_t words[2] = {magic, ring.ring_id};
    int fds[3], last = -1;
    struct rlimit few = {.rlim_cur = ROOM_END, .rlim_max = ROOM_END};

    lam_ring_fds(&ring, &fds[0], &fds[1]);
    fds[2] = ends[0];
    send_raw(words, 16, fds, 3);
    /* Room for two, and no other: whoever started us may have left us any numbers. */
    while (last < ROOM_END - 1)
        last = dup(ends[0]);
    (void)close(ROOM_END - 1);
    (void)close(ROOM_END - 2);
    cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &few), 0));
    cr_assert(eq(int, receive(LAM_ACCESS_READ), -EPROTO));
    cr_assert(ne(ptr, strstr(error.text, "with 2 or more"), NULL), "%s", error.text);
}

Test(pass, a_ring_that_is_not_the_one_announced_is_refused)
{
    uint64_t words[2] = {magic, ring.ring_id + 1};
    char behind[32];
    int fds[2];

    lam_ring_fds(&ring, &fds[0], &fds[1]);
    send_raw(words, 16, fds, 2);
    refused_with(-EPROTO, "announced");
    words[1] = ring.ring_id;
    send_raw(words, 7, fds, 2); /* a stream may cut it anywhere */
    send_raw((char *)words + 7, 9, NULL, 0);
    send_raw("what follows", 12, NULL, 0);
    cr_assert(eq(int, receive(LAM_ACCESS_READ), 0), "%s", error.text);
    lam_ring_detach(&other);
    cr_assert(eq(i64, (int64_t)recv(ends[1], behind, sizeof(behind), MSG_DONTWAIT), 12));
    cr_assert_eq(memcmp(behind, "what follows", 12), 0);
}

/* The bytes of a ring in objects that their giver could still cut short. */
Test(pass, an_object_that_could_be_cut_short_is_refused)
{
    uint64_t words[2] = {magic, ring.ring_id};
    int fds[2], soft[2];

    lam_ring_fds(&ring, &fds[0], &fds[1]);
    for (int i = 0; i < 2; i++) {
        uint64_t bytes =
            i == 0 ? ring.data.head_bytes + ring.data.body_bytes : ring.control.head_bytes;

        soft[i] = memfd_create("soft", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        cr_assert(
            eq(i64, (int64_t)write(soft[i], i == 0 ? ring.data.base : ring.control.base, bytes),
                (int64_t)bytes));
    }
    fds_before += 2;
    send_raw(words, 16, (int[]){soft[0], fds[1]}, 2);
    refused_with(-EPROTO, "data object: is not sealed");
    send_raw(words, 16, (int[]){fds[0], soft[1]}, 2);
    refused_with(-EPROTO, "control object: is not sealed");
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, fcntl(soft[i], F_ADD_SEALS, F_SEAL_SHRINK), 0));
    send_raw(words, 16, soft, 2); /* the twin: sealed, it is as good as ours */
    cr_assert(eq(int, receive(LAM_ACCESS_READ), 0), "%s", error.text);
    lam_ring_detach(&other);
}
