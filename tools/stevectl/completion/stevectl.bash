# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of stevectl for bash.

# The options of a subcommand; "" is stevectl itself.
_stevectl_options()
{
	local own

	case $1 in
	'')		own=--version ;;
	status)		own=--json ;;
	ps)		own='--json --raw --noheadings --output' ;;
	top)		own='--interval --count' ;;
	run)		own=--always ;;
	cap)		own='--min-memory --max-load' ;;
	govern)		own='--min --max --memory-pressure --cpu-pressure --io-pressure' ;;
	wait)		own='--idle --free --timeout' ;;
	esac
	printf '%s' "$own --device --help"
}

# Sets $command to the subcommand, "" for none yet, and $operands to the number
# of words after it that are no options.
_stevectl_parse()
{
	local i word

	command='' operands=0
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-o | --output | --interval | --count | --min-memory | --max-load | \
			--min | --max | --*-pressure | --timeout | --device)
			((++i)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=$word
			else
				((++operands))
			fi ;;
		esac
		# What follows is a command with options of its own.
		case $command$operands in
		run1 | cap2) break ;;
		esac
	done
	first=$i
}

# Completes one of the words given.
_stevectl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_stevectl_columns()
{
	local before=

	[[ $current != *,* ]] || before=${current%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" \
		-W 'PID USER HELD WAIT SINCE RESERVED LENT COMMAND FULL DEBT' \
		-- "${current##*,}")
	compopt -o nospace
}

_stevectl_settings()
{
	case $current in
	policy=*)	current=${current#*=}; _stevectl_words 'fifo fair' ;;
	strict=*)	current=${current#*=}; _stevectl_words '0 1' ;;
	max_*=* | min_memory=*)
			current=${current#*=}; _stevectl_words none ;;
	*=*)		;;
	*)
		_stevectl_words 'jobs= policy= reserve_ms= strict= min_jobs= max_per_process= max_load= min_memory= job_memory='
		compopt -o nospace ;;
	esac
}

_stevectl_clients()
{
	_stevectl_words "$(stevectl ps --raw --noheadings --output PID 2>/dev/null)"
}

# Completes the words of the command that is run, as if it stood alone.
_stevectl_command()
{
	# What bash-completion calls it from 2.12 on, and before.
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$first"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$first"
	elif ((COMP_CWORD == first)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

_stevectl()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command operands first

	COMPREPLY=()
	# Bash takes NAME=VALUE for three words.
	if [[ $current == = ]]; then
		current=$previous=
	elif [[ $previous == = ]]; then
		current=${COMP_WORDS[COMP_CWORD - 2]}=$current
	fi

	_stevectl_parse
	case $command$operands in
	run0 | cap1)
		first=$COMP_CWORD
		if [[ $current != -* ]]; then
			_stevectl_command
			return
		fi ;;
	run* | cap[2-9]*)
		_stevectl_command
		return ;;
	esac

	case $previous in
	--device)	mapfile -t COMPREPLY < <(compgen -f -- "$current")
			return ;;
	-o | --output)	_stevectl_columns; return ;;
	--*-pressure)	_stevectl_words none; return ;;
	--interval | --count | --min-memory | --max-load | --min | --max | --timeout)
			return ;;
	esac
	if [[ $current == -* ]]; then
		_stevectl_words "$(_stevectl_options "$command")"
		return
	fi
	case $command in
	'')		_stevectl_words 'status ps top set-jobs set run cap govern wait reclaim' ;;
	set)		_stevectl_settings ;;
	reclaim)	_stevectl_clients ;;
	cap)		_stevectl_words none ;;
	esac
}

complete -F _stevectl stevectl
