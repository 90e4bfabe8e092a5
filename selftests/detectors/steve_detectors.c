// SPDX-License-Identifier: GPL-2.0
/*
 * Faults made on purpose, one for each detector of the kernels that the tests
 * run on: to see that the detector is awake. Never load this on a machine that
 * is used for anything else.
 *
 * "insmod steve_detectors.ko fault=NAME" makes one and always fails with
 * ECANCELED, so that the module is gone again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "Which detector to trip");

/* ---- Memory ---- */

static void use_after_free(void)
{
	char *memory = kmalloc(64, GFP_KERNEL);

	if (!memory)
		return;
	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	WRITE_ONCE(memory[0], 1);
}

static void leak(void)
{
	int i;

	/*
	 * More than one, for a copy of a pointer may stay on the stack; and too
	 * large for a slab, whose stock of objects keeps pointers to those that
	 * it has given away.
	 */
	for (i = 0; i < 16; i++) {
		void *lost = kmalloc(4 * KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

static void shift_too_far(void)
{
	int bits = 33;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("shifted: %d\n", 1 << bits);
}

static void index_out_of_bounds(void)
{
	static int array[4];
	int index = 4;

	OPTIMIZER_HIDE_VAR(index);
	pr_info("beyond the array: %d\n", array[index]);
}

static void delete_twice(void)
{
	LIST_HEAD(list);
	struct list_head *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return;
	list_add(entry, &list);
	list_del(entry);
	list_del(entry);
	kfree(entry);
}

/* ---- Locks ---- */

static DEFINE_MUTEX(mutex_a);
static DEFINE_MUTEX(mutex_b);

static void lock_in_both_orders(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_unlock(&mutex_b);
	mutex_unlock(&mutex_a);

	mutex_lock(&mutex_b);
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	mutex_unlock(&mutex_b);
}

static int __rcu *rcu_pointer;

static void dereference_unprotected(void)
{
	pr_info("read without a lock: %p\n", rcu_dereference(rcu_pointer));
}

static DEFINE_SPINLOCK(spinlock);

static void sleep_in_atomic(void)
{
	spin_lock(&spinlock);
	might_sleep();
	spin_unlock(&spinlock);
}

static void ask_for_cpu(void)
{
	pr_info("not for long on processor %d\n", smp_processor_id());
}

/* ---- Objects ---- */

static void no_timer(struct timer_list *timer)
{
}

static void init_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, no_timer, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	timer_setup(timer, no_timer, 0);
	timer_delete_sync(timer);
	kfree(timer);
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, no_timer, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static DECLARE_COMPLETION(may_go_on);

static void wait_to_go_on(struct work_struct *work)
{
	wait_for_completion(&may_go_on);
}

static void no_work(struct work_struct *work)
{
}

static DECLARE_WORK(first_work, wait_to_go_on);

/* It is active while it waits for the one before it. */
static void init_active_work(void)
{
	struct workqueue_struct *queue =
		alloc_ordered_workqueue("steve_detectors", 0);
	struct work_struct *work = kmalloc(sizeof(*work), GFP_KERNEL);

	if (queue && work) {
		INIT_WORK(work, no_work);
		queue_work(queue, &first_work);
		queue_work(queue, work);
		INIT_WORK(work, no_work);
		complete(&may_go_on);
	}
	if (queue)
		destroy_workqueue(queue);
	kfree(work);
}

static void no_callback(struct rcu_head *head)
{
}

static struct rcu_head rcu_head;

static void call_rcu_twice(void)
{
	/* So that the first cannot be over before the second. */
	rcu_read_lock();
	call_rcu(&rcu_head, no_callback);
	call_rcu(&rcu_head, no_callback);
	rcu_read_unlock();
	rcu_barrier();
}

/* ---- Faults injected ---- */

static void fail_allocation(void)
{
	void *memory;

	current->fail_nth = 1;
	memory = kmalloc(64, GFP_NOWAIT);
	current->fail_nth = 0;
	if (memory)
		kfree(memory);
	else
		pr_info("an allocation failed as told\n");
}

static void fail_user_copy(void)
{
	unsigned long from = current->mm->arg_start;
	char byte;

	current->fail_nth = 1;
	if (copy_from_user(&byte, (void __user *)from, 1))
		pr_info("a copy from user space failed as told\n");
	current->fail_nth = 0;
}

/* ---- Races ---- */

static int raced;

static int race_on(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *racers[2] = {};
	unsigned int cpu, count = 0;

	for_each_online_cpu(cpu) {
		struct task_struct *racer =
			kthread_run_on_cpu(race_on, NULL, cpu, "racer/%u");

		if (!IS_ERR(racer))
			racers[count++] = racer;
		if (count == ARRAY_SIZE(racers))
			break;
	}
	ssleep(5);
	while (count)
		kthread_stop(racers[--count]);
	/* A variable that nobody reads would be optimised away. */
	pr_info("raced: %d\n", raced);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "use_after_free", use_after_free },
	{ "leak", leak },
	{ "shift_too_far", shift_too_far },
	{ "index_out_of_bounds", index_out_of_bounds },
	{ "delete_twice", delete_twice },
	{ "lock_in_both_orders", lock_in_both_orders },
	{ "dereference_unprotected", dereference_unprotected },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "ask_for_cpu", ask_for_cpu },
	{ "init_active_timer", init_active_timer },
	{ "free_active_timer", free_active_timer },
	{ "init_active_work", init_active_work },
	{ "call_rcu_twice", call_rcu_twice },
	{ "fail_allocation", fail_allocation },
	{ "fail_user_copy", fail_user_copy },
	{ "race", race },
};

static int __init steve_detectors_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		faults[i].make();
		return -ECANCELED;
	}
	pr_err("fault=%s is not known\n", fault);
	return -EINVAL;
}
module_init(steve_detectors_init);

MODULE_DESCRIPTION("Faults made on purpose");
MODULE_AUTHOR("The steve authors");
MODULE_LICENSE("GPL");
