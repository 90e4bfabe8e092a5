# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# What the tests share. A test is a function test_*, which runs in a shell of its
# own, with JOBS tokens in the pool. It fails by fail().

# Tokens in the pool when a test begins.
JOBS=4

# Seconds after which something has not happened.
LIMIT=120

FIFO=/run/steve/fifo

# What makes a command that of an ordinary user.
NOBODY='setpriv --reuid 65534 --regid 65534 --clear-groups'

# Processes that the test started and that still may run.
started=

fail()
{
	printf '%s\n' "$*" | sed 's/^/# /'
	exit "$KSFT_FAIL"
}

skip()
{
	echo "# skipped: $*"
	exit "$KSFT_SKIP"
}

# equal WHAT EXPECTED ACTUAL
equal()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# Leaves of an account what changes only if something is done: clients that are
# dead are forgotten some time after their tokens are back.
steady()
{
	sed '/^[a-z_]*: /!d; /^load:/d; /^memory:/d; /^charged:/d; /^clients:/d'
}

account()
{
	"$STEVECTL" status 2>&1 | steady
}

# field NAME
field()
{
	"$STEVECTL" status | awk -v name="$1:" '$1 == name { print $2 }'
}

is_idle()
{
	"$STEVECTL" status |
		awk '/^(held|reserved|lent|waiting|clients):/ { used += $2 }
		END { exit used != 0 }'
}

# wait_until CMD...: waits until CMD succeeds.
wait_until()
{
	end=$(($(date +%s) + LIMIT))
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# field_is NAME VALUE
field_is()
{
	[ "$(field "$1")" = "$2" ]
}

# field_is_not NAME VALUE
field_is_not()
{
	! field_is "$@"
}

# wait_for NAME VALUE: waits until the account says so.
wait_for()
{
	wait_until field_is "$1" "$2" ||
		fail "$1 is $(field "$1") after $LIMIT s, not $2"
}

# start CMD...: starts CMD in the background, as process $!.
start()
{
	"$@" >/dev/null 2>"$WORK/background" </dev/null &
	started="$started $!"
}

# start_holder: starts a process that holds a token until it is killed.
start_holder()
{
	held=$(field held)
	start "$STEVECTL" run --always sleep 1000
	wait_for held $((held + 1))
	becomes $! sleep
}

# becomes PID START: waits until a client whose token is held runs the command that
# starts so: it has the token before it becomes that command.
becomes()
{
	wait_until grep -qs "^$2" "/proc/$1/cmdline" || fail "process $1 is no $2"
}

# finish PID: waits for a process that was started; its exit status is left in
# $status.
finish()
{
	status=0
	# The shell tells of a signal by itself.
	wait "$1" 2>/dev/null || status=$?
}

# end PID: kills a process that was started.
end()
{
	kill -KILL "$1"
	finish "$1"
}

# complains STATUS PATTERN CMD...: CMD must exit with STATUS, and say why in one
# line that matches PATTERN.
complains()
{
	expected=$1 pattern=$2
	shift 2
	status=0
	timeout "$LIMIT" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
	message='' more=''
	{
		IFS= read -r message
		IFS= read -r more
	} <"$WORK/err"
	equal "exit status of '$*', which said '$message'" "$expected" $status
	[ ! -s "$WORK/out" ] || fail "'$*' wrote '$(cat "$WORK/out")'"
	[ -z "$more" ] || fail "'$*' said '$message' and '$more'"
	# shellcheck disable=SC2254
	case $message in
	$pattern) ;;
	*) fail "'$*' said '$message', not '$pattern'" ;;
	esac
}

# refused STATUS PATTERN CMD...: as complains(), and CMD must change nothing.
refused()
{
	before=$(account)
	complains "$@"
	equal "account after '$*'" "$before" "$(account)"
}

# has_json EXPRESSION: is the JSON text on standard input an object d of which
# this is true?
has_json()
{
	python3 -c '
import json, sys
d = json.load(sys.stdin)
sys.exit(not eval(f"({sys.argv[1]})"))' "$1"
}

# What a test leaves behind makes it fail.
clean_up()
{
	status=$?
	for pid in $started; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	if ! wait_until is_idle; then
		{ "$STEVECTL" status; "$STEVECTL" ps; } |
			sed 's/^/# left behind: /'
		status=$KSFT_FAIL
	fi
	exit "$status"
}
