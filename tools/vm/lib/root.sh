# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The root filesystems: one for each Debian suite.

# shellcheck source=source.sh
. "${BASH_SOURCE[0]%/*}/source.sh"

# Runs a command as root, for an ordinary user in a user namespace; what it
# mounts and starts ends with it.
as_root() {
	local user=()

	[ "$(id -u)" -eq 0 ] || user=(--user --map-root-user --map-auto)
	unshare "${user[@]}" --mount --pid --fork --kill-child -- "$@"
}

# Prints the address of the Debian mirror that this machine uses itself.
mirror() {
	local codename

	if [ -n "${STEVE_MIRROR:-}" ]; then
		printf '%s\n' "$STEVE_MIRROR"
		return
	fi
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	apt-get update --print-uris 2>/dev/null |
		sed -n "s,^'\(.*\)/dists/$codename/InRelease'.*,\1,p" | head -n 1
}

# Prints the line of apt's sources.list for a suite.
apt_source() {
	local mirror

	mirror=$(mirror)
	[ -n "$mirror" ] ||
		die "apt knows no Debian mirror; set STEVE_MIRROR to the address of one"
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$1"
}

# Makes a root filesystem from packages of a suite.
#   bootstrap NAME SUITE PACKAGES DIR HOOK...
bootstrap() {
	local name=$1 suite=$2 include=${3//$'\n'/,} dir=$4

	apt_source "$suite" >"$dir/sources"
	# Nothing here needs an initrd that the kernel packages make. The
	# Release files of suites in development may be past their date.
	download_step "root filesystem of $name" as_root env INITRD=No \
		mmdebstrap --mode=root --variant=apt --include="$include" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${@:5}" "$suite" "$dir/root" "$dir/sources"
	chmod 755 "$dir/root"
}

# Makes the root filesystem of a suite, and a disk image of it.
#   make_root SUITE DIR
make_root() {
	local suite=$1 dir=$2 source

	kernel_source source
	bootstrap "$suite" "$suite" "$(packages build all "$suite")" "$dir" \
		--customize-hook="'$vm/lib/customize-root' \"\$1\" $suite '$source/tools'"
	step "disk image of $suite" as_root \
		mke2fs -q -t ext4 -O '^has_journal' -m 0 -L steve \
		-d "$dir/root" "$dir/image" 8G
}

# Makes the root filesystem for make lint.
make_lint_root() {
	local dir=$1 source

	kernel_source source
	bootstrap lint forky "$(packages build lint)" "$dir" \
		--customize-hook="'$vm/lib/customize-root' \"\$1\" forky '$source/tools'" \
		--customize-hook="'$vm/lib/add-scripts' \"\$1\" '$source/$source_package.tar.xz'"
}

# Sets a variable to the directory of the root filesystem of a suite, or to that
# of "lint".
#   suite_root VARIABLE NAME
suite_root() {
	local key

	if [ "$2" = lint ]; then
		key=$(packages build lint | digest lint "$source_package" \
			"$(<"$vm/lib/customize-root")" "$(<"$vm/lib/add-scripts")")
		cached "$1" "root-lint-$key" make_lint_root
	else
		key=$(packages build all "$2" |
			digest "$2" "$(<"$vm/lib/customize-root")")
		cached "$1" "root-$2-$key" make_root "$2"
	fi
}
