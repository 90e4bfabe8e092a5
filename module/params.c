// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/steve.h>
#include <linux/sysfs.h>

#include "client.h"
#include "params.h"

/* Given at load, or -1. */
static int jobs = -1;

bool steve_strict;

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
	unsigned long flags;
	u32 now;

	spin_lock_irqsave(&steve_pool.lock, flags);
	now = steve_pool.jobs;
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return sysfs_emit(buffer, "%u\n", now);
}

static const struct kernel_param_ops jobs_ops = {
	.set = set_jobs,
	.get = get_jobs,
};

module_param_cb(jobs, &jobs_ops, NULL, 0444);
MODULE_PARM_DESC(jobs, "Number of tokens, 0 to 65535; 0 pauses the pool (default: the number of online CPUs)");

module_param_named(strict, steve_strict, bool, 0444);
MODULE_PARM_DESC(strict, "Refuse a write that returns no token with ENOSPC, instead of accepting it (default: no)");

/**
 * steve_param_jobs() - the number of tokens to begin with
 *
 * Return: what was given at load, or the number of online CPUs.
 */
u32 steve_param_jobs(void)
{
	if (jobs >= 0)
		return jobs;
	return min_t(u32, num_online_cpus(), STEVE_JOBS_MAX);
}
