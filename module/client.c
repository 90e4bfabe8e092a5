// SPDX-License-Identifier: GPL-2.0
/*
 * Clients: who uses the pool, from the first use to death; and the pool's
 * decisions carried out: readers handed their tokens, pollers woken, the timer
 * set.
 *
 * Locks, outermost first:
 *
 *   tasklist_lock (exit), siglock (a posix timer may take it in an interrupt)
 *     wait_pidfd.lock of a struct pid
 *       steve_pool.lock
 *         steve_client.polls.lock, and what wake functions of pollers take;
 *         what waking a task, setting a timer and queueing work take
 *
 * Tables of clients are read under RCU; they are changed by a client itself
 * when it becomes known, and by forget_clients() when it is dead.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/ratelimit.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/sched/loadavg.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "client.h"
#include "compat.h"

struct steve_pool steve_pool;

static struct rhashtable clients;
static DEFINE_XARRAY_ALLOC1(clients_by_id);
static u32 last_id;

static struct kmem_cache *client_cache;
static struct kmem_cache *handle_cache;
static struct kmem_cache *file_cache;

static struct workqueue_struct *steve_wq;
static struct hrtimer pool_timer;

/* Clients that are dead; protected by the pool's lock. */
static LIST_HEAD(dead_clients);

/*
 * Pollers of which no client could be known, for want of memory: nobody would
 * wake them at their turn, so they are woken now and then.
 */
#define UNKNOWN_POLL_MS		100
static DECLARE_WAIT_QUEUE_HEAD(unknown_polls);

/* Tokens in use hold a reference to the module; protected by the pool's lock. */
static bool pinned;

static const struct rhashtable_params clients_params = {
	.key_len = sizeof(struct pid *),
	.key_offset = offsetof(struct steve_client, pid),
	.head_offset = offsetof(struct steve_client, node),
	.automatic_shrinking = true,
};

static struct steve_client *to_client(struct steve_pool_client *client)
{
	return container_of(client, struct steve_client, pool);
}

/* ---- What the pool asks for ---- */

static void hand(struct steve_pool_client *pool_client)
{
	struct steve_client *client = to_client(pool_client);
	struct steve_reader *reader = list_first_entry(&client->readers,
						       struct steve_reader,
						       node);
	struct task_struct *task = reader->task;

	lockdep_assert_held(&steve_pool.lock);

	list_del(&reader->node);
	/*
	 * From here on the reader may return and its stack frame be gone. The
	 * task itself cannot be: holding the pool's lock keeps RCU from
	 * completing a grace period. Pairs with wait_for_token().
	 */
	smp_store_release(&reader->granted, true);
	wake_up_process(task);
}

static void notify(struct steve_pool_client *client)
{
	wake_up_poll(&to_client(client)->polls, EPOLLIN | EPOLLRDNORM);
}

static bool armed(struct steve_pool_client *client)
{
	/*
	 * A poller enters the queue before it takes the pool's lock to ask, so
	 * whoever is in line is seen here.
	 */
	return waitqueue_active(&to_client(client)->polls);
}

static void arm(struct steve_pool *pool, u64 when)
{
	hrtimer_start(&pool_timer, ns_to_ktime(when), HRTIMER_MODE_ABS_SOFT);
}

static void run_pool(struct work_struct *work)
{
	unsigned long flags;

	spin_lock_irqsave(&steve_pool.lock, flags);
	steve_pool_run(&steve_pool, steve_now());
	spin_unlock_irqrestore(&steve_pool.lock, flags);
}

static DECLARE_WORK(run_work, run_pool);

static void defer(struct steve_pool *pool)
{
	queue_work(steve_wq, &run_work);
}

static u32 load(struct steve_pool *pool)
{
	unsigned long avg = READ_ONCE(avenrun[0]) + FIXED_1 / 200;

	return LOAD_INT(avg) * 100 + LOAD_FRAC(avg);
}

static u64 memory(struct steve_pool *pool)
{
	return (u64)si_mem_available() << PAGE_SHIFT;
}

static const struct steve_pool_ops pool_ops = {
	.hand = hand,
	.notify = notify,
	.armed = armed,
	.arm = arm,
	.defer = defer,
	.load = load,
	.memory = memory,
};

