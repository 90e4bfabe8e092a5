/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters: what is chosen at load.
 */
#ifndef _STEVE_PARAMS_H
#define _STEVE_PARAMS_H

#include <linux/types.h>

/* A write that returns no token fails, instead of being accepted. */
extern bool steve_strict;

struct steve_pool_settings;

void steve_param_settings(struct steve_pool_settings *settings);

#endif /* _STEVE_PARAMS_H */
