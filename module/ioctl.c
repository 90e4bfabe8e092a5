// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the administrator, and of programs that show the pool. What they
 * mean is written in the uapi header.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/steve.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/ioctls.h>

#include "client.h"
#include "compat.h"
#include "ioctl.h"

/* The first versions of the structures: none may be smaller. */
#define STATUS_SIZE_VER0	104
#define SETTINGS_SIZE_VER0	24
#define CLIENTS_SIZE_VER0	40
#define CLIENT_SIZE_VER0	48
#define CAP_SIZE_VER0		24
#define RECLAIM_SIZE_VER0	16

/* Clients looked at before others may run. */
#define STEPS			64

/* No version has holes, nor other sizes for 32-bit programs. */
static_assert(sizeof(struct steve_status) == 144);
static_assert(sizeof(struct steve_settings) == 56);
static_assert(sizeof(struct steve_clients) == CLIENTS_SIZE_VER0);
static_assert(sizeof(struct steve_client_info) == 56);
static_assert(sizeof(struct steve_cap) == CAP_SIZE_VER0);
static_assert(sizeof(struct steve_reclaim) == RECLAIM_SIZE_VER0);

#define SETTING(name, field) \
	{ STEVE_SET_##name, offsetofend(struct steve_settings, field) }

/* The fields that can be set, and how large a structure has to be for each. */
static const struct {
	u64 bit;
	size_t end;
} settings_fields[] = {
	SETTING(JOBS, jobs),
	SETTING(POLICY, policy),
	SETTING(RESERVE_MS, reserve_ms),
	SETTING(STRICT, strict),
	SETTING(MIN_JOBS, min_jobs),
	SETTING(MAX_PER_PROCESS, max_per_process),
	SETTING(MAX_LOAD, max_load),
	SETTING(MIN_MEMORY, min_memory),
	SETTING(JOB_MEMORY, job_memory),
};

static bool may_administer(const struct file *file)
{
	return capable(CAP_SYS_RESOURCE) &&
	       file_ns_capable(file, &init_user_ns, CAP_SYS_RESOURCE);
}

/*
 * Copies in a structure that the caller knows with a size of its own; the rest
 * is zero.
 */
static int get_struct(void *dst, size_t size, size_t least, unsigned int cmd,
		      const void __user *arg)
{
	if (_IOC_SIZE(cmd) < least)
		return -EINVAL;
	return copy_struct_from_user(dst, size, arg, _IOC_SIZE(cmd));
}

/* The bits of all fields that the caller's struct steve_settings has. */
static u64 settings_known(unsigned int cmd)
{
	u64 known = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(settings_fields); i++) {
		if (settings_fields[i].end <= _IOC_SIZE(cmd))
			known |= settings_fields[i].bit;
	}
	return known;
}

static int get_status(void __user *arg, unsigned int cmd)
{
	struct steve_status status;
	unsigned long flags;
	u64 now;
	int err;

	err = get_struct(&status, sizeof(status), STATUS_SIZE_VER0, cmd, arg);
	if (err)
		return err;
	if (status.flags)
		return -EINVAL;

	memset(&status, 0, sizeof(status));
	status.clients = steve_clients_count();
	spin_lock_irqsave(&steve_pool.lock, flags);
	now = steve_now();
	status.jobs = steve_pool.set.jobs;
	status.size = steve_pool.size;
	status.available = steve_pool_available(&steve_pool);
	status.held = steve_pool.held;
	status.reserved = steve_pool.reserved;
	status.lent = steve_pool.lent;
	status.waiting = steve_pool.waiting;
	status.granted = steve_pool.counts.granted;
	status.returned = steve_pool.counts.returned;
	status.reclaimed = steve_pool.counts.reclaimed;
	status.lapsed = steve_pool.counts.lapsed;
	status.loans = steve_pool.counts.loans;
	status.strays = steve_pool.counts.strays;
	status.abandoned = steve_pool.counts.abandoned;
	status.interrupted = steve_pool.counts.interrupted;
	status.limits = steve_pool_limits(&steve_pool, now);
	status.caps = steve_pool.capped;
	status.max_load = steve_pool.max_load;
	status.load = steve_pool.ops->load(&steve_pool);
	status.min_memory = steve_pool.min_memory;
	status.memory = steve_pool.ops->memory(&steve_pool);
	status.charged = steve_pool_charged(&steve_pool, now);
	spin_unlock_irqrestore(&steve_pool.lock, flags);

	return copy_struct_to_user(arg, _IOC_SIZE(cmd), &status, sizeof(status),
				   NULL);
}

