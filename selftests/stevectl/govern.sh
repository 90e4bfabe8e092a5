# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086,SC2154

# Tasks in this control group are held up as soon as they want memory.
SHORT=/sys/fs/cgroup/steve-short

needs_pressure()
{
	head -c 1 /proc/pressure/memory >/dev/null 2>&1 ||
		skip 'this kernel tells nothing of pressure'
}

# start_governor OPTION...: $governor, which writes into $WORK/governor.
start_governor()
{
	rm -f "$WORK/governor"
	start sh -c "exec '$STEVECTL' govern $* >'$WORK/governor' 2>&1"
	governor=$!
	# It says so after it has capped the pool.
	wait_until grep -qs '^cap' "$WORK/governor" ||
		fail "no governor: $(cat "$WORK/governor")"
	equal 'caps' 1 "$(field caps)"
}

# Makes memory short for who is in a control group, until $hog ends.
start_memory_hog()
{
	mkdir "$SHORT" || fail 'no control group'
	trap 'result=$?; kill -KILL "$hog" 2>/dev/null; remove_group
		(exit $result); clean_up' EXIT
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
	[ -e $SHORT/memory.high ] || skip 'no control group of memory'
	echo 8M >$SHORT/memory.high
	start python3 -c '
import sys
with open(sys.argv[1] + "/cgroup.procs", "w") as procs:
    procs.write("0")
while True:
    b"x" * (64 << 20)' $SHORT
	hog=$!
}

remove_group()
{
	wait_until rmdir $SHORT
}

# start_cpu_hogs: four processes for each processor, until $hog ends.
start_cpu_hogs()
{
	start python3 -c '
import os
for _ in range(4 * os.cpu_count() - 1):
    if not os.fork():
        break
while True:
    pass'
	hog=$!
}

size_is_below()
{
	[ "$(field size)" -lt "$1" ]
}

# At first the cap is the highest there can be.
test_govern_caps()
{
	needs_pressure
	start_governor
	equal 'the first line' "cap $JOBS, at least 1" "$(cat "$WORK/governor")"
	equal 'size' "$JOBS" "$(field size)"
	end "$governor"
	equal 'caps' 0 "$(field caps)"
	start_governor --min 2 --max 3
	equal 'size' 3 "$(field size)"
	equal 'jobs' "$JOBS" "$(field jobs)"
	kill -TERM "$governor"
	finish "$governor"
	equal 'size afterwards' "$JOBS" "$(field size)"
}

test_govern_follows_the_number_of_jobs()
{
	needs_pressure
	start_governor
	"$STEVECTL" set-jobs 9
	wait_for size 9
	"$STEVECTL" set-jobs 2
	wait_until grep -q '^cap 2, was 9: ' "$WORK/governor" ||
		fail "$(cat "$WORK/governor")"
}

# goes_down_and_up: under the pressure of $hog, and after it.
goes_down_and_up()
{
	wait_until size_is_below 5 || fail "no change: $(cat "$WORK/governor")"
	wait_for size 2
	pkill -KILL -P "$hog"
	end "$hog"
	wait_for size 8
	equal 'jobs' 8 "$(field jobs)"
	# Down it went at once, up by one at a time.
	awk '/^cap [0-9]+, was/ {
		cap = $2 + 0; was = $4 + 0
		if (cap > was && cap != was + 1) wrong = 1
		if (cap < was && cap != int(was / 2) && cap != 2) wrong = 1
	} END { exit wrong }' "$WORK/governor" ||
		fail "$(cat "$WORK/governor")"
}

test_govern_by_memory()
{
	needs_pressure
	"$STEVECTL" set-jobs 8
	for _ in 1 2 3 4 5 6 7 8; do
		start "$STEVECTL" run --always sleep 1000
	done
	holders=$started
	wait_for held 8
	start_governor --min 2 --memory-pressure 10
	start_memory_hog
	# The cap goes on down only when the jobs have come down to it.
	wait_for size 4
	equal 'held' 8 "$(field held)"
	wait_until grep -q '^cap 4, was 8: memory pressure, 8 in use$' \
		"$WORK/governor" || fail "$(cat "$WORK/governor")"
	kill -KILL $holders
	wait_for held 0
	goes_down_and_up
}

test_govern_by_cpu()
{
	needs_pressure
	"$STEVECTL" set-jobs 8
	start_governor --min 2 --memory-pressure none --cpu-pressure 80
	start_cpu_hogs
	goes_down_and_up
	grep -q 'cpu pressure' "$WORK/governor" || fail "$(cat "$WORK/governor")"
}

# When memory is short, its own stays.
test_govern_stays_in_memory()
{
	[ -z "${ASAN_OPTIONS:-}" ] || skip 'a sanitizer has no memory locked'
	start_governor
	grep -Eq '^VmLck:[[:space:]]+[1-9]' "/proc/$governor/status" ||
		fail "it locks nothing: $(cat "$WORK/governor")"
	end "$governor"
}

# A cap goes with the governor, whatever it was.
test_govern_leaves_no_cap()
{
	needs_pressure
	start_governor --max 2
	equal 'size' 2 "$(field size)"
	end "$governor"
	equal 'size' "$JOBS" "$(field size)"
	equal 'caps' 0 "$(field caps)"
}

test_govern_tells_the_service_manager()
{
	needs_pressure
	for name in "$WORK/notify" @steve-test; do
		start python3 -c '
import socket, sys
name, out = sys.argv[1:]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
    inbox.bind(name.replace("@", "\0"))
    print(open(out, "w").close() or "")
    text = inbox.recv(100).decode()
with open(out, "w") as file:
    file.write(text)' "$name" "$WORK/heard"
		manager=$!
		wait_until test -e "$WORK/heard" || fail 'nobody listens'
		start env NOTIFY_SOCKET="$name" "$STEVECTL" govern
		finish "$manager"
		equal "what was told to $name" 'READY=1' "$(cat "$WORK/heard")"
		rm "$WORK/heard"
	done
}

test_govern_refuses_arguments()
{
	before=$(account)
	complains 2 "*'x' is one argument too many; see stevectl govern --help" \
		"$STEVECTL" govern x
	complains 2 '*--min 5 is more than --max 4; see stevectl govern --help' \
		"$STEVECTL" govern --max 4 --min 5
	complains 2 '*there is no pressure to listen to; see stevectl govern --help' \
		"$STEVECTL" govern --memory-pressure none
	for option in --min --max; do
		for number in 0 65536 x '' -1 1.5; do
			complains 1 "*$option cannot be '$number'; give a number from 1 to 65535" \
				"$STEVECTL" govern "$option=$number"
		done
		complains 2 "*$option needs an argument; *" "$STEVECTL" govern $option
	done
	for name in memory cpu io; do
		for number in 0 101 x '' -1 10% 1.5; do
			complains 1 "*--$name-pressure cannot be '$number'; give a number from 1 to 100, or none" \
				"$STEVECTL" govern "--$name-pressure=$number"
		done
	done
	equal 'account' "$before" "$(account)"
}

test_govern_is_for_administrators()
{
	needs_pressure
	with_mode 666
	# Listening to pressure needs the right, too, on older kernels.
	refused 1 'stevectl: cannot cap the pool: Operation not permitted; be root (CAP_SYS_RESOURCE)' \
		$NOBODY "$STEVECTL" govern
}
