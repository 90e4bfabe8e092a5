// SPDX-License-Identifier: GPL-2.0
/*
 * The world around the pool: what client.c, chardev.c and the kernel behind
 * them do, as far as the pool can tell.
 */
#include <stdlib.h>

#include "world.h"

/* What has to be available where memory is limited, and what a job needs. */
#define MIN_MEMORY	1073741824ULL
#define JOB_MEMORY	1073741824ULL

/* Memory for so many jobs more is scarce. */
#define SCARCE_JOBS	2

/* ---- What the pool asks for ---- */

static void wake(struct thread *thread, enum thread_state state)
{
	struct world *world = thread->process->world;

	thread->state = state;
	if (world->woken)
		world->woken(thread);
}

static void hand(struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct thread *thread = list_first_entry_or_null(&process->readers,
							 struct thread, node);

	if (!thread) {
		judge_fault(process->world, "hand",
			    "%d is handed a token, and no thread of it reads",
			    client->pid);
		return;
	}
	list_del(&thread->node);
	judge_took(process);
	wake(thread, HANDED);
}

static void notify(struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct epoll *epoll = &process->epoll;
	struct thread *thread;
	int i;

	for (i = 0; i < THREADS; i++) {
		if (process->threads[i].state == POLLING)
			wake(&process->threads[i], POLL_WOKEN);
	}
	if (!epoll->open || epoll->disarmed)
		return;
	epoll->ready = true;
	thread = list_first_entry_or_null(&epoll->sleepers, struct thread,
					  node);
	if (thread) {
		list_del(&thread->node);
		wake(thread, EPOLL_WOKEN);
	}
}

static bool armed(struct steve_pool_client *client)
{
	return to_process(client)->entries;
}

static void arm(struct steve_pool *pool, u64 when)
{
	to_world(pool)->timer = when;
}

static void defer(struct steve_pool *pool)
{
	to_world(pool)->work = true;
}

static u32 load(struct steve_pool *pool)
{
	return 0;
}

static u64 memory(struct steve_pool *pool)
{
	return to_world(pool)->memory;
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

/* ---- The machine ---- */

static struct process *new_process(struct world *world, unsigned int index)
{
	struct process *process = calloc(1, sizeof(*process));
	int i;

	if (!process)
		abort();
	steve_pool_client_init(&process->client, ++world->last_pid);
	process->world = world;
	process->index = index;
	for (i = 0; i < THREADS; i++)
		process->threads[i].process = process;
	INIT_LIST_HEAD(&process->readers);
	INIT_LIST_HEAD(&process->epoll.sleepers);
	process->judged.used_at = world->now;
	process->judged.idle_since = world->now;
	process->judged.token_time_at = world->now;
	return process;
}

/**
 * world_init() - make a world
 * @world: the world
 * @jobs: number of tokens
 * @processes: number of processes
 */
void world_init(struct world *world, u32 jobs, unsigned int processes)
{
	const struct steve_pool_settings settings = {
		.jobs = jobs,
		.policy = STEVE_POLICY_FIFO,
		.reserve_ms = 100,
		.job_memory = JOB_MEMORY,
	};
	unsigned int i;

	*world = (struct world){ .now = 1000000000, .count = processes };
	steve_pool_init(&world->pool, &pool_ops, &settings, world->now);
	world->processes = calloc(processes, sizeof(*world->processes));
	if (!world->processes)
		abort();
	for (i = 0; i < processes; i++)
		world->processes[i] = new_process(world, i);
	judge_init(world);
}

/**
 * world_free() - end a world
 * @world: the world
 */
void world_free(struct world *world)
{
	unsigned int i;

	judge_free(world);
	for (i = 0; i < world->count; i++)
		free(world->processes[i]);
	free(world->processes);
}

/**
 * world_timer() - the timer fires if it is due
 * @world: the world
 *
 * Return: whether it was.
 */
bool world_timer(struct world *world)
{
	if (!world_timer_is_due(world))
		return false;
	world->timer = 0;
	judge_time(world);
	steve_pool_run(&world->pool, world->now);
	return true;
}

/**
 * world_work() - deferred work is done, if there is any
 * @world: the world
 *
 * Return: whether there was.
 */
bool world_work(struct world *world)
{
	if (!world->work)
		return false;
	world->work = false;
	judge_time(world);
	steve_pool_run(&world->pool, world->now);
	return true;
}

/**
 * world_configure() - the administrator changes the settings
 * @world: the world
 * @settings: all of them
 */
void world_configure(struct world *world,
		     const struct steve_pool_settings *settings)
{
	judge_time(world);
	judge_configured(world, settings);
	steve_pool_configure(&world->pool, settings, world->now);
}

/**
 * world_set_jobs() - the administrator changes the number of tokens
 * @world: the world
 * @jobs: the number
 */
void world_set_jobs(struct world *world, u32 jobs)
{
	struct steve_pool_settings settings = world->pool.set;

	world->judge.shrank = true;
	settings.jobs = jobs;
	world_configure(world, &settings);
}

/**
 * world_set_policy() - the administrator changes the policy
 * @world: the world
 * @policy: the policy
 */
void world_set_policy(struct world *world, enum steve_policy policy)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.policy = policy;
	world_configure(world, &settings);
}

