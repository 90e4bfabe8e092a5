/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DESK_LINUX_MINMAX_H
#define _DESK_LINUX_MINMAX_H

#include <linux/kernel.h>

#ifndef clamp_t
#define clamp_t(type, val, lo, hi) \
	min_t(type, max_t(type, (val), (lo)), (hi))
#endif

#endif /* _DESK_LINUX_MINMAX_H */
