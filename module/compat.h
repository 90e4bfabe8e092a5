/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this module is built for, 6.1 to 7.2. All
 * other files are written for the newest.
 */
#ifndef _STEVE_COMPAT_H
#define _STEVE_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>

static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/minmax.h>
#include <linux/uaccess.h>

static inline int copy_struct_to_user(void __user *dst, size_t usize,
				      const void *src, size_t ksize,
				      bool *ignored_trailing)
{
	size_t size = min(ksize, usize);

	if (usize > size && clear_user(dst + size, usize - size))
		return -EFAULT;
	return copy_to_user(dst, src, size) ? -EFAULT : 0;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define SLAB_NO_MERGE	0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#include <linux/fs.h>

static inline struct timespec64 steve_inode_init_ts(struct inode *inode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	inode->i_ctime = current_time(inode);
	inode->i_mtime = inode->i_ctime;
#else
	inode->i_mtime = inode_set_ctime_current(inode);
#endif
	inode->i_atime = inode->i_mtime;
	return inode->i_mtime;
}

#define simple_inode_init_ts steve_inode_init_ts
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#include <linux/dcache.h>
#include <linux/fs.h>

/* A dentry stayed because one reference was left over, for ever. */
static inline struct dentry *d_make_persistent(struct dentry *dentry,
					       struct inode *inode)
{
	d_add(dentry, inode);
	return dget(dentry);
}

#define kill_anon_super kill_litter_super
#endif

/* Of 7.0, and of later releases of some before. */
#include <linux/slab.h>
#ifndef kzalloc_obj
#define kzalloc_obj(obj)	kzalloc(sizeof(obj), GFP_KERNEL)
#endif

#endif /* _STEVE_COMPAT_H */
