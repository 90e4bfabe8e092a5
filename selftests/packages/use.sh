# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The packages after a boot; then they are purged.

as()
{
	runuser -u "$1" -- env HOME=/ sh -c "$2"
}

test_jobserver_is_there()
{
	wait_for_jobserver
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	equal 'jobs that stevectl sees' 12 "$(status_of jobs)"
}

test_versions_agree()
{
	equal 'stevectl --version' "stevectl $VERSION" "$(stevectl --version)"
	equal 'version of the module' "$VERSION" "$(modinfo -F version steve)"
	equal 'version in force' "$VERSION" "$(cat /sys/module/steve/version)"
	for package in steve-dkms stevectl steve-dev; do
		equal "version of $package" "$VERSION" \
			"$(dpkg-query -W -f '${Version}' $package)"
	done
}

test_header_is_for_programs()
{
	quietly install_packages gcc libc6-dev
	echo '#include <linux/steve.h>' | quietly gcc -x c -Wall -Werror -o /dev/null -c -
}

test_member_can_build()
{
	printf 'all: a b c\na b c:\n\ttouch $@\n' >"$WORK/Makefile"
	mkdir "$WORK/build"
	chown member "$WORK/build"
	for jobserver in /dev/steve "$FIFO"; do
		before=$(status_of granted)
		as member "cd $WORK/build && MAKEFLAGS=--jobserver-auth=fifo:$jobserver make -f ../Makefile" \
			>"$WORK/log" 2>&1 || fail "make failed: $(cat "$WORK/log")"
		[ -e "$WORK/build/c" ] || fail 'make has made nothing'
		! grep -q warning "$WORK/log" || fail "make said $(cat "$WORK/log")"
		[ "$(status_of granted)" -gt "$before" ] || fail "make took no token of $jobserver"
		rm "$WORK/build"/*
	done
	equal 'output' works "$(as member 'stevectl run echo works' 2>&1)"
}

test_stranger_is_told_of_the_group()
{
	for command in status 'run true'; do
		status=0
		message=$(as stranger "stevectl $command" 2>&1) || status=$?
		equal 'status' 1 "$status"
		equal 'message' 'stevectl: cannot open /dev/steve: Permission denied; be root or a member of the group jobserver' \
			"$message"
	done
	! as stranger "exec 3<>$FIFO" 2>/dev/null || fail "a stranger opens $FIFO"
}

test_govern_is_a_service()
{
	stevectl govern --help >/dev/null 2>&1 || skip 'stevectl does not govern'
	[ -e /proc/pressure/memory ] || skip 'no pressure information'
	exposure=$(systemd-analyze security steve-govern.service --no-pager |
		awk '/Overall exposure/ { print $(NF - 2) }')
	[ "${exposure%%.*}" -lt 3 ] || fail "systemd-analyze security: $exposure"
	# What it is allowed suffices.
	quietly systemctl start steve-govern.service
	equal 'caps' 1 "$(status_of caps)"
	quietly systemctl stop steve-govern.service
	equal 'state' inactive "$(systemctl is-active steve-govern.service)"
}

test_fifo_can_take_the_place_of_the_device()
{
	quietly systemctl start dev-steve.mount
	is_for_the_group /dev/steve fifo || fail "/dev/steve is no FIFO"
	equal 'output' works "$(as member 'stevectl run echo works' 2>&1)"
	quietly systemctl stop dev-steve.mount
	is_for_the_group /dev/steve 'character special file' ||
		fail "/dev/steve is a FIFO for good"
}

unload()
{
	quietly systemctl stop run-steve.mount
	quietly modprobe -r steve
	[ ! -e /dev/steve ] || fail '/dev/steve stays'
}

test_it_comes_whole_by_modprobe()
{
	unload
	quietly modprobe steve jobs=3
	wait_for_jobserver
	equal 'jobs' 3 "$(cat /sys/module/steve/parameters/jobs)"
}

test_it_comes_whole_under_another_name()
{
	unload
	quietly modprobe steve devname=jobs
	wait_for_jobserver /dev/jobs
	[ ! -e /dev/steve ] || fail 'there is a /dev/steve'
	unload
	quietly modprobe steve
	wait_for_jobserver
}

governor()
{
	systemctl show -P MainPID steve-govern.service
}

test_upgrade_lets_builds_be()
{
	quietly systemctl start steve-govern.service
	before=$(governor)
	stevectl run --always sleep 1000 &
	build=$!
	wait_until one_is_held || fail "$(status_of held) tokens are held"
	quietly install_packages --reinstall /copy/deb/*.deb
	equal 'FIFO' active "$(systemctl is-active run-steve.mount)"
	equal 'governor' active "$(systemctl is-active steve-govern.service)"
	[ "$(governor)" != "$before" ] || fail 'the governor is the old program'
	equal 'held' 1 "$(status_of held)"
	kill "$build"
}

test_governor_goes_with_its_package()
{
	quietly apt-get -q -y remove stevectl
	equal 'governor' inactive "$(systemctl is-active steve-govern.service)"
}

test_purge_leaves_nothing()
{
	userdel -r member 2>/dev/null
	userdel -r stranger 2>/dev/null
	quietly apt-get -q -y purge steve-dkms stevectl steve-dev
	equal 'state' '' "$(find /var/lib/dpkg /var/lib/systemd -name '*steve*')"
	# What came with them.
	list_packages | comm -13 /var/tmp/packages - >"$WORK/new"
	quietly xargs apt-get -q -y purge <"$WORK/new"
	equal 'files' '' "$(list_files | diff /var/tmp/files - | grep '^[<>]')"
	equal 'packages' '' "$(list_packages | diff /var/tmp/packages - | grep '^[<>]')"
	[ ! -e /sys/module/steve ] || fail 'the module is loaded'
	[ ! -e /dev/steve ] || fail 'the device is there'
	! mountpoint -q "${FIFO%/*}" || fail 'stevefs is mounted'
	! getent group jobserver >/dev/null || fail 'the group is there'
	equal 'failed units' '' "$(systemctl list-units --failed --plain --no-legend | grep steve)"
}
