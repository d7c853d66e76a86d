#!/bin/sh
# Two copies are two pictures.
set -eu
cd "$(dirname "$0")"
test "$(java Greeting.java https://example.org/cat.png "Happy birthday" 2 | grep -o '"url"' | wc -l)" -eq 2
