# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086
#
# What all subcommands have in common.

COMMANDS='status ps top set-jobs set run cap govern wait reclaim'

test_version()
{
	version=$(sed -n 's/^#define STEVE_VERSION "\(.*\)"/\1/p' \
		../../module/version.h)
	equal '--version' "stevectl $version" "$("$STEVECTL" --version)"
	equal 'version of the module' "$version" \
		"$(cat /sys/module/steve/version)"
	[ ! -e "$STEVE_KO" ] || equal 'version in the file of the module' \
		"$version" "$(modinfo -F version "$STEVE_KO")"
}

test_help()
{
	for command in '' $COMMANDS; do
		help=$("$STEVECTL" $command --help 2>"$WORK/err") ||
			fail "'$command --help' failed"
		case $help in
		"Usage: stevectl${command:+ $command} "*"--device PATH"*) ;;
		*) fail "'$command --help' said '$help'" ;;
		esac
		equal "errors of '$command --help'" '' "$(cat "$WORK/err")"
	done
}

test_help_names_every_command()
{
	equal 'commands' "$COMMANDS" "$("$STEVECTL" --help |
		awk '!NF { in_list = 0 } in_list { printf "%s%s", gap, $1; gap = " " }
			/^Commands:/ { in_list = 1 }')"
}

test_wrong_usage()
{
	before=$(account)
	complains 2 '*no command was given; see stevectl --help' "$STEVECTL"
	complains 2 "*no command is called 'stat'; see stevectl --help" \
		"$STEVECTL" stat
	complains 2 "*no option is called '--nonsense'; see stevectl --help" \
		"$STEVECTL" --nonsense status
	complains 2 '*--device needs an argument; see stevectl --help' \
		"$STEVECTL" --device
	complains 2 '*--device needs an argument; see stevectl status --help' \
		"$STEVECTL" status --device
	for command in $COMMANDS; do
		complains 2 "*no option is called '--nonsense'; see stevectl $command --help" \
			"$STEVECTL" $command --nonsense
		complains 2 "*no option is called '-x'; see stevectl $command --help" \
			"$STEVECTL" $command -x
		complains 2 "*'--help=1': this option takes no argument; *" \
			"$STEVECTL" $command --help=1
	done
	equal 'account' "$before" "$(account)"
}

test_output_that_cannot_be_written()
{
	start_holder
	for command in status 'status --json' ps top set --help --version; do
		status=0
		message=$("$STEVECTL" $command 2>&1 >/dev/full) || status=$?
		equal "exit status of '$command'" 1 $status
		equal "message of '$command'" \
			'stevectl: cannot write: No space left on device' \
			"$message"
	done
}

# A jobserver opened in the place of a standard stream would be written to.
test_closed_streams()
{
	refused 1 'stevectl: cannot write: Bad file descriptor' \
		sh -c "'$STEVECTL' status >&-"
	before=$(account | grep -E '^(loans|strays):')
	"$STEVECTL" run no-such-command 2>&-
	equal 'exit status' 127 $?
	"$STEVECTL" set-jobs 3 >&- || fail 'set-jobs needs standard output'
	equal 'loans and strays' "$before" \
		"$(account | grep -E '^(loans|strays):')"
}
