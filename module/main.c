// SPDX-License-Identifier: GPL-2.0
/*
 * steve - a system-wide jobserver
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/namei.h>
#include <linux/path.h>

#include "chardev.h"
#include "client.h"
#include "params.h"
#include "stevefs.h"
#include "version.h"

/*
 * There may be another jobserver of that name, one in user space. The kernel would
 * leave that one its node and make none for ours, without a word.
 */
static int check_name(const char *devname)
{
	char name[64];
	struct path path;

	snprintf(name, sizeof(name), "/dev/%s", devname);
	if (kern_path(name, 0, &path))
		return 0;
	path_put(&path);
	pr_err("%s is there already: stop the jobserver that it belongs to, or give another name by devname=\n",
	       name);
	return -EBUSY;
}

static int __init steve_init(void)
{
	const char *devname = steve_param_devname();
	struct steve_pool_settings settings;
	int err;

	err = check_name(devname);
	if (err)
		return err;
	steve_param_settings(&settings);
	err = steve_clients_init(&settings);
	if (err)
		return err;
	err = stevefs_init();
	if (err)
		goto err_clients;
	/* Last: once there is a device it may be opened, and has to stay. */
	err = steve_chardev_init(STEVE_NAME, devname);
	if (err)
		goto err_stevefs;

	pr_info("jobserver with %u jobs at /dev/%s\n", settings.jobs, devname);
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
