/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DESK_LINUX_MINMAX_H
#define _DESK_LINUX_MINMAX_H

#include <linux/kernel.h>

/* Those of user space cast no more than the first word of an expression. */
#undef min_t
#undef max_t
#define min_t(type, x, y) min((type)(x), (type)(y))
#define max_t(type, x, y) max((type)(x), (type)(y))

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
