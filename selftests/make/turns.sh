# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# How many turns a build gets.

TRACEFS=/sys/kernel/tracing
TRACE=$TRACEFS/instances/steve-make

# Records each step of every token.
trace_begin()
{
	# An instance with names of processes would trace the scheduler.
	echo 0 >"$TRACEFS/options/record-cmd"
	mkdir "$TRACE" || fail 'no trace'
	trap clean_up_trace EXIT
	echo 1 >"$TRACEFS/options/record-cmd"
	# A clock that puts events of all processors in their order.
	echo counter >"$TRACE/trace_clock"
	echo 8192 >"$TRACE/buffer_size_kb"
	echo 1 >"$TRACE/events/steve/enable"
}

clean_up_trace()
{
	status=$?
	rmdir "$TRACE"
	(exit $status)
	clean_up
}

# start_greedy: starts a client that is blocked in read whenever it has no token.
start_greedy()
{
	start python3 -c '
import os, time
fd = os.open("/dev/steve", os.O_RDWR)
while True:
    os.read(fd, 1)
    time.sleep(0.05)
    os.write(fd, b"+")'
}

# turns PID: how many tokens PID was granted from when it first had to wait for
# one until its last, and how many the other that was granted the most.
turns()
{
	awk -v pid="$1" '
		!sub(/.*: steve_/, "") { next }
		$1 == "enqueue:" && $2 == "pid=" pid { begun = 1 }
		$1 == "grant:" && begun { turns[$2]++ }
		$1 == "grant:" && $2 == "pid=" pid {
			most = 0
			for (other in turns)
				if (other != $2 && turns[other] > most)
					most = turns[other]
			mine = turns[$2]
		}
		END { print mine + 0, most + 0 }' "$TRACE/trace"
}

# own_returns PID: how often PID returned a token while it was first in the line
# of those that wait, and how often somebody else had that token then.
own_returns()
{
	awk -v me="pid=$1" '
		!sub(/.*: steve_/, "") { next }
		first { lost += !($1 == "keep:" && $2 == me); first = 0 }
		$1 == "enqueue:" { place[$2] = NR }
		$1 == "grant:" { delete place[$2] }
		$2 == me && $1 ~ /^(reserve|keep):/ { reserved = 1 }
		$2 == me && $1 ~ /^(grant|lapse):/ { reserved = 0 }
		$1 == "return:" && $2 == me && me in place && !reserved {
			first = length(place) > 1
			for (other in place)
				if (place[other] < place[me])
					first = 0
			returned += first
		}
		END { print returned + 0, lost + 0 }' "$TRACE/trace"
}

# Each end of a job wakes make, which then returns a token: it never waits when
# it returns one, while others do. Its jobs are longer than theirs, so that it
# is often next in turn then. The trace tells each step.
test_make_loses_no_turn_to_blocked_readers()
{
	jobs=$(seq -f job%.0f -s ' ' 150)
	printf 'all: %s\n%s:; @sleep 0.3\n' "$jobs" "$jobs" >"$WORK/Makefile"
	"$STEVECTL" set jobs=4 policy=fifo
	trace_begin
	for _ in 1 2 3 4 5 6; do
		start_greedy
	done
	wait_for clients 6
	start make -C "$WORK"
	make=$!
	finish "$make"
	equal 'status of make' 0 "$status"

	read -r returned lost <<-END
		$(own_returns "$make")
	END
	echo "# make returned $returned tokens at its own turn, $lost went to others"
	[ "$returned" -gt 0 ] || fail 'it never was its turn'
	equal 'tokens lost by returning them' 0 "$lost"

	read -r mine most <<-END
		$(turns "$make")
	END
	echo "# make had $mine turns, a blocked reader $most at most"
	# One more that is under way when make has its last.
	[ $((mine + 1)) -ge "$most" ] || fail 'make had fewer turns'
}
