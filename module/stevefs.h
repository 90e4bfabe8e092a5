/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stevefs: a file system with one FIFO that is the jobserver.
 */
#ifndef _STEVE_STEVEFS_H
#define _STEVE_STEVEFS_H

int stevefs_init(void);
void stevefs_exit(void);

#endif /* _STEVE_STEVEFS_H */
