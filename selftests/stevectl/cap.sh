# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2016,SC2154

# uncapped: the pool has all its tokens again.
uncapped()
{
	equal 'caps' 0 "$(field caps)"
	equal 'size' "$JOBS" "$(field size)"
	equal 'jobs' "$JOBS" "$(field jobs)"
}

test_cap_lasts_as_long_as_its_command()
{
	equal 'size and jobs while it runs' "size:2 jobs:$JOBS caps:1" \
		"$("$STEVECTL" cap 2 -- "$STEVECTL" status | awk '
			/^(jobs|size|caps):/ { value[$1] = $2 }
			END { printf "size:%s jobs:%s caps:%s", value["size:"],
				value["jobs:"], value["caps:"] }')"
	uncapped
}

test_cap_holds_its_command_back()
{
	start "$STEVECTL" cap 1 -- sleep 1000
	wait_for caps 1
	cap=$!
	wait_until is_capped_command "$cap" || fail 'sleep did not start'
	start_holder
	start "$STEVECTL" run --always sleep 1000
	wait_for waiting 1
	equal 'limits' 'cap' "$("$STEVECTL" status | sed -n 's/^limits: *//p')"
	pkill -TERM -P "$cap"
	finish "$cap"
	equal 'exit status' 143 "$status"
	wait_for held 2
	uncapped
}

test_cap_sets_limits_of_its_own()
{
	"$STEVECTL" set min_memory=1M max_load=100
	equal 'limits while it runs' '2G 9.50' "$(
		"$STEVECTL" cap 3 --min-memory 2G --max-load 9.5 "$STEVECTL" status |
			awk '/^min_memory:/ { memory = $2 } /^max_load:/ { load = $2 }
				END { print memory, load }')"
	equal 'limits of a looser cap' '1M 100.00' "$(
		"$STEVECTL" cap --min-memory 1K --max-load 101 3 "$STEVECTL" status |
			awk '/^min_memory:/ { memory = $2 } /^max_load:/ { load = $2 }
				END { print memory, load }')"
	equal 'settings' 'max_load=100.00 min_memory=1M' \
		"$("$STEVECTL" set | grep -E '^(max_load|min_memory)=' | paste -sd ' ')"
	uncapped
}

test_cap_none_leaves_all_tokens()
{
	equal 'size' "$JOBS" "$("$STEVECTL" cap none --max-load 5000 \
		"$STEVECTL" status | sed -n 's/^size: *//p')"
}

test_cap_the_lowest_counts()
{
	start "$STEVECTL" cap 3 sleep 1000
	wait_for caps 1
	first=$!
	start "$STEVECTL" cap 2 sleep 1000
	wait_for caps 2
	second=$!
	equal 'size' 2 "$(field size)"
	# It passes this on to its command, which may not run yet.
	kill -TERM "$second"
	finish "$second"
	equal 'size after the lower one' 3 "$(field size)"
	equal 'size in a higher one' 3 "$("$STEVECTL" cap 9 \
		"$STEVECTL" status | sed -n 's/^size: *//p')"
	"$STEVECTL" set-jobs 1
	equal 'size below the cap' 1 "$(field size)"
	kill -TERM "$first"
	wait_for caps 0
}

# ---- How it ends ----

test_cap_ends_with_a_killed_stevectl()
{
	start "$STEVECTL" cap 2 sleep 1000
	wait_for caps 1
	wait_until is_capped_command "$!" || fail 'sleep did not start'
	child=$(pgrep -P "$!")
	end "$!"
	# The command goes on; nothing else keeps the cap.
	kill -0 "$child" || fail 'the command is gone, too'
	uncapped
	kill -KILL "$child"
}

# is_capped_command PID: has its child become sleep?
is_capped_command()
{
	pgrep -x -P "$1" sleep >/dev/null
}

test_cap_is_not_kept_by_a_daemon()
{
	"$STEVECTL" cap 2 -- sh -c 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &
		echo $!' >"$WORK/daemon"
	daemon=$(cat "$WORK/daemon")
	kill -0 "$daemon" || fail 'there is no daemon'
	uncapped
	kill -KILL "$daemon"
}

test_cap_is_no_descriptor_of_its_command()
{
	"$STEVECTL" cap 2 -- ls -l /proc/self/fd >"$WORK/descriptors"
	if grep /dev/steve "$WORK/descriptors" >"$WORK/found"; then
		fail "it has $(cat "$WORK/found")"
	fi
	# Standard streams that are closed are not the jobserver, either.
	"$STEVECTL" cap 2 -- find /proc/self/fd -lname /dev/steve >"$WORK/found" \
		<&-
	equal 'descriptors' '' "$(cat "$WORK/found")"
}

