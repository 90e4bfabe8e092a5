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

# turns PID: what the trace tells of PID, which waits in poll when it waits, and
# of the others, which wait in read:
#   RETURNED  tokens that PID returned while it was first in line
#   LOST      those that somebody else had then
#   PASSED    tokens of others that somebody behind PID had, since it was awake
#   TURNS     tokens PID had, from when it first had to wait until its last
#   MOST      those that the other had that had the most while PID waited
turns()
{
	awk -v me="pid=$1" '
		!sub(/.*: steve_/, "") { next }
		{ event = $1; who = $2; waits = me in place && !reserved }
		own && !(event == "keep:" && who == me) { lost++ }
		!own && event == "grant:" && waits && place[me] < place[who] {
			passed++
		}
		{ own = 0 }
		event == "return:" && who == me && waits {
			own = length(place) > 1
			for (other in place)
				if (place[other] < place[me])
					own = 0
			returned += own
		}
		who == me && event ~ /^(reserve|keep):/ { reserved = 1 }
		who == me && event ~ /^(grant|lapse):/ { reserved = 0 }
		who == me && event == "enqueue:" { begun = 1 }
		event == "enqueue:" { place[who] = NR }
		event == "grant:" {
			delete place[who]
			turns[who] += who == me ? begun : waits
		}
		event == "grant:" && who == me {
			most = 0
			for (other in turns)
				if (other != me && turns[other] > most)
					most = turns[other]
			mine = turns[me]
		}
		END {
			print returned + 0, lost + 0, passed + 0, mine + 0, most + 0
		}' "$TRACE/trace"
}

# Each end of a job wakes make, which then returns a token: it never waits when
# it returns one, while others do. Its jobs are longer than theirs, so that it
# is often next in turn then. What others return while make is busy between two
# jobs is not for make, but it keeps its place meanwhile.
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

	read -r returned lost passed turns most <<-END
		$(turns "$make")
	END
	echo "# make returned $returned tokens at its own turn, $lost went to others"
	echo "# make had $turns turns, a blocked reader $most at most while it waited; $passed passed it by"
	[ "$returned" -gt 0 ] || fail 'it never was its turn'
	equal 'tokens lost by returning them' 0 "$lost"
	[ $((turns + passed)) -ge "$most" ] || fail 'make had fewer turns'
}
