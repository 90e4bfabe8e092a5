// SPDX-License-Identifier: GPL-2.0
/*
 * usage: cuse NAME
 *
 * The least jobserver that CUSE allows: every read and every write is answered
 * at once, and nothing is remembered. What has to be done for accounts, a queue
 * and polling comes on top of it.
 */
#define FUSE_USE_VERSION 35

#include <cuse_lowlevel.h>
#include <stdio.h>
#include <string.h>

static void steve_open(fuse_req_t req, struct fuse_file_info *info)
{
	info->direct_io = 1;
	info->nonseekable = 1;
	fuse_reply_open(req, info);
}

static void steve_read(fuse_req_t req, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	(void)size;
	(void)offset;
	(void)info;
	fuse_reply_buf(req, "+", 1);
}

static void steve_write(fuse_req_t req, const char *data, size_t size,
			off_t offset, struct fuse_file_info *info)
{
	(void)data;
	(void)offset;
	(void)info;
	fuse_reply_write(req, size);
}

static const struct cuse_lowlevel_ops ops = {
	.open = steve_open,
	.read = steve_read,
	.write = steve_write,
};

int main(int argc, char **argv)
{
	/* One thread: handing requests to others would only cost more. */
	char *args[] = { argv[0], "-f", "-s", NULL };
	char name[64];
	const char *dev_info[] = { name };
	struct cuse_info info = {
		.dev_info_argc = 1,
		.dev_info_argv = dev_info,
	};

	if (argc != 2) {
		fputs("usage: cuse NAME\n", stderr);
		return 2;
	}
	snprintf(name, sizeof(name), "DEVNAME=%s", argv[1]);
	return cuse_lowlevel_main(3, args, &info, &ops, NULL);
}
