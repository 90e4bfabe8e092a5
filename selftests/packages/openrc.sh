# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What make.sh has built, installed for OpenRC as the README tells. The system has
# booted with systemd, and OpenRC takes it for one of its own.

fifo_mounts()
{
	grep -c '^[^ ]* /run/steve stevefs ' /proc/mounts
}

is_whole()
{
	is_for_the_group /dev/steve 'character special file' ||
		fail "/dev/steve is $(stat -c '%U:%G %a %F' /dev/steve 2>&1)"
	is_for_the_group "$FIFO" fifo ||
		fail "$FIFO is $(stat -c '%U:%G %a %F' "$FIFO" 2>&1)"
	equal 'mounts' 1 "$(fifo_mounts)"
}

is_gone()
{
	[ ! -e /sys/module/steve ] || fail 'the module is loaded'
	equal 'mounts' 0 "$(fifo_mounts)"
}

one_cap_holds()
{
	[ "$(status_of caps)" = 1 ]
}

none_is_held()
{
	[ "$(status_of held)" = 0 ]
}

test_make_install()
{
	quietly install_packages --allow-remove-essential openrc systemd-sysv-
	mkdir -p /run/openrc
	touch /run/openrc/softlevel
	# Debian's lacks it.
	[ -e /etc/init.d/localmount ] ||
		printf '#!/sbin/openrc-run\nstart() { :; }\n' |
			install -m 755 /dev/stdin /etc/init.d/localmount

	quietly make -C /var/tmp/steve install INIT=openrc
	quietly groupadd -r jobserver
	quietly rc-update add steve default
	equal 'version of the module' "$VERSION" "$(modinfo -F version steve)"
	is_gone
}

test_unknown_group_is_told()
{
	echo 'steve_group="nobody-knows"' >>/etc/conf.d/steve
	! rc-service steve start >"$WORK/said" 2>&1 || fail 'it has started'
	grep -q 'no group nobody-knows;.*/etc/conf.d/steve' "$WORK/said" ||
		fail "$(cat "$WORK/said")"
	is_gone
	sed -i '$d' /etc/conf.d/steve
}

test_start()
{
	quietly rc-service steve start
	is_whole
	equal 'output' works "$(stevectl run echo works 2>&1)"
}

test_start_again_changes_nothing()
{
	before=$(grep ' /run/steve ' /proc/self/mountinfo)
	quietly rc-service steve start
	# Not known to have started.
	quietly rc-service steve zap
	quietly rc-service steve start
	is_whole
	equal 'mount' "$before" "$(grep ' /run/steve ' /proc/self/mountinfo)"
}

test_stop_is_refused_while_a_token_is_held()
{
	stevectl run --always sleep 1000 &
	build=$!
	trap 'kill "$build"' EXIT
	wait_until one_is_held || fail "$(status_of held) tokens are held"
	status=0
	rc-service steve stop >"$WORK/said" 2>&1 || status=$?
	is_whole
	equal 'held' 1 "$(status_of held)"
	[ "$status" -ne 0 ] || fail 'it has stopped'
	grep -q 'stevectl ps' "$WORK/said" || fail "$(cat "$WORK/said")"
}

test_govern_is_a_service()
{
	wait_until none_is_held || fail "$(status_of held) tokens are held"
	quietly rc-service steve-govern start
	wait_until one_cap_holds || fail "$(rc-service steve-govern status 2>&1)
$(stevectl status)"
	governor=$(pgrep -x stevectl) || fail 'there is no governor'
	equal 'user and group of the governor' nobody:jobserver \
		"$(stat -c %U:%G "/proc/$governor")"
	grep -q '^VmLck:.* [1-9][0-9]* kB' "/proc/$governor/status" ||
		fail "its memory is not locked: $(cat "/proc/$governor/limits")"
}

# What needs it stops with it.
test_stop()
{
	quietly rc-service steve stop
	! pgrep -x stevectl >/dev/null || fail 'there is a governor'
	is_gone
}

test_uninstall_leaves_nothing()
{
	quietly make -C /var/tmp/steve uninstall INIT=openrc
	equal 'services' '' "$(rc-update show | grep steve)"
	equal 'files' '' "$(find /etc /lib/modules /usr /var/lib -name '*steve*' \
		! -path '/usr/src/*')"
}
