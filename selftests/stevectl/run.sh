# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2153

DEFAULT=--jobserver-auth=fifo:/dev/steve

test_run_has_a_token_while_it_lasts()
{
	granted=$(field granted) reclaimed=$(field reclaimed)
	equal 'held and available while it runs' 'held:1 available:3' \
		"$("$STEVECTL" run "$STEVECTL" status | awk '
			/^available/ { available = $2 }
			/^held/ { held = $2 }
			END { print "held:" held, "available:" available }')"
	equal 'held afterwards' 0 "$(field held)"
	equal 'granted' $((granted + 1)) "$(field granted)"
	equal 'reclaimed' $((reclaimed + 1)) "$(field reclaimed)"
}

test_run_is_the_process_of_its_command()
{
	start "$STEVECTL" run sleep 1000
	wait_for held 1
	wait_until grep -q sleep "/proc/$!/comm" || fail 'not the same process'
	[ -z "$(find "/proc/$!/fd" -lname '*steve*')" ] ||
		fail 'the command has an open file of the jobserver'
	end $!
	equal 'held when it was waited for' 0 "$(field held)"
}

test_run_exits_as_its_command()
{
	for number in 0 1 2 42 255; do
		status=0
		"$STEVECTL" run sh -c "exit $number" || status=$?
		equal 'exit status' $number $status
	done
	status=0
	# The shell tells of a signal by itself.
	# shellcheck disable=SC2016
	{ "$STEVECTL" run sh -c 'kill -TERM $$' || status=$?; } 2>/dev/null
	equal 'exit status after SIGTERM' 143 $status
}

test_run_passes_all_arguments()
{
	# shellcheck disable=SC2016
	equal 'arguments' '<--json><><a b><--help><-1>' "$("$STEVECTL" run \
		sh -c 'printf "<%s>" "$@"' sh --json '' 'a b' --help -1)"
	equal 'arguments after --' 'x --always' \
		"$("$STEVECTL" run -- echo x --always)"
	refused_command 127 "*cannot run '--help': No such file or directory" \
		-- --help
	refused 2 '*the command to run is missing; see stevectl run --help' \
		"$STEVECTL" run
	refused 2 '*the command to run is missing; see stevectl run --help' \
		"$STEVECTL" run --always --
}

# refused_command STATUS PATTERN CMD...: as refused(), but a token was taken and
# has come back.
refused_command()
{
	granted=$(field granted)
	expected=$1 pattern=$2
	shift 2
	status=0
	message=$("$STEVECTL" run "$@" 2>&1) || status=$?
	equal "exit status of '$*'" "$expected" $status
	equal "lines of '$message'" 1 "$(echo "$message" | wc -l)"
	# shellcheck disable=SC2254
	case $message in
	$pattern) ;;
	*) fail "'$*' said '$message', not '$pattern'" ;;
	esac
	equal 'granted' $((granted + 1)) "$(field granted)"
	equal 'held' 0 "$(field held)"
}

test_run_of_what_cannot_be_run()
{
	refused_command 127 "stevectl: cannot run 'no-such-command': No such file or directory" \
		no-such-command
	refused_command 127 "stevectl: cannot run '/no/such': No such file or directory" \
		/no/such
	: >"$WORK/text"
	refused_command 126 "stevectl: cannot run '$WORK/text': Permission denied" \
		"$WORK/text"
	refused_command 126 "stevectl: cannot run '$WORK': Permission denied" \
		"$WORK"
}

test_run_waits_for_a_token()
{
	"$STEVECTL" set-jobs 1
	start_holder
	holder=$!
	start "$STEVECTL" run touch "$WORK/done"
	waiter=$!
	wait_for waiting 1
	[ ! -e "$WORK/done" ] || fail 'it did not wait'
	end "$holder"
	finish "$waiter"
	equal 'exit status' 0 "$status"
	[ -e "$WORK/done" ] || fail 'it did not run'
}

test_run_dies_of_a_signal_while_it_waits()
{
	"$STEVECTL" set-jobs 0
	for signal in HUP:129 INT:130 QUIT:131 TERM:143; do
		# A shell has its background processes ignore SIGINT.
		start env --default-signal "$STEVECTL" run touch "$WORK/done"
		wait_for waiting 1
		kill -s "${signal%:*}" $!
		finish $!
		equal "exit status after $signal" "${signal#*:}" "$status"
		equal 'waiting' 0 "$(field waiting)"
	done
	[ ! -e "$WORK/done" ] || fail 'the command ran'
}

