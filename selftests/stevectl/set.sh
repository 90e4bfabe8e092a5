# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086

# setting NAME
setting()
{
	"$STEVECTL" set | sed -n "s/^$1=//p"
}

test_set_shows_what_was_set()
{
	equal 'output' '' "$("$STEVECTL" set jobs=7 policy=fair reserve_ms=250 2>&1)"
	equal 'settings' 'jobs=7 policy=fair reserve_ms=250' \
		"$("$STEVECTL" set | paste -sd ' ')"
	equal 'jobs' 7 "$(field jobs)"
	"$STEVECTL" set policy=fifo
	equal 'settings' 'jobs=7 policy=fifo reserve_ms=250' \
		"$("$STEVECTL" set | paste -sd ' ')"
}

test_set_takes_the_bounds()
{
	for value in jobs=0 jobs=65535 reserve_ms=1 reserve_ms=60000; do
		"$STEVECTL" set $value || fail "$value was refused"
		equal 'the setting' "${value#*=}" "$(setting "${value%=*}")"
	done
}

test_set_refuses_other_values()
{
	found=$("$STEVECTL" set)
	for value in 8x '' ' 8' -1 65536 4294967300; do
		refused 1 "*jobs cannot be '$value'; give a number from 0 to 65535" \
			"$STEVECTL" set reserve_ms=7 "jobs=$value"
	done
	for value in 0 60001 1s -1; do
		refused 1 "*reserve_ms cannot be '$value'; give a number from 1 to 60000" \
			"$STEVECTL" set jobs=2 "reserve_ms=$value"
	done
	for value in FIFO fairer '' 0; do
		refused 1 "*policy cannot be '$value'; give fifo or fair" \
			"$STEVECTL" set jobs=2 "policy=$value"
	done
	equal 'settings' "$found" "$("$STEVECTL" set)"
}

test_set_refuses_what_is_no_setting()
{
	refused 2 "*'jobs' is not NAME=VALUE; see stevectl set --help" \
		"$STEVECTL" set jobs
	refused 2 "*no setting is called 'job'; see stevectl set --help" \
		"$STEVECTL" set job=1
	refused 2 "*no setting is called ''; see stevectl set --help" \
		"$STEVECTL" set =1
	refused 2 '*jobs is given twice; see stevectl set --help' \
		"$STEVECTL" set jobs=1 jobs=1
}

test_set_is_for_administrators()
{
	with_mode 666
	refused 1 '*cannot change the settings: Operation not permitted; be root (CAP_SYS_RESOURCE)' \
		$NOBODY "$STEVECTL" set policy=fair
	equal 'settings seen by others' "$("$STEVECTL" set)" \
		"$($NOBODY "$STEVECTL" set)"
}
