/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DESK_LINUX_TYPES_H
#define _DESK_LINUX_TYPES_H

#include_next <linux/types.h>
#include <sys/types.h>

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)

#endif /* _DESK_LINUX_TYPES_H */
