/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world around the pool, on a desk: processes with threads and epoll
 * instances, a timer, deferred work, and a clock that moves when it is told to.
 *
 * It stands in for the files, tasks and timers of the kernel, and calls the
 * pool as the module does: in every order that a kernel could, and in no other.
 */
#ifndef _DESK_WORLD_H
#define _DESK_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/list.h>
#include <linux/types.h>

#include "judge.h"
#include "pool.h"

#define THREADS		3	/* of one process that use the device */

struct process;
struct world;

/**
 * enum thread_state - what a thread does
 * @RUNNING: something else, or nothing
 * @READING: it is blocked in read
 * @HANDED: it has been handed a token there and did not run since
 * @POLLING: it sleeps in poll
 * @POLL_WOKEN: it has been woken there and did not run since
 * @EPOLLING: it sleeps in epoll_wait
 * @EPOLL_WOKEN: it has been woken there and did not run since
 */
enum thread_state {
	RUNNING,
	READING,
	HANDED,
	POLLING,
	POLL_WOKEN,
	EPOLLING,
	EPOLL_WOKEN,
};

/**
 * struct thread - a thread
 * @process: whose
 * @state: what it does
 * @instance: index of the process that made the epoll instance it sleeps in
 * @node: in the readers of its process, or the sleepers of that instance
 */
struct thread {
	struct process *process;
	enum thread_state state;
	unsigned int instance;
	struct list_head node;
};

/**
 * enum shortage - how memory limits the pool
 * @UNLIMITED: it does not
 * @SHORT: there is less than there has to be
 * @SCARCE: there is enough for a few jobs at a time
 */
enum shortage {
	UNLIMITED,
	SHORT,
	SCARCE,
};

enum trigger {
	LEVEL,
	EDGE,
	ONESHOT,
};

/**
 * struct epoll - an epoll instance that watches the device
 * @open: it exists
 * @trigger: how it watches
 * @disarmed: it is one-shot and has told
 * @ready: it has something to tell, or to look at again
 * @owed: its process found no token and may sleep until it is told
 * @sleepers: threads, of any process, that sleep in epoll_wait
 */
struct epoll {
	bool open;
	enum trigger trigger;
	bool disarmed;
	bool ready;
	bool owed;
	struct list_head sleepers;
};

/**
 * struct process - a process that uses the pool: a client of it
 * @client: what the pool knows of it
 * @world: where it lives
 * @index: in the processes of the world
 * @dead: it is dead, but not forgotten
 * @threads: its threads
 * @readers: those blocked in read, in the order in which they came
 * @entries: entries in the wait queue that pollers of this client sleep in
 * @epoll: the epoll instance it made
 * @judged: what is known of it apart from the pool
 * @actor: who plays it
 */
struct process {
	struct steve_pool_client client;
	struct world *world;
	unsigned int index;
	bool dead;
	struct thread threads[THREADS];
	struct list_head readers;
	unsigned int entries;
	struct epoll epoll;
	struct judged judged;
	void *actor;
};

/**
 * struct world - all there is
 * @pool: the pool
 * @now: the time
 * @timer: when the timer fires, 0 for never
 * @work: deferred work is pending
 * @memory: the memory that is available, in bytes
 * @cap: the cap that there is, if @capped
 * @capped: there is a cap
 * @processes: the processes
 * @count: their number
 * @last_pid: the last process id used
 * @woken: if not NULL, called when a thread is woken
 * @judge: who watches that the pool keeps its promises
 */
struct world {
	struct steve_pool pool;
	u64 now;
	u64 timer;
	bool work;
	u64 memory;
	struct steve_pool_cap cap;
	bool capped;
	struct process **processes;
	unsigned int count;
	pid_t last_pid;
	void (*woken)(struct thread *thread);
	struct judge judge;
};

void world_init(struct world *world, u32 jobs, unsigned int processes);
void world_free(struct world *world);

/* The machine. Each says whether there was anything to do. */
bool world_timer(struct world *world);
bool world_work(struct world *world);
void world_configure(struct world *world,
		     const struct steve_pool_settings *settings);
void world_set_jobs(struct world *world, u32 jobs);
void world_set_policy(struct world *world, enum steve_policy policy);
void world_set_share(struct world *world, u32 most);
void world_set_memory(struct world *world, enum shortage shortage);
void world_cap(struct world *world, u32 jobs);
void world_uncap(struct world *world);
void world_unlimit(struct world *world);
void world_give_unknown(struct world *world, size_t count);

static inline bool world_timer_is_due(const struct world *world)
{
	return world->timer && world->timer <= world->now;
}

/* System calls of a thread that runs. Each says whether it got something. */
bool thread_try(struct thread *thread);
bool thread_asks(struct thread *thread);
bool thread_read(struct thread *thread);
bool thread_fault(struct thread *thread);
bool thread_poll(struct thread *thread, bool sleep);
bool thread_epoll_wait(struct thread *thread, unsigned int instance);

/* What happens to a thread that does not run. */
bool thread_resume(struct thread *thread);
bool thread_interrupt(struct thread *thread);
bool thread_discard(struct thread *thread);
bool thread_waits(const struct thread *thread);

/* System calls for which it makes no difference who of a process does them. */
void process_give(struct process *process, size_t count);
void process_epoll_add(struct process *process, enum trigger trigger);
void process_epoll_rearm(struct process *process);
void process_epoll_remove(struct process *process);
void process_leave(struct process *process);
void process_exit(struct process *process);
void process_reclaim(struct process *process);
void process_forget(struct process *process);

bool process_waits(const struct process *process);

static inline struct process *to_process(const struct steve_pool_client *client)
{
	return (struct process *)client;
}

static inline struct world *to_world(const struct steve_pool *pool)
{
	return (struct world *)pool;
}

#endif /* _DESK_WORLD_H */
