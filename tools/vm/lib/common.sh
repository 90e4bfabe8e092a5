# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Messages, long steps, and the cache.

vm=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tree=$(cd "$vm/../.." && pwd)
: "${HOME:=$(getent passwd "$(id -u)" | cut -d : -f 6)}"
export HOME
cache=${STEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/steve}
started=()

# An ordinary user's PATH lacks the places of mke2fs.
PATH=$PATH:/usr/sbin:/sbin

# With $STEVE_QUIET set, programs do not say what takes long.
say() {
	[ -n "${STEVE_QUIET:-}" ] || printf 'vm: %s\n' "$*" >&2
}

die() {
	printf 'vm: %s\n' "$*" >&2
	exit 1
}

usage_error() {
	printf '%s: %s; see %s --help\n' "${0##*/}" "$*" "$0" >&2
	exit 2
}

# Prints the comment at the head of the program, from "usage:" on.
show_help() {
	sed -n '/^# usage:/,/^[^#]/ { s/^# \{0,1\}//p; s/^#$//p }' "$0"
}

# Prints the packages wanted at the places named.
packages() {
	awk -v places=" $* " 'index(places, " " $1 " ") {
		for (i = 2; i <= NF; i++) print $i
	}' "$vm/packages"
}

# Prints a short name for what the arguments and the standard input say.
digest() {
	{ printf '%s\n' "$@"; cat; } | sha256sum | cut -c 1-12
}

# Starts a command in the background, as a process group of its own.
#   start COMMAND... (its process is in $!)
start() {
	set -m
	"$@" &
	set +m
	started+=("$!")
}

# Ends what was started so.
end_started() {
	local group

	for group in "${started[@]}"; do
		kill -- "-$group" 2>/dev/null || true
	done
	started=()
}

tell_progress() {
	local text=$1 log=$2 start=$SECONDS

	while sleep 15; do
		say "$text: $((SECONDS - start)) s," \
			"$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-60)"
	done
}

# Runs a long command that downloads from Debian's mirror.
download_step() {
	hint="Is there a network? What is missing comes from $(mirror). " step "$@"
}

# Runs a long command, and says how far it is.
#   step TEXT COMMAND...
step() {
	local text=$1 log status=0

	shift
	mkdir -p "$cache/log"
	log=$(mktemp "$cache/log/${text//[^[:alnum:].]/-}.XXXXXX")
	say "$text ..."
	start tell_progress "$text" "$log"
	start "$@" >"$log" 2>&1 </dev/null
	wait "$!" || status=$?
	end_started
	if [ "$status" -ne 0 ]; then
		tail -n 20 "$log" >&2
		die "$text: failed. ${hint:-}The whole output is in $log"
	fi
	rm -f "$log"
}

# Makes an entry of the cache under its lock, unless another run has meanwhile.
make_entry() {
	local new=$1 lock

	shift
	mkdir -p "$cache/lock"
	exec {lock}>"$cache/lock/${new##*/}"
	if ! flock --nonblock "$lock"; then
		say "waiting for another run that makes ${new##*/} ..."
		flock "$lock"
	fi
	if [ ! -e "$new" ]; then
		forget_unused
		[ ! -e "$new.part" ] || as_root rm -rf "$new.part"
		mkdir "$new.part"
		"$@" "$new.part"
		mv -T "$new.part" "$new"
	fi
	exec {lock}>&-
}

# Removes from the cache what has not been used for two weeks, and what was
# built from the tree and not used for a day.
forget_unused() {
	local unused lock

	exec {lock}>"$cache/lock/unused"
	flock "$lock"
	mapfile -d '' -t unused < <(find "$cache" -mindepth 1 -maxdepth 1 \
		\( \( -name 'build-*' -o -name 'programs-*' \) -mtime +0 -o -name '*-*-*' -mtime +13 \) -print0)
	[ ${#unused[@]} -eq 0 ] || as_root rm -rf "${unused[@]}"
	exec {lock}>&-
}

# Is an entry there? If so it is used, and not forgotten.
use_entry() {
	local lock

	mkdir -p "$cache/lock"
	exec {lock}>"$cache/lock/unused"
	flock --shared "$lock"
	touch --no-create "$1"
	exec {lock}>&-
	[ -e "$1" ]
}

# Sets a variable to the directory of an entry in the cache. If there is none
# it is made; nobody sees it half made.
#   cached VARIABLE ENTRY COMMAND... (which is given a directory to fill)
cached() {
	local entry_path=$cache/$2

	use_entry "$entry_path" || make_entry "$entry_path" "${@:3}"
	printf -v "$1" '%s' "$entry_path"
}
