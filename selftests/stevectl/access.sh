# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086
#
# Jobservers that are not there, are something else, or are not for everybody.

# not_opened PATTERN STEVECTL...: no subcommand may open the jobserver.
not_opened()
{
	before=$(account)
	complaint=$1
	shift
	for command in status ps top 'set-jobs 3' 'set jobs=3' 'run true' \
		'cap 3 true' govern wait 'reclaim 1'; do
		complains 1 "$complaint" "$@" $command
	done
	equal 'account' "$before" "$(account)"
}

test_no_such_device()
{
	not_opened 'stevectl: cannot open /no/such: No such file or directory; name the device or the FIFO of stevefs' \
		"$STEVECTL" --device /no/such
}

test_other_files()
{
	mkfifo "$WORK/fifo"
	: >"$WORK/file"
	for name in /dev/null /dev/zero /dev/tty0 "$WORK/fifo" "$WORK/file"; do
		[ -e "$name" ] || continue
		not_opened "stevectl: $name is not a jobserver of steve; name /dev/steve or the FIFO of stevefs" \
			"$STEVECTL" --device "$name"
	done
	refused 1 "stevectl: cannot open $WORK: Is a directory" \
		"$STEVECTL" --device "$WORK" status
}

# with_mode MODE: gives the device this mode until the test ends.
with_mode()
{
	mode=$(stat -c %a /dev/steve)
	trap 'status=$?; chmod "$mode" /dev/steve; (exit $status); clean_up' EXIT
	chmod "$1" /dev/steve
}

test_an_ordinary_user_may_not_open_it()
{
	with_mode 600
	not_opened 'stevectl: cannot open /dev/steve: Permission denied; be root or a member of the group jobserver' \
		$NOBODY "$STEVECTL"
}

test_an_ordinary_user_may_look_and_run()
{
	with_mode 666
	equal 'account' "$(account)" "$($NOBODY "$STEVECTL" status | steady)"
	equal 'output' works "$($NOBODY "$STEVECTL" run echo works)"
}

# not_permitted CMD...: nobody whom CMD makes of root may change anything.
not_permitted()
{
	start_holder
	reason='Operation not permitted; be root (CAP_SYS_RESOURCE)'
	refused 1 "stevectl: cannot change the settings: $reason" \
		"$@" "$STEVECTL" set-jobs 3
	refused 1 "stevectl: cannot change the settings: $reason" \
		"$@" "$STEVECTL" set policy=fair max_load=3
	refused 1 "stevectl: cannot cap the pool: $reason" \
		"$@" "$STEVECTL" cap 3 -- touch "$WORK/ran"
	refused 1 "stevectl: cannot take the tokens of process $!: $reason" \
		"$@" "$STEVECTL" reclaim $!
	[ ! -e "$WORK/ran" ] || fail 'the command ran'
}

test_an_ordinary_user_may_not_change_it()
{
	with_mode 666
	not_permitted $NOBODY
}

test_root_without_the_capability_may_not_change_it()
{
	not_permitted setpriv --bounding-set -sys_resource
}

test_an_ordinary_user_sees_own_processes()
{
	with_mode 666
	start_holder
	start $NOBODY "$STEVECTL" run sleep 1000
	wait_for held 2
	becomes $! sleep
	equal 'rows' "$(id -un 65534) 1 sleep\\x201000" "$($NOBODY \
		"$STEVECTL" ps --raw --noheadings --output USER,HELD,COMMAND)"
	equal 'rows of root' 2 "$("$STEVECTL" ps --noheadings | wc -l)"
}

test_root_of_a_user_namespace_may_not_change_it()
{
	unshare --user --map-root-user true 2>/dev/null ||
		skip 'no user namespaces'
	not_permitted unshare --user --map-root-user
}

# insert PARAMETER...: loads the module.
insert()
{
	if [ -e "$STEVE_KO" ]; then
		insmod "$STEVE_KO" "$@"
	else
		modprobe steve "$@"
	fi
}

# Loads the module again, with everything as it was.
load_module()
{
	status=$?
	rmmod steve 2>/dev/null
	rm -f /dev/steve
	insert jobs="$JOBS" || fail 'the module does not load again'
	chown "$owner" /dev/steve
	chmod "$mode" /dev/steve
	mount -t stevefs -o "$options" none "${FIFO%/*}"
	(exit $status)
	clean_up
}

# Unloads the module until the test ends.
unload_module()
{
	owner=$(stat -c %u:%g /dev/steve) mode=$(stat -c %a /dev/steve)
	options=$(stat -c uid=%u,gid=%g,mode=%a "$FIFO")
	umount "${FIFO%/*}" || fail 'cannot unmount stevefs'
	trap load_module EXIT
	rmmod steve || fail 'cannot unload the module'
}

test_no_module()
{
	number=$(stat -c '0x%t 0x%T' /dev/steve)
	unload_module
	not_opened 'stevectl: cannot open /dev/steve: No such file or directory; load the module: modprobe steve' \
		"$STEVECTL"
	# A device node that was left behind.
	mknod "$WORK/steve" c $number
	refused 1 "stevectl: cannot open $WORK/steve: No such device; load the module: modprobe steve" \
		"$STEVECTL" --device "$WORK/steve" status
	refused 1 "stevectl: cannot open $FIFO: No such file or directory; load the module, modprobe steve, and mount stevefs there" \
		"$STEVECTL" --device "$FIFO" status
	# Another jobserver has the name.
	mknod /dev/steve c 1 3
	refused 1 'stevectl: /dev/steve is not a jobserver of steve; end what has that name, then load the module: modprobe steve' \
		"$STEVECTL" status
	rm /dev/steve
}

test_device_of_another_name()
{
	unload_module
	insert devname=ksteve || fail 'the module does not load'
	refused 1 'stevectl: cannot open /dev/steve: No such file or directory; the module is loaded: name its device by --device' \
		"$STEVECTL" status
	equal 'output' works "$("$STEVECTL" --device /dev/ksteve run echo works)"
	rmmod steve
}
