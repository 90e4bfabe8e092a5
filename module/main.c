// SPDX-License-Identifier: GPL-2.0
/*
 * steve - a system-wide jobserver
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "chardev.h"
#include "client.h"
#include "params.h"
#include "stevefs.h"
#include "version.h"

#define STEVE_NAME "steve"

static int __init steve_init(void)
{
	struct steve_pool_settings settings;
	int err;

	steve_param_settings(&settings);
	err = steve_clients_init(&settings);
	if (err)
		return err;
	err = stevefs_init();
	if (err)
		goto err_clients;
	/* Last: once there is a device it may be opened, and has to stay. */
	err = steve_chardev_init(STEVE_NAME);
	if (err)
		goto err_stevefs;

	pr_info("jobserver with %u jobs at /dev/%s\n", settings.jobs,
		STEVE_NAME);
	return 0;

err_stevefs:
	stevefs_exit();
err_clients:
	steve_clients_exit();
	return err;
}

static void __exit steve_exit(void)
{
	steve_chardev_exit();
	stevefs_exit();
	steve_clients_exit();
}

module_init(steve_init);
module_exit(steve_exit);

MODULE_DESCRIPTION("System-wide jobserver");
MODULE_AUTHOR("The steve authors");
MODULE_VERSION(STEVE_VERSION);
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("stevefs");
