// SPDX-License-Identifier: GPL-2.0
/*
 * The file a program opens. It finds out who calls, asks the pool, and waits;
 * it decides nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "chardev.h"
#include "client.h"
#include "ioctl.h"

static bool is_nonblocking(const struct file *file)
{
	/* Programs change it while others of them read and write; one bit. */
	return data_race(READ_ONCE(file->f_flags)) & O_NONBLOCK;
}

static gfp_t gfp_for(bool nowait)
{
	return nowait ? GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN :
			GFP_KERNEL_ACCOUNT;
}

/* Then no token comes or goes the quick way. */
static bool somebody_waits(void)
{
	/* A hint: the pool looks again under its lock. */
	return data_race(READ_ONCE(steve_pool.waiting));
}

/*
 * Takes the pool's lock and returns the client that the calling process is, or
 * NULL if there is no memory. The lock is held in any case.
 */
static struct steve_client *lock_pool(struct steve_file *file,
				      enum steve_use use, bool nowait,
				      unsigned long *flags)
{
	struct steve_client *client;

	spin_lock_irqsave(&steve_pool.lock, *flags);
	client = steve_client_last(file, use);
	if (unlikely(!client)) {
		spin_unlock_irqrestore(&steve_pool.lock, *flags);
		client = steve_client_current(file, use, gfp_for(nowait));
		spin_lock_irqsave(&steve_pool.lock, *flags);
	}
	return client;
}

/* ---- Taking ---- */

/* Puts a token back that could not be delivered. */
static void untake(struct steve_client *client)
{
	unsigned long flags;

	spin_lock_irqsave(&steve_pool.lock, flags);
	steve_pool_untake(&steve_pool, &client->pool, steve_now());
	spin_unlock_irqrestore(&steve_pool.lock, flags);
}

/*
 * Sleeps until the reader has its token or is not to wait any longer. A token
 * that comes together with a signal is taken.
 */
static int wait_for_token(struct steve_client *client,
			  struct steve_reader *reader)
{
	unsigned long flags;
	int err = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		/* Pairs with hand(). */
		if (smp_load_acquire(&reader->granted))
			break;
		if (signal_pending(current)) {
			spin_lock_irqsave(&steve_pool.lock, flags);
			if (!reader->granted) {
				list_del(&reader->node);
				steve_pool_unblock(&steve_pool, &client->pool,
						   steve_now());
				err = -ERESTARTSYS;
			}
			spin_unlock_irqrestore(&steve_pool.lock, flags);
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);

	/* A thread killed alone, by an exec beside it, would take it along. */
	if (!err && fatal_signal_pending(current)) {
		untake(client);
		err = -EINTR;
	}
	return err;
}

static noinline struct steve_client *take_slowly(struct steve_file *file,
						 bool nowait)
{
	struct steve_reader reader = { .task = current };
	struct steve_client *client;
	unsigned long flags;
	bool taken;
	int err;
	u64 now;

	client = lock_pool(file, STEVE_USE_TAKE, nowait, &flags);
	if (!client) {
		spin_unlock_irqrestore(&steve_pool.lock, flags);
		/* The only error that every program survives. */
		return ERR_PTR(-EAGAIN);
	}
	taken = steve_pool_take_quick(&steve_pool, &client->pool);
	if (!taken) {
		now = steve_now();
		taken = steve_pool_take(&steve_pool, &client->pool, now);
		if (!taken && nowait) {
			steve_pool_miss(&steve_pool, &client->pool, now);
		} else if (!taken) {
			list_add_tail(&reader.node, &client->readers);
			steve_pool_block(&steve_pool, &client->pool, now);
		}
	}
	spin_unlock_irqrestore(&steve_pool.lock, flags);

	if (taken)
		return client;
	err = nowait ? -EAGAIN : wait_for_token(client, &reader);
	return err ? ERR_PTR(err) : client;
}

/*
 * Takes a token and returns who has it then, or an error. What most calls need
 * is in line, and under one hold of the lock: it costs little more than to enter
 * and to leave the kernel.
 */
static __always_inline struct steve_client *take(struct steve_file *file,
						 bool nowait)
{
	struct steve_client *client;
	unsigned long flags;
	bool taken;

	if (somebody_waits())
		return take_slowly(file, nowait);

	spin_lock_irqsave(&steve_pool.lock, flags);
	client = steve_client_last(file, STEVE_USE_TAKE);
	taken = client && steve_pool_take_quick(&steve_pool, &client->pool);
	spin_unlock_irqrestore(&steve_pool.lock, flags);

	return likely(taken) ? client : take_slowly(file, nowait);
}

static ssize_t steve_read(struct file *file, char __user *buf, size_t count,
			  loff_t *pos)
{
	struct steve_client *client;

	if (!count)
		return 0;
	client = take(file->private_data, is_nonblocking(file));
	if (IS_ERR(client))
		return PTR_ERR(client);
	if (put_user('+', buf)) {
		untake(client);
		return -EFAULT;
	}
	return 1;
}

static ssize_t steve_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	bool nowait = iocb->ki_flags & IOCB_NOWAIT ||
		      is_nonblocking(iocb->ki_filp);
	struct steve_client *client;

	if (!iov_iter_count(to))
		return 0;
	client = take(iocb->ki_filp->private_data, nowait);
	if (IS_ERR(client))
		return PTR_ERR(client);
	if (copy_to_iter("+", 1, to) != 1) {
		untake(client);
		return -EFAULT;
	}
	return 1;
}

