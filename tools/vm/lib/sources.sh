# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's source packages, in the root filesystem of a suite whose apt knows
# them.

source_options=(-q -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
	-o APT::Sandbox::User=root)

update_sources() {
	apt-get "${source_options[@]}" update
}

# Downloads the newest version of a source package that the mirror has: the
# lists of suites in development are often ahead of it.
#   fetch PACKAGE
fetch() {
	local version

	for version in $(apt-cache madison "$1" |
			awk '$NF == "Sources" { print $3 }' | sort -rVu); do
		if apt-get "${source_options[@]}" source --download-only "$1=$version"; then
			return
		fi
		rm -f "$1"_*
	done
	echo "the mirror has no source package $1" >&2
	return 1
}

# Unpacks a source package without what is not built here.
#   unpack PACKAGE DIR [UNWANTED]...
unpack() {
	dpkg-source --no-check --extract "$1"_*.dsc "$2"
	rm "$1"_*
	(cd "$2" && rm -rf "${@:3}")
}