/**
 * world_set_share() - the administrator changes what one process may hold
 * @world: the world
 * @most: the number of tokens, 0 for any
 */
void world_set_share(struct world *world, u32 most)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.max_per_process = most;
	world_configure(world, &settings);
}

/**
 * world_set_memory() - memory is limited, or is not, and is short or is not
 * @world: the world
 * @shortage: which
 */
void world_set_memory(struct world *world, enum shortage shortage)
{
	struct steve_pool_settings settings = world->pool.set;

	world->memory = 0;
	if (shortage == SCARCE)
		world->memory = MIN_MEMORY + SCARCE_JOBS * JOB_MEMORY;
	settings.min_memory = shortage == UNLIMITED ? 0 : MIN_MEMORY;
	world_configure(world, &settings);
}

/**
 * world_cap() - somebody caps the pool
 * @world: the world
 * @jobs: at this number of tokens
 *
 * There is one cap at a time, as of one file.
 */
void world_cap(struct world *world, u32 jobs)
{
	struct steve_pool_cap old = world->cap;

	judge_time(world);
	world->judge.shrank = true;
	if (world->capped)
		list_replace(&world->cap.node, &old.node);
	world->cap = (struct steve_pool_cap){ .jobs = jobs };
	if (steve_pool_cap(&world->pool, &world->cap,
			   world->capped ? &old : NULL, world->now))
		judge_fault(world, "cap", "there are too many caps");
	world->capped = true;
}

/**
 * world_uncap() - whoever capped the pool is gone
 * @world: the world
 */
void world_uncap(struct world *world)
{
	if (!world->capped)
		return;
	judge_time(world);
	world->capped = false;
	steve_pool_uncap(&world->pool, &world->cap, world->now);
}

/**
 * world_unlimit() - nothing but the number of tokens is limited
 * @world: the world
 */
void world_unlimit(struct world *world)
{
	world_set_share(world, 0);
	world_set_memory(world, UNLIMITED);
	world_uncap(world);
}

/**
 * world_give_unknown() - a process for which there was no memory writes
 * @world: the world
 * @count: number of bytes
 */
void world_give_unknown(struct world *world, size_t count)
{
	struct steve_pool_given given;

	judge_time(world);
	steve_pool_give(&world->pool, NULL, count, world->now, &given);
	if (given.returned || given.lent || given.strays != count)
		judge_fault(world, "given", "bytes of nobody have an owner");
}

/* ---- Taking and giving ---- */

static bool take(struct process *process)
{
	struct world *world = process->world;
	struct steve_pool *pool = &world->pool;

	judge_time(world);
	judge_tries(process);
	if (!steve_pool_take_quick(pool, &process->client) &&
	    !steve_pool_take(pool, &process->client, world->now))
		return false;
	judge_took(process);
	return true;
}

static void miss(struct process *process)
{
	judge_failed(process);
	steve_pool_miss(&process->world->pool, &process->client,
			process->world->now);
	if (process->epoll.open)
		process->epoll.owed = true;
}

/**
 * thread_try() - read without waiting
 * @thread: who
 *
 * Return: whether it got a token.
 */
bool thread_try(struct thread *thread)
{
	if (take(thread->process))
		return true;
	miss(thread->process);
	return false;
}

/**
 * thread_read() - read
 * @thread: who
 *
 * Return: whether it got a token at once; else it waits.
 */
bool thread_read(struct thread *thread)
{
	struct process *process = thread->process;

	if (take(process))
		return true;
	judge_failed(process);
	thread->state = READING;
	list_add_tail(&thread->node, &process->readers);
	steve_pool_block(&process->world->pool, &process->client,
			 process->world->now);
	return false;
}

/* Puts a token back that could not be delivered. */
static void untake(struct process *process)
{
	struct world *world = process->world;
	struct steve_pool_client *client = &process->client;
	struct steve_pool_given given = {
		.returned = client->held != 0,
		.paid = !client->held && client->debt,
		.lent = !client->held && !client->debt && !client->lent &&
			world->pool.lent < world->pool.set.jobs,
	};

	given.strays = !given.returned && !given.paid && !given.lent;
	judge_gives(process, 1);
	/* It is about to go, not to ask again. */
	process->judged.own_return = false;
	steve_pool_untake(&world->pool, client, world->now);
	judge_gave(process, 1, &given);
}

