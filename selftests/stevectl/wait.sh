# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154

test_wait_returns_at_once()
{
	for options in '' --idle --free '--timeout 0' '--idle --timeout=0'; do
		# shellcheck disable=SC2086
		equal "output of 'wait $options'" '' \
			"$(timeout "$LIMIT" "$STEVECTL" wait $options 2>&1)"
	done
}

test_wait_until_idle()
{
	start_holder
	holder=$!
	start "$STEVECTL" wait
	waiter=$!
	wait_until is_asleep "$waiter" || fail 'it does not wait'
	kill -0 "$waiter" || fail 'it did not wait'
	end "$holder"
	finish "$waiter"
	equal 'exit status' 0 "$status"
}

# is_asleep PID: does it sleep between two looks?
is_asleep()
{
	grep -q nanosleep "/proc/$1/wchan" 2>/dev/null ||
		grep -q '^State:.S' "/proc/$1/status"
}

test_wait_until_a_token_is_free()
{
	"$STEVECTL" set-jobs 1
	start_holder
	holder=$!
	start "$STEVECTL" wait --free
	waiter=$!
	wait_until is_asleep "$waiter" || fail 'it does not wait'
	equal 'waiting' 0 "$(field waiting)"
	equal 'clients' 1 "$(field clients)"
	end "$holder"
	finish "$waiter"
	equal 'exit status' 0 "$status"
}

test_wait_for_a_free_token_that_a_limit_holds_back()
{
	"$STEVECTL" set min_jobs=0 min_memory=64T
	refused 124 'stevectl: the pool has no free token: 0 held, 0 reserved, 0 waiting' \
		"$STEVECTL" wait --free --timeout 0.1
	start "$STEVECTL" wait --free
	wait_until is_asleep $! || fail 'it does not wait'
	"$STEVECTL" set min_memory=none
	finish $!
	equal 'exit status' 0 "$status"
}

test_wait_gives_up()
{
	start_holder
	refused 124 'stevectl: the pool is in use: 1 held, 0 reserved, 0 waiting' \
		"$STEVECTL" wait --timeout 0
	refused 124 'stevectl: the pool is in use: 1 held, 0 reserved, 0 waiting' \
		"$STEVECTL" wait --idle --timeout 0.3
	"$STEVECTL" set-jobs 1
	refused 124 'stevectl: the pool has no free token: 1 held, 0 reserved, 0 waiting' \
		"$STEVECTL" wait --free --timeout 0.01
}

test_wait_refuses_arguments()
{
	before=$(account)
	complains 2 '*--idle and --free exclude each other; see stevectl wait --help' \
		"$STEVECTL" wait --idle --free
	complains 2 "*'x' is one argument too many; see stevectl wait --help" \
		"$STEVECTL" wait x
	complains 2 '*--timeout needs an argument; *' "$STEVECTL" wait --timeout
	for time in x '' -1 1s 0.001 31622400.01 99999999999; do
		complains 1 "*--timeout cannot be '$time'; give seconds from 0 to 31622400, such as 0.5" \
			"$STEVECTL" wait "--timeout=$time"
	done
	"$STEVECTL" wait --timeout 31622400 || fail 'a year was refused'
	equal 'account' "$before" "$(account)"
}
