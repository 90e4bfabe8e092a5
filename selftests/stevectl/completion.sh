# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

COMPLETION=../../tools/stevectl/completion

# completed WORD...: what bash makes of the last word, in one line.
completed()
{
	# shellcheck disable=SC2016
	bash -c '
		compopt() { :; }
		. "$0" || exit
		COMP_WORDS=(stevectl "$@") COMP_CWORD=$#
		_stevectl && printf "%s\n" "${COMPREPLY[@]}"' \
		$COMPLETION/stevectl.bash "$@" | sort | paste -sd ' '
}

# options_of COMMAND: those that its help names, in one line.
options_of()
{
	# shellcheck disable=SC2086
	"$STEVECTL" $1 --help | sed -n 's/^  \(-[A-Za-z], \)*\(--[a-z-]*\).*/\2/p' |
		sort | paste -sd ' '
}

# Sourced by a clean shell, a file says nothing and fails in nothing.
test_completion_sources_cleanly()
{
	equal 'output of bash' '' \
		"$(bash --norc -eu -c ". $COMPLETION/stevectl.bash" 2>&1 || echo failed)"
}

test_completion_of_commands()
{
	equal 'commands' "$(echo "$COMMANDS" | tr ' ' '\n' | sort | paste -sd ' ')" \
		"$(completed '')"
	equal 'commands with s' 'set set-jobs status' "$(completed s)"
	equal 'commands after an option' 'set set-jobs status' \
		"$(completed --device /dev/steve s)"
}

test_completion_of_options()
{
	for command in '' $COMMANDS; do
		equal "options of '$command'" "$(options_of "$command")" \
			"$(completed ${command:+"$command"} -)"
	done
}

test_completion_of_values()
{
	equal 'settings' "$("$STEVECTL" set | sed 's/=.*/=/' | sort | paste -sd ' ')" \
		"$(completed set '')"
	equal 'policies' 'fair fifo' "$(completed set policy =)"
	equal 'policies with fi' 'fifo' "$(completed set policy = "fi")"
	equal 'columns' 'PID,HELD' "$(completed ps --output PID,H)"
	equal 'limits' 'none' "$(completed govern --io-pressure '')"
	equal 'jobs' 'none' "$(completed cap '')"
	start_holder
	equal 'clients' "$!" "$(completed reclaim '')"
}

test_completion_of_the_command_that_is_run()
{
	equal 'command of run' stevectl "$(completed run stevect)"
	equal 'command of cap' stevectl "$(completed cap 3 stevect)"
	equal 'command of cap after options' stevectl \
		"$(completed cap --max-load 3 3 -- stevect)"
	# Its options are not those of stevectl.
	equal 'options of the command' '' "$(completed run ls --al)"
	equal 'options of the command' '' "$(completed cap 3 ls --max)"
}

test_completion_for_zsh()
{
	command -v zsh >/dev/null || skip 'no zsh'
	zsh -n $COMPLETION/_stevectl || fail 'zsh does not understand it'
	zsh -f -c "fpath=($COMPLETION \$fpath); autoload -Uz compinit; compinit -D -u
		[ \"\$_comps[stevectl]\" = _stevectl ] && autoload +X _stevectl" \
		>"$WORK/zsh" 2>&1 || fail "$(cat "$WORK/zsh")"
	equal 'output of zsh' '' "$(cat "$WORK/zsh")"
	# It has the options of every command.
	for command in $COMMANDS; do
		for option in $(options_of "$command"); do
			grep -q -e "$option\(}'\)*\[" $COMPLETION/_stevectl ||
				fail "it lacks $option of $command"
		done
	done
}
