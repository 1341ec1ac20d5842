#include "tests/sched/internal.h"

#include <stdarg.h>

enum { STACK_BYTES = 256 * 1024, LOCALS_MAX = 256 };

typedef enum stage { BEFORE_WINDOW, IN_WINDOW, AFTER_WINDOW, DONE } stage;

typedef struct virtual_thread {
    ucontext_t context;
    void (*body)(void);
    stage stage;
    const bpt_mutex *waits_for;         /* goes on when it is free */
    const bpt_condition *waits_for_set; /* goes on when it is signalled, or at any time if timed */
    int seen_wakes;
    bool is_timed;
    char locals[LOCALS_MAX];
} virtual_thread;

static virtual_thread threads[BPT_THREAD_MAX];
static _Alignas(64) char stacks[BPT_THREAD_MAX][STACK_BYTES];
static int current = -1;
static bool is_open;
static ucontext_t conductor; /* of bpt_threads_run, which runs what is outside of the window */

/* ---- thread-locals ---- */

extern char __start_bpt_thread_locals[], __stop_bpt_thread_locals[];
static char first_locals[LOCALS_MAX];
static bool has_first_locals;

static size_t locals_size(void) { return (size_t)(__stop_bpt_thread_locals - __start_bpt_thread_locals); }

/* Every thread begins with what the variables are at the beginning of the program. */
static void reset_locals(void) {
    if (locals_size() > LOCALS_MAX) abort();
    if (!has_first_locals) memcpy(first_locals, __start_bpt_thread_locals, locals_size());
    has_first_locals = true;
    for (int i = 0; i < BPT_THREAD_MAX; i++) memcpy(threads[i].locals, first_locals, locals_size());
    memcpy(__start_bpt_thread_locals, first_locals, locals_size());
}

/* From one thread, or from the conductor (-1), to another; returns when somebody goes back to the first. */
static void go(int to) {
    const int from = current;
    ucontext_t *here = from < 0 ? &conductor : &threads[from].context;
    char *locals = __start_bpt_thread_locals;
    if (from >= 0) memcpy(threads[from].locals, locals, locals_size());
    memcpy(locals, to < 0 ? first_locals : threads[to].locals, locals_size());
    current = to;
    if (swapcontext(here, to < 0 ? &conductor : &threads[to].context) != 0) abort();
}

/* ---- who may go on ---- */

int bpt_current_thread(void) { return current; }

bool bpt_is_open(void) { return is_open && current >= 0; }

static bool may_go_on(int thread) {
    const virtual_thread *one = &threads[thread];
    if (one->stage != IN_WINDOW) return false;
    if (one->waits_for_set != NULL) return one->is_timed || one->waits_for_set->wakes != one->seen_wakes;
    return one->waits_for == NULL || one->waits_for->holder == 0;
}

/* Other threads: a preemption if the calling thread could go on, else the only way. */
static uint32_t add_switches(bpt_option *options, uint32_t count, uint8_t preemptions) {
    for (uint8_t i = 0; i < BPT_THREAD_MAX; i++) {
        if (i == current || !may_go_on(i)) continue;
        options[count++] = (bpt_option){.action = 't', .thread = i, .preemptions = preemptions};
    }
    return count;
}

static uint32_t add_stores(bpt_option *options, uint32_t count, const void *address) {
    for (uint8_t i = 0; i < BPT_THREAD_MAX; i++) {
        if (i == current || !bpt_memory_is_waiting(i, address)) continue;
        options[count++] = (bpt_option){.action = 'f', .thread = i};
    }
    return count;
}

/* The calling thread cannot go on, ever or for now, or not before its time. */
static void leave_to_another(void) {
    bpt_option options[BPT_OPTION_MAX];
    uint32_t count = add_switches(options, 0, 0);
    if (current >= 0 && may_go_on(current)) options[count++] = (bpt_option){.action = 't', .thread = (uint8_t)current};
    if (count > 0) {
        const int next = bpt_decide(options, count).thread;
        if (next != current) go(next);
        return;
    }
    for (int i = 0; i < BPT_THREAD_MAX; i++) {
        if (threads[i].stage == IN_WINDOW) bpt_wrong("deadlock: thread %d waits for ever", i);
    }
    go(-1);
}