test_run_goes_on_after_a_stop()
{
	"$STEVECTL" set-jobs 0
	start "$STEVECTL" run true
	wait_for waiting 1
	kill -STOP $!
	wait_until grep -q '^State:.T' "/proc/$!/status" || fail 'not stopped'
	kill -CONT $!
	"$STEVECTL" set-jobs 1
	finish $!
	equal 'exit status' 0 "$status"
}

# ---- One token for a family ----

test_run_in_run_takes_one_token()
{
	"$STEVECTL" set-jobs 1
	granted=$(field granted)
	# By exec, so that it is the same process; as a child; as a grandchild.
	timeout "$LIMIT" "$STEVECTL" run "$STEVECTL" run true ||
		fail 'it waits for itself'
	timeout "$LIMIT" "$STEVECTL" run sh -c "'$STEVECTL' run true; exit" ||
		fail 'it waits for its parent'
	timeout "$LIMIT" "$STEVECTL" run sh -c \
		"sh -c \"'$STEVECTL' run '$STEVECTL' run true; exit\"; exit" ||
		fail 'it waits for its grandparent'
	equal 'granted' $((granted + 3)) "$(field granted)"
}

test_run_in_a_recipe_takes_one_token()
{
	"$STEVECTL" set-jobs 1
	granted=$(field granted)
	printf 'all: a b\na b:\n\t%s run true $@\n' "$STEVECTL" >"$WORK/Makefile"
	timeout "$LIMIT" "$STEVECTL" run \
		env MAKEFLAGS= make -s -f "$WORK/Makefile" ||
		fail 'the recipe waits for its make'
	equal 'granted' $((granted + 1)) "$(field granted)"
}

test_run_beside_run_takes_a_token_of_its_own()
{
	start_holder
	equal 'held' 2 "$("$STEVECTL" run "$STEVECTL" status |
		awk '/^held/ { print $2 }')"
}

test_run_always_takes_another_token()
{
	"$STEVECTL" set-jobs 1
	start "$STEVECTL" run sh -c "'$STEVECTL' run --always sleep 1000; exit"
	wait_for waiting 1
	equal 'held' 1 "$(field held)"
	"$STEVECTL" set-jobs 2
	wait_for held 2
	pkill -KILL -P $!
	finish $!
	equal 'exit status' 137 "$status"
}

# ---- MAKEFLAGS ----

# makeflags VALUE [OPTION]...: what becomes of it.
makeflags()
{
	value=$1
	shift
	# shellcheck disable=SC2016
	MAKEFLAGS=$value "$STEVECTL" run "$@" sh -c 'printf "%s\n" "$MAKEFLAGS"'
}

test_run_sets_makeflags()
{
	# shellcheck disable=SC2016
	equal 'MAKEFLAGS that was not set' $DEFAULT \
		"$("$STEVECTL" run sh -c 'printf "%s\n" "$MAKEFLAGS"')"
	equal 'empty MAKEFLAGS' $DEFAULT "$(makeflags '')"
	equal 'MAKEFLAGS by the FIFO' "--jobserver-auth=fifo:$FIFO" \
		"$(makeflags '' --device "$FIFO")"
}

test_run_keeps_the_rest_of_makeflags()
{
	while IFS='|' read -r before after; do
		equal "MAKEFLAGS that was '$before'" "$after" \
			"$(makeflags "$before")"
	done <<-END
		k|k $DEFAULT
		kn|kn $DEFAULT
		j8|j8 $DEFAULT
		 -j8| -j8 $DEFAULT
		--no-print-directory|--no-print-directory $DEFAULT
		k -j8 -l4 -Otarget|k -j8 -l4 -Otarget $DEFAULT
		 -- X=1|$DEFAULT -- X=1
		-- X=1|$DEFAULT -- X=1
		k -- X=1 Y=a\\ b|k $DEFAULT -- X=1 Y=a\\ b
		X=1|X=1 $DEFAULT
		-I a\\ -- -k|-I a\\ -- -k $DEFAULT
		-I a\\\\ -- X=1|-I a\\\\ $DEFAULT -- X=1
		k	-s|k	-s $DEFAULT
	END
}

