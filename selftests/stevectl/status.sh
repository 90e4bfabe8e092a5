# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

# The fields of struct steve_status, but for its flags.
status_fields()
{
	awk '/^struct steve_status/ { inside = 1; next }
		/^}/ { inside = 0 }
		inside && !/flags/ { sub(/;/, ""); print $2 }' \
		../../uapi/linux/steve.h
}

test_status_shows_every_field()
{
	names=$(status_fields)
	[ "$(echo "$names" | wc -l)" -ge 16 ] || fail "only these fields: $names"
	equal 'names' "$names" "$(account | sed 's/:.*//')"
	[ "$(account | awk '{ print match($0, / [^ ]/) }' | uniq | wc -l)" -eq 1 ] ||
		fail 'not aligned'
}

test_status_json_has_the_same_numbers()
{
	start_holder
	"$STEVECTL" status --json >"$WORK/json"
	has_json 'all(type(value) is int for value in d.values())' <"$WORK/json" ||
		fail 'not all are numbers'
	equal 'numbers' "$(account | sed 's/: */ /')" "$(python3 -c '
import json, sys
for name, value in json.load(sys.stdin).items():
    print(name, value)' <"$WORK/json")"
}

test_status_counts()
{
	equal 'available' 4 "$(field available)"
	granted=$(field granted) reclaimed=$(field reclaimed)
	start_holder
	equal 'held' 1 "$(field held)"
	equal 'available' 3 "$(field available)"
	equal 'granted' $((granted + 1)) "$(field granted)"
	end $!
	equal 'reclaimed' $((reclaimed + 1)) "$(field reclaimed)"
	equal 'held afterwards' 0 "$(field held)"
}

test_status_shows_a_negative_number()
{
	start_holder
	"$STEVECTL" set-jobs 0
	equal 'available' -1 "$(field available)"
	"$STEVECTL" status --json | has_json 'd["available"] == -1' ||
		fail 'not so in JSON'
}

test_status_by_the_fifo()
{
	equal 'account' "$(account)" "$("$STEVECTL" status --device "$FIFO")"
	equal 'account' "$(account)" "$("$STEVECTL" --device "$FIFO" status)"
}

test_status_refuses_arguments()
{
	refused 2 "*'x' is one argument too many; see stevectl status --help" \
		"$STEVECTL" status x
	refused 2 "*'--json=1': this option takes no argument*" \
		"$STEVECTL" status --json=1
}