static enum hrtimer_restart pool_timer_fired(struct hrtimer *timer)
{
	run_pool(NULL);
	return HRTIMER_NORESTART;
}

/* ---- Pollers of whom nothing is known ---- */

static void wake_unknown(struct work_struct *work)
{
	/* Who comes later queues the work again: it is not pending now. */
	if (!waitqueue_active(&unknown_polls))
		return;
	/* All of them, those that asked to be woken one by one, too. */
	__wake_up(&unknown_polls, TASK_NORMAL, 0,
		  poll_to_key(EPOLLIN | EPOLLRDNORM));
	queue_delayed_work(steve_wq, to_delayed_work(work),
			   msecs_to_jiffies(UNKNOWN_POLL_MS));
}

static DECLARE_DELAYED_WORK(unknown_work, wake_unknown);

/**
 * steve_poll_unknown() - poll without a client
 * @file: the file
 * @wait: what poll was given
 *
 * Who sleeps has to try now and then, and find EAGAIN or a token. That does for
 * epoll, which asks for a wait queue once, and may not ask again for a long time.
 */
void steve_poll_unknown(struct file *file, poll_table *wait)
{
	poll_wait(file, &unknown_polls, wait);
	/* Who is to be woken is in the queue by now, by its own doing. */
	if (waitqueue_active(&unknown_polls))
		queue_delayed_work(steve_wq, &unknown_work,
				   msecs_to_jiffies(UNKNOWN_POLL_MS));
}

/* ---- Death ---- */

static void free_handle(struct rcu_head *rcu)
{
	kmem_cache_free(handle_cache,
			container_of(rcu, struct steve_handle, rcu));
}

static void free_client(struct rcu_head *rcu)
{
	struct steve_client *client =
		container_of(rcu, struct steve_client, rcu);

	put_pid(client->pid);
	kmem_cache_free(client_cache, client);
}

static void drop_handle(struct steve_handle *handle)
{
	struct steve_client *client = handle->client;

	lockdep_assert_held(&steve_pool.lock);

	if (rcu_access_pointer(handle->file->last) == handle)
		RCU_INIT_POINTER(handle->file->last, NULL);
	list_del(&handle->of_file);
	list_del_rcu(&handle->of_client);
	client->wanting -= handle->wants;
	call_rcu(&handle->rcu, free_handle);
}

/*
 * Makes sure that client_died() neither runs for this client nor will. Returns
 * whether it was still to come.
 */
static bool unhook(struct steve_client *client)
{
	struct wait_queue_head *deaths = &client->pid->wait_pidfd;
	unsigned long flags;
	bool hooked;

	spin_lock_irqsave(&deaths->lock, flags);
	hooked = !list_empty(&client->death.entry);
	list_del_init(&client->death.entry);
	spin_unlock_irqrestore(&deaths->lock, flags);
	return hooked;
}

static void forget_client(struct steve_client *client)
{
	struct steve_handle *handle;

	unhook(client);
	rhashtable_remove_fast(&clients, &client->node, clients_params);
	xa_erase(&clients_by_id, client->id);

	spin_lock_irq(&steve_pool.lock);
	while ((handle = list_first_entry_or_null(&client->handles,
						  struct steve_handle,
						  of_client))) {
		drop_handle(handle);
		spin_unlock_irq(&steve_pool.lock);
		cond_resched();
		spin_lock_irq(&steve_pool.lock);
	}
	spin_unlock_irq(&steve_pool.lock);

	/*
	 * An epoll instance shared with a child may still be there. This is
	 * wake_up_pollfree(), which the kernel does not export to modules.
	 */
	if (waitqueue_active(&client->polls))
		__wake_up(&client->polls, TASK_NORMAL, 0,
			  poll_to_key(EPOLLHUP | POLLFREE));
	call_rcu(&client->rcu, free_client);
}

static void forget_clients(struct work_struct *work)
{
	struct steve_client *client;

	spin_lock_irq(&steve_pool.lock);
	while ((client = list_first_entry_or_null(&dead_clients,
						  struct steve_client, dead))) {
		list_del(&client->dead);
		spin_unlock_irq(&steve_pool.lock);
		if (client->abandoned)
			pr_info_ratelimited("%s[%d] died and never took back the implicit slot it had lent by a write without a read\n",
					    client->comm, client->pool.pid);
		forget_client(client);
		spin_lock_irq(&steve_pool.lock);
	}
	spin_unlock_irq(&steve_pool.lock);
}

