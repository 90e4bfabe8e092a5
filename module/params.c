// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters. What is given at load is what the pool begins with. What is
 * read in sysfs is what is set, which may have been changed since; no lock, for it
 * is a number each, and may be asked for before there is a pool.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/steve.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "client.h"
#include "params.h"

/* For what is shown: it decides nothing, and may be set meanwhile. */
#define peek(setting)		data_race(READ_ONCE(setting))

/* As many jobs as there are CPUs, which is found out at load. */
#define JOBS_UNSET		U32_MAX

static struct steve_pool_settings initial = {
	.jobs = JOBS_UNSET,
	.policy = STEVE_POLICY_FIFO,
	.reserve_ms = 100,
	.min_jobs = 1,
	.job_memory = SZ_512M,
};

static const char * const policies[] = {
	[STEVE_POLICY_FIFO] = "fifo",
	[STEVE_POLICY_FAIR] = "fair",
};

/* ---- Numbers ---- */

/**
 * struct number - a parameter that is a number
 * @initial: where the pool finds it at load
 * @set: where it is when it is set
 * @least: its lowest value
 * @most: its highest value
 */
struct number {
	u32 *initial;
	const u32 *set;
	u32 least;
	u32 most;
};

static int set_number(const char *val, const struct kernel_param *kp)
{
	const struct number *number = kp->arg;
	u32 value;

	if (kstrtou32(val, 10, &value) || value < number->least ||
	    value > number->most) {
		pr_err("%s=%s is not a number from %u to %u\n", kp->name, val,
		       number->least, number->most);
		return -EINVAL;
	}
	*number->initial = value;
	return 0;
}

static int get_number(char *buffer, const struct kernel_param *kp)
{
	const struct number *number = kp->arg;

	return sysfs_emit(buffer, "%u\n", peek(*number->set));
}

static const struct kernel_param_ops number_ops = {
	.set = set_number,
	.get = get_number,
};

#define NUMBER_PARAM(name, lowest, highest)				\
	static struct number name##_number = {				\
		.initial = &initial.name,				\
		.set = &steve_pool.set.name,				\
		.least = lowest,					\
		.most = highest,					\
	};								\
	module_param_cb(name, &number_ops, &name##_number, 0444)

NUMBER_PARAM(jobs, 0, STEVE_JOBS_MAX);
MODULE_PARM_DESC(jobs, "Number of tokens, 0 to 65535; 0 pauses the pool (default: the number of online CPUs)");

NUMBER_PARAM(reserve_ms, STEVE_RESERVE_MS_MIN, STEVE_RESERVE_MS_MAX);
MODULE_PARM_DESC(reserve_ms, "How long a token is put aside for a poller that was told of it, in milliseconds, 1 to 60000 (default: 100)");

NUMBER_PARAM(min_jobs, 0, STEVE_JOBS_MAX);
MODULE_PARM_DESC(min_jobs, "Tokens that neither max_load nor min_memory hold back, 0 to 65535 (default: 1)");

NUMBER_PARAM(max_per_process, 0, STEVE_JOBS_MAX);
MODULE_PARM_DESC(max_per_process, "Tokens that one process may hold, 1 to 65535, or 0 for any number (default: 0)");

/* ---- Sizes of memory ---- */

/**
 * struct size - a parameter that is a size of memory
 * @initial: where the pool finds it at load
 * @set: where it is when it is set
 */
struct size {
	u64 *initial;
	const u64 *set;
};

static int set_size(const char *val, const struct kernel_param *kp)
{
	static const char units[] = "KMGT";
	const struct size *size = kp->arg;
	const char *unit;
	int shift = 0, used;
	u64 value;

	/* More digits are too much in any unit, and might wrap. */
	if (!isdigit(*val) || sscanf(val, "%15llu%n", &value, &used) != 1)
		goto err;
	unit = val[used] ? strchr(units, toupper(val[used])) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		used++;
	}
	if (val[used] || value > STEVE_MEMORY_MAX >> shift)
		goto err;
	*size->initial = value << shift;
	return 0;

err:
	pr_err("%s=%s is not a size from 0 to 64T in bytes, or with K, M, G or T\n",
	       kp->name, val);
	return -EINVAL;
}

static int get_size(char *buffer, const struct kernel_param *kp)
{
	const struct size *size = kp->arg;

	return sysfs_emit(buffer, "%llu\n", peek(*size->set));
}

static const struct kernel_param_ops size_ops = {
	.set = set_size,
	.get = get_size,
};

