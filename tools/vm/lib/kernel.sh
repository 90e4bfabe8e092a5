# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernels, and what it takes to boot each.

readonly kernels="6.1 6.12 6.12-rt 7.2 debug kcsan"

# Has a kernel of our own, built from Debian's source, this name?
is_own() {
	[ -e "$vm/$1.config" ]
}

is_kernel() {
	[[ " $kernels " = *" $1 "* ]]
}

kernel_suite() {
	case $1 in
	6.1)		echo bookworm ;;
	6.12*)		echo trixie ;;
	7.2 | debug | kcsan) echo forky ;;
	esac
}

# Prints the name under which a kernel of Debian's has its modules in a root.
kernel_release() {
	local kernel=$1 root=$2 flavour=cloud found

	[[ $kernel != *-rt ]] || flavour=rt
	found=$(cd "$root/lib/modules" && ls -d "${kernel%-rt}".*-"$flavour-amd64" 2>/dev/null) ||
		die "Debian's suite $(kernel_suite "$kernel") has no kernel $kernel any more"
	tail -n 1 <<<"$found"
}

# Makes a directory with vmlinuz and release (a file), and for a kernel of our own
# also modules.tar and source/.
#   make_kernel KERNEL ROOT DIR
make_kernel() {
	local kernel=$1 root=$2 dir=$3 release

	if is_own "$kernel"; then
		build_kernel "$@"
	else
		release=$(kernel_release "$kernel" "$root/root")
		printf '%s\n' "$release" >"$dir/release"
		cp "$root/root/boot/vmlinuz-$release" "$dir/vmlinuz"
	fi
}

# Builds a kernel of our own from Debian's source.
build_kernel() {
	local kernel=$1 root=$2 dir=$3 packed

	kernel_source packed
	mkdir "$dir/source"
	step "kernel $kernel, which takes a quarter of an hour" \
		as_root "$vm/lib/enter" "$root/root" "$tree:/steve" \
		"$packed:/copy" "$dir/source:/usr/src/linux" "$dir:/work" -- \
		/steve/tools/vm/lib/build-kernel "/copy/$source_package.tar.xz" \
		/steve/tools/vm/{guest,"$kernel"}.config
}

# Sets a variable to the directory of a kernel for a root.
#   suite_kernel VARIABLE KERNEL ROOT
suite_kernel() {
	local key packed

	if is_own "$2"; then
		kernel_source packed
		key=$(cat "$packed/version" "$vm/lib/build-kernel" \
			"$vm"/{guest,"$2"}.config | digest)
	else
		key=$(digest "${3##*/}" </dev/null)
	fi
	cached "$1" "kernel-$2-$key" make_kernel "$2" "$3"
}

# Makes a directory with the initrd for a release.
#   make_initrd ROOT RELEASE DIR
make_initrd() {
	local root=$1 release=$2 dir=$3

	cp /bin/busybox "$dir/busybox"
	step "initrd for $release" as_root "$vm/lib/enter" "$root/root" \
		"$tree:/steve" "$dir:/work" -- \
		/steve/tools/vm/lib/make-initrd "$release"
}

# Sets a variable to the directory of the initrd that boots a kernel.
#   kernel_initrd VARIABLE KERNEL-DIRECTORY ROOT
kernel_initrd() {
	local key release

	release=$(<"$2/release")
	key=$(cat /bin/busybox "$vm/guest/init" "$vm/lib/make-initrd" |
		digest "${2##*/}" "${3##*/}")
	cached "$1" "initrd-$release-$key" make_initrd "$3" "$release"
}
