/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer: processes and threads that do with the jobserver's files whatever
 * a program can do, at random.
 *
 * An operation is one such thing. What it comes to, its outcome, is a number
 * that says how many bytes or events it gave, or an error. Which operation is
 * next is a matter of chance, and of what has been seen least.
 */
#ifndef STEVE_FUZZ_H
#define STEVE_FUZZ_H

#include <limits.h>
#include <stdatomic.h>

#include "../steve_test.h"

/* Tokens that the pool has at most while it is fuzzed. */
#define FUZZ_JOBS	8

/* Who loses all privileges becomes this user. */
#define NOBODY		65534

/*
 * Outcomes: error numbers, and beyond them what a call gave that did not fail.
 * There is no error 0, so that ends a list of outcomes.
 */
enum {
	GAVE_0 = 134,
	GAVE_1,
	GAVE_MORE,
	OUTCOMES,
};

#define OUTCOMES_LISTED	12

/* What an operation returns if it does not apply to the state it found. */
#define NOT_NOW		LONG_MIN

struct worker;

/**
 * struct operation - something to do
 * @name: what it is called in the results
 * @run: does it; gives what the system call gave, a negative error number, or
 *	NOT_NOW
 * @must: outcomes that every run of the fuzzer has to meet
 * @may: outcomes that are as right; any other is a fault
 * @percent: how often it is done when it is chosen, if not always
 */
struct operation {
	const char *name;
	long (*run)(struct worker *worker);
	short must[OUTCOMES_LISTED];
	short may[OUTCOMES_LISTED];
	unsigned int percent;
};

/* At most so many operations. */
#define OPERATIONS_MAX	64

/**
 * struct shared - what all processes share
 * @seen: how often each outcome of each operation was met
 * @faults: outcomes that were none of those allowed, and other wrongs
 * @pids: processes that can be sent signals, 0 for none
 */
struct shared {
	atomic_ulong seen[OPERATIONS_MAX][OUTCOMES];
	atomic_uint faults;
	atomic_int pids[256];
};

/* Descriptors that no operation touches, and exec keeps. */
enum {
	SHARED_FD = 200,
	SEND_FD,
	RECEIVE_FD,
};

/**
 * struct worker - a thread that does things
 * @random: what it decides by
 * @seed: what @random was begun with
 * @origin: the seed of the process that the fuzzer itself started, from which
 *	this one descends
 * @left: operations until it ends
 * @budget: descendants that it may yet have
 * @foreign: it is in a user and a pid namespace of its own
 * @is_thread: it is not the first thread of its process
 * @ring: its io_uring, or NULL
 * @seen: what it has met itself, with what its parent had
 */
struct worker {
	unsigned short random[3];
	unsigned long seed;
	unsigned long origin;
	unsigned int left;
	unsigned int budget;
	bool foreign;
	bool is_thread;
	struct io_uring *ring;
	unsigned int seen[OPERATIONS_MAX][OUTCOMES];
};

extern struct shared *shared;
extern const struct operation operations[];
extern const size_t operations_count;

/* Chance. */
unsigned int below(struct worker *worker, unsigned int count);
bool chance(struct worker *worker, unsigned int percent);

/* What was met. */
int outcome_of(long ret);
const char *outcome_name(int outcome);
bool outcome_listed(const short *list, int outcome);
void __printf(2, 3) fault(struct worker *worker, const char *fmt, ...);

/* The kinds of descriptors. */
#define FILE_OF_STEVE	'd'
#define EPOLL		'e'

/* Descriptors that the operations of this process use. */
void fds_init(void);
void fds_restore(const char *list);
void fds_list(char *list, size_t size);
int fd_of(struct worker *worker, char kind);
void fd_keep(struct worker *worker, int fd, char kind);
int fd_drop(struct worker *worker);

/* Processes and threads. */
void __noreturn worker_main(struct worker *worker);
void __noreturn worker_resume(char **args);
void worker_begin(struct worker *worker);
struct worker *worker_new(const struct worker *parent, unsigned long seed);
void *worker_thread(void *worker);
long worker_exec(struct worker *worker);
bool worker_is_alone(void);
bool worker_may_thread(void);

#ifdef HAVE_LIBURING
long ring_make(struct worker *worker);
long ring_submit(struct worker *worker);
long ring_complete(struct worker *worker);
void ring_end(struct worker *worker);
void ring_forget(struct worker *worker);
#else
static inline void ring_end(struct worker *worker) {}
static inline void ring_forget(struct worker *worker) {}
#endif

#endif /* STEVE_FUZZ_H */
