#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: script.sh JOBS SECONDS
#
# Takes a token from descriptor 3 for each job, and returns it to descriptor 4.
set -eu
for ((i = 0; i < $1; i++)); do
	IFS= read -r -N1 token <&3
	sleep "$2"
	echo -n "$token" >&4
done
