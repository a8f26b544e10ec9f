#!/bin/sh
# Make one video with the Reelmint API. Needs nothing but curl and sed.
#
#     BASE_URL=http://127.0.0.1:8000 API_KEY=rmk_... sh make_video.sh "A paper boat" boat.mp4
set -eu

BASE_URL=${BASE_URL:-http://127.0.0.1:8000}
BASE_URL=${BASE_URL%/}
prompt=${1:-A paper boat on a quiet lake at sunrise}
target=${2:-video.mp4}
[ -n "${API_KEY:-}" ] || { echo "Set API_KEY (and BASE_URL) first." >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A key among the arguments could be read by everybody on this machine; this folder cannot.
printf 'header = "Authorization: Bearer %s"\n' "$API_KEY" >"$folder/config"

# Calls the API; leaves the answer in $folder/body. Ends the program when it is an error.
call() {
	# --retry repeats after 429, 503 and a lost connection, after as long as Retry-After says
	status=$(curl --silent --show-error --retry 4 --retry-connrefused --max-time 60 \
		--config "$folder/config" --dump-header "$folder/headers" --output "$folder/body" \
		--write-out '%{http_code}' "$@") || exit 1
	case $status in
	2*) ;;
	*)
		echo "The API answered $status: $(text error)" >&2
		exit 1
		;;
	esac
}

# The value of a field of the answer that is a string (a quote inside of a string is written \",
# so that no prompt can be taken for a field).
text() {
	sed -n 's/.*"'"$1"'": *"\(\([^"\\]\|\\.\)*\)".*/\1/p' "$folder/body"
}

order=$(printf '%s' "$prompt" | tr '\t\r\n' '   ' | sed 's/[\\"]/\\&/g')
printf '{"prompt": "%s", "video_model": "veo3_fast"}' "$order" >"$folder/order"
call --header 'Content-Type: application/json' \
	--header "Idempotency-Key: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" \
	--data-binary "@$folder/order" "$BASE_URL/api/v1/generate/video/"
id=$(text generation_id)
echo "$(text message): $id"

while :; do
	call "$BASE_URL/api/v1/generate/$id/"
	[ "$(text status)" = processing ] || break
	wait=$(sed -nE 's/^[Rr]etry-[Aa]fter: *([0-9]+).*/\1/p' "$folder/headers" | tail -n 1)
	sleep "${wait:-5}"
done

if [ "$(text status)" != completed ]; then
	echo "No video, the credits were paid back: $(text message)" >&2
	exit 1
fi
curl --silent --show-error --fail --output "$target" "$(text video_url)" # needs no header
echo "Saved $target ($(wc -c <"$target") bytes)"
