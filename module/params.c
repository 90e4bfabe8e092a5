// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/minmax.h>
#include <linux/steve.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "client.h"
#include "params.h"

#define RESERVE_MS		100

/* What is given at load; jobs is -1 if it is not. */
static int jobs = -1;
static enum steve_policy policy = STEVE_POLICY_FIFO;
static unsigned int reserve_ms = RESERVE_MS;

bool steve_strict;

static const char * const policies[] = {
	[STEVE_POLICY_FIFO] = "fifo",
	[STEVE_POLICY_FAIR] = "fair",
};

/*
 * What is read is what is in force, which may have been changed since. No lock:
 * it is a number each, and may be asked for before there is a pool.
 */

static int set_jobs(const char *val, const struct kernel_param *kp)
{
	unsigned int number;

	if (kstrtouint(val, 10, &number) || number > STEVE_JOBS_MAX) {
		pr_err("jobs=%s is not a number from 0 to %u\n", val,
		       STEVE_JOBS_MAX);
		return -EINVAL;
	}
	jobs = number;
	return 0;
}

static int get_jobs(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n", READ_ONCE(steve_pool.set.jobs));
}

static const struct kernel_param_ops jobs_ops = {
	.set = set_jobs,
	.get = get_jobs,
};

module_param_cb(jobs, &jobs_ops, NULL, 0444);
MODULE_PARM_DESC(jobs, "Number of tokens, 0 to 65535; 0 pauses the pool (default: the number of online CPUs)");

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int number = sysfs_match_string(policies, val);

	if (number < 0) {
		pr_err("policy=%s is neither fifo nor fair\n", val);
		return -EINVAL;
	}
	policy = number;
	return 0;
}

static int get_policy(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n",
			  policies[READ_ONCE(steve_pool.set.policy)]);
}

static const struct kernel_param_ops policy_ops = {
	.set = set_policy,
	.get = get_policy,
};

module_param_cb(policy, &policy_ops, NULL, 0444);
MODULE_PARM_DESC(policy, "Who is served first: fifo, whoever has waited longest, or fair, whoever has the fewest tokens (default: fifo)");

static int set_reserve_ms(const char *val, const struct kernel_param *kp)
{
	unsigned int number;

	if (kstrtouint(val, 10, &number) || number < STEVE_RESERVE_MS_MIN ||
	    number > STEVE_RESERVE_MS_MAX) {
		pr_err("reserve_ms=%s is not a number from %u to %u\n", val,
		       STEVE_RESERVE_MS_MIN, STEVE_RESERVE_MS_MAX);
		return -EINVAL;
	}
	reserve_ms = number;
	return 0;
}

static int get_reserve_ms(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n",
			  READ_ONCE(steve_pool.set.reserve_ms));
}

static const struct kernel_param_ops reserve_ms_ops = {
	.set = set_reserve_ms,
	.get = get_reserve_ms,
};

module_param_cb(reserve_ms, &reserve_ms_ops, NULL, 0444);
MODULE_PARM_DESC(reserve_ms, "How long a token is put aside for a poller that was told of it, in milliseconds, 1 to 60000 (default: 100)");

module_param_named(strict, steve_strict, bool, 0444);
MODULE_PARM_DESC(strict, "Refuse a write that returns no token with ENOSPC, instead of accepting it (default: no)");

/**
 * steve_param_settings() - what the pool begins with
 * @settings: where it goes
 */
void steve_param_settings(struct steve_pool_settings *settings)
{
	*settings = (struct steve_pool_settings){
		.jobs = jobs >= 0 ? jobs : min_t(u32, num_online_cpus(),
						 STEVE_JOBS_MAX),
		.policy = policy,
		.reserve_ms = reserve_ms,
	};
}