test_cap_exits_as_its_command()
{
	for number in 0 1 2 42 255; do
		status=0
		"$STEVECTL" cap 2 sh -c "exit $number" || status=$?
		equal 'exit status' $number $status
	done
	for signal in KILL:137 TERM:143 SEGV:139; do
		status=0
		# The shell tells of a signal by itself.
		{ "$STEVECTL" cap 2 sh -c "ulimit -c 0; kill -${signal%:*} \$\$" ||
			status=$?; } 2>/dev/null
		equal "exit status after $signal" "${signal#*:}" $status
	done
	uncapped
}

test_cap_of_what_cannot_be_run()
{
	: >"$WORK/text"
	refused 127 "stevectl: cannot run 'no-such-command': No such file or directory" \
		"$STEVECTL" cap 2 no-such-command
	refused 126 "stevectl: cannot run '$WORK/text': Permission denied" \
		"$STEVECTL" cap 2 "$WORK/text"
	uncapped
}

test_cap_passes_all_arguments()
{
	equal 'arguments' '<--json><><a b><--help><-1>' "$("$STEVECTL" cap 2 \
		sh -c 'printf "<%s>" "$@"' sh --json '' 'a b' --help -1)"
	equal 'arguments after --' 'x --max-load' \
		"$("$STEVECTL" cap 2 -- echo x --max-load)"
}

# ---- Signals ----

# A program that writes each signal it gets, and ends after USR2.
start_listener()
{
	rm -f "$WORK/ready" "$WORK/signals"
	start env --default-signal "$STEVECTL" cap 2 python3 -c '
import os, signal, sys
ready, log = sys.argv[1:]
names = "HUP INT QUIT USR1 USR2 ALRM TERM CONT WINCH RTMIN".split()
numbers = [getattr(signal, "SIG" + name) for name in names]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
os.close(os.open(ready, os.O_CREAT))
with open(log, "w", buffering=1) as out:
    while True:
        number = signal.sigwait(numbers)
        print(names[numbers.index(number)], file=out)
        if number == signal.SIGUSR2:
            sys.exit(7)' "$WORK/ready" "$WORK/signals"
	listener=$!
	wait_until test -e "$WORK/ready" || fail 'the command did not start'
}

# heard TEXT: are these the signals that came?
heard()
{
	[ "$(paste -sd ' ' "$WORK/signals")" = "$1" ]
}

test_cap_passes_signals_on()
{
	start_listener
	sent=
	for signal in HUP INT QUIT USR1 ALRM TERM CONT WINCH RTMIN; do
		kill -s "$signal" "$listener"
		sent="$sent${sent:+ }$signal"
		wait_until heard "$sent" ||
			fail "it got '$(paste -sd ' ' "$WORK/signals")', not '$sent'"
	done
	equal 'caps' 1 "$(field caps)"
	kill -s USR2 "$listener"
	finish "$listener"
	equal 'exit status' 7 "$status"
	uncapped
}

test_cap_ends_with_a_command_that_a_signal_ends()
{
	for signal in HUP:129 INT:130 QUIT:131 TERM:143; do
		# A shell has its background processes ignore SIGINT.
		start env --default-signal "$STEVECTL" cap 2 sleep 1000
		wait_for caps 1
		kill -s "${signal%:*}" $!
		finish $!
		equal "exit status after $signal" "${signal#*:}" "$status"
		uncapped
	done
}

test_cap_leaves_ignored_signals_ignored()
{
	trap '' INT
	equal 'ignored signals of the command' \
		"$(grep SigIgn /proc/self/status)" \
		"$("$STEVECTL" cap 2 grep SigIgn /proc/self/status)"
	equal 'blocked signals of the command' \
		"$(grep SigBlk /proc/self/status)" \
		"$("$STEVECTL" cap 2 grep SigBlk /proc/self/status)"
	trap - INT
}

# is_in_state PID STATE
is_in_state()
{
	grep -q "^State:.$2" "/proc/$1/status"
}

test_cap_stops_and_goes_on_with_its_command()
{
	start "$STEVECTL" cap 2 sleep 1000
	wait_for caps 1
	wait_until is_capped_command $! || fail 'sleep did not start'
	child=$(pgrep -P $!)
	kill -STOP $!
	wait_until is_in_state $! T || fail 'it did not stop'
	kill -CONT $!
	kill -TERM $!
	finish $!
	equal 'exit status' 143 "$status"
	kill -0 "$child" 2>/dev/null && fail 'the command is left'
	uncapped
}

