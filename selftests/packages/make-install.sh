# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What make.sh has built, installed in a system with systemd.

# Others may have something in those that were made.
without_directories()
{
	while read -r name; do
		[ -d "$name" ] || echo "$name"
	done
}

test_make_install()
{
	list_files | without_directories >/var/tmp/files-before
	quietly make -C /var/tmp/steve install
	equal 'version of the module' "$VERSION" "$(modinfo -F version steve)"
	equal 'stevectl --version' "stevectl $VERSION" "$(stevectl --version)"
	getent group jobserver >/dev/null || fail 'there is no group jobserver'
	[ ! -e /sys/module/steve ] || fail 'the module is loaded'
}

test_it_comes_whole_by_modprobe()
{
	quietly modprobe steve jobs=3
	wait_for_jobserver
	equal 'jobs' 3 "$(status_of jobs)"
	equal 'output' works "$(stevectl run echo works 2>&1)"
}

test_govern_is_a_service()
{
	quietly systemctl start steve-govern.service
	equal 'caps' 1 "$(status_of caps)"
}

test_it_can_be_unloaded()
{
	quietly systemctl stop run-steve.mount
	equal 'governor' inactive "$(systemctl is-active steve-govern.service)"
	quietly modprobe -r steve
}

test_it_comes_at_boot()
{
	sed -i 's/^#options steve jobs=.*/options steve jobs=5/' \
		/etc/modprobe.d/steve.conf
	quietly systemctl restart systemd-modules-load.service
	wait_for_jobserver
	equal 'jobs' 5 "$(status_of jobs)"
}

test_uninstall_leaves_what_was_changed()
{
	quietly systemctl stop run-steve.mount
	quietly modprobe -r steve
	quietly make -C /var/tmp/steve uninstall
	equal 'files' '> /etc/modprobe.d/steve.conf' "$(list_files |
		without_directories | diff /var/tmp/files-before - | grep '^[<>]')"
	equal 'modules known' '' "$(grep -l steve /lib/modules/*/modules.dep)"
}
