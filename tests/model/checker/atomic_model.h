/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_ATOMIC_MODEL_H
#define TEST_MODEL_ATOMIC_MODEL_H

/*
 * What lamina/base/atomic.h brings when LAM_ATOMIC_MODEL names this file: shared words are plain
 * integers, and each access is a call of the checker (model.h) that knows where it stands in the
 * source. Code that is compiled so runs in the checker alone.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t lam_atomic_u32;
typedef uint64_t lam_atomic_u64;

enum model_order {
    MODEL_RELAXED = 0,
    MODEL_ACQUIRE = 1,
    MODEL_RELEASE = 2,
    MODEL_ACQ_REL = 3,
    MODEL_SEQ_CST = 4, /* fences only; read-modify-writes of that name count as acq_rel */
};

enum model_change { MODEL_EXCHANGE, MODEL_ADD, MODEL_OR, MODEL_AND, MODEL_CAS };

/* One place in the source that touches shared words. */
struct model_site {
    const char *file;
    const char *function;
    const char *operation; /* of atomic.h, without its prefix */
    int line;
    enum model_order order;
    enum model_order now; /* what the run in hand makes of it: mutants weaken it */
    uint32_t run;         /* the run that @now is of */
    struct model_site *next;
};

uint64_t model_load(const void *at, uint32_t bytes, struct model_site *site);
void model_store(void *at, uint32_t bytes, uint64_t value, struct model_site *site);
uint64_t model_modify(
    void *at, uint32_t bytes, enum model_change change, uint64_t operand, struct model_site *site);
/* Compare and swap: *@expected, of @bytes, is what was found where it returns 0. */
int model_cas(void *at, uint32_t bytes, void *expected, uint64_t desired, struct model_site *site);
void model_fence(struct model_site *site);

/* A spin loop's turn: sleeps until another thread has stored something. */
void model_pause(void);

/*
 * Loads and stores that are no atomics, in words of 8 bytes: where they can race, the run fails.
 * A racing copy may read old words and mixed ones; what it read must not be believed.
 */
uint64_t model_plain_read(const void *at, struct model_site *site);
void model_plain_write(void *at, uint64_t value, struct model_site *site);
void model_racing_copy(void *to, const void *from, uint64_t bytes, struct model_site *site);

/* Memory that ends with the schedule in hand, for what attach and create allocate. */
void *model_calloc(size_t count, size_t bytes);
void model_free(void *memory);

_Noreturn void model_assert_failed(const char *file, int line, const char *condition);

#define MODEL_SITE(name, strength)                                                                 \
    __extension__({                                                                                \
        static struct model_site model_site_here = {.file = __FILE__,                              \
            .function = __func__,                                                                  \
            .operation = name,                                                                     \
            .line = __LINE__,                                                                      \
            .order = strength};                                                                    \
        &model_site_here;                                                                          \
    })
#define MODEL_VALUE(at, call) ((__typeof__(*(at) + 0))(call))
#define MODEL_WORD(at, value) ((uint64_t)(__typeof__(*(at) + 0))(value))

#define lam_load_relaxed(at)                                                                       \
    MODEL_VALUE(at, model_load((at), sizeof(*(at)), MODEL_SITE("load_relaxed", MODEL_RELAXED)))
#define lam_load_acquire(at)                                                                       \
    MODEL_VALUE(at, model_load((at), sizeof(*(at)), MODEL_SITE("load_acquire", MODEL_ACQUIRE)))
#define lam_store_relaxed(at, value)                                                               \
    model_store(                                                                                   \
        (at), sizeof(*(at)), MODEL_WORD(at, value), MODEL_SITE("store_relaxed", MODEL_RELAXED))
#define lam_store_release(at, value)                                                               \
    model_store(                                                                                   \
        (at), sizeof(*(at)), MODEL_WORD(at, value), MODEL_SITE("store_release", MODEL_RELEASE))
#define MODEL_MODIFY(at, change, value, name)                                                      \
    MODEL_VALUE(at, model_modify((at), sizeof(*(at)), change, MODEL_WORD(at, value),               \
                        MODEL_SITE(name, MODEL_ACQ_REL)))
#define lam_exchange_acq_rel(at, value) MODEL_MODIFY(at, MODEL_EXCHANGE, value, "exchange_acq_rel")
#define lam_add_acq_rel(at, value)      MODEL_MODIFY(at, MODEL_ADD, value, "add_acq_rel")
#define lam_or_seq_cst(at, value)       MODEL_MODIFY(at, MODEL_OR, value, "or_seq_cst")
#define lam_and_seq_cst(at, value)      MODEL_MODIFY(at, MODEL_AND, value, "and_seq_cst")
#define lam_cas_acq_rel(at, expected, desired)                                                     \
    model_cas((at), sizeof(*(at)), (expected), MODEL_WORD(at, desired),                            \
        MODEL_SITE("cas_acq_rel", MODEL_ACQ_REL))
#define lam_fence_acquire() model_fence(MODEL_SITE("fence_acquire", MODEL_ACQUIRE))
#define lam_fence_release() model_fence(MODEL_SITE("fence_release", MODEL_RELEASE))
#define lam_fence_seq_cst() model_fence(MODEL_SITE("fence_seq_cst", MODEL_SEQ_CST))
#define lam_pause()         model_pause()

/* For the test's payload. */
#define model_read(at)         model_plain_read((at), MODEL_SITE("read", MODEL_RELAXED))
#define model_write(at, value) model_plain_write((at), (value), MODEL_SITE("write", MODEL_RELAXED))

/* The shipped code's own racing copy, and what aborts and allocates. */
#define __builtin_memcpy(to, from, bytes)                                                          \
    model_racing_copy((to), (from), (bytes), MODEL_SITE("racing copy", MODEL_RELAXED))
#define lam_assert_failed    model_assert_failed
#define calloc(count, bytes) model_calloc((count), (bytes))
#define free(memory)         model_free(memory)

#endif
