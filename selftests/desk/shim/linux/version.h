/* SPDX-License-Identifier: GPL-2.0 */
/* Newer than any: nothing to make up for. */
#ifndef _DESK_LINUX_VERSION_H
#define _DESK_LINUX_VERSION_H

#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE	KERNEL_VERSION(255, 255, 255)

#endif /* _DESK_LINUX_VERSION_H */
