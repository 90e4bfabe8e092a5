/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file a program opens: the device node, and the FIFO of stevefs.
 */
#ifndef _STEVE_CHARDEV_H
#define _STEVE_CHARDEV_H

#include <linux/fs.h>

extern const struct file_operations steve_fops;

int steve_chardev_init(const char *name, const char *nodename);
void steve_chardev_exit(void);

#endif /* _STEVE_CHARDEV_H */
