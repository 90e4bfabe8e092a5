# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What dkms has built, in the kernel that is running, and no more.

test_new_kernel_runs()
{
	[ -e /var/tmp/new-kernel ] || skip 'there was no newer kernel'
	equal 'kernel' "$(cat /var/tmp/new-kernel)" "$(uname -r)"
}

test_module_loads()
{
	quietly modprobe steve jobs=12
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	equal 'version in force' "$VERSION" "$(cat /sys/module/steve/version)"
	quietly modprobe -r steve
}

# Prints what is there for the newer kernel, if there is one, beside what its
# packages have.
new_kernel_files()
{
	[ -e /var/tmp/new-kernel ] || return
	kernel=$(cat /var/tmp/new-kernel)
	find /boot -name "*-$kernel"
	find "/usr/lib/modules/$kernel" -name 'modules.*'
}

test_remove_leaves_nothing()
{
	quietly dkms remove -m steve -v "$VERSION" --all
	rm -r "/usr/src/steve-$VERSION"
	new_kernel_files >"$WORK/new"
	equal 'files' '' "$(list_files_of_nobody | grep -vxF -f "$WORK/new" |
		diff /var/tmp/files - | grep '^[<>]')"
	equal 'modules known' '' "$(grep -l steve /lib/modules/*/modules.dep)"
}
