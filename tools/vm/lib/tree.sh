# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The project's tree: what is in it, and what is built from it.

# What is built depends on these.
readonly built_from=(Kbuild Makefile module uapi tools/stevectl tools/bench/meter selftests)

# Prints the files of the tree, or those below the paths named, each followed
# by a NUL; what .gitignore names is none of it. The tree may be a checkout, of
# whatever owner, or come from a tarball: so git is given an empty repository.
tree_files() {
	local nothing=$cache/nothing.git

	[ -e "$nothing/HEAD" ] || git init -q --bare "$nothing"
	(cd "$tree" && git --git-dir="$nothing" --work-tree=. \
		ls-files -z --others --exclude-standard -- "$@" | sort -z)
}

# Packs files of the tree, their names on standard input, below /steve. They
# get an age, so that make takes what was built from them for newer.
#   pack_tree OPERATION ARCHIVE
pack_tree() {
	tar "$1" -f "$2" -C "$tree" --null --no-recursion -T - \
		--owner=0 --group=0 --mtime=2000-01-01 \
		--transform='s,^,steve/,S'
}

tree_digest() {
	(cd "$tree" && tree_files "${built_from[@]}" |
		xargs -0 stat -c '%n %a' -- &&
		tree_files "${built_from[@]}" | xargs -0 sha256sum --) |
		digest "$@"
}

# Copies the files that something is built from to steve/ in a directory.
#   copy_tree DIR
copy_tree() {
	tree_files "${built_from[@]}" | pack_tree -c "$1/files.tar"
	tar -x -f "$1/files.tar" -C "$1"
	rm "$1/files.tar"
	(cd "$1" && find steve -type f | sort >files)
}

# Builds in the copy, and packs what came of it as products.tar.
#   build_tree NAME ROOT DIR [BIND]... -- /steve/build-tree ARGUMENT...
build_tree() {
	local name=$1 root=$2 dir=$3

	cp "$vm/lib/build-tree" "$dir/steve/build-tree"
	step "$name" as_root "$vm/lib/enter" "$root/root" "$dir/steve:/steve" "${@:4}"
	rm "$dir/steve/build-tree"
	(cd "$dir" && find steve -type f | sort | comm -13 files - |
		tar -c -f products.tar -T - --owner=0 --group=0)
	rm "$dir/files"
}

# Makes a directory with the programs for a suite, which its kernels share.
#   make_programs ROOT DIR
make_programs() {
	local root=$1 dir=$2 suite=${1##*/root-}

	copy_tree "$dir"
	build_tree "programs for ${suite%-*}" "$root" "$dir" -- /steve/build-tree programs
	rm -r "$dir/steve"
}

# Makes a directory with the built tree in steve/, and products.tar of what was
# built.
#   make_build KERNEL ROOT KERNEL-DIRECTORY PROGRAMS-DIRECTORY DIR
make_build() {
	local kernel=$1 root=$2 programs=$4 release source binds=() dir=$5

	release=$(<"$3/release")
	source=/lib/modules/$release/build
	if [ -d "$3/source" ]; then
		source=/usr/src/linux
		binds+=("$3/source:$source")
	fi
	copy_tree "$dir"
	tar -x -f "$programs/products.tar" -C "$dir"
	build_tree "module for $kernel" "$root" "$dir" "${binds[@]}" -- \
		/steve/build-tree modules "$source"
}

# Sets a variable to the directory of the tree built for a kernel.
#   built VARIABLE KERNEL ROOT KERNEL-DIRECTORY
built() {
	local how key of_suite

	how=$(<"$vm/lib/build-tree")
	key=$(tree_digest "${3##*/}" "$how")
	cached of_suite "programs-${3##*/root-}-$key" make_programs "$3"
	# Who edits the tree meanwhile gets no module of the new one with old programs.
	key=$(tree_digest "${4##*/}" "${of_suite##*/}")
	cached "$1" "build-$2-$key" make_build "$2" "$3" "$4" "$of_suite"
}