static int get_settings(void __user *arg, unsigned int cmd)
{
	struct steve_settings settings;
	unsigned long flags;
	int err;

	err = get_struct(&settings, sizeof(settings), SETTINGS_SIZE_VER0, cmd,
			 arg);
	if (err)
		return err;
	if (settings.mask || settings.reserved)
		return -EINVAL;

	memset(&settings, 0, sizeof(settings));
	settings.mask = settings_known(cmd);
	spin_lock_irqsave(&steve_pool.lock, flags);
	settings.jobs = steve_pool.set.jobs;
	settings.policy = steve_pool.set.policy;
	settings.reserve_ms = steve_pool.set.reserve_ms;
	settings.strict = steve_pool.set.strict;
	settings.min_jobs = steve_pool.set.min_jobs;
	settings.max_per_process = steve_pool.set.max_per_process;
	settings.max_load = steve_pool.set.max_load;
	settings.min_memory = steve_pool.set.min_memory;
	settings.job_memory = steve_pool.set.job_memory;
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return copy_struct_to_user(arg, _IOC_SIZE(cmd), &settings,
				   sizeof(settings), NULL);
}

/* Is a field in its range, or not asked for? */
static bool fits(const struct steve_settings *set, u64 field, u64 value,
		 u64 least, u64 most)
{
	return !(set->mask & field) || (value >= least && value <= most);
}

static bool settings_fit(const struct steve_settings *set)
{
	return fits(set, STEVE_SET_JOBS, set->jobs, 0, STEVE_JOBS_MAX) &&
	       fits(set, STEVE_SET_POLICY, set->policy, STEVE_POLICY_FIFO,
		    STEVE_POLICY_FAIR) &&
	       fits(set, STEVE_SET_RESERVE_MS, set->reserve_ms,
		    STEVE_RESERVE_MS_MIN, STEVE_RESERVE_MS_MAX) &&
	       fits(set, STEVE_SET_STRICT, set->strict, 0, 1) &&
	       fits(set, STEVE_SET_MIN_JOBS, set->min_jobs, 0,
		    STEVE_JOBS_MAX) &&
	       fits(set, STEVE_SET_MAX_PER_PROCESS, set->max_per_process, 0,
		    STEVE_JOBS_MAX) &&
	       fits(set, STEVE_SET_MAX_LOAD, set->max_load, 0,
		    STEVE_LOAD_MAX) &&
	       fits(set, STEVE_SET_MIN_MEMORY, set->min_memory, 0,
		    STEVE_MEMORY_MAX) &&
	       fits(set, STEVE_SET_JOB_MEMORY, set->job_memory, 0,
		    STEVE_MEMORY_MAX);
}

/* Changes of @set what @settings asks for. */
static void change(struct steve_pool_settings *set,
		   const struct steve_settings *settings)
{
	u64 mask = settings->mask;

	if (mask & STEVE_SET_JOBS)
		set->jobs = settings->jobs;
	if (mask & STEVE_SET_POLICY)
		set->policy = settings->policy;
	if (mask & STEVE_SET_RESERVE_MS)
		set->reserve_ms = settings->reserve_ms;
	if (mask & STEVE_SET_STRICT)
		set->strict = settings->strict;
	if (mask & STEVE_SET_MIN_JOBS)
		set->min_jobs = settings->min_jobs;
	if (mask & STEVE_SET_MAX_PER_PROCESS)
		set->max_per_process = settings->max_per_process;
	if (mask & STEVE_SET_MAX_LOAD)
		set->max_load = settings->max_load;
	if (mask & STEVE_SET_MIN_MEMORY)
		set->min_memory = settings->min_memory;
	if (mask & STEVE_SET_JOB_MEMORY)
		set->job_memory = settings->job_memory;
}

