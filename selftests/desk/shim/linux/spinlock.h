/* SPDX-License-Identifier: GPL-2.0 */
/* One thread of control is all there is: nothing to lock. */
#ifndef _DESK_LINUX_SPINLOCK_H
#define _DESK_LINUX_SPINLOCK_H

#define spinlock_t			struct { }

#define spin_lock_init(lock)		((void)(lock))
#define lockdep_assert_held(lock)	((void)(lock))

#endif /* _DESK_LINUX_SPINLOCK_H */