test_run_replaces_another_jobserver()
{
	mkfifo "$WORK/fifo"
	while IFS='|' read -r before after; do
		equal "MAKEFLAGS that was '$before'" "$after" \
			"$(makeflags "$before")"
	done <<-END
		--jobserver-auth=3,4|$DEFAULT
		--jobserver-fds=3,4|$DEFAULT
		 -j8 --jobserver-auth=3,4| -j8 $DEFAULT
		k --jobserver-auth=-2,-2 -l4|k $DEFAULT -l4
		--jobserver-fds=3,4 -j --jobserver-auth=3,4|$DEFAULT -j
		k --jobserver-auth=3,4 --jobserver-auth=fifo:/x -s|k $DEFAULT -s
		--jobserver-auth=fifo:$WORK/fifo -- X=1|$DEFAULT -- X=1
		--jobserver-auth=fifo:/no/such|$DEFAULT
		--jobserver-auth=fifo:$FIFO --jobserver-auth=3,4|$DEFAULT
		-I a\\ --jobserver-auth=3,4|-I a\\ --jobserver-auth=3,4 $DEFAULT
		 -- X=--jobserver-auth=3,4|$DEFAULT -- X=--jobserver-auth=3,4
	END
}

test_run_keeps_another_name_of_steve()
{
	fifo=--jobserver-auth=fifo:$FIFO
	equal 'MAKEFLAGS' "$fifo" "$(makeflags "$fifo")"
	equal 'MAKEFLAGS' "k $fifo -- X=1" \
		"$(makeflags "k --jobserver-auth=3,4 $fifo -- X=1")"
	equal 'MAKEFLAGS with --device' $DEFAULT \
		"$(makeflags "$fifo" --device /dev/steve)"
}

test_run_refuses_names_that_makeflags_cannot_hold()
{
	mkdir "$WORK/a b"
	for name in "$WORK/a b/steve" "$WORK/\$steve" "$WORK/a\\steve" \
		"$WORK/a	steve" "$WORK/a
steve"; do
		ln -s /dev/steve "$name"
		status=0
		"$STEVECTL" run --device "$name" true 2>"$WORK/err" || status=$?
		equal "exit status for '$name'" 2 $status
		grep -q 'give an absolute path without blanks' "$WORK/err" ||
			fail "it said '$(cat "$WORK/err")'"
	done
	refused 2 "*MAKEFLAGS cannot name 'dev/steve'; *" \
		"$STEVECTL" --device dev/steve run true
}

# ---- Programs that use it ----

# needs PROGRAM VERSION: skips the test where there is no such PROGRAM.
needs()
{
	command -v "$1" >/dev/null || skip "no $1"
	version=$("$1" --version | head -n 1 | sed 's/.* //')
	printf '%s\n' "$2" "$version" | sort -V -C ||
		skip "$1 $version cannot do this, $2 can"
}

# Two recipes that each wait until the other has begun.
write_pair()
{
	cat >"$WORK/Makefile" <<-'END'
		.RECIPEPREFIX = >
		all: one two
		one two:
		>@touch begun-$@
		>@until [ -e begun-one ] && [ -e begun-two ]; do sleep 0.1; done
		bad:
		>@false
		worse:
		>@touch kept-going; false
	END
}

test_run_make()
{
	needs make 4.4
	write_pair
	cd "$WORK" || fail 'cannot enter the folder'
	"$STEVECTL" set-jobs 2
	strays=$(field strays)
	timeout "$LIMIT" "$STEVECTL" run make -s all >out 2>&1 ||
		fail "two jobs did not run at the same time: $(cat out)"
	equal 'output' '' "$(cat out)"
	equal 'strays' "$strays" "$(field strays)"
}

test_run_make_with_its_flags()
{
	needs make 4.4
	write_pair
	cd "$WORK" || fail 'cannot enter the folder'
	"$STEVECTL" set-jobs 2
	# -j8 beside a jobserver turns none off where it comes from MAKEFLAGS.
	MAKEFLAGS='ks -j8 --jobserver-auth=3,4 -- X=1' \
		timeout "$LIMIT" "$STEVECTL" run make all >out 2>&1 ||
		fail "two jobs did not run at the same time: $(cat out)"
	equal 'output' '' "$(cat out)"
	MAKEFLAGS=ks "$STEVECTL" run make bad worse >out 2>&1 &&
		fail 'make did not fail'
	[ -e kept-going ] || fail "the flag k was lost: $(cat out)"
}

test_run_ninja()
{
	needs ninja 1.13
	write_pair
	cd "$WORK" || fail 'cannot enter the folder'
	"$STEVECTL" set-jobs 2
	cat >build.ninja <<-END
		rule wait
		  command = env MAKEFLAGS= make -s \$out
		build one: wait
		build two: wait
	END
	granted=$(field granted)
	timeout "$LIMIT" "$STEVECTL" run --device "$FIFO" ninja >out 2>&1 ||
		fail "two jobs did not run at the same time: $(cat out)"
	[ "$(field granted)" -ge $((granted + 2)) ] ||
		fail "ninja took no token: $(cat out)"
	equal 'held' 0 "$(field held)"
}