static int set_settings(const struct file *file, void __user *arg,
			unsigned int cmd)
{
	struct steve_pool_settings set;
	struct steve_settings settings;
	unsigned long flags;
	int err;

	err = get_struct(&settings, sizeof(settings), SETTINGS_SIZE_VER0, cmd,
			 arg);
	if (err)
		return err;
	if (settings.mask & ~settings_known(cmd) || settings.reserved)
		return -EINVAL;
	if (!may_administer(file))
		return -EPERM;
	if (!settings_fit(&settings))
		return -ERANGE;

	spin_lock_irqsave(&steve_pool.lock, flags);
	set = steve_pool.set;
	change(&set, &settings);
	steve_pool_configure(&steve_pool, &set, steve_now());
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return 0;
}

static int set_cap(struct file *file, void __user *arg, unsigned int cmd)
{
	struct steve_cap cap;
	int err;

	err = get_struct(&cap, sizeof(cap), CAP_SIZE_VER0, cmd, arg);
	if (err)
		return err;
	if (cap.flags)
		return -EINVAL;
	if (!may_administer(file))
		return -EPERM;
	if (cap.jobs > STEVE_JOBS_MAX || cap.max_load > STEVE_LOAD_MAX ||
	    cap.min_memory > STEVE_MEMORY_MAX)
		return -ERANGE;
	return steve_file_cap(file->private_data, &(struct steve_pool_cap){
		.jobs = cap.jobs,
		.max_load = cap.max_load,
		.min_memory = cap.min_memory,
	});
}

/* Returns the number of tokens taken from a process, or -ESRCH. */
static s64 reclaim_from(struct pid *pid)
{
	char comm[TASK_COMM_LEN] = "";
	struct steve_client *client;
	struct task_struct *task;
	unsigned long flags;
	s64 tokens = -ESRCH;

	rcu_read_lock();
	client = steve_client_of(pid);
	task = pid_task(pid, PIDTYPE_TGID);
	if (client && task) {
		spin_lock_irqsave(&steve_pool.lock, flags);
		tokens = steve_pool_reclaim(&steve_pool, &client->pool,
					    steve_now());
		spin_unlock_irqrestore(&steve_pool.lock, flags);
		strscpy(comm, task->comm, sizeof(comm));
	}
	rcu_read_unlock();
	if (tokens > 0)
		pr_info("%lld tokens reclaimed from %s[%d] by %s[%d]\n", tokens,
			comm, pid_nr(pid), current->comm,
			task_tgid_nr(current));
	return tokens;
}

static int reclaim(const struct file *file, struct steve_reclaim __user *arg,
		   unsigned int cmd)
{
	struct steve_reclaim reclaim;
	struct pid *pid;
	s64 tokens;
	int err;

	err = get_struct(&reclaim, sizeof(reclaim), RECLAIM_SIZE_VER0, cmd, arg);
	if (err)
		return err;
	if (reclaim.flags || reclaim.tokens)
		return -EINVAL;
	if (!may_administer(file))
		return -EPERM;
	/* What fails must not have changed anything. */
	if (put_user(0, &arg->tokens))
		return -EFAULT;

	pid = find_get_pid(reclaim.pid);
	if (!pid)
		return -ESRCH;
	tokens = reclaim_from(pid);
	put_pid(pid);
	return tokens < 0 ? tokens : put_user(tokens, &arg->tokens);
}

static u32 wait_state(struct steve_client *client)
{
	if (!client->pool.place)
		return STEVE_WAIT_NONE;
	if (client->pool.readers)
		return STEVE_WAIT_READ;
	if (client->pool.polling && steve_pool.ops->armed(&client->pool))
		return STEVE_WAIT_POLL;
	return STEVE_WAIT_COLD;
}

/* The rule of ptrace: one of another user, or that was, is not shown. */
static bool is_own(const struct cred *cred)
{
	return uid_eq(cred->uid, current_uid()) &&
	       uid_eq(cred->euid, current_uid()) &&
	       uid_eq(cred->suid, current_uid());
}

/* Under rcu_read_lock(). Returns false for a client that is not to be shown. */
static bool show_client(struct steve_client *client, bool all,
			struct steve_client_info *info)
{
	struct task_struct *task = pid_task(client->pid, PIDTYPE_TGID);
	const struct cred *cred;
	unsigned long flags;

