# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian systems that boot with systemd, for what installs packages.

# Makes the root filesystem of such a system, and a disk image of it.
#   make_system SUITE DIR
make_system() {
	local suite=$1 dir=$2 include source upgrade

	include=$(packages system | paste -sd ,)
	upgrade=$(packages "upgrade-$suite")
	kernel_source source
	apt_source "$suite" >"$dir/sources"
	download_step "system of $suite" as_root env INITRD=No \
		mmdebstrap --mode=root --variant=apt --include="$include" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--customize-hook="'$vm/lib/customize-system' \"\$1\" '$source/tools' '$upgrade'" \
		"$suite" "$dir/root" "$dir/sources"
	chmod 755 "$dir/root"
	step "disk image of the system of $suite" as_root \
		mke2fs -q -t ext4 -O '^has_journal' -m 0 -L steve \
		-d "$dir/root" "$dir/image" 8G
}

# Sets a variable to the directory of a suite's system.
system_root() {
	local key

	key=$(packages system "upgrade-$2" |
		digest "$2" "$(<"$vm/lib/customize-system")" "$source_package")
	cached "$1" "system-$2-$key" make_system "$2"
}

system_kernel() {
	case $1 in
	trixie)	echo 6.12 ;;
	forky)	echo 7.2 ;;
	esac
}
