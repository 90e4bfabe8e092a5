# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian systems that boot with systemd, for what installs packages.

# Makes the root filesystem of such a system, and a disk image of it. What its
# apt has to know and to have is kept.
#   make_system SUITE DIR
make_system() {
	local suite=$1 dir=$2 include source archive openrc upgrade hook

	include=$(packages system | paste -sd ,)
	archive=$(packages archive | paste -sd ' ')
	openrc=$(packages openrc | paste -sd ' ')
	upgrade=$(packages upgrade | paste -sd ' ')
	kernel_source source
	hook="'$vm/lib/customize-system' \"\$1\" '$source/tools' $suite '$archive'"
	hook+=" '$openrc' $(newer_suite "$suite") '$upgrade'"
	apt_source "$suite" >"$dir/sources"
	download_step "system of $suite" as_root env INITRD=No \
		mmdebstrap --mode=root --variant=apt --include="$include" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' \
		--skip=cleanup/apt \
		--customize-hook="$hook" \
		"$suite" "$dir/root" "$dir/sources"
	chmod 755 "$dir/root"
	step "disk image of the system of $suite" as_root \
		mke2fs -q -t ext4 -O '^has_journal' -m 0 -L steve \
		-d "$dir/root" "$dir/image" 8G
}

# Sets a variable to the directory of a suite's system.
system_root() {
	local key

	key=$(packages system archive openrc upgrade |
		digest "$2" "$(newer_suite "$2")" "$(<"$vm/lib/customize-system")" \
			"$source_package")
	cached "$1" "system-$2-$key" make_system "$2"
}

system_kernel() {
	case $1 in
	trixie)	echo 6.12 ;;
	forky)	echo 7.2 ;;
	esac
}

# Prints the suite that has a newer kernel, built by a compiler of this one.
newer_suite() {
	case $1 in
	trixie)	echo trixie-backports ;;
	forky)	echo sid ;;
	esac
}

# Makes the root filesystem to build packages of ours in.
#   make_packaging_root SUITE DIR
make_packaging_root() {
	bootstrap "packaging for $1" "$1" "$(packages packaging)" "$2" \
		--customize-hook="mkdir \"\$1/steve\" \"\$1/work\""
}

# Sets a variable to the directory of that of a suite.
packaging_root() {
	local key

	key=$(packages packaging | digest "$2")
	cached "$1" "root-packaging-$2-$key" make_packaging_root "$2"
}