#define SIZE_PARAM(name)						\
	static struct size name##_size = {				\
		.initial = &initial.name,				\
		.set = &steve_pool.set.name,				\
	};								\
	module_param_cb(name, &size_ops, &name##_size, 0444)

SIZE_PARAM(min_memory);
MODULE_PARM_DESC(min_memory, "No token is granted unless this much memory is available, in bytes or with K, M, G or T, up to 64T; 0 for no limit (default: 0)");

SIZE_PARAM(job_memory);
MODULE_PARM_DESC(job_memory, "Memory that a job is taken to want in the seconds after its token was granted, where min_memory is set, in bytes or with K, M, G or T, up to 64T (default: 512M)");

/* ---- The others ---- */

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int number = sysfs_match_string(policies, val);

	if (number < 0) {
		pr_err("policy=%s is neither fifo nor fair\n", val);
		return -EINVAL;
	}
	initial.policy = number;
	return 0;
}

static int get_policy(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", policies[peek(steve_pool.set.policy)]);
}

static const struct kernel_param_ops policy_ops = {
	.set = set_policy,
	.get = get_policy,
};

module_param_cb(policy, &policy_ops, NULL, 0444);
MODULE_PARM_DESC(policy, "Who is served first: fifo, whoever has waited longest, or fair, whoever has the fewest tokens (default: fifo)");

static int set_strict(const char *val, const struct kernel_param *kp)
{
	/* kstrtobool() looks at no more than it needs. */
	if (strlen(val) != 1 || kstrtobool(val, &initial.strict)) {
		pr_err("strict=%s is neither 0 nor 1\n", val);
		return -EINVAL;
	}
	return 0;
}

static int get_strict(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n", peek(steve_pool.set.strict));
}

static const struct kernel_param_ops strict_ops = {
	.set = set_strict,
	.get = get_strict,
};

module_param_cb(strict, &strict_ops, NULL, 0444);
MODULE_PARM_DESC(strict, "Refuse a write that returns no token with ENOSPC, instead of accepting it (default: 0)");

/* Up to two digits after a point, which may be left out. */
static int set_max_load(const char *val, const struct kernel_param *kp)
{
	const char *digit = val;
	unsigned int whole, hundredths = 0, value;
	int used;

	if (!isdigit(*val) || sscanf(val, "%7u%n", &whole, &used) != 1)
		goto err;
	digit += used;
	if (digit[0] == '.' && isdigit(digit[1])) {
		hundredths = 10 * (digit[1] - '0');
		digit += 2;
		if (isdigit(*digit))
			hundredths += *digit++ - '0';
	}
	value = 100 * whole + hundredths;
	if (*digit || value > STEVE_LOAD_MAX)
		goto err;
	initial.max_load = value;
	return 0;

err:
	pr_err("max_load=%s is not a number from 0 to %u, such as 8 or 8.5\n",
	       val, STEVE_LOAD_MAX / 100);
	return -EINVAL;
}

static int get_max_load(char *buffer, const struct kernel_param *kp)
{
	u32 max_load = peek(steve_pool.set.max_load);

	return sysfs_emit(buffer, "%u.%02u\n", max_load / 100, max_load % 100);
}

static const struct kernel_param_ops max_load_ops = {
	.set = set_max_load,
	.get = get_max_load,
};

module_param_cb(max_load, &max_load_ops, NULL, 0444);
MODULE_PARM_DESC(max_load, "No token is granted while the load average over one minute is above this, such as 8.5, up to 10000; 0 for no limit (default: 0)");

/* The node of the device must not leave /dev, nor hide in it. */
static char devname[32] = STEVE_NAME;

static int set_devname(const char *val, const struct kernel_param *kp)
{
	const char *c = val;

	while (isalnum(*c) || *c == '-' || *c == '_' || (*c == '.' && c > val))
		c++;
	if (*c || c == val || strscpy(devname, val, sizeof(devname)) < 0) {
		pr_err("devname=%s is not a name of up to %zu letters, digits, '-', '_' and '.'\n",
		       val, sizeof(devname) - 1);
		return -EINVAL;
	}
	return 0;
}

static int get_devname(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", devname);
}

static const struct kernel_param_ops devname_ops = {
	.set = set_devname,
	.get = get_devname,
};

module_param_cb(devname, &devname_ops, NULL, 0444);
MODULE_PARM_DESC(devname, "Name of the device in /dev (default: " STEVE_NAME ")");

/**
 * steve_param_devname() - what the node of the device is called
 *
 * Return: its name in /dev.
 */
const char *steve_param_devname(void)
{
	return devname;
}

/**
 * steve_param_settings() - what the pool begins with
 * @settings: where it goes
 */
void steve_param_settings(struct steve_pool_settings *settings)
{
	*settings = initial;
	if (settings->jobs == JOBS_UNSET)
		settings->jobs = min_t(u32, num_online_cpus(), STEVE_JOBS_MAX);
}