/**
 * thread_fault() - read without waiting, to where nothing can be written
 * @thread: who
 *
 * Return: whether there was a token that could not be delivered.
 */
bool thread_fault(struct thread *thread)
{
	if (!take(thread->process)) {
		miss(thread->process);
		return false;
	}
	untake(thread->process);
	return true;
}

/**
 * process_give() - write
 * @process: who
 * @count: number of bytes
 */
void process_give(struct process *process, size_t count)
{
	struct world *world = process->world;
	struct steve_pool_given given = { .returned = 1 };

	judge_time(world);
	judge_gives(process, count);
	if (count != 1 ||
	    !steve_pool_give_quick(&world->pool, &process->client))
		steve_pool_give(&world->pool, &process->client, count,
				world->now, &given);
	judge_gave(process, count, &given);
}

/**
 * thread_asks() - ask how many tokens there are, and read without waiting
 * @thread: who
 *
 * Return: whether it got a token.
 */
bool thread_asks(struct thread *thread)
{
	struct process *process = thread->process;
	struct world *world = process->world;
	u32 readable;
	bool got;

	judge_time(world);
	judge_touch(process);
	readable = steve_pool_readable(&world->pool, &process->client,
				       world->now);
	got = thread_try(thread);
	if (got != !!readable)
		judge_fault(world, "readable",
			    "%u is told of %u tokens, and gets %s",
			    process->index, readable, got ? "one" : "none");
	return got;
}

/* ---- Polling ---- */

static bool poll_device(struct process *process)
{
	struct world *world = process->world;
	bool readable;

	judge_time(world);
	judge_polls(process);
	readable = steve_pool_poll_quick(&world->pool, &process->client) ||
		   steve_pool_poll(&world->pool, &process->client, world->now);
	judge_polled(process, readable);
	return readable;
}

/**
 * thread_poll() - poll
 * @thread: who
 * @sleep: wait for a token
 *
 * Return: whether the device is readable; else the thread sleeps if it is to.
 */
bool thread_poll(struct thread *thread, bool sleep)
{
	struct process *process = thread->process;

	/* Who does not sleep gets no entry in the wait queue. */
	process->entries += sleep;
	if (poll_device(process)) {
		process->entries -= sleep;
		return true;
	}
	if (sleep)
		thread->state = POLLING;
	return false;
}

static bool resume_poll(struct thread *thread)
{
	if (!poll_device(thread->process)) {
		thread->state = POLLING;
		return false;
	}
	thread->process->entries--;
	thread->state = RUNNING;
	return true;
}

static struct process *instance_of(const struct thread *thread)
{
	return thread->process->world->processes[thread->instance];
}

/* The device is asked in the name of whoever waits, not of who watches. */
static bool epoll_tells(struct thread *thread)
{
	struct process *instance = instance_of(thread);
	struct epoll *epoll = &instance->epoll;
	bool readable;

	if (!epoll->ready || epoll->disarmed)
		return false;
	epoll->ready = false;
	readable = poll_device(thread->process);
	if (readable && epoll->trigger == LEVEL)
		epoll->ready = true;
	if (readable && epoll->trigger == ONESHOT)
		epoll->disarmed = true;
	if (readable || thread->process == instance)
		epoll->owed = !readable;
	return readable;
}

/**
 * thread_epoll_wait() - wait for an epoll instance
 * @thread: who
 * @instance: index of the process that made it
 *
 * Return: whether the device is readable; else the thread sleeps, unless the
 * instance is closed.
 */
bool thread_epoll_wait(struct thread *thread, unsigned int instance)
{
	struct epoll *epoll;

	thread->instance = instance;
	epoll = &instance_of(thread)->epoll;
	if (!epoll->open)
		return false;
	if (epoll_tells(thread))
		return true;
	thread->state = EPOLLING;
	list_add_tail(&thread->node, &epoll->sleepers);
	return false;
}

/**
 * process_epoll_add() - have an epoll instance watch the device
 * @process: who
 * @trigger: how to watch
 */
void process_epoll_add(struct process *process, enum trigger trigger)
{
	struct epoll *epoll = &process->epoll;

	epoll->open = true;
	epoll->trigger = trigger;
	epoll->disarmed = false;
	process->entries++;
	epoll->ready = poll_device(process);
	epoll->owed = !epoll->ready;
}

/**
 * process_epoll_rearm() - have the epoll instance tell again
 * @process: who
 */
void process_epoll_rearm(struct process *process)
{
	struct epoll *epoll = &process->epoll;
	struct thread *thread;

	epoll->disarmed = false;
	epoll->owed = !poll_device(process);
	if (epoll->owed)
		return;
	epoll->ready = true;
	thread = list_first_entry_or_null(&epoll->sleepers, struct thread,
					  node);
	if (thread) {
		list_del(&thread->node);
		wake(thread, EPOLL_WOKEN);
	}
}

