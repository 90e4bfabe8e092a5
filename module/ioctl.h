/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STEVE_IOCTL_H
#define _STEVE_IOCTL_H

#include <linux/fs.h>

long steve_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _STEVE_IOCTL_H */
