# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

# A process that holds three tokens, and returns them after SIGUSR1: $debtor.
start_debtor()
{
	start python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
fd = os.open("/dev/steve", os.O_RDWR)
tokens = b"".join(os.read(fd, 1) for _ in range(3))
signal.sigwait([signal.SIGUSR1])
os.write(fd, tokens)
signal.pause()'
	debtor=$!
	wait_for held 3
}

test_reclaim()
{
	start_debtor
	strays=$(field strays) loans=$(field loans) reclaimed=$(field reclaimed)
	equal 'output' "3 tokens taken from process $debtor" \
		"$("$STEVECTL" reclaim "$debtor")"
	equal 'held' 0 "$(field held)"
	equal 'available' "$JOBS" "$(field available)"
	equal 'reclaimed' $((reclaimed + 3)) "$(field reclaimed)"
	equal 'debt' "$debtor 0 3" "$("$STEVECTL" ps --raw --noheadings \
		--output PID,HELD,DEBT)"
	dmesg | grep -q "steve: 3 tokens reclaimed from python3\[$debtor\] by stevectl" ||
		fail 'it was not logged'
	equal 'output the second time' "0 tokens taken from process $debtor" \
		"$("$STEVECTL" reclaim "$debtor")"

	# What it writes back is accepted, and does nothing.
	kill -USR1 "$debtor"
	wait_until is_paused "$debtor" || fail 'it did not write'
	equal 'available' "$JOBS" "$(field available)"
	equal 'strays' "$strays" "$(field strays)"
	equal 'loans' "$loans" "$(field loans)"
}

# is_paused PID: has it taken SIGUSR1 and come to rest?
is_paused()
{
	[ "$(sed -n 's/^ShdPnd:\t//p' "/proc/$1/status")" = 0000000000000000 ] &&
		grep -q pause "/proc/$1/wchan" 2>/dev/null
}

test_reclaim_serves_who_waits()
{
	"$STEVECTL" set-jobs 1
	start_holder
	holder=$!
	start "$STEVECTL" run --always sleep 1000
	wait_for waiting 1
	kill -STOP "$holder"
	equal 'output' "1 token taken from process $holder" \
		"$("$STEVECTL" reclaim "$holder")"
	wait_for waiting 0
	equal 'held' 1 "$(field held)"
}

test_reclaim_refuses_who_is_no_client()
{
	start sleep 1000
	for pid in 1 $! 2147483647; do
		refused 1 "*process $pid has not used the jobserver, or is gone; see stevectl ps" \
			"$STEVECTL" reclaim "$pid"
	done
}

test_reclaim_refuses_arguments()
{
	before=$(account)
	complains 2 '*an argument is missing; see stevectl reclaim --help' \
		"$STEVECTL" reclaim
	complains 2 "*'2' is one argument too many; see stevectl reclaim --help" \
		"$STEVECTL" reclaim 1 2
	for pid in 0 x '' 1x 2147483648 99999999999; do
		complains 1 "*'$pid' is not a process id; see stevectl ps" \
			"$STEVECTL" reclaim "$pid"
	done
	complains 2 "*no option is called '-1'; see stevectl reclaim --help" \
		"$STEVECTL" reclaim -1
	equal 'account' "$before" "$(account)"
}
