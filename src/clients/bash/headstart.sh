#!/usr/bin/env bash
# Headstart from a terminal: train a folder of photographs, watch it, predict. bash 4 and curl.
help='
  headstart.sh [--url URL] [--key KEY] train FOLDER [--name NAME]   each folder in FOLDER is a category
  headstart.sh [--url URL] [--key KEY] train FOLDER --kind detection [--name NAME]   photographs with COCO, VOC or YOLO beside them (needs zip)
  headstart.sh [--url URL] [--key KEY] watch MODEL                  model id or name
  headstart.sh [--url URL] [--key KEY] predict MODEL PATH...        files, or folders of files

HEADSTART_URL (default http://localhost:8080) and HEADSTART_KEY replace the options. You can interrupt train and start it again: images are
not stored twice, and a run in progress is watched. predict prints one line per file: file, label, probability, known or unknown, separated
by tabs; tabs and line breaks in names are printed as \t and \n. Put -- before files whose names begin with a dash. The exit code
is 0 for success, 1 for an error, 2 for a wrong command line.
'
set -euo pipefail
export LC_ALL=C.UTF-8
shopt -s nullglob

readonly batch=20 most=100 tries=6 silence=300 # seconds
url=${HEADSTART_URL:-http://localhost:8080}
key=${HEADSTART_KEY:-}
name=
kind=classification
answer=
status=
reached=
left_out=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$1" >&2; exit 1; }
usage() { printf '%s\n%s' "$1" "$help" >&2; exit 2; }

# shown NAME: without tabs and line breaks, so that a line stays a line
shown() { local text=${1//$'\t'/\\t}; text=${text//$'\r'/\\r}; printf '%s' "${text//$'\n'/\\n}"; }

# field NAME < JSON: the first value of that name, text without its quotes and escapes; empty for null or a missing field.
field() {
  local found wide
  found=$(grep -oE "\"$1\":(\"(\\\\.|[^\"\\\\])*\"|[^][{},\"]+)" | head -n 1) || true
  found=${found#*:}
  [[ $found != null ]] || found=
  if [[ $found == \"* ]]; then
    found=${found:1:-1}
    # JSON writes a character such as 🐱 as two \u, each of which printf would print: it gets one \U.
    while [[ $found =~ \\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2}) ]]; do
      printf -v wide '\\U%08X' $((0x10000 + ((0x${BASH_REMATCH[1]} - 0xD800) << 10) + 0x${BASH_REMATCH[2]} - 0xDC00))
      found=${found//"${BASH_REMATCH[0]}"/"$wide"}
    done
    found=${found//\\\"/\"}
    found=${found//\\\//\/}
    printf '%b' "$found"
  else
    printf '%s' "$found"
  fi
}

# one START < JSON: the objects that begin with the field START, one per line. Text cannot be mistaken for it: its quotes are escaped.
one() { sed "s/{\"$1\":/\n&/g" | grep "^{\"$1\":" || true; }

quoted() { local text=${1//\\/\\\\}; printf '"%s"' "${text//\"/\\\"}"; }

# json TEXT: as a string of JSON; control characters are left out
json() { quoted "${1//[[:cntrl:]]/}"; }

percent() { awk -v share="$1" 'BEGIN { printf "%.1f", 100 * share }'; }

# call [ACCEPTED STATUS] CURL-ARGUMENTS…: sets answer. It repeats the request if the host is busy or, once the host has answered, if the
# connection is lost, unless once is set; any other error fails with its detail.
call() {
  local accept=
  if [[ $1 =~ ^[0-9]{3}$ ]]; then accept=$1; shift; fi
  local attempt lost
  for ((attempt = 1; ; attempt++)); do
    lost=0
    # The key goes through a file descriptor: every user can see the arguments of a process.
    status=$(curl -sS -D "$work/head" -o "$work/body" -w '%{http_code}' --connect-timeout "$silence" --speed-time "$silence" \
      -K <(printf 'header = "Authorization: Bearer %s"\n' "$key") "$@" 2>"$work/errors") || lost=$?
    if ((lost == 26)); then fail "A file cannot be opened: $(<"$work/errors")"; fi
    if ((lost > 0)); then
      [[ -n $reached && -z ${once:-} && $attempt -lt $tries ]] || fail "Cannot reach $url: $(<"$work/errors")"
      pause "$attempt"
      continue
    fi
    reached=yes
    if [[ $status == 503 && $attempt -lt $tries ]]; then
      pause "$attempt" "$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\)[[:space:]]*$/\1/p' "$work/head" | tail -n 1)"
      continue
    fi
    answer=$(<"$work/body")
    if [[ $status == 2* && $answer != '{'* ]]; then fail "$url answered with something other than the Headstart API; check the URL."; fi
    [[ $status != 2* && $status != "$accept" ]] || return 0
    refused
  done
}

# pause ATTEMPT [SECONDS]: as long as the host asks, or longer each time
pause() {
  local wait=$((10#${2:-$((1 << ($1 - 1)))}))
  sleep "$((wait > 30 ? 30 : wait))"
}

refused() { local detail; detail=$(field detail <<<"$answer"); fail "${detail:-$url answered with status $status.}"; }

# find_model NAME-OR-ID: sets model to its id, or to nothing. The host compares names, so that é is é however it was typed.
find_model() {
  call --get --data-urlencode "named=$1" "$api/models"
  model=$(one id <<<"$answer" | head -n 1 | field id)
}

need_model() { find_model "$1"; [[ -n $model ]] || fail "Your account has no model \"$1\"."; }

is_file() { [[ -f $1 || (-L $1 && ! -e $1) ]]; }

# in_folder FOLDER: adds its files to files
in_folder() {
  local file
  [[ -r $1 && -x $1 ]] || fail "The folder $1 cannot be opened; check that you may read it."
  for file in "$1"/*; do if is_file "$file"; then files+=("$file"); fi; done
}

# openable FOLDER: takes the files that cannot be opened off files and names them by their paths below the folder, if there is one
openable() {
  local file all=(${files[@]+"${files[@]}"})
  files=()
  for file in ${all[@]+"${all[@]}"}; do
    if [[ -r $file && (! -d $file || -x $file) ]]; then
      files+=("$file")
    else
      left_out=1
      printf '%s: Cannot be opened; check that it exists and that you may read it.\n' "$(shown "${file#"${1:+$1/}"}")" >&2
    fi
  done
}

# form FILE…: sets form to curl's arguments; names may have blanks, quotes, commas, semicolons.
form() {
  local file
  form=()
  for file in "$@"; do
    [[ $file != -* ]] || file=./$file
    form+=(-F "file=@$(quoted "$file")")
  done
}

train() {
  local folder=${1%/} category categories=() file files batch_files start
  [[ -d $folder ]] || fail "The folder $1 does not exist."
  [[ $folder != -* ]] || folder=./$folder
  if [[ $kind == detection ]]; then train_detector "$folder"; return; fi
  for category in "$folder"/*/; do
    category=${category%/}
    categories+=("${category##*/}")
  done
  ((${#categories[@]} >= 2)) || fail "$folder has ${#categories[@]} folders; it needs at least two, one for each category."
  make_model "$folder" imageClassification
  for category in "${categories[@]}"; do
    files=()
    in_folder "$folder/$category"
    openable "$folder"
    for ((start = 0; start < ${#files[@]}; start += batch)); do
      batch_files=("${files[@]:start:batch}")
      form "${batch_files[@]}"
      call 422 --form-string "category=$category" "${form[@]}" "$api/models/$model/images"
      [[ $answer == *'"rejected":'* ]] || refused
      while IFS= read -r file; do
        [[ -z $file ]] || printf '%s/%s: %s\n' "$(shown "$category")" "$(field fileName <<<"$file")" "$(field detail <<<"$file")" >&2
      done < <(one fileName <<<"${answer##*'"rejected":'}")
      printf '%s: %s of %s sent\n' "$(shown "$category")" "$((start + ${#batch_files[@]}))" "${#files[@]}"
    done
  done
  learn
}

# make_model FOLDER KIND: sets model to the id of the model of that name, which it creates if there is none.
make_model() {
  if [[ -z $name ]]; then
    name=$(realpath -- "$1")
    name=${name##*/}
  fi
  ! grep -qaxv '.*' <<<"$name" || fail "The name of the folder $1 is not valid UTF-8; name the model with --name."
  find_model "$name"
  if [[ -z $model ]]; then
    once=yes call -H 'Content-Type: application/json' --data-binary "{\"name\":$(json "$name"),\"kind\":\"$2\"}" "$api/models"
    model=$(field id <<<"$answer")
  fi
  printf 'Model %s %s\n' "$name" "$model"
}

# train_detector FOLDER: sends the folder as it is; the host finds out which annotations have the boxes.
train_detector() {
  local import file files=() ended error code=0
  command -v zip >/dev/null || fail 'Sending a folder with boxes needs the program zip; install it, or use one of the other clients.'
  make_model "$1" objectDetection
  while IFS= read -rd '' file; do files+=("$file"); done < <(find -L "$1" -mindepth 1 -name '.*' -prune -o -print0 2>/dev/null)
  openable "$1"
  (cd -- "$1" && zip -qr0 "$work/folder.zip" . -x '.*' '*/.*') >"$work/errors" 2>&1 || code=$?
  ((code != 12)) || fail "The folder $1 has no files."
  ((code == 0 || code == 18)) || fail "The folder $1 cannot be packed: $(tail -n 1 "$work/errors")" # 18: some files cannot be opened
  call -H 'Content-Type: application/zip' -H "Idempotency-Key: $(once_key)" --data-binary "@$work/folder.zip" \
    "$api/models/$model/imports/archive"
  import=$(field id <<<"$answer")
  while [[ $(field state <<<"$answer") =~ ^(queued|running)$ ]]; do
    sleep 1
    call "$api/models/$model/imports/$import"
  done
  ended=$answer
  call "$api/models/$model/imports/$import/rejections?limit=100"
  while IFS= read -r file; do
    [[ -z $file ]] || printf '%s: %s\n' "$(shown "$(field fileName <<<"$file")")" "$(field detail <<<"$file")" >&2
  done < <(one position <<<"$answer")
  notices <<<"$ended"
  if [[ $(field state <<<"$ended") != succeeded ]]; then
    error=$(field error <<<"$ended")
    fail "${error:-The import was $(field state <<<"$ended").}"
  fi
  printf '%s of %s files taken\n' "$(field accepted <<<"$ended")" "$(field total <<<"$ended")"
  learn
}

# notices < JSON: prints those of a run or an import
notices() {
  local json notice
  json=$(cat)
  while IFS= read -r notice; do
    [[ -z $notice ]] || printf '%s\n' "$(field notice <<<"{\"notice\":$notice}")" >&2
  done < <(grep -oE '^("(\\.|[^"\\])*",?)*' <<<"${json#*'"notices":['}" | grep -oE '"(\\.|[^"\\])*"')
}

once_key() { printf '%s' "$(basename "$work")-$RANDOM$RANDOM"; }

# learn: starts a run of the model, unless one is under way, and follows it.
learn() {
  newest_run
  if [[ ! $(field state <<<"$answer") =~ ^(queued|running)$ ]]; then
    call -H 'Content-Type: application/json' -H "Idempotency-Key: $(once_key)" --data-binary '{}' "$api/models/$model/training-runs"
  fi
  follow
}

newest_run() { call "$api/models/$model/training-runs?limit=1"; }

# follow: watches the run in $answer until it ends.
follow() {
  local run line said= left detail state version low high
  run=$(field id <<<"$answer")
  [[ -n $run ]] || fail 'The model has no training run yet.'
  while state=$(field state <<<"$answer") && [[ $state =~ ^(queued|running)$ ]]; do
    left=$(field secondsLeft <<<"$answer")
    detail=$(field detail <<<"$answer")
    line=$(field stage <<<"$answer")
    line="${line:-$state}, $(printf '%.0f' "$(percent "$(field progress <<<"$answer")")")%${left:+, about $(printf '%.0f' "$left") s left}${detail:+: $detail}"
    if [[ $line != "$said" ]]; then printf '%s\n' "$line"; said=$line; fi
    sleep 1
    call "$api/models/$model/training-runs/$run"
  done
  notices <<<"$answer"
  if [[ $state != succeeded ]]; then
    detail=$(field error <<<"$answer")
    fail "${detail:-The training run was $state.}"
  fi
  version=$(field version <<<"$answer")
  call "$api/models/$model/versions/$version"
  line='accuracy unknown'
  if [[ $answer =~ \"accuracyInterval\":\[([^,]+),([^]]+)\] ]]; then
    low=${BASH_REMATCH[1]} high=${BASH_REMATCH[2]}
    line="accuracy $(percent "$(field accuracy <<<"$answer")")% ($(percent "$low")% to $(percent "$high")%)"
  fi
  printf 'Version %s: %s, with %s\n' "$version" "$line" "$(field backbone <<<"$answer")"
  call "$api/models/$model/versions/$version/report"
  field sentence <<<"$answer"
  echo
}

predict() {
  local path files=() batch_files start line i error found box
  for path in "${@:2}"; do
    if [[ -d $path ]]; then
      in_folder "${path%/}"
    else
      is_file "$path" || fail "The file $path does not exist."
      files+=("$path")
    fi
  done
  ((${#files[@]} > 0)) || fail 'There are no files to predict.'
  need_model "$1"
  openable ''
  for ((start = 0; start < ${#files[@]}; start += batch)); do
    batch_files=("${files[@]:start:batch}")
    form "${batch_files[@]}"
    call 422 "${form[@]}" "$api/models/$model/predictions?top=$most"
    [[ $answer == *'"predictions":'* ]] || refused
    i=0
    while IFS= read -r line; do
      error=$(field error <<<"$line")
      if [[ -n $error ]]; then
        left_out=1
        printf '%s: %s\n' "$(shown "${batch_files[i]}")" "$error" >&2
      elif [[ $line == *'"objects":['* ]]; then
        [[ $line != *'"objects":[]'* ]] || printf '%s\n' "$(shown "${batch_files[i]}")"
        while IFS= read -r found; do
          box=${found#*'"pixels":'}
          printf '%s\t%s\t%.4f\t%s\t%s\t%s\t%s\n' "$(shown "${batch_files[i]}")" "$(field label <<<"$found")" \
            "$(field probability <<<"$found")" "$(field x <<<"$box")" "$(field y <<<"$box")" "$(field width <<<"$box")" "$(field height <<<"$box")"
        done < <(one label <<<"${line#*'"objects":'}")
      else
        printf '%s\t%s\t%.4f\t%s\n' "$(shown "${batch_files[i]}")" "$(field label <<<"$line")" "$(field probability <<<"$line")" \
          "$([[ $(field unknown <<<"$line") == true ]] && echo unknown || echo known)"
      fi
      i=$((i + 1))
    done < <(one fileName <<<"${answer#*'"predictions":'}")
  done
}

words=()
while (($# > 0)); do
  case $1 in
    --url | --key | --name | --kind) (($# > 1)) || usage "$1 needs a value."; printf -v "${1#--}" '%s' "$2"; shift 2 ;;
    --help) printf '%s' "$help"; exit ;;
    --) shift; words+=("$@"); break ;;
    --*) usage "Unknown option $1." ;;
    *) words+=("$1"); shift ;;
  esac
done
url=${url%/}
api=$url/api/v1
case ${words[0]:-}/${#words[@]} in
  train/2 | watch/2 | predict/[3-9] | predict/[1-9][0-9]*) ;;
  *) usage 'Unknown command, or wrong arguments.' ;;
esac
[[ $kind =~ ^(classification|detection)$ ]] || usage '--kind is classification or detection.'
[[ -n $key ]] || usage 'No API key: set HEADSTART_KEY or use --key.'
[[ $url =~ ^https?:// ]] || fail "$url is not a URL that begins with http:// or https://."
case ${words[0]} in
  train) train "${words[1]}" ;;
  watch) need_model "${words[1]}"; newest_run; follow ;;
  predict) predict "${words[@]:1}" ;;
esac
exit "$left_out"