static DECLARE_WORK(forget_work, forget_clients);

/*
 * Tokens in use pin the module once no open file may be left to do it: looked
 * at whenever a file is closed or a client dies.
 */
static void pin_or_unpin(void)
{
	bool in_use = steve_pool.held || steve_pool.lent;

	lockdep_assert_held(&steve_pool.lock);

	if (in_use == pinned)
		return;
	pinned = in_use;
	if (in_use)
		__module_get(THIS_MODULE);
	else
		module_put(THIS_MODULE);
}

/* Dead as a pidfd means it: the whole thread group, with nobody holding it. */
static bool is_dead(struct pid *pid)
{
	struct task_struct *task;
	bool dead;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	dead = !task ||
	       (READ_ONCE(task->exit_state) && !delay_group_leader(task));
	rcu_read_unlock();
	return dead;
}

/* For the log; whoever lends its slot for good is to be found. */
static void note_loan(struct steve_client *client)
{
	struct task_struct *task;

	if (!client->pool.lent)
		return;
	client->abandoned = true;
	rcu_read_lock();
	task = pid_task(client->pid, PIDTYPE_PID);
	if (task)
		strscpy(client->comm, task->comm, sizeof(client->comm));
	rcu_read_unlock();
}

/*
 * Called with the wait_pidfd.lock of the client's pid held, and most often with
 * tasklist_lock too, before the parent can reap the process: so its tokens are
 * back before waitpid() returns. The call may come too early, when a leader
 * dies before its threads.
 */
static int client_died(struct wait_queue_entry *wait, unsigned int mode,
		       int sync, void *key)
{
	struct steve_client *client =
		container_of(wait, struct steve_client, death);
	unsigned long flags;

	if (!is_dead(client->pid))
		return 0;

	list_del_init(&wait->entry);
	spin_lock_irqsave(&steve_pool.lock, flags);
	note_loan(client);
	steve_pool_exit(&steve_pool, &client->pool, steve_now());
	list_add_tail(&client->dead, &dead_clients);
	queue_work(steve_wq, &forget_work);
	if (pinned)
		pin_or_unpin();
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return 0;
}

/* ---- Becoming known ---- */

static struct steve_client *new_client(struct pid *pid, gfp_t gfp)
{
	struct steve_client *client = kmem_cache_alloc(client_cache, gfp);

	if (!client)
		return NULL;
	steve_pool_client_init(&client->pool, pid_nr(pid));
	INIT_LIST_HEAD(&client->readers);
	init_waitqueue_head(&client->polls);
	client->pid = get_pid(pid);
	client->wanting = 0;
	client->abandoned = false;
	client->comm[0] = '\0';
	init_waitqueue_func_entry(&client->death, client_died);
	INIT_LIST_HEAD(&client->handles);
	return client;
}

/* The client of the calling process, made if it is not known yet. */
static struct steve_client *know_client(gfp_t gfp)
{
	struct pid *pid = task_tgid(current);
	struct steve_client *client, *other;

	rcu_read_lock();
	client = steve_client_of(pid);
	rcu_read_unlock();
	if (client)
		return client;

	client = new_client(pid, gfp);
	if (!client)
		return NULL;
	/*
	 * Before it can hold a token: it is in the list whenever it does. A walk
	 * goes on from the next id, so there has to be one.
	 */
	if (xa_alloc_cyclic(&clients_by_id, &client->id, client,
			    XA_LIMIT(1, U32_MAX - 1), &last_id, gfp) < 0) {
		free_client(&client->rcu);
		return NULL;
	}

	/* Another thread of this process may come to the same point. */
	rcu_read_lock();
	other = rhashtable_lookup_get_insert_fast(&clients, &client->node,
						  clients_params);
	rcu_read_unlock();
	if (other) {
		xa_erase(&clients_by_id, client->id);
		call_rcu(&client->rcu, free_client);
		return IS_ERR(other) ? NULL : other;
	}

	/* It cannot die before this: it is the one that runs here. */
	add_wait_queue(&pid->wait_pidfd, &client->death);
	return client;
}

static struct steve_handle *find_handle(struct steve_file *file,
					struct steve_client *client)
{
	struct steve_handle *handle;