	if (!task)
		return false;
	cred = __task_cred(task);
	if (!all && !is_own(cred))
		return false;

	memset(info, 0, sizeof(*info));
	info->id = client->id;
	info->pid = pid_vnr(client->pid);
	info->uid = from_kuid_munged(current_user_ns(), cred->uid);
	spin_lock_irqsave(&steve_pool.lock, flags);
	info->held = client->pool.held;
	info->reserved = client->pool.reserved;
	info->lent = client->pool.lent;
	info->wait = wait_state(client);
	info->place = client->pool.place;
	if (info->place)
		info->waited_ns = steve_now() - client->pool.since;
	info->limited = steve_pool_is_full(&steve_pool, &client->pool);
	info->debt = client->pool.debt;
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return true;
}

/* Finds the next client to show. Returns false if there is none. */
static bool next_client(unsigned long *id, bool all,
			struct steve_client_info *info)
{
	struct steve_client *client;
	bool found = false;
	int steps;

	do {
		rcu_read_lock();
		for (steps = 0; steps < STEPS; steps++) {
			client = steve_client_next(id);
			if (!client)
				break;
			++*id;
			found = show_client(client, all, info);
			if (found)
				break;
		}
		rcu_read_unlock();
		cond_resched();
	} while (client && !found);
	return found;
}

static int get_clients(void __user *arg, unsigned int cmd)
{
	bool all = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	struct steve_client_info info;
	struct steve_clients batch;
	unsigned long id;
	u32 count = 0;
	int err;

	err = get_struct(&batch, sizeof(batch), CLIENTS_SIZE_VER0, cmd, arg);
	if (err)
		return err;
	if (batch.flags || batch.reserved || !batch.count ||
	    batch.row_size < CLIENT_SIZE_VER0 || batch.row_size > PAGE_SIZE ||
	    batch.cursor > ULONG_MAX)
		return -EINVAL;

	id = batch.cursor;
	while (count < batch.count && next_client(&id, all, &info)) {
		void __user *row = u64_to_user_ptr(batch.rows) +
				   (size_t)count * batch.row_size;

		if (copy_struct_to_user(row, batch.row_size, &info,
					sizeof(info), NULL))
			return -EFAULT;
		count++;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}

	batch.more = count == batch.count;
	batch.count = count;
	batch.cursor = id;
	return copy_struct_to_user(arg, _IOC_SIZE(cmd), &batch, sizeof(batch),
				   NULL);
}

static int get_readable(int __user *arg)
{
	struct steve_pool_client newcomer;
	struct steve_client *client;
	unsigned long flags;
	u32 readable;

	steve_pool_client_init(&newcomer, 0);
	rcu_read_lock();
	client = steve_client_of(task_tgid(current));
	spin_lock_irqsave(&steve_pool.lock, flags);
	readable = steve_pool_readable(&steve_pool,
				       client ? &client->pool : &newcomer,
				       steve_now());
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	rcu_read_unlock();
	return put_user(readable, arg);
}

/* The size is part of a call's number, and free to differ. */
static bool is_call(unsigned int cmd, unsigned int call)
{
	const unsigned int size = _IOC_SIZEMASK << _IOC_SIZESHIFT;

	return (cmd & ~size) == (call & ~size);
}

/**
 * steve_ioctl() - the ioctl operation of the jobserver's files
 * @file: the file
 * @cmd: the call
 * @arg: its argument
 *
 * Return: 0, or a negative error number.
 */
long steve_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	if (cmd == FIONREAD)
		return get_readable(uarg);
	if (is_call(cmd, STEVE_IOC_GET_STATUS))
		return get_status(uarg, cmd);
	if (is_call(cmd, STEVE_IOC_GET_SETTINGS))
		return get_settings(uarg, cmd);
	if (is_call(cmd, STEVE_IOC_SET_SETTINGS))
		return set_settings(file, uarg, cmd);
	if (is_call(cmd, STEVE_IOC_GET_CLIENTS))
		return get_clients(uarg, cmd);
	if (is_call(cmd, STEVE_IOC_SET_CAP))
		return set_cap(file, uarg, cmd);
	if (is_call(cmd, STEVE_IOC_RECLAIM))
		return reclaim(file, uarg, cmd);
	return -ENOTTY;
}
