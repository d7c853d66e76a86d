#!/bin/sh
# Two copies are two pictures.
set -eu
cd "$(dirname "$0")"
test "$(sh greeting.sh https://example.org/cat.png "Happy birthday" 2 | grep -o '"url"' | wc -l)" -eq 2
