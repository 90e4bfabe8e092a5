/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters: what is chosen at load.
 */
#ifndef _STEVE_PARAMS_H
#define _STEVE_PARAMS_H

struct steve_pool_settings;

/* What the device is called, in sysfs whatever its node is called. */
#define STEVE_NAME	"steve"

const char *steve_param_devname(void);
void steve_param_settings(struct steve_pool_settings *settings);

#endif /* _STEVE_PARAMS_H */
