# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How a run of the machine went.

# Prints what the kernel reported that is wrong. The title of a data race may
# name functions of the kernel's that a function of steve has called.
kernel_reports() {
	grep -E -f "$vm/reports" "$work/log"
	awk '/=====/ { title = "" }
		/BUG: KCSAN/ { title = $0; next }
		title && /\[steve/ { sub(/^[^]]*\] */, ""); print title ", in " $0; title = "" }' "$work/log"
}

# Shows the kernel's log from the start of the command, or from the first
# report when that is before.
show_log() {
	local from

	from=$(grep -n -m 1 -E -f "$vm/reports" -e 'vm: running the command' "$work/log" |
		cut -d : -f 1) || true
	printf 'vm: the kernel log%s:\n' "${from:+ from line $from}" >&2
	sed -n "${from:-1},\$p" "$work/log" | tr -d '\r' | awk 'NR <= 500' >&2
}

fail_with() {
	show_log
	printf 'vm: %s\n' "$2" >&2
	return "$1"
}

# Returns the status that the run is to end with, and says why where it is not
# the command's own.
verdict() {
	local ended=$1 word rest

	if [ "$ended" = reader ]; then
		return 141
	fi
	kernel_reports >"$work/reports" || true
	if [ -n "$expect" ]; then
		grep -qE -e "$expect" "$work/reports" || {
			fail_with 125 "the kernel did not report: $expect"
			return
		}
	elif [ -s "$work/reports" ]; then
		fail_with 125 "the kernel reported: $(head -n 1 "$work/reports" | tr -d '\r')"
		return
	fi
	if [ "$ended" = time ]; then
		fail_with 124 "time-out after $timeout s"
		return
	fi
	read -r word rest < <(tail -n 1 "$work/status") || true
	case $word in
	exit)	return "$rest" ;;
	error)	fail_with 125 "$rest" ;;
	*)	cat "$work/qemu" >&2
		fail_with 125 "the machine ended before the command did" ;;
	esac
}
