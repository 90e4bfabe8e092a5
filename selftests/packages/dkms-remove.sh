# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What dkms has built, in the kernel that is running, and no more.

test_module_loads()
{
	quietly modprobe steve jobs=12
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	equal 'version in force' "$VERSION" "$(cat /sys/module/steve/version)"
	quietly modprobe -r steve
}

test_remove_leaves_nothing()
{
	quietly dkms remove -m steve -v "$VERSION" --all
	rm -r "/usr/src/steve-$VERSION"
	equal 'files' '' "$(find /lib/modules /usr/src /var/lib/dkms /etc \
		-path /usr/src/tools -prune -o -name '*steve*' -print)"
	equal 'modules known' '' "$(grep -l steve /lib/modules/*/modules.dep)"
}