/**
 * process_epoll_remove() - close the epoll instance
 * @process: who
 */
void process_epoll_remove(struct process *process)
{
	struct epoll *epoll = &process->epoll;
	struct thread *thread, *next;

	list_for_each_entry_safe(thread, next, &epoll->sleepers, node) {
		list_del(&thread->node);
		thread->state = RUNNING;
	}
	process->entries -= epoll->open;
	epoll->open = false;
	epoll->ready = false;
}

/* ---- Waking, signals, death ---- */

/**
 * thread_resume() - a thread that was woken runs
 * @thread: who
 *
 * Return: whether it got a token, or is told of one. If not, it sleeps again.
 */
bool thread_resume(struct thread *thread)
{
	switch (thread->state) {
	case HANDED:
		thread->state = RUNNING;
		return true;
	case POLL_WOKEN:
		return resume_poll(thread);
	case EPOLL_WOKEN:
		thread->state = RUNNING;
		return thread_epoll_wait(thread, thread->instance);
	default:
		return false;
	}
}

/**
 * thread_interrupt() - a signal, or a time-out, ends whatever a thread waits for
 * @thread: who
 *
 * Return: whether it has been handed a token, or is told of one all the same:
 * poll looks once more before it returns.
 */
bool thread_interrupt(struct thread *thread)
{
	struct process *process = thread->process;
	bool got = thread->state == HANDED;

	switch (thread->state) {
	case READING:
		list_del(&thread->node);
		thread->state = RUNNING;
		judge_time(process->world);
		judge_touch(process);
		steve_pool_unblock(&process->world->pool, &process->client,
				   process->world->now);
		break;
	case POLLING:
	case POLL_WOKEN:
		got = poll_device(process);
		process->entries--;
		break;
	case EPOLLING:
		list_del(&thread->node);
		break;
	default:
		break;
	}
	thread->state = RUNNING;
	return got;
}

/**
 * thread_discard() - a thread is killed in read, having been handed a token
 * @thread: who
 *
 * Return: whether it was so; the token is put back.
 */
bool thread_discard(struct thread *thread)
{
	if (thread->state != HANDED)
		return false;
	thread->state = RUNNING;
	judge_time(thread->process->world);
	untake(thread->process);
	return true;
}

/**
 * process_leave() - close the device
 * @process: who; none of its threads may read or poll
 */
void process_leave(struct process *process)
{
	struct world *world = process->world;

	process_epoll_remove(process);
	judge_time(world);
	judge_left(process);
	steve_pool_leave(&world->pool, &process->client, world->now);
}

/**
 * process_reclaim() - the administrator takes the tokens of a process
 * @process: the process
 */
void process_reclaim(struct process *process)
{
	struct world *world = process->world;
	u32 tokens = process->judged.tokens;

	judge_time(world);
	judge_reclaimed(process);
	if (steve_pool_reclaim(&world->pool, &process->client, world->now) !=
	    tokens)
		judge_fault(world, "reclaim", "%u had %u tokens, not so many",
			    process->index, tokens);
}

/**
 * process_exit() - die
 * @process: who
 *
 * An epoll instance that others wait for stays.
 */
void process_exit(struct process *process)
{
	struct world *world = process->world;
	int i;

	for (i = 0; i < THREADS; i++) {
		if (!thread_discard(&process->threads[i]))
			thread_interrupt(&process->threads[i]);
	}
	if (list_empty(&process->epoll.sleepers))
		process_epoll_remove(process);
	judge_time(world);
	judge_died(process);
	steve_pool_exit(&world->pool, &process->client, world->now);
	process->dead = true;
}

/**
 * process_forget() - free what is known of a dead process
 * @process: who
 *
 * A new process takes its place in the world.
 */
void process_forget(struct process *process)
{
	struct world *world = process->world;
	unsigned int index = process->index;

	process_epoll_remove(process);
	world->processes[index] = new_process(world, index);
	free(process);
}

/* ---- Looking ---- */

/**
 * thread_waits() - does a thread sleep until it can have a token?
 * @thread: who
 *
 * Return: whether it does, and has a right to be woken then.
 */
bool thread_waits(const struct thread *thread)
{
	const struct epoll *epoll = &thread->process->epoll;

	switch (thread->state) {
	case READING:
	case POLLING:
		return true;
	case EPOLLING:
		return thread->instance == thread->process->index &&
		       epoll->owed && !epoll->ready && !epoll->disarmed;
	default:
		return false;
	}
}

/**
 * process_waits() - does a process sleep until it can have a token?
 * @process: who
 *
 * Return: whether any of its threads does.
 */
bool process_waits(const struct process *process)
{
	int i;

	for (i = 0; i < THREADS; i++) {
		if (thread_waits(&process->threads[i]))
			return true;
	}
	return false;
}
