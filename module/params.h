/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters: what is chosen at load.
 */
#ifndef _STEVE_PARAMS_H
#define _STEVE_PARAMS_H

#include <linux/types.h>

/* A write that returns no token fails, instead of being accepted. */
extern bool steve_strict;

u32 steve_param_jobs(void);

#endif /* _STEVE_PARAMS_H */
