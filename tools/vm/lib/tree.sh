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

# Makes a directory with the built tree in steve/, and products.tar of what was
# built.
#   make_build KERNEL ROOT KERNEL-DIRECTORY DIR
make_build() {
	local kernel=$1 root=$2 release source binds dir=$4

	release=$(<"$3/release")
	source=/lib/modules/$release/build
	binds=("$dir/steve:/steve")
	if [ -d "$3/source" ]; then
		source=/usr/src/linux
		binds+=("$3/source:$source")
	fi
	tree_files "${built_from[@]}" | pack_tree -c "$dir/files.tar"
	tar -x -f "$dir/files.tar" -C "$dir"
	rm "$dir/files.tar"
	(cd "$dir" && find steve -type f | sort >files)
	cp "$vm/lib/build-tree" "$dir/steve/build-tree"
	step "build for $kernel" as_root "$vm/lib/enter" "$root/root" \
		"${binds[@]}" -- /steve/build-tree "$source"
	rm "$dir/steve/build-tree"
	(cd "$dir" && find steve -type f | sort | comm -13 files - |
		tar -c -f products.tar -T - --owner=0 --group=0)
	rm "$dir/files"
}

# Sets a variable to the directory of the tree built for a kernel.
#   built VARIABLE KERNEL ROOT KERNEL-DIRECTORY
built() {
	local key

	key=$(tree_digest "${4##*/}" "$(<"$vm/lib/build-tree")")
	cached "$1" "build-$2-$key" make_build "$2" "$3" "$4"
}
