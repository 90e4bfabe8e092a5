# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

test_set_jobs()
{
	for number in 0 1 8 65535 007; do
		output=$("$STEVECTL" set-jobs $number 2>&1) ||
			fail "set-jobs $number failed: $output"
		equal "output of set-jobs $number" '' "$output"
		equal 'jobs' "$(echo $number | sed 's/^00//')" "$(field jobs)"
	done
	"$STEVECTL" set-jobs --device "$FIFO" 5
	equal 'jobs set by the FIFO' 5 "$(field jobs)"
	"$STEVECTL" set-jobs -- 6
	equal 'jobs after --' 6 "$(field jobs)"
}

test_set_jobs_serves_who_waits()
{
	"$STEVECTL" set-jobs 0
	start "$STEVECTL" run sleep 1000
	wait_for waiting 1
	"$STEVECTL" set-jobs 1
	wait_for held 1
}

test_set_jobs_takes_nothing_away()
{
	start_holder
	start_holder
	"$STEVECTL" set-jobs 1
	equal 'held' 2 "$(field held)"
	end $!
	equal 'held after one has ended' 1 "$(field held)"
	equal 'available then' 0 "$(field available)"
}

test_set_jobs_refuses_other_numbers()
{
	before=$(account)
	for number in 8x x '' ' 8' '8 ' +8 -1 -8x 0x8 1.5 1e3 65536 4294967300 \
		99999999999999999999999; do
		complains 1 "*'$number' is not a number of jobs; give one from 0 to 65535" \
			"$STEVECTL" set-jobs "$number"
	done
	complains 1 "*'-1' is not a number of jobs; *" "$STEVECTL" set-jobs -- -1
	equal 'account' "$before" "$(account)"
}

test_set_jobs_refuses_arguments()
{
	refused 2 '*an argument is missing; see stevectl set-jobs --help' \
		"$STEVECTL" set-jobs
	refused 2 "*'9' is one argument too many; see stevectl set-jobs --help" \
		"$STEVECTL" set-jobs 8 9
}