	list_for_each_entry_rcu(handle, &client->handles, of_client) {
		if (handle->file == file)
			return handle;
	}
	return NULL;
}

static struct steve_handle *new_handle(struct steve_file *file,
				       struct steve_client *client, gfp_t gfp)
{
	struct steve_handle *handle = kmem_cache_alloc(handle_cache, gfp);

	if (!handle)
		return NULL;
	handle->file = file;
	handle->client = client;
	handle->wants = false;
	spin_lock_irq(&steve_pool.lock);
	list_add_rcu(&handle->of_client, &client->handles);
	list_add(&handle->of_file, &file->handles);
	spin_unlock_irq(&steve_pool.lock);
	return handle;
}

static struct steve_handle *last_handle(struct steve_file *file)
{
	struct steve_handle *handle = rcu_dereference(file->last);

	if (handle && handle->client->pid == task_tgid(current))
		return handle;
	return NULL;
}

static struct steve_handle *get_handle(struct steve_file *file,
				       struct steve_client *client, gfp_t gfp)
{
	struct steve_handle *handle;

	rcu_read_lock();
	handle = find_handle(file, client);
	rcu_read_unlock();
	if (!handle)
		handle = new_handle(file, client, gfp);
	if (handle)
		rcu_assign_pointer(file->last, handle);
	return handle;
}

static void want(struct steve_handle *handle)
{
	spin_lock_irq(&steve_pool.lock);
	if (!handle->wants) {
		WRITE_ONCE(handle->wants, true);
		handle->client->wanting++;
	}
	spin_unlock_irq(&steve_pool.lock);
}

/**
 * steve_client_current() - the client that the calling process is
 * @file: the file through which it uses the pool
 * @use: what for
 * @gfp: how to find memory, if the client is new or uses the file first
 *
 * Context: process context; may sleep if @gfp may.
 * Return: the client, which stays until the process is dead, or NULL if there
 * is no memory.
 */
struct steve_client *steve_client_current(struct steve_file *file,
					  enum steve_use use, gfp_t gfp)
{
	struct steve_client *client;
	struct steve_handle *handle;

	/* A handle of the calling process stays as long as @file is open. */
	rcu_read_lock();
	handle = last_handle(file);
	rcu_read_unlock();
	if (!handle) {
		client = know_client(gfp);
		if (!client)
			return NULL;
		handle = get_handle(file, client, gfp);
		if (!handle)
			return use == STEVE_USE_GIVE ? client : NULL;
	}
	if (use == STEVE_USE_TAKE && unlikely(!READ_ONCE(handle->wants)))
		want(handle);
	return handle->client;
}

/**
 * steve_client_of() - the client that a process is, if it is one
 * @pid: of its thread group
 *
 * Context: under rcu_read_lock(), which protects the client.
 * Return: the client, which stays until the process is dead, or NULL.
 */
struct steve_client *steve_client_of(struct pid *pid)
{
	return rhashtable_lookup(&clients, &pid, clients_params);
}

/**
 * steve_client_next() - walk the clients
 * @id: the lowest id to look at; then that of the client found
 *
 * Context: under rcu_read_lock(), which protects the client.
 * Return: the client with the lowest id that is not below @id, or NULL.
 */
struct steve_client *steve_client_next(unsigned long *id)
{
	struct steve_client *client;

	/* Threads that come at once are clients of one process for a moment. */
	while ((client = xa_find(&clients_by_id, id, ULONG_MAX, XA_PRESENT)) &&
	       steve_client_of(client->pid) != client)
		++*id;
	return client;
}

/**
 * steve_clients_count() - how many clients are known
 *
 * Return: the number, which may be old at once.
 */
u32 steve_clients_count(void)
{
	return atomic_read(&clients.nelems);
}

/* ---- Files ---- */

/**
 * steve_file_new() - the device was opened
 *
 * Return: what to remember of the open file, or NULL if there is no memory.
 */
struct steve_file *steve_file_new(void)
{
	struct steve_file *file = kmem_cache_zalloc(file_cache, GFP_KERNEL);

	if (file)
		INIT_LIST_HEAD(&file->handles);
	return file;
}

/**
 * steve_file_cap() - cap the pool for as long as a file is open
 * @file: the file; a cap that it has already is changed
 * @limits: the cap, of which a copy is made
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if there are too many caps.
 */
