# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# How a build ends: every token is back when its last process is gone.

# Jobs of each of the three makes that run below the first one.
JOBS_BELOW='a b c d'

# What the jobs wait for.
gate=gate

# start_build [COMMAND]: starts a recursive build whose jobs do COMMAND and then
# wait until the gate is there; as process $make, which leads a session of its
# own, as one started from a terminal does. All tokens are in use; their jobs and
# those of the three implicit slots wait.
start_build()
{
	cat >"$WORK/Makefile" <<-END
		all: one two three
		one two three:; @\$(MAKE) below
		below: $JOBS_BELOW
		$JOBS_BELOW:; @$1 : >waits.\$\$\$\$; while [ ! -e $gate ]; do sleep 0.2; done
	END
	"$STEVECTL" set-jobs 6
	before=$(invariants)
	# A shell starts its children deaf to SIGINT.
	start setsid env --default-signal make -C "$WORK"
	make=$!
	trap clean_up_build EXIT
	wait_for held 6
	# A token is held before its job has come to heed what COMMAND says.
	wait_until waiting_jobs_are 7 || fail "jobs that wait: $(waiting_jobs), not 7"
}

waiting_jobs()
{
	find "$WORK" -name 'waits.*' | wc -l
}

waiting_jobs_are()
{
	[ "$(waiting_jobs)" = "$1" ]
}

clean_up_build()
{
	status=$?
	signal_all KILL 2>/dev/null
	(exit $status)
	clean_up
}

# The processes of the build that are not dead yet.
processes()
{
	ps -o pid=,stat= -s "$make" | awk '$2 !~ /^Z/ { print $1 }'
}

is_gone()
{
	[ -z "$(processes)" ]
}

# end_of_build: its last process goes, and the pool is as it was before.
end_of_build()
{
	wait_until is_gone || fail "processes left: $(processes)"
	equal 'account' "$before" "$(invariants)"
	equal 'available' 6 "$(field available)"
}

# What a build that is gone has not changed.
invariants()
{
	account | grep -E '^(jobs|size|held|reserved|lent|waiting|strays|abandoned):'
}

# tokens PID: those that a process has.
tokens()
{
	"$STEVECTL" ps --raw --noheadings --output PID,HELD |
		awk -v pid="$1" '$1 == pid { print $2 }'
}

# signal_all SIGNAL: to all processes at once, as a key of the terminal does.
signal_all()
{
	kill "-$1" "-$make"
}

test_all_is_back_after_sigint()
{
	start_build
	signal_all INT
	end_of_build
}

# make passes it on to its children.
test_all_is_back_after_sigterm()
{
	start_build
	kill -TERM "$make"
	end_of_build
}

has_closed()
{
	[ -z "$(find "/proc/$make/fd" -lname /dev/steve)" ]
}

# make has closed the device by then, but not ended: it waits for its jobs.
test_tokens_stay_with_an_interrupted_make_while_its_jobs_run()
{
	start_build 'trap "" INT;'
	mine=$(tokens "$make")
	signal_all INT
	wait_until has_closed || fail 'make has still opened the device'
	equal 'tokens of make' "$mine" "$(tokens "$make")"
	equal 'held' 6 "$(field held)"
	: >"$WORK/$gate"
	end_of_build
}

# Those below go on, and do the rest of their jobs.
test_all_is_back_after_sigkill()
{
	start_build
	mine=$(tokens "$make")
	lost=$(field reclaimed)
	# One below may have been quicker to take the second.
	[ "${mine:-0}" -ge 1 ] || fail "tokens of make: $mine"
	end "$make"
	equal 'reclaimed tokens' $((lost + mine)) "$(field reclaimed)"
	wait_for held 6
	: >"$WORK/$gate"
	end_of_build
}

test_all_is_back_after_sigkill_of_all()
{
	start_build
	signal_all KILL
	end_of_build
}