static void decide(const void *address, bool may_switch) {
    for (;;) {
        bpt_option options[BPT_OPTION_MAX] = {{.action = 'c'}};
        uint32_t count = add_stores(options, 1, address);
        if (may_switch) count = add_switches(options, count, 1);
        const bpt_option taken = bpt_decide(options, count);
        if (taken.action == 'c') return;
        if (taken.action == 'f') bpt_memory_release_one(taken.thread);
        if (taken.action == 't') {
            go(taken.thread);
            may_switch = false; /* whoever gave way to this thread wants it to do something */
        }
    }
}

void bpt_point(const void *address, bool is_write) {
    if (!bpt_is_open()) return;
    if (address != NULL) bpt_place_use(address, current, is_write);
    if (address != NULL && !bpt_place_is_shared(address)) {
        bpt_count_step();
    } else {
        decide(address, true);
    }
}

void bpt_point_until_free(const bpt_mutex *mutex) {
    if (!bpt_is_open()) {
        if (mutex->holder != 0) bpt_wrong("a mutex is taken outside of the window and never left");
        return;
    }
    threads[current].waits_for = mutex;
    bpt_place_use(mutex, current, true);
    if (mutex->holder != 0) {
        leave_to_another();
    } else {
        bpt_point(mutex, true);
    }
    threads[current].waits_for = NULL;
}

bool bpt_wait_for(const bpt_condition *condition, bool is_timed) {
    virtual_thread *self = &threads[current];
    if (!bpt_is_open()) bpt_wrong("a condition is waited for outside of the window");
    self->waits_for_set = condition;
    self->seen_wakes = condition->wakes;
    self->is_timed = is_timed;
    leave_to_another();
    self->waits_for_set = NULL;
    return condition->wakes != self->seen_wakes;
}

/* ---- lives ---- */

/* What the thread stored is visible in the end, but not at once. */
static void end_stage(stage next) {
    const bool was_in_window = threads[current].stage == IN_WINDOW;
    bpt_point(NULL, false);
    bpt_memory_fence(current);
    threads[current].stage = next;
    if (was_in_window) {
        leave_to_another();
    } else {
        go(-1);
    }
}

void bpt_window_open(void) { end_stage(IN_WINDOW); }

void bpt_window_close(void) { end_stage(AFTER_WINDOW); }

static void run_body(void) {
    threads[current].body();
    bpt_thread_end(current);
    end_stage(DONE);
}

static void make_thread(int ix, void (*body)(void)) {
    virtual_thread *one = &threads[ix];
    one->body = body;
    one->stage = body == NULL ? DONE : BEFORE_WINDOW;
    one->waits_for = NULL;
    one->waits_for_set = NULL;
    if (getcontext(&one->context) != 0) abort();
    one->context.uc_stack.ss_sp = stacks[ix];
    one->context.uc_stack.ss_size = STACK_BYTES;
    one->context.uc_link = NULL;
    makecontext(&one->context, run_body, 0);
}

static void run_all(stage stage) {
    for (int i = 0; i < BPT_THREAD_MAX; i++) {
        if (threads[i].stage == stage) go(i);
    }
}

void bpt_threads_run(const bpt_scenario *scenario) {
    for (int i = 0; i < BPT_THREAD_MAX; i++) make_thread(i, scenario->bodies[i]);
    run_all(BEFORE_WINDOW);
    is_open = true;
    leave_to_another();
    is_open = false;
    run_all(AFTER_WINDOW);
}

void bpt_threads_reset(void) {
    current = -1;
    is_open = false;
    reset_locals();
}
