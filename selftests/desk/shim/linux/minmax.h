/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DESK_LINUX_MINMAX_H
#define _DESK_LINUX_MINMAX_H

#include <linux/kernel.h>

#ifndef min_not_zero
#define min_not_zero(x, y) ({ \
	typeof(x) __x = (x); \
	typeof(y) __y = (y); \
	!__x ? __y : !__y ? __x : min(__x, __y); })
#endif

#ifndef clamp_t
#define clamp_t(type, val, lo, hi) \
	min_t(type, max_t(type, (val), (lo)), (hi))
#endif

#endif /* _DESK_LINUX_MINMAX_H */
