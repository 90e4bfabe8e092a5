# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

# One holds a token, two wait for it: $holder, $first, $second.
start_queue()
{
	"$STEVECTL" set-jobs 1
	start_holder
	holder=$!
	start "$STEVECTL" run sleep 1001
	first=$!
	wait_for waiting 1
	start "$STEVECTL" run sleep 1002
	second=$!
	wait_for waiting 2
}

# raw COLUMNS
raw()
{
	"$STEVECTL" ps --raw --noheadings --output "$1"
}

test_ps_shows_nobody()
{
	equal 'table' '' "$("$STEVECTL" ps)"
	"$STEVECTL" ps --json | has_json 'd == {"clients": []}' ||
		fail 'JSON is not an empty list'
}

test_ps_shows_the_queue_and_then_the_others()
{
	start_queue
	equal 'rows' "$first root 0 read 0 0 stevectl\\x20run\\x20sleep\\x201001
$second root 0 read 0 0 stevectl\\x20run\\x20sleep\\x201002
$holder root 1 none 0 0 sleep\\x201000" \
		"$(raw PID,USER,HELD,WAIT,RESERVED,LENT,COMMAND |
			sed 's, [^ ]*/stevectl, stevectl,')"
}

test_ps_tells_since_when()
{
	start_queue
	raw WAIT,SINCE | awk '
		$1 == "none" { wrong += $2 != "-" }
		$1 == "read" { wrong += $2 !~ /^[0-9]+\.[0-9][0-9][0-9]$/; sum += $2 }
		END { exit wrong || NR != 3 || sum <= 0 }' ||
		fail "$(raw WAIT,SINCE)"
	# The first came before the second.
	raw SINCE | awk 'NR == 1 { first = $1 } NR == 2 { exit first <= $1 }' ||
		fail "$(raw SINCE)"
}

test_ps_headings()
{
	start_holder
	equal 'headings' 'PID USER HELD WAIT SINCE RESERVED LENT COMMAND' \
		"$("$STEVECTL" ps | sed -n '1{s/  */ /g;s/^ //;p}')"
	equal 'headings of --raw' 'PID USER HELD WAIT SINCE RESERVED LENT COMMAND' \
		"$("$STEVECTL" ps --raw | head -n 1)"
	equal 'lines without headings' 1 "$("$STEVECTL" ps --noheadings | wc -l)"
	equal 'columns asked for' "HELD PID
1 $!" "$("$STEVECTL" ps --raw --output held,pid)"
	equal 'columns beside the usual ones' \
		'PID USER HELD WAIT SINCE RESERVED LENT COMMAND FULL' \
		"$("$STEVECTL" ps -r -o +FULL | head -n 1)"
	equal 'row by short options' "$!" "$("$STEVECTL" ps -rno PID)"
}

test_ps_json()
{
	start_queue
	"$STEVECTL" ps --json >"$WORK/json"
	has_json "list(d) == ['clients'] and len(d['clients']) == 3" <"$WORK/json" ||
		fail "$(cat "$WORK/json")"
	has_json "d['clients'][2] == {
		'pid': $holder, 'user': 'root', 'held': 1, 'wait': 'none',
		'since': None, 'reserved': 0, 'lent': 0, 'command': 'sleep 1000'}" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
	has_json "[d['clients'][0][name] for name in ('pid', 'held', 'wait')] ==
		[$first, 0, 'read'] and type(d['clients'][0]['since']) is float" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
}

test_ps_shows_any_command()
{
	# A name with what a table, JSON and /proc/PID/stat could trip over.
	name='a) "b\ c'
	cp "$(command -v sleep)" "$WORK/$name"
	start "$STEVECTL" run "$WORK/$name" 1000
	wait_for held 1
	becomes $! "$WORK/"
	"$STEVECTL" ps --json >"$WORK/json"
	has_json "d['clients'][0]['command'] == r'''$WORK/$name 1000'''" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
	equal 'rows' 2 "$("$STEVECTL" ps | wc -l)"
}

# Neither a byte of Latin-1, nor a character that is cut off.
test_ps_json_is_utf_8()
{
	name=$(printf 'a\344b\303\244\360')
	cp "$(command -v sleep)" "$WORK/$name"
	start "$STEVECTL" run "$WORK/$name" 1000
	wait_for held 1
	becomes $! "$WORK/"
	"$STEVECTL" ps -J >"$WORK/json"
	has_json "d['clients'][0]['command'] == '$WORK/a?b\\u00e4? 1000'" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
}

test_ps_of_a_client_that_has_all_it_may()
{
	"$STEVECTL" set max_per_process=1
	start_holder
	equal 'row' "$! 1 1 0" "$(raw PID,HELD,FULL,DEBT)"
	"$STEVECTL" set max_per_process=2
	equal 'row' "$! 1 0 0" "$(raw PID,HELD,FULL,DEBT)"
	"$STEVECTL" ps --json --output pid,full |
		has_json "d == {'clients': [{'pid': $!, 'full': 0}]}" ||
		fail 'not so in JSON'
}

test_ps_of_a_poller()
{
	"$STEVECTL" set-jobs 0
	start python3 -c '
import select
poll = select.poll()
device = open("/dev/steve", "rb", buffering=0)
poll.register(device, select.POLLIN)
poll.poll()'
	wait_for waiting 1
	poller=$!
	wait_until is_row "$poller poll" || fail "$(raw PID,WAIT)"
}

# is_row TEXT: is it the one row of PID and WAIT?
is_row()
{
	[ "$(raw PID,WAIT)" = "$1" ]
}

test_ps_of_a_cold_client()
{
	"$STEVECTL" set-jobs 0
	start python3 -c '
import os, signal
fd = os.open("/dev/steve", os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(fd, 1)
except BlockingIOError:
    signal.pause()'
	wait_for waiting 1
	equal 'row' "$! cold" "$(raw PID,WAIT)"
}

test_ps_of_a_lender()
{
	start python3 -c '
import os, signal
os.write(os.open("/dev/steve", os.O_RDWR), b"+")
signal.pause()'
	wait_for lent 1
	equal 'row' "$! 0 1" "$(raw PID,HELD,LENT)"
}

test_ps_of_another_pid_namespace()
{
	start_holder
	equal 'row' '0 1 -' "$(unshare --pid --fork \
		"$STEVECTL" ps --raw --noheadings --output PID,HELD,COMMAND)"
}

test_ps_of_many_clients()
{
	"$STEVECTL" set-jobs 0
	start python3 -c '
import os, signal
for _ in range(299):
    if not os.fork():
        break
fd = os.open("/dev/steve", os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(fd, 1)
except BlockingIOError:
    pass
signal.pause()'
	parent=$!
	wait_for clients 300
	pids=$(raw PID)
	pkill -KILL -P "$parent"
	equal 'rows' 300 "$(echo "$pids" | sort -u | wc -l)"
}

test_ps_refuses_arguments()
{
	refused 2 "*'x' is one argument too many; see stevectl ps --help" \
		"$STEVECTL" ps x
	refused 2 '*--json and --raw exclude each other; see stevectl ps --help' \
		"$STEVECTL" ps --raw --json
	refused 2 "*no column is called 'NAME'; see stevectl ps --help" \
		"$STEVECTL" ps --output PID,NAME
	refused 2 "*no column is called ''; *" "$STEVECTL" ps --output ''
	refused 2 "*no column is called ''; *" "$STEVECTL" ps --output PID,
	refused 2 "*column 'pid' was asked for twice; *" \
		"$STEVECTL" ps --output PID,HELD,pid
	refused 2 '*--output needs an argument; *' "$STEVECTL" ps --output
}
