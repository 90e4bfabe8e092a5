// SPDX-License-Identifier: GPL-2.0
/*
 * stevefs: a file system with one FIFO that is the jobserver, for programs that
 * take a jobserver only from a FIFO.
 *
 * There is one instance of it, however often it is mounted. It cannot be
 * mounted from a user namespace: whoever can read the FIFO can take every token.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "chardev.h"
#include "compat.h"
#include "stevefs.h"

#define STEVEFS_MAGIC	0x73746576 /* "stev" */
#define STEVEFS_FIFO	"fifo"

/**
 * struct stevefs_options - what a mount asks for
 * @given: bits of enum stevefs_param: which of the others were given
 * @uid: owner of the FIFO
 * @gid: group of the FIFO
 * @mode: permissions of the FIFO
 */
struct stevefs_options {
	unsigned int given;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

enum stevefs_param {
	STEVEFS_UID,
	STEVEFS_GID,
	STEVEFS_MODE,
};

static const struct fs_parameter_spec stevefs_params[] = {
	fsparam_u32("uid", STEVEFS_UID),
	fsparam_u32("gid", STEVEFS_GID),
	fsparam_u32oct("mode", STEVEFS_MODE),
	{}
};

static int stevefs_parse_param(struct fs_context *fc,
			       struct fs_parameter *param)
{
	struct stevefs_options *options = fc->fs_private;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, stevefs_params, param, &result);
	if (opt < 0)
		return opt;

	switch (opt) {
	case STEVEFS_UID:
		options->uid = make_kuid(fc->user_ns, result.uint_32);
		if (!uid_valid(options->uid))
			return invalf(fc, "stevefs: no such uid: %u",
				      result.uint_32);
		break;
	case STEVEFS_GID:
		options->gid = make_kgid(fc->user_ns, result.uint_32);
		if (!gid_valid(options->gid))
			return invalf(fc, "stevefs: no such gid: %u",
				      result.uint_32);
		break;
	case STEVEFS_MODE:
		if (result.uint_32 & ~0777)
			return invalf(fc, "stevefs: mode is not one of 0 to 0777: %o",
				      result.uint_32);
		options->mode = result.uint_32;
		break;
	}
	options->given |= BIT(opt);
	return 0;
}

static int stevefs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct inode *inode = root->d_sb->s_fs_info;

	seq_printf(seq, ",uid=%u,gid=%u,mode=%03o",
		   from_kuid_munged(&init_user_ns, inode->i_uid),
		   from_kgid_munged(&init_user_ns, inode->i_gid),
		   inode->i_mode & 0777);
	return 0;
}

static const struct super_operations stevefs_super_ops = {
	.statfs = simple_statfs,
	.show_options = stevefs_show_options,
};

static struct inode *stevefs_new_inode(struct super_block *sb,
				       unsigned long number, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = number;
	inode->i_mode = mode;
	simple_inode_init_ts(inode);
	return inode;
}

static int stevefs_make_root(struct super_block *sb)
{
	struct inode *inode = stevefs_new_inode(sb, 1, S_IFDIR | 0755);

	if (!inode)
		return -ENOMEM;
	inode->i_op = &simple_dir_inode_operations;
	inode->i_fop = &simple_dir_operations;
	set_nlink(inode, 2);
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

static int stevefs_make_fifo(struct super_block *sb)
{
	struct dentry *dentry = d_alloc_name(sb->s_root, STEVEFS_FIFO);
	struct inode *inode;

	if (!dentry)
		return -ENOMEM;
	inode = stevefs_new_inode(sb, 2, S_IFIFO | 0600);
	if (!inode) {
		dput(dentry);
		return -ENOMEM;
	}
	inode->i_fop = &steve_fops;
	sb->s_fs_info = inode;
	d_make_persistent(dentry, inode);
	dput(dentry);
	return 0;
}

static int stevefs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	int err;

	sb->s_magic = STEVEFS_MAGIC;
	sb->s_op = &stevefs_super_ops;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	err = stevefs_make_root(sb);
	return err ?: stevefs_make_fifo(sb);
}

/* What a mount does not name stays as it is: another mount may have set it. */
static void stevefs_apply(struct super_block *sb,
			  const struct stevefs_options *options)
{
	struct inode *inode = sb->s_fs_info;

	inode_lock(inode);
	if (options->given & BIT(STEVEFS_UID))
		inode->i_uid = options->uid;
	if (options->given & BIT(STEVEFS_GID))
		inode->i_gid = options->gid;
	if (options->given & BIT(STEVEFS_MODE))
		inode->i_mode = S_IFIFO | options->mode;
	inode_unlock(inode);
}

static int stevefs_get_tree(struct fs_context *fc)
{
	int err = get_tree_single(fc, stevefs_fill_super);

	if (!err)
		stevefs_apply(fc->root->d_sb, fc->fs_private);
	return err;
}

static int stevefs_reconfigure(struct fs_context *fc)
{
	stevefs_apply(fc->root->d_sb, fc->fs_private);
	return 0;
}

static void stevefs_free_context(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations stevefs_context_ops = {
	.parse_param = stevefs_parse_param,
	.get_tree = stevefs_get_tree,
	.reconfigure = stevefs_reconfigure,
	.free = stevefs_free_context,
};

static int stevefs_init_context(struct fs_context *fc)
{
	struct stevefs_options *options;

	options = kzalloc_obj(*options);
	if (!options)
		return -ENOMEM;
	fc->fs_private = options;
	fc->ops = &stevefs_context_ops;
	return 0;
}

static struct file_system_type stevefs_type = {
	.owner = THIS_MODULE,
	.name = "stevefs",
	.init_fs_context = stevefs_init_context,
	.parameters = stevefs_params,
	.kill_sb = kill_anon_super,
};

/**
 * stevefs_init() - make stevefs mountable
 *
 * Return: 0, or a negative error number.
 */
int stevefs_init(void)
{
	return register_filesystem(&stevefs_type);
}

/**
 * stevefs_exit() - undo stevefs_init()
 */
void stevefs_exit(void)
{
	unregister_filesystem(&stevefs_type);
}