/* ---- Giving ---- */

static noinline ssize_t give_slowly(struct steve_file *file, size_t count,
				    bool nowait)
{
	struct steve_pool_given given;
	struct steve_client *client;
	unsigned long flags;

	client = lock_pool(file, STEVE_USE_GIVE, nowait, &flags);
	steve_pool_give(&steve_pool, client ? &client->pool : NULL, count,
			steve_now(), &given);
	spin_unlock_irqrestore(&steve_pool.lock, flags);

	if (!given.strays)
		return count;
	pr_info_ratelimited("%s[%d] wrote %zu more than the tokens it had to return\n",
			    current->comm, task_tgid_nr(current),
			    given.strays);
	/* Whichever holds while it is being changed. */
	if (!data_race(READ_ONCE(steve_pool.set.strict)))
		return count;
	return given.strays < count ? count - given.strays : -ENOSPC;
}

static __always_inline ssize_t give(struct steve_file *file, size_t count,
				    bool nowait)
{
	struct steve_client *client;
	unsigned long flags;
	bool given;

	if (count != 1 || somebody_waits())
		return give_slowly(file, count, nowait);

	spin_lock_irqsave(&steve_pool.lock, flags);
	client = steve_client_last(file, STEVE_USE_GIVE);
	given = client && steve_pool_give_quick(&steve_pool, &client->pool);
	spin_unlock_irqrestore(&steve_pool.lock, flags);

	return likely(given) ? 1 : give_slowly(file, count, nowait);
}

static ssize_t steve_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	char __maybe_unused byte;

	if (!count)
		return 0;
	/* The bytes mean nothing, but must be there. */
	if (count == 1) {
		if (get_user(byte, buf))
			return -EFAULT;
	} else {
		size_t missing = fault_in_readable(buf, count);

		if (missing == count)
			return -EFAULT;
		count -= missing;
	}
	return give(file->private_data, count, is_nonblocking(file));
}

static ssize_t steve_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	size_t count = iov_iter_count(from);
	size_t missing;
	ssize_t ret;

	if (!count)
		return 0;
	missing = fault_in_iov_iter_readable(from, count);
	if (missing == count)
		return -EFAULT;
	ret = give(iocb->ki_filp->private_data, count - missing,
		   iocb->ki_flags & IOCB_NOWAIT ||
		   is_nonblocking(iocb->ki_filp));
	if (ret > 0)
		iov_iter_advance(from, ret);
	return ret;
}

/* ---- Polling ---- */

static __poll_t steve_poll(struct file *file, poll_table *wait)
{
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;
	bool wanted = poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM);
	struct steve_client *client;
	unsigned long flags;
	bool readable;

	/*
	 * A kernel thread, as of aio, asks for somebody else, of whom nothing is
	 * known, but that it was woken: a token may be reserved for it.
	 */
	if (current->flags & PF_KTHREAD)
		return mask | EPOLLIN | EPOLLRDNORM;

	client = steve_client_current(file->private_data,
				      wanted ? STEVE_USE_TAKE : STEVE_USE_GIVE,
				      GFP_KERNEL_ACCOUNT);
	/* Its turn could not be told: let it try, and find EAGAIN. */
	if (!client) {
		steve_poll_unknown(file, wait);
		return wanted ? mask | EPOLLIN | EPOLLRDNORM : mask;
	}

	/*
	 * Even if tokens are not wanted: epoll enters a wait queue once, and may
	 * be told to look for them later.
	 */
	poll_wait(file, &client->polls, wait);
	if (!wanted)
		return mask;

	spin_lock_irqsave(&steve_pool.lock, flags);
	readable = steve_pool_poll_quick(&steve_pool, &client->pool) ||
		   steve_pool_poll(&steve_pool, &client->pool, steve_now());
	spin_unlock_irqrestore(&steve_pool.lock, flags);
	return readable ? mask | EPOLLIN | EPOLLRDNORM : mask;
}

/* ---- The device ---- */

static int steve_open(struct inode *inode, struct file *file)
{
	struct steve_file *steve_file = steve_file_new();

	if (!steve_file)
		return -ENOMEM;
	file->private_data = steve_file;
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

static int steve_release(struct inode *inode, struct file *file)
{
	steve_file_release(file->private_data);
	return 0;
}

const struct file_operations steve_fops = {
	.owner = THIS_MODULE,
	.open = steve_open,
	.release = steve_release,
	.read = steve_read,
	.read_iter = steve_read_iter,
	.write = steve_write,
	.write_iter = steve_write_iter,
	.poll = steve_poll,
	.unlocked_ioctl = steve_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice steve_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.fops = &steve_fops,
	.mode = 0600,
};

/**
 * steve_chardev_init() - make the device
 * @name: what it is called
 * @nodename: name of its node in /dev
 *
 * Return: 0, or a negative error number.
 */
int steve_chardev_init(const char *name, const char *nodename)
{
	steve_device.name = name;
	steve_device.nodename = nodename;
	return misc_register(&steve_device);
}

/**
 * steve_chardev_exit() - undo steve_chardev_init()
 */
void steve_chardev_exit(void)
{
	misc_deregister(&steve_device);
}
