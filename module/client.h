/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients: the processes that use the pool, and the files they use it through.
 */
#ifndef _STEVE_CLIENT_H
#define _STEVE_CLIENT_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "pool.h"

/**
 * struct steve_client - a process that uses the pool
 * @pool: what the pool knows of it
 * @readers: struct steve_reader of its blocked threads, in the order in which
 *	they came; protected by the pool's lock
 * @polls: where its threads sleep in poll, whatever file they poll
 * @pid: its identity; a reference is held
 * @id: its index in the table of clients
 * @death: entry in the wait queue of @pid, which is woken when it dies
 * @handles: struct steve_handle of the files it uses; changed under the pool's
 *	lock, read under RCU
 * @wanting: how many of @handles want tokens; protected by the pool's lock
 * @abandoned: it died while its implicit slot was lent
 * @comm: what it was called then
 * @node: in the hash of clients, by @pid
 * @dead: in the list of clients to be forgotten; protected by the pool's lock
 * @rcu: frees it
 *
 * It exists from the first read, write or poll of a process until that process
 * is dead. The process itself may therefore use it without any reference.
 */
struct steve_client {
	struct steve_pool_client pool;
	struct list_head readers;
	struct wait_queue_head polls;
	struct pid *pid;
	u32 id;
	u32 wanting;
	bool abandoned;
	char comm[TASK_COMM_LEN];
	struct wait_queue_entry death;
	struct list_head handles;
	struct rhash_head node;
	struct list_head dead;
	struct rcu_head rcu;
};

/**
 * struct steve_file - an open file of the device, or of the FIFO of stevefs
 * @last: the handle used last, which most often is the one wanted next. Whoever
 *	uses the file sets it, without a lock; read under RCU, or under the pool's
 *	lock, each of which keeps the handle
 * @handles: struct steve_handle of the clients that use it; protected by the
 *	pool's lock
 * @cap: the cap that lasts as long as it is open, or NULL; protected by the
 *	pool's lock
 */
struct steve_file {
	struct steve_handle __rcu *last;
	struct list_head handles;
	struct steve_pool_cap *cap;
};

/**
 * struct steve_handle - one client's use of one open file
 * @file: the file
 * @client: the client
 * @wants: the client has tried to take a token through this file
 * @of_client: in the handles of @client
 * @of_file: in the handles of @file
 * @rcu: frees it
 *
 * It goes with the file or with the client, whichever goes first. A client may
 * have two for one file, if two of its threads made them at the same time.
 */
struct steve_handle {
	struct steve_file *file;
	struct steve_client *client;
	bool wants;
	struct list_head of_client;
	struct list_head of_file;
	struct rcu_head rcu;
};

/**
 * struct steve_reader - a thread blocked in read
 * @node: in the readers of its client
 * @task: the thread
 * @granted: it has its token; set under the pool's lock, with release semantics
 */
struct steve_reader {
	struct list_head node;
	struct task_struct *task;
	bool granted;
};

/**
 * enum steve_use - what a client wants of a file
 * @STEVE_USE_GIVE: to return tokens
 * @STEVE_USE_TAKE: to take them as well. A client that has no file left that it
 *	used so loses its place in the queue.
 */
enum steve_use {
	STEVE_USE_GIVE,
	STEVE_USE_TAKE,
};

/* The pool of this machine. */
extern struct steve_pool steve_pool;

int steve_clients_init(const struct steve_pool_settings *settings);
void steve_clients_exit(void);

struct steve_client *steve_client_current(struct steve_file *file,
					  enum steve_use use, gfp_t gfp);
struct steve_client *steve_client_of(struct pid *pid);
struct steve_client *steve_client_next(unsigned long *id);
u32 steve_clients_count(void);

void steve_poll_unknown(struct file *file, poll_table *wait);

struct steve_file *steve_file_new(void);
int steve_file_cap(struct steve_file *file, const struct steve_pool_cap *limits);
void steve_file_release(struct steve_file *file);

/**
 * steve_client_last() - the client that the calling process is, if that is quick
 * @file: the file through which it uses the pool
 * @use: what for
 *
 * Context: under the pool's lock.
 * Return: the client, if it was also the last to use the file, or NULL; then
 * steve_client_current() can tell.
 */
static inline struct steve_client *steve_client_last(struct steve_file *file,
						     enum steve_use use)
{
	struct steve_handle *handle =
		rcu_dereference_check(file->last,
				      lockdep_is_held(&steve_pool.lock));

	if (!handle || handle->client->pid != task_tgid(current) ||
	    (use == STEVE_USE_TAKE && !handle->wants))
		return NULL;
	return handle->client;
}

/**
 * steve_now() - the pool's clock
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
static inline u64 steve_now(void)
{
	return ktime_get_ns();
}

#endif /* _STEVE_CLIENT_H */
