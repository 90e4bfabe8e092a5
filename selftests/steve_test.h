/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all suites share: looking at the pool, waiting until something is so,
 * and children that are clients.
 *
 * A helper that cannot do its work says why on standard output and aborts,
 * which fails the test that called it.
 */
#ifndef STEVE_TEST_H
#define STEVE_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/steve.h>

#include "kselftest.h"

#define STEVE_DEVICE		"/dev/steve"
#define STEVEFS_DIR		"/run/steve"
#define STEVE_FIFO		STEVEFS_DIR "/fifo"

/* Tokens that the pool has while a test runs. */
#define TEST_JOBS		4

/*
 * How long to wait for what has to come, in seconds. Far more than it takes,
 * since the machine may be emulated and full of debugging.
 */
#define PATIENCE		60

/**
 * wait_at_most() - wait until @cond is true
 * @limit: seconds to wait
 * @cond: expression, looked at every millisecond
 *
 * Return: false if it did not come true in that time.
 */
#define wait_at_most(limit, cond) ({					\
	time_t __end = seconds() + (limit);				\
	bool __done;							\
									\
	while (!(__done = (cond)) && seconds() < __end)			\
		nap();							\
	__done;								\
})

/* Waits until what has to come is there. */
#define wait_until(cond)	wait_at_most(PATIENCE, cond)

/**
 * IN_CHILD() - run the block that follows in a child process
 * @pid: where its process id goes
 *
 * The child exits with 0 after the block, is killed when the test dies before
 * it, and is a client of its own.
 */
#define IN_CHILD(pid)							\
	for (fork_child(&(pid)); is_child(); _exit(0))

time_t seconds(void);
void nap(void);
void die_with_the_test(void);
void __noreturn __printf(1, 2) die(const char *fmt, ...);
bool fails(long ret, int error);

/* The pool. Each look checks that its account adds up. */
struct steve_status pool_status(void);
bool pool_idle(void);
void pool_close(void);
int pool_set_jobs(unsigned int jobs);
int pool_set_reserve_ms(unsigned int reserve_ms);
int pool_set(const struct steve_settings *set);
struct steve_settings pool_settings(void);
struct steve_client_info pool_client(pid_t pid);
bool pool_clients_add_up(void);
void pool_check_clients(void);

/* The same through a descriptor of the caller's, for looks that go on. */
enum sum { SUM_WRONG, SUM_RIGHT, SUM_UNKNOWN };

bool adds_up(const struct steve_status *st);
enum sum sum_of_clients(int fd);

/* Tokens. */
int open_steve(int flags);
void take(int fd);
void give(int fd);
void take_many(int fd, unsigned int n);
void give_many(int fd, unsigned int n);
int fionread(int fd);

/* Children. */
void fork_child(pid_t *pid);
bool is_child(void);
pid_t start_holder(unsigned int n);
pid_t start_reader(void);
void __noreturn hold_forever(void);
bool another_can_take(int nonblock);
bool is_waiting(pid_t pid, unsigned int wait);
int reap(pid_t pid);
void kill_and_reap(pid_t pid);
bool succeeded(int status);

/* A child tells how far it is by its name. */
void announce(const char *name);
bool is_named(pid_t pid, const char *name);

/* What /proc tells about a process. */
char proc_state(pid_t pid, pid_t tid);
long proc_sleeps(pid_t pid);
bool proc_in_syscall(pid_t pid, pid_t tid, long nr);

/* The module and the mount of stevefs. */
bool module_loaded(void);
int module_file(void);
int module_load_from(int file, const char *params);
int module_load(const char *params);
int module_unload(void);
bool stevefs_mounted(void);
int stevefs_mount(const struct stat *fifo);

/* Writes to a file of a folder; false if that is not possible. */
bool write_file(const char *dir, const char *name, const char *text);

/* The kernel's log, from where it was opened. */
int log_open(void);
bool log_tells(int log, const char *a, const char *b, const char *c);

/* Memory that a call cannot read or write, and such that forks share. */
void *bad_memory(void);
char *end_of_memory(void);
void *shared_memory(size_t size);

#endif /* STEVE_TEST_H */