int steve_file_cap(struct steve_file *file, const struct steve_pool_cap *limits)
{
	struct steve_pool_cap *cap, *old;
	int err;

	cap = kmemdup(limits, sizeof(*limits), GFP_KERNEL_ACCOUNT);
	if (!cap)
		return -ENOMEM;

	spin_lock_irq(&steve_pool.lock);
	old = file->cap;
	err = steve_pool_cap(&steve_pool, cap, old, steve_now());
	if (!err)
		file->cap = cap;
	spin_unlock_irq(&steve_pool.lock);
	kfree(err ? cap : old);
	return err;
}

/**
 * steve_file_release() - an open file is closed for the last time
 * @file: what steve_file_new() gave
 *
 * A client that has no other file to take tokens through leaves the queue.
 * Tokens stay with the clients that hold them. The cap that the file has ends.
 *
 * Context: process context, may sleep.
 */
void steve_file_release(struct steve_file *file)
{
	struct steve_handle *handle;
	struct steve_client *client;
	bool wanted;

	spin_lock_irq(&steve_pool.lock);
	while ((handle = list_first_entry_or_null(&file->handles,
						  struct steve_handle,
						  of_file))) {
		client = handle->client;
		wanted = handle->wants;
		drop_handle(handle);
		if (wanted && !client->wanting)
			steve_pool_leave(&steve_pool, &client->pool,
					 steve_now());
		spin_unlock_irq(&steve_pool.lock);
		cond_resched();
		spin_lock_irq(&steve_pool.lock);
	}
	if (file->cap)
		steve_pool_uncap(&steve_pool, file->cap, steve_now());
	pin_or_unpin();
	spin_unlock_irq(&steve_pool.lock);
	kfree(file->cap);
	kmem_cache_free(file_cache, file);
}

/* ---- Load and unload ---- */

static int make_caches(void)
{
	/* What was merged leaves a link in sysfs when it goes. */
	client_cache = KMEM_CACHE(steve_client, SLAB_ACCOUNT | SLAB_NO_MERGE);
	handle_cache = KMEM_CACHE(steve_handle, SLAB_ACCOUNT | SLAB_NO_MERGE);
	file_cache = KMEM_CACHE(steve_file, SLAB_ACCOUNT | SLAB_NO_MERGE);
	steve_wq = alloc_workqueue("steve", WQ_UNBOUND | WQ_HIGHPRI |
					 WQ_MEM_RECLAIM, 0);
	return client_cache && handle_cache && file_cache && steve_wq ?
	       0 : -ENOMEM;
}

static void drop_caches(void)
{
	if (steve_wq)
		destroy_workqueue(steve_wq);
	kmem_cache_destroy(file_cache);
	kmem_cache_destroy(handle_cache);
	kmem_cache_destroy(client_cache);
}

/**
 * steve_clients_init() - make the pool
 * @settings: what it begins with
 *
 * Context: at load, may sleep.
 * Return: 0 or -ENOMEM.
 */
int steve_clients_init(const struct steve_pool_settings *settings)
{
	int err;

	steve_pool_init(&steve_pool, &pool_ops, settings, steve_now());
	hrtimer_setup(&pool_timer, pool_timer_fired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
	err = make_caches();
	if (!err)
		err = rhashtable_init(&clients, &clients_params);
	if (err)
		drop_caches();
	return err;
}

/**
 * steve_clients_exit() - undo steve_clients_init()
 *
 * Context: at unload, when no file is open and no token in use; may sleep.
 */
void steve_clients_exit(void)
{
	struct steve_client *client;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&clients_by_id, id, client) {
		if (!unhook(client))
			continue;
		spin_lock_irq(&steve_pool.lock);
		list_add_tail(&client->dead, &dead_clients);
		spin_unlock_irq(&steve_pool.lock);
	}
	rcu_read_unlock();
	cancel_delayed_work_sync(&unknown_work);
	queue_work(steve_wq, &forget_work);
	flush_workqueue(steve_wq);
	/* Work may have armed it. Without clients nothing does so any more. */
	hrtimer_cancel(&pool_timer);
	rcu_barrier();
	rhashtable_destroy(&clients);
	xa_destroy(&clients_by_id);
	drop_caches();
}