# A terminal sends its signals to both, so the command must not get them twice.
test_cap_in_a_terminal()
{
	equal 'signals' 'INT' "$(python3 ./terminal.py 24x80 \
		output:ready key:'\x03' output:INT key:'\x1c' -- \
		"$STEVECTL" cap 2 python3 -u -c '
import signal, sys
numbers = [signal.SIGINT, signal.SIGQUIT]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready")
while True:
    number = signal.sigwait(numbers)
    if number == signal.SIGQUIT:
        break
    print("INT")' | grep -a -o INT | paste -sd ' ')"
	uncapped
}

# ---- Portage ----

# A phase of a build with the shell code of the documentation. The second time it
# is killed.
test_cap_of_a_portage_phase()
{
	sed -n '/^    pre_src_compile() {$/,/^    }$/s/^    //p' \
		../../Documentation/portage.md >"$WORK/bashrc"
	cat >"$WORK/phase" <<-'END'
		. "$1/bashrc"
		pre_src_compile
		stevectl status --json >"$1/status"
		[ -z "$2" ] || kill -KILL $$
		exit 3
	END
	for how in '' killed; do
		status=0
		{ STEVE_CAP=2 STEVE_MIN_MEMORY=1M PATH=${STEVECTL%/*}:$PATH \
			bash "$WORK/phase" "$WORK" $how || status=$?; } 2>/dev/null
		has_json 'd["size"] == 2 and d["caps"] == 1 and
			d["min_memory"] == 1 << 20' <"$WORK/status" ||
			fail "$(cat "$WORK/status")"
		wait_for caps 0
	done
	equal 'exit status of the second' 137 "$status"
	bash "$WORK/phase" "$WORK"
	equal 'exit status without a cap' 3 $?
	has_json 'd["caps"] == 0' <"$WORK/status" || fail "$(cat "$WORK/status")"
}

# ---- What is refused ----

test_cap_refuses_other_numbers()
{
	before=$(account)
	for number in 8x x '' ' 8' +8 -1 0x8 1.5 65536 4294967300; do
		complains 1 "*'$number' is not a number of jobs; give one from 0 to 65535" \
			"$STEVECTL" cap "$number" touch "$WORK/ran"
	done
	for size in 0 -1 '' x 2x 2GB 1.5G 65T 70368744177665 \
		99999999999999999999999 ' 1'; do
		complains 1 "*--min-memory cannot be '$size'; give bytes, up to 64T, such as 512M or 2G" \
			"$STEVECTL" cap 2 "--min-memory=$size" touch "$WORK/ran"
	done
	for load in 0 0.00 0.001 -1 '' x 1,5 .5 5. 10000.01 42949673; do
		complains 1 "*--max-load cannot be '$load'; give a load from 0.01 to 10000, such as 8.5" \
			"$STEVECTL" cap 2 "--max-load=$load" touch "$WORK/ran"
	done
	[ ! -e "$WORK/ran" ] || fail 'the command ran'
	equal 'account' "$before" "$(account)"
}

test_cap_takes_the_bounds()
{
	for size in 1 70368744177664 64T; do
		"$STEVECTL" cap 2 "--min-memory=$size" true ||
			fail "--min-memory=$size was refused"
	done
	for load in 0.01 10000 10000.00 8.5; do
		"$STEVECTL" cap 2 "--max-load=$load" true ||
			fail "--max-load=$load was refused"
	done
	for number in 0 65535; do
		"$STEVECTL" cap $number true || fail "$number was refused"
	done
}

test_cap_refuses_arguments()
{
	before=$(account)
	complains 2 '*the number of jobs is missing; see stevectl cap --help' \
		"$STEVECTL" cap
	complains 2 '*the number of jobs is missing; see stevectl cap --help' \
		"$STEVECTL" cap --max-load 3 --
	complains 2 '*the command to run is missing; see stevectl cap --help' \
		"$STEVECTL" cap 3
	complains 2 '*the command to run is missing; see stevectl cap --help' \
		"$STEVECTL" cap 3 --
	complains 2 "*no option is called '--nonsense'; see stevectl cap --help" \
		"$STEVECTL" cap 3 --nonsense true
	equal 'account' "$before" "$(account)"
}

test_cap_refuses_one_cap_too_many()
{
	for _ in $(seq 64); do
		start "$STEVECTL" cap 9 sleep 1000
	done
	wait_for caps 64
	refused 1 '*cannot cap the pool: there are 64 caps already; end one' \
		"$STEVECTL" cap 2 touch "$WORK/ran"
	[ ! -e "$WORK/ran" ] || fail 'the command ran'
	# shellcheck disable=SC2086
	kill -TERM $started
	wait_for caps 0
}
