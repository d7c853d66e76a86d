#!/bin/sh
# Write a greeting on a picture: greeting.sh PICTURE GREETING [COPIES]
set -eu
api=https://api.aimlapi.com/v1
body=$(printf '{"model": "google/gemini-2.5-flash-image-edit", "prompt": "Write %s on it", "image_urls": ["%s"], "num_images": %s}' "$2" "$1" "${3:-1}")
curl --silent --show-error --fail "$api/images/generations" \
  --header "Authorization: Bearer $AIMLAPI_KEY" --header "Content-Type: application/json" --data "$body" || true
