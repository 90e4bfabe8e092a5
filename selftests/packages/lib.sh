# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share. A test is a function test_*, which runs in a shell of its
# own. It fails by fail().

# Seconds after which something has not happened.
LIMIT=300

FIFO=/run/steve/fifo
# shellcheck disable=SC2034
VERSION=$(sed -n 's/^#define STEVE_VERSION "\(.*\)"/\1/p' ../../module/version.h)

export DEBIAN_FRONTEND=noninteractive

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

# wait_until CMD...: waits until CMD succeeds.
wait_until()
{
	end=$(($(date +%s) + LIMIT))
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# quietly CMD...: shows what CMD says only if it fails.
quietly()
{
	"$@" >"$WORK/log" 2>&1 || fail "$* failed:
$(tail -n 30 "$WORK/log")"
}

# install_packages PACKAGE...: without what they only recommend. There is no network.
install_packages()
{
	apt-get -q -y --no-install-recommends install "$@"
}

list_packages()
{
	dpkg-query -W -f '${Package}\n' | sort
}

# status_of KEY: prints that line of "stevectl status".
status_of()
{
	stevectl status | awk -v key="$1:" '$1 == key { print $2 }'
}

one_is_held()
{
	[ "$(status_of held)" = 1 ]
}

# is_rejected CMD...: is the module refused that CMD would load, for its signature?
is_rejected()
{
	if "$@" >"$WORK/said" 2>&1; then
		fail 'the module was loaded'
	fi
	grep -q 'Key was rejected by service' "$WORK/said" || fail "$(cat "$WORK/said")"
}

# is_for_the_group FILE TYPE: is it root's, for the group, and such a file?
is_for_the_group()
{
	[ "$(stat -c '%U:%G %a %F' "$1" 2>/dev/null)" = "root:jobserver 660 $2" ]
}

wait_for_jobserver()
{
	wait_until is_for_the_group "${1:-/dev/steve}" 'character special file' ||
		fail "${1:-/dev/steve} is $(stat -c '%U:%G %a %F' "${1:-/dev/steve}" 2>&1)"
	wait_until is_for_the_group "$FIFO" fifo ||
		fail "$FIFO is $(stat -c '%U:%G %a %F' "$FIFO" 2>&1);
$(systemctl status run-steve.mount 2>&1)"
}

# Lists the files of the system that have to be there again when what was
# installed is gone: not what systemd, dpkg and others write all the time.
list_files()
{
	find / -xdev \( -path /steve -o -path /copy -o -path /out -o -path /work \
		-o -path /tmp -o -path /var/tmp -o -path /var/log \
		-o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/systemd \
		-o -path /var/lib/dpkg -o -path '/var/lib/dkms/mok.*' \
		-o -path /root -o -path '/etc/*-' \) \
		-prune -o -print | sort
}

# Lists those of them that belong to no package.
list_files_of_nobody()
{
	# What was in /lib once is in /usr/lib.
	sed 's,^/\(bin\|lib\|lib64\|sbin\)/,/usr/\1/,' /var/lib/dpkg/info/*.list |
		sort >"$WORK/owned"
	list_files | comm -23 - "$WORK/owned"
}
