# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernel's source, for kernels of our own and for the headers of kselftest.

readonly source_version=7.2
readonly source_package=linux-source-$source_version

# Downloads a package of a suite that need not be this machine's.
#   download_package SUITE PACKAGE DIR
download_package() {
	local suite=$1 package=$2 dir=$3 options

	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	apt_source "$suite" >"$dir/apt/sources.list"
	options=(-o "Dir::Etc::SourceList=$dir/apt/sources.list"
		 -o Dir::Etc::SourceParts=/dev/null
		 -o "Dir::State::Lists=$dir/apt/lists"
		 -o "Dir::Cache=$dir/apt/cache"
		 -o Acquire::Check-Valid-Until=false
		 -o APT::Update::Error-Mode=any
		 -o Acquire::Languages=none
		 -o "APT::Sandbox::User=$(id -un)")
	apt-get "${options[@]}" update
	(cd "$dir" && apt-get "${options[@]}" download "$package")
	rm -r "$dir/apt"
}

# What is needed of it without building a kernel: kselftest's harness, and the
# red-black trees for user space.
readonly source_tools=('tools/testing/selftests/kselftest*' tools/include
		       tools/arch/x86/include tools/lib/rbtree.c)

# Takes the source, still packed, and those tools out of the Debian package.
unpack_source() {
	local dir=$1 packed=$source_package.tar.xz

	dpkg-deb --fsys-tarfile "$dir/$source_package"_*.deb |
		tar -x -C "$dir" --strip-components=3 "./usr/src/$packed"
	(cd "$dir" && echo "$source_package"_*.deb >version)
	rm "$dir/$source_package"_*.deb
	tar -x -f "$dir/$packed" -C "$dir" --strip-components=1 --wildcards \
		"${source_tools[@]/#/$source_package/}"
}

make_source() {
	download_step "download of $source_package" \
		download_package forky "$source_package" "$1"
	step "tools of $source_package" unpack_source "$1"
}

# Sets a variable to a directory with the packed source, tools/ and version (a
# file).
kernel_source() {
	cached "$1" "$source_package-$(digest <<<"${source_tools[*]}")" make_source
}
